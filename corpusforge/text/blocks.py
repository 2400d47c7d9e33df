"""Find the lines of an extracted text again in the page they came from: DOM path and share of link text."""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lxml import etree

from corpusforge.text.block_ranges import Blocks

_INLINE = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark nobr q rb ruby s samp "
    "small span strike strong sub sup time tt u var wbr"
)
INLINE = frozenset(_INLINE.split())
"""Elements that do not break a line; every other one does."""
SILENT = frozenset(("script", "style", "noscript", "template", "head", "textarea", "rt", "rp"))
NO_SCORE = 255
PATH_ELEMENTS = 4
NAME_CHARACTERS = 24
SHORTEST_INSIDE = 4
NEARBY = 200
"""A line that is no whole block of the page is looked for inside the page's text; a shorter one than
``SHORTEST_INSIDE`` only in the next ``NEARBY`` characters."""
MOST_SCANNED = 20_000_000
"""Characters a page's lines may be looked for in; later lines stay without path. Counted work, not time."""

_SEPARATORS = "|/<>«»‹›・•·-"
_DIGITS = re.compile("[0-9]+")
_TEXTS = etree.XPath("//body//text()[normalize-space() and not(parent::script or parent::style)]")


class Place(NamedTuple):
    """Where a text node hangs: nearest block element, and whether it is in a link or in a silent element."""

    block: Any = None
    link: bool = False
    silent: bool = False


@dataclass
class Page:
    """The page's text without spaces and separators, the links in it, and the block that each part hangs in."""

    stream: str
    links: bytes
    starts: list[int]
    blocks: list[Any]
    whole: dict[str, list[int]]
    cursor: int = 0
    scanned: int = 0
    paths: dict[Any, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: etree._Element) -> "Page":
        """Read a parsed page in one walk over its text nodes."""
        known: dict[Any, Place] = {}
        pieces: list[str] = []
        links: list[bytes] = []
        page = cls("", b"", [], [], {})
        segment, first, at, last = "", 0, 0, None
        nodes = _TEXTS(tree)
        # One call for all nodes: no text of a document holds a zero character.
        pieces_of = squeezed("\0".join(nodes)).split("\0") if nodes else []
        for node, piece in zip(nodes, pieces_of, strict=True):
            parent = node.getparent()
            holder = parent.getparent() if node.is_tail else parent
            place = known.get(holder) or _place(holder, known)
            if place.silent:
                continue
            if place.block is not last or (node.is_tail and parent.tag not in INLINE):
                page._close(segment, first)
                segment, first, last = "", at, place.block
            if piece:
                pieces.append(piece)
                links.append((b"\1" if place.link else b"\0") * len(piece))
                page.starts.append(at)
                page.blocks.append(place.block)
                segment += piece
                at += len(piece)
        page._close(segment, first)
        page.stream, page.links = "".join(pieces), b"".join(links)
        return page

    def _close(self, segment: str, first: int) -> None:
        if segment:
            self.whole.setdefault(segment, []).append(first)

    def locate(self, key: str) -> int:
        """Where a squeezed line stands in the stream, after the last one if it can be; -1 if nowhere."""
        starts = self.whole.get(key)
        if starts:
            at = next((start for start in starts if start >= self.cursor), starts[0])
        elif self.scanned > MOST_SCANNED:
            return -1
        elif len(key) < SHORTEST_INSIDE:
            at = self.stream.find(key, self.cursor, self.cursor + NEARBY)
        else:
            at = self.stream.find(key, self.cursor)
            self.scanned += (at if at >= 0 else len(self.stream)) - self.cursor
            if at < 0:
                at = self.stream.find(key, 0, self.cursor + len(key))
                self.scanned += self.cursor
        if at >= 0:
            self.cursor = at + len(key)
        return at

    def path(self, at: int) -> str:
        """DOM path of the block that holds a place of the stream."""
        block = self.blocks[bisect_right(self.starts, at) - 1]
        if block is None:
            return ""
        if block not in self.paths:
            self.paths[block] = _path(block)
        return self.paths[block]


def squeezed(text: str) -> str:
    """Text in NFC without white space and the separators that menus and tables put between their parts."""
    if text.isalnum() and text.isascii():
        return text
    text = "".join(unicodedata.normalize("NFC", text).split())
    for separator in _SEPARATORS:
        text = text.replace(separator, "")
    return text


def _place(element: Any, known: dict[Any, Place]) -> Place:
    chain = []
    while element is not None and element not in known:
        chain.append(element)
        element = element.getparent()
    place = known[element] if element is not None else Place()
    for inner in reversed(chain):
        tag = inner.tag
        if tag not in INLINE:
            place = Place(inner, place.link, place.silent or tag in SILENT)
        elif tag == "a":
            place = Place(place.block, True, place.silent)
        known[inner] = place
    return place


def _path(element: Any) -> str:
    names: list[str] = []
    while element is not None and len(names) < PATH_ELEMENTS:
        kind = (element.get("class") or "").split()
        name = f".{_DIGITS.sub('0', kind[0])}" if kind else ""
        # Numbers count posts, not templates: post-17 and post-18 are one place.
        names.append(f"{element.tag}{name}"[:NAME_CHARACTERS])
        element = element.getparent()
    return ">".join(reversed(names))


def blocks_of(text: str, page: Page) -> Blocks:
    """One block for every line of ``text`` that is not empty: path, offsets, links in 1/255, no score."""
    rows = list[tuple[Any, ...]]()
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        if line and not line.isspace():
            key = squeezed(line)
            at = page.locate(key) if key else -1
            in_links = page.links.count(1, at, at + len(key)) if at >= 0 else 0
            share = (255 * in_links + len(key) // 2) // len(key) if key else 0
            path = page.path(at) if at >= 0 else ""
            rows.append((path, start, end, share, NO_SCORE))
        start = end + 1
    return Blocks(*([row[place] for row in rows] for place in range(len(Blocks._fields))))
