"""From tags to a tree of elements: unclosed ones end where HTML says, and every place of the text has its element."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusforge.extract.markup import CLOSE, ELEMENT, NAME, OPEN, Markup, Tags
from corpusforge.extract.markup import KIND as TAG_KIND
from corpusforge.extract.tags import (
    BLOCK,
    EMPHASIS,
    ENDS_PARAGRAPH,
    KINDS,
    NUMBERS,
    PREFORMATTED,
    RAW,
    SILENT,
    VOID,
    Bytes,
)
from corpusforge.kernels import compiled, inlined, kernel

MOST_DEPTH = 512
"""Elements nested deeper hang in the one at this depth."""
IN_LINK, IN_EMPHASIS, IN_PREFORMATTED, IN_SILENT = 1, 2, 4, 8
"""What an element or one around it is."""

Places = npt.NDArray[np.int32]

_A, _P, _LI, _DT, _DD = (NUMBERS[name] for name in ("a", "p", "li", "dt", "dd"))
_TR, _TD, _TH, _TABLE, _UL = (NUMBERS[name] for name in ("tr", "td", "th", "table", "ul"))
_OL, _DL, _DIV, _THEAD, _TBODY, _TFOOT = (NUMBERS[name] for name in ("ol", "dl", "div", "thead", "tbody", "tfoot"))


@dataclass(frozen=True)
class Tree:
    """Elements in the order of their start tags; 0 is the page. ``tag`` is the row of each one's start tag, −1 for the
    page; ``block`` the nearest element, itself or around it, that breaks the text; ``inherited`` what it stands in.

    ``inside`` is, for each tag, the element that the text behind it stands in.
    """

    tag: Places
    element: Bytes
    parent: Places
    depth: Places
    block: Places
    inherited: Bytes
    inside: Places

    def __len__(self) -> int:
        return len(self.tag)


def read_tree(markup: Markup) -> Tree:
    """Build the tree of a page's tags."""
    most = int(np.count_nonzero(markup.tags[:, TAG_KIND] == OPEN)) + 1
    tag, parent, depth, block = (np.zeros(most, np.int32) for _ in range(4))
    element, inherited = np.zeros(most, np.uint8), np.zeros(most, np.uint8)
    inside = np.zeros(len(markup.tags), np.int32)
    _build(markup.tags, KINDS, tag, element, parent, depth, block, inherited, inside)
    return Tree(tag, element, parent, depth, block, inherited, inside)


@compiled
def _build(
    tags: Tags,
    kinds: Bytes,
    tag: Places,
    element: Bytes,
    parent: Places,
    depth: Places,
    block: Places,
    inherited: Bytes,
    inside: Places,
) -> None:
    stack = np.zeros(MOST_DEPTH, np.int32)
    top, count = 0, 1
    tag[0], parent[0] = -1, -1
    for row in range(len(tags)):
        what, kind = tags[row, ELEMENT], tags[row, TAG_KIND]
        if kind == CLOSE:
            top = _closed(tags, kinds, tag, element, stack, top, what, tags[row, NAME])
        elif kind == OPEN:
            top = _implied(kinds, element, stack, top, what)
            around = stack[top]
            tag[count], element[count], parent[count], depth[count] = row, what, around, top
            block[count] = count if kinds[what] & BLOCK else block[around]
            inherited[count] = inherited[around] | _given(kinds[what], what)
            if not kinds[what] & (VOID | RAW) and top + 1 < MOST_DEPTH:
                top += 1
                stack[top] = count
            count += 1
        inside[row] = stack[top]


@inlined
def _given(kind: int, what: int) -> int:
    """What an element adds to those inside it."""
    given = IN_LINK if what == _A else 0
    given |= IN_EMPHASIS if kind & EMPHASIS else 0
    given |= IN_PREFORMATTED if kind & PREFORMATTED else 0
    return given | (IN_SILENT if kind & SILENT else 0)


@kernel
def _closed(
    tags: Tags, kinds: Bytes, tag: Places, element: Bytes, stack: Places, top: int, what: int, name: int
) -> int:
    """The top of the stack after an end tag; it is ignored where no element that it may end is open."""
    for place in range(top, 0, -1):
        open_one = element[stack[place]]
        if open_one == what and (what or tags[tag[stack[place]], NAME] == name):
            return place - 1
        if _stops(kinds, what, open_one):
            return top
    return top


@kernel
def _stops(kinds: Bytes, what: int, around: int) -> bool:
    """Whether the end tag of one element does not reach out of another."""
    is_block = kinds[what] & BLOCK
    if what and not is_block and kinds[around] & BLOCK:
        return True
    part_of_table = what in (_TABLE, _TR, _TBODY, _THEAD, _TFOOT)
    if is_block and not part_of_table and around in (_TD, _TH, _TABLE):
        return True
    if around == _TABLE and what != _TABLE:
        return True
    if what == _LI and around in (_UL, _OL):
        return True
    return what == _P and (kinds[around] & BLOCK) != 0


@kernel
def _implied(kinds: Bytes, element: Bytes, stack: Places, top: int, what: int) -> int:
    """The top of the stack once a start tag has ended what it ends without saying so."""
    lowest = top + 1
    if kinds[what] & ENDS_PARAGRAPH:
        lowest = _paragraph(kinds, element, stack, top)
    if what == _LI:
        lowest = min(lowest, _item(kinds, element, stack, top))
    elif what in (_DT, _DD):
        lowest = min(lowest, _nearest(element, stack, top, (_DT, _DD, _DT), (_DL, _TABLE, _TD)))
    elif what == _A:
        lowest = min(lowest, _nearest(element, stack, top, (_A, _A, _A), (_TD, _TABLE, _LI)))
    elif what in (_TD, _TH, _TR, _TBODY, _THEAD, _TFOOT):
        lowest = min(lowest, _part_of_table(element, stack, top, what))
    return min(top, lowest - 1)


@kernel
def _nearest(
    element: Bytes, stack: Places, top: int, wanted: tuple[int, int, int], borders: tuple[int, int, int]
) -> int:
    """The place of the nearest open element that is wanted, within borders; behind the top if there is none."""
    for place in range(top, 0, -1):
        one = element[stack[place]]
        if one == wanted[0] or one == wanted[1] or one == wanted[2]:
            return place
        if one == borders[0] or one == borders[1] or one == borders[2]:
            break
    return top + 1


@kernel
def _paragraph(kinds: Bytes, element: Bytes, stack: Places, top: int) -> int:
    for place in range(top, 0, -1):
        if element[stack[place]] == _P:
            return place
        if kinds[element[stack[place]]] & BLOCK:
            break
    return top + 1


@kernel
def _item(kinds: Bytes, element: Bytes, stack: Places, top: int) -> int:
    for place in range(top, 0, -1):
        one = element[stack[place]]
        if one == _LI:
            return place
        if kinds[one] & BLOCK and one not in (_DIV, _P):
            break
    return top + 1


@kernel
def _part_of_table(element: Bytes, stack: Places, top: int, what: int) -> int:
    """A cell ends a cell, a row also a row, a group of rows also a group; none of them reaches out of its table."""
    lowest = top + 1
    cell = what in (_TD, _TH)
    group = what in (_TBODY, _THEAD, _TFOOT)
    for place in range(top, 0, -1):
        one = element[stack[place]]
        if one == _TABLE or (one == _TR and cell):
            break
        if one in (_TD, _TH) or (one == _TR and not cell) or (group and one in (_TBODY, _THEAD, _TFOOT)):
            lowest = place
    return lowest
