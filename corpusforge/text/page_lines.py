"""The text of a page as lines, as a reader of its source would find them: everything, menus and footers too; and
which of them a text left out."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

SILENT = ("head", "script", "style", "noscript", "template", "svg", "textarea")
"""Elements whose content is no text of the page."""
READINGS = ("rt", "rp", "rtc")
"""Elements that hold how the characters beside them are read."""
INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd"),
    *("label", "mark", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup"),
    *("time", "tt", "u", "var", "wbr"),
}
"""Elements that begin no line."""
SHORT = 8
"""Characters below which a line of the page must be a line of the text: it may stand in any sentence by chance."""
BESIDE = 64
"""Lines of the page that may make one of the text: more would take time in their square."""
_ADDRESS = re.compile(r"\]\([^()]*\)")
_IMAGE = re.compile(r"!\[.{0,400}?\]\([^()]*\)")
_NUMBER = re.compile(r"[\s>]*[0-9]{1,6}\. ")
_CELLS = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff#>|`:\[\]\\-]+")
"""Blanks, also those of no width, and what marks headings, items, quotes, cells, code and links."""


def page_lines(html: bytes, readings: bool = False) -> list[str]:
    """The lines of UTF-8 HTML, white space collapsed, empty ones left out; none where it cannot be parsed.

    With ``readings`` those above characters (ruby) stand behind them.
    """
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = document_fromstring(html, parser=parser)
    except (etree.LxmlError, ValueError):
        return []
    silent = SILENT if readings else (*SILENT, *READINGS)
    for element in tree.xpath("|".join(f"//{name}" for name in silent)):
        element.text, tail = None, element.tail
        del element[:]
        element.tail = tail
    pieces: list[str] = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if element.tag not in INLINE:
            pieces.append("\n")
        text = element.text if event == "start" else element.tail
        pieces.append(" ".join((text or "").split("\n")))
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return [line for line in lines if line]


def left_out(page: Sequence[str], text: str) -> list[str]:
    """The lines of a page that a text does not hold, whatever marks, addresses and breaks stand in it.

    A line of under ``SHORT`` characters must make a line or a cell of the text, alone or with those beside it, or be
    several lines of it; letters and digits count there. One of nothing but marks says nothing, and is never left out.
    """
    # What looks like an image may be a sign of exclamation before a link.
    lines = [*text.splitlines(), *_IMAGE.sub("", text).splitlines()]
    whole = "".join(map(_unmarked, lines))
    units, runs = sorted({*chain.from_iterable(map(_units, lines))}), {*_short_runs(lines)}
    said = [*map(_said, page)]
    found = {at for at, line in enumerate(page) if line in runs or _is_in(_unmarked(line), whole)}
    for first in range(len(said)):
        found.update(_together(said, first, units))
    return [line for at, line in enumerate(page) if at not in found]


def _is_in(line: str, whole: str) -> bool:
    return not line or (len(line) >= SHORT and line in whole)


def _unmarked(line: str) -> str:
    return _MARKS.sub("", _ADDRESS.sub("", line))


def _said(line: str) -> str:
    """The letters and digits of a line; its signs where it has no others, for engines change them (bullets, quotes)."""
    unmarked = _unmarked(line)
    return "".join(filter(str.isalnum, unmarked)) or unmarked


def _units(line: str) -> Iterator[str]:
    """What a line of text says, and each cell of a row, also without the number of an item."""
    for unit in (line, *_CELLS.split(line)) if line.endswith(" |") else (line,):
        yield _said(unit)
        yield _said(_NUMBER.sub("", unit, count=1))


def _short_runs(lines: Sequence[str]) -> Iterator[str]:
    """Few words of lines that follow one another: short code is one line of the page."""
    plain = [" ".join(line.strip("> ").split()) for line in lines]
    for first in range(len(plain)):
        for run in accumulate(plain[first : first + SHORT], "{} {}".format):
            # Blanks and marks stand among the characters.
            if len(run) > 4 * SHORT:
                break
            yield run


def _together(said: Sequence[str], first: int, units: Sequence[str]) -> range:
    """The longest run of lines from ``first`` on that is one of the sorted ``units``."""
    run, end = "", first
    for at in range(first, min(first + BESIDE, len(said))):
        run += said[at]
        place = bisect_left(units, run)
        if place == len(units) or not units[place].startswith(run):
            break
        if said[at] and units[place] == run:
            end = at + 1
    return range(first, end)
