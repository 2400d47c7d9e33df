"""Main text by trafilatura: pages are parsed as it does it, but to any depth, and refused where they are too dear."""

import gc
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NoReturn

import numpy as np
from lxml import etree
from lxml.html import HtmlComment, HtmlElement, HtmlEntity, HTMLParser, HtmlProcessingInstruction, fromstring
from trafilatura.settings import Extractor
from trafilatura.utils import line_processing, repair_faulty_html, trim

from corpusforge.engine import guard
from corpusforge.extract.characters import SIGNS
from corpusforge.extract.result import Result, dropped
from corpusforge.text.blocks import Page, blocks_of
from corpusforge.text.extraction import text_of
from corpusforge.text.html import title_of
from corpusforge.text.layout import without_layout_tables

for _name in ("trafilatura", "htmldate", "courlan", "justext", "readability"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

MARKS_PER_ELEMENT = 4
"""``<`` signs a page may have for each admitted element; more of them are refused before parsing."""
MOST_ATTRIBUTES = 2_000
"""Attributes of a tag that are read; one with more loses them all, as libxml2's time grows with their square (40 000
take 11 s)."""
ENDLESS = 200_000
"""Attributes in tags with too many of them, from which a page is refused."""
LONG_TAG = 8_000
"""Bytes from which on a tag's attributes are counted."""
CACHED_BYTES = 1 << 22
"""After so many bytes of pages trafilatura's caches of lines are emptied: they hold a thousand lines of any length."""

FIRST_LINES = 16_384
"""Bytes from whose next line end on trafilatura repairs nothing: it looks at 4 096 characters."""

_CONTROLS = bytes({*range(32)} - {9, 10, 13})
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(rb"<[^\s>/]{1,64}")
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_C1_REFERENCE = re.compile(rb"&#0{0,4}(12[89]|1[34]\d|15\d);")
_WORD = re.compile(rb"\S+")
_SCRIPT = re.compile(rb"<(/?)script", re.IGNORECASE)
_ELEMENTS = etree.XPath("count(//*)")
# lxml.html's own lookup is Python code that is called for every element; forms need no classes of their own here.
_CLASSES = etree.ElementDefaultClassLookup(
    element=HtmlElement, comment=HtmlComment, pi=HtmlProcessingInstruction, entity=HtmlEntity
)


class Trafilatura:
    """Extracts with ``precision`` or its default, with or without ``tables``; refuses pages with more elements than
    ``most_elements``, or nested deeper than ``most_depth``. Texts of ``compare_below`` characters are compared with no
    other extractor's."""

    def __init__(
        self, precision: bool, tables: bool, most_elements: int, most_depth: int, compare_below: int | None = None
    ) -> None:
        self._precision, self._tables, self._compare_below = precision, tables, compare_below
        self._most_elements, self._most_depth = most_elements, most_depth
        self._since = 0

    def __call__(self, html: bytes, place: str) -> Result:
        """The main text of a page; ``place`` names it where memory is short."""
        self._since += len(html)
        if self._since > CACHED_BYTES:
            line_processing.cache_clear()
            trim.cache_clear()
            self._since = 0
        with _no_collection():
            return self._result(html, place)

    def _result(self, html: bytes, place: str) -> Result:
        if html.count(b"<") > MARKS_PER_ELEMENT * self._most_elements:
            return dropped("too_many_elements")
        bare = _without_endless_tags(html)
        if bare is None:
            return dropped("too_many_attributes")
        html = bare
        if not html.strip():
            return dropped("no_text")
        try:
            return self._extracted(_parsed(html, place), html, place)
        except _NotParsed as error:
            return dropped(str(error))
        except MemoryError as error:
            raise MemoryError(f"out of memory at {place}: {error}") from error
        except Exception:
            # Only extraction may turn a bad record into a reason: what strangers write must not end a unit.
            if guard.memory_is_short():
                _short(place)
            return dropped("extractor_error")

    def _extracted(self, tree: HtmlElement, html: bytes, place: str) -> Result:
        refused = self._too_much(tree)
        if refused:
            return dropped(refused)
        _drop_readings(tree)
        options = Extractor(precision=self._precision, comments=False, tables=self._tables)
        text = text_of(without_layout_tables(tree), html, options, self._compare_below)
        if not text or not text.strip():
            if guard.memory_is_short():
                _short(place)
            # No title either: it would be swept before the masks.
            return dropped("no_text")
        return Result(text, title_of(html) or None, blocks_of(text, Page.of(tree)))

    def _too_much(self, tree: HtmlElement) -> str | None:
        """Count before anything recurses: trafilatura and libxml2's copy do, so depth is known before they run."""
        if _ELEMENTS(tree) > self._most_elements:
            return "too_many_elements"
        return "too_deep" if _below(self._most_depth)(tree) else None


@cache
def _below(depth: int) -> etree.XPath:
    """Whether an element is nested deeper than ``depth``, the root being at 1."""
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Put off garbage collection: a page makes ten thousand objects, freed by count, and triggers it 50 times."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _NotParsed(Exception):
    """The bytes give no tree; the text is the reason to drop."""


def _parsed(html: bytes, place: str) -> HtmlElement:
    """Parse as trafilatura does, but to any depth: its parser cuts off what is nested over 256 deep."""
    beginning = html[:200].decode("utf-8", "replace")[:50].lower()
    data = _repaired(html, beginning)
    tree = _tree(data, place)
    if tree is None:
        # Failures under memory pressure do not repeat; those of the document do.
        tree = _tree(data, place)
    if tree is None:
        raise _NotParsed("not_parsed")
    if "html" not in beginning and len(tree) < 2:
        # Trafilatura's own test for plain text, JSON and fragments of one element.
        raise _NotParsed("not_html")
    return tree


def _repaired(html: bytes, beginning: str) -> bytes:
    """Take out what XML cannot hold, then let trafilatura repair the first lines, which is all it looks at."""
    try:
        html.decode("utf-8")
    except UnicodeDecodeError:
        html = html.decode("utf-8", "replace").encode("utf-8")
    html = (
        _with_windows_signs(html).translate(None, _CONTROLS).replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    )
    end = html.find(b"\n", FIRST_LINES) + 1 or len(html)
    first = repair_faulty_html(html[:end].decode("utf-8"), beginning)
    return str(first).encode("utf-8") + html[end:]


def _with_windows_signs(html: bytes) -> bytes:
    """Read C1 controls, written out or as references, as windows-1252, as the HTML standard does with references."""
    if b"&#1" in html:
        html = _C1_REFERENCE.sub(lambda found: SIGNS[int(found[1]) - 128].encode(), html)
    if _C1.search(html):
        html = _C1.sub(lambda found: SIGNS[found[0][1] - 128].encode(), html)
    return html


def _without_endless_tags(html: bytes) -> bytes | None:
    """Take the attributes from start tags with more than ``MOST_ATTRIBUTES`` (long values alone are no reason).

    None if there are more than ``ENDLESS`` of them, or where such a tag does not end before the next one.
    """
    marks = np.flatnonzero(np.frombuffer(html, np.uint8) == ord("<"))
    ends = np.append(marks[1:], len(html))[: len(marks)]
    in_script, read, total = False, 0, 0
    pieces: list[bytes] = []
    copied = 0
    for k in np.flatnonzero(ends - marks > LONG_TAG + 1):
        start, end = int(marks[k]), int(ends[k])
        if not html[start + 1 : start + 2].isalpha():
            continue
        count, size = _attributes(html[start + 1 : end])
        if count <= MOST_ATTRIBUTES:
            continue
        for mark in _SCRIPT.finditer(html, read, start + len(b"</script")):
            in_script = not mark[1]
        read = start + 1
        if in_script and html[start + 1 : start + 7].lower() != b"script":
            continue
        total += count
        if total > ENDLESS or size is None:
            return None
        name = _NAME.match(html, start)
        pieces += [html[copied:start], name[0] if name else b"<"]
        copied = start + 1 + size
    return b"".join(pieces) + html[copied:] if pieces else html


def _attributes(tag: bytes) -> tuple[int, int | None]:
    """Words outside quotes of a tag that begins here, and where its ``>`` stands; None if it has none."""
    head, close, _ = tag.partition(b">")
    if b"'" in head or head.count(b'"') % 2:
        # The first ``>`` may stand in a value.
        head, close, _ = _QUOTED.sub(lambda value: bytes(len(value[0])), tag).partition(b">")
        return _words(head.replace(b"\0", b"")), len(head) if close else None
    return _words(_QUOTED.sub(b"", head)), len(head) if close else None


def _words(text: bytes) -> int:
    """Counted one by one: a list of a million words takes 80 MB."""
    return sum(1 for _ in _WORD.finditer(text))


def _tree(data: bytes, place: str) -> HtmlElement | None:
    parser = HTMLParser(
        collect_ids=False,
        default_doctype=False,
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
    )
    parser.set_element_class_lookup(_CLASSES)
    try:
        return fromstring(data, parser=parser)
    except (etree.LxmlError, ValueError):
        if guard.memory_is_short():
            _short(place)
        return None


def _drop_readings(tree: HtmlElement) -> None:
    """Take readings out of ruby, keeping what stands after them: they would double the text."""
    for reading in list(tree.iter("rt", "rp", "rtc")):
        if reading.getparent() is not None:
            reading.drop_tree()


def _short(place: str) -> NoReturn:
    raise MemoryError(f"out of memory at {place}: a parse or an extraction failed while memory was short")
