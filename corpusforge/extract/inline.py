"""Texts of blocks with what stands inside their lines: links, images and code."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urljoin

import numpy as np
import numpy.typing as npt

from corpusforge.extract.characters import decoded
from corpusforge.extract.markup import ELEMENT, KIND, OPEN
from corpusforge.extract.options import Options
from corpusforge.extract.page import Page
from corpusforge.extract.tags import NUMBERS
from corpusforge.extract.tree import IN_PREFORMATTED, Places
from corpusforge.extract.values import values_of
from corpusforge.kernels import compiled

_A, _IMG, _BASE, _NOSCRIPT = (NUMBERS[name] for name in ("a", "img", "base", "noscript"))
_CODE = [NUMBERS[name] for name in ("code", "kbd", "samp", "tt")]
_SOURCES = ("src", "data-src", "data-lazy-src")
_TICKS = re.compile("`+")
_NO_PAGE = re.compile(r"(?!(?:https?|ftp):)[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
"""Schemes of addresses that no page has: scripts, data, mail, telephones."""
_CLOSES, _OPENS = range(2)
"""At one place what closes comes before what opens."""
_LINK, _CODE_MARK = 1, 2
"""Ranks of marks: what stands inside of another has the higher one. Links stand around code, never in it."""

Insertion = tuple[int, int, int, str]
"""A place in the text of all blocks, what comes first there, twice (inner marks close first and open last), and what is
put there."""
Span = tuple[int, int, int]
"""An element with the start and the end of its text in one line."""


@dataclass(frozen=True)
class Image:
    """An image between two blocks: its mark, and the element that breaks text which it hangs in."""

    mark: str
    element: int


class Inline:
    """The texts of the ``chosen`` blocks of a page, with marks of the kinds that the options ask for."""

    def __init__(self, page: Page, chosen: npt.NDArray[np.intp], options: Options) -> None:
        self._page, self._data = page, page.blocks.text.tobytes()
        self._is_chosen = np.isin(np.arange(len(page.blocks)), chosen)
        self._address = _base(page, options.url)
        self._alone: dict[int, list[Image]] = defaultdict(list)
        found: list[Insertion] = []
        code = list(self._code_spans()) if options.markdown else []
        for _, start, end in code:
            before, after = _ticks(decoded(self._data[start:end]))
            found += [(start, _OPENS, _CODE_MARK, before), (end, _CLOSES, -_CODE_MARK, after)]
        if options.links:
            found += self._links(code, options.markdown)
        if options.images:
            found += self._images()
        self._insertions = sorted(found, key=lambda insertion: insertion[:3])

    def text(self, number: int) -> str:
        """The text of a block."""
        start, end = int(self._page.blocks.start[number]), int(self._page.blocks.end[number])
        first = bisect_left(self._insertions, (start, _OPENS))
        # What opens where a block ends belongs to the next one, which may begin there.
        last = bisect_left(self._insertions, (end, _OPENS))
        pieces, at = [], start
        for place, _, _, mark in self._insertions[first:last]:
            pieces += [decoded(self._data[at:place]), mark]
            at = place
        return "".join([*pieces, decoded(self._data[at:end])])

    def before(self, number: int) -> list[Image]:
        """The images that stand between a block and the one before it."""
        return self._alone.get(number, [])

    def _code_spans(self) -> Iterator[Span]:
        tree = self._page.tree
        return self._spans(np.isin(tree.element, _CODE) & (tree.inherited & IN_PREFORMATTED == 0))

    def _links(self, code: Sequence[Span], not_in_blocks_of_code: bool) -> Iterator[Insertion]:
        """Links but for those in a part of a line's code, which nobody could follow there."""
        of, address, tree = 0, "", self._page.tree
        starts = [start for _, start, _ in code]
        in_code = (tree.inherited & IN_PREFORMATTED > 0) & not_in_blocks_of_code
        for element, start, end in self._spans((tree.element == _A) & ~in_code):
            if element != of:
                row = int(tree.tag[element])
                of, address = element, self._absolute(values_of(self._page.markup, row).get("href", ""))
            nearest = (code[max(bisect_left(starts, place) - 1, 0)] for place in (start + 1, end) if code)
            if address and not any(_parts(begun, ended, start, end) for _, begun, ended in nearest):
                yield start, _OPENS, _LINK, "["
                yield end, _CLOSES, -_LINK, f"]({address})"

    def _spans(self, wanted: npt.NDArray[np.bool_]) -> Iterator[Span]:
        """Each wanted element with the start and the end of its text in each line that it has some in."""
        page, blocks = self._page, self._page.blocks
        owner = _owners(page.tree.parent, wanted)[page.tree.inside]
        changes = np.flatnonzero(np.diff(owner, prepend=0))
        places = [*blocks.tag_at[changes].tolist(), len(self._data)]
        for element, (start, end) in zip(owner[changes].tolist(), pairwise(places), strict=True):
            if element:
                yield from self._cut(element, start, end)

    def _cut(self, element: int, start: int, end: int) -> Iterator[Span]:
        blocks = self._page.blocks
        first = int(np.searchsorted(blocks.end, start, "right"))
        last = int(np.searchsorted(blocks.start, end, "left"))
        for number in range(first, last):
            begun, ended = max(start, int(blocks.start[number])), min(end, int(blocks.end[number]))
            for line in self._data[begun:ended].split(b"\n") if self._is_chosen[number] else ():
                left = begun + len(line) - len(line.lstrip())
                right = begun + len(line.rstrip())
                if left < right:
                    yield element, left, right
                begun += len(line) + 1

    def _images(self) -> Iterator[Insertion]:
        """Images inside blocks; those that stand alone are remembered by the block behind them."""
        page, blocks, tags = self._page, self._page.blocks, self._page.markup.tags
        holders, before = page.tree.block[blocks.element], ""
        is_twin = _owners(page.tree.parent, page.tree.element == _NOSCRIPT)[page.tree.inside] > 0
        for row in np.flatnonzero((tags[:, ELEMENT] == _IMG) & (tags[:, KIND] == OPEN)).tolist():
            values, at = values_of(page.markup, row), int(blocks.tag_at[row])
            told = (value for value in map(values.get, _SOURCES) if value and not value.startswith("data:"))
            address = self._absolute(next(told, ""))
            if (not address and not values.get("alt")) or (is_twin[row] and address == before):
                continue
            before = address
            mark = f"![{values.get('alt', '')}]({address})"
            holder = int(page.tree.block[page.tree.inside[row]])
            number = int(np.searchsorted(blocks.start, at)) - 1
            if number >= 0 and at <= blocks.end[number] and holders[number] == holder:
                is_apart = at == blocks.end[number] or self._data[at] in b" \n"
                yield at, _CLOSES, len(page.tree), f" {mark}" if is_apart else f" {mark} "
            elif number + 1 < len(blocks) and holders[number + 1] == holder:
                yield int(blocks.start[number + 1]), _OPENS, 0, f"{mark} "
            else:
                self._alone[number + 1].append(Image(mark, holder))

    def _absolute(self, address: str) -> str:
        """The address in full where the page's is known; none for a place in the page, or what is no page."""
        if not address or address.startswith("#"):
            return ""
        try:
            found = urljoin(self._address, address)
        except ValueError:
            found = address
        # An @ stands for itself, so that the masks find addresses of mail.
        found = found.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("%40", "@")
        return "" if _NO_PAGE.match(found) else found


def _parts(begun: int, ended: int, start: int, end: int) -> bool:
    """Whether a link from ``start`` to ``end`` begins or ends inside of code."""
    return begun < end and start < ended and not (start <= begun and ended <= end)


def _ticks(code: str) -> tuple[str, str]:
    """What opens and closes code in a line: more backticks than stand in it, apart from those at its ends."""
    most = max(map(len, _TICKS.findall(code)), default=0)
    ticks, room = "`" * (most + 1), " " * (code.startswith("`") or code.endswith("`"))
    return ticks + room, room + ticks


def _base(page: Page, url: str) -> str:
    tags = page.markup.tags
    rows = np.flatnonzero((tags[:, ELEMENT] == _BASE) & (tags[:, KIND] == OPEN))
    told = (values_of(page.markup, row).get("href", "") for row in rows.tolist())
    base = next(filter(None, told), "")
    try:
        return urljoin(url, base)
    except ValueError:
        return url


@compiled
def _owners(parent: Places, wanted: npt.NDArray[np.bool_]) -> Places:
    """The nearest wanted element that each one is or is in; 0 if there is none."""
    found = np.zeros(len(parent), np.int32)
    for element in range(1, len(parent)):
        found[element] = element if wanted[element] else found[parent[element]]
    return found
