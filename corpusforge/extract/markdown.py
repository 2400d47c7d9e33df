"""The lines of a page's main text as Markdown writes them: headings, lists, tables, code and quotes.

One line is one paragraph, as in plain text: no blank lines stand between them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from corpusforge.extract.characters import lines_of
from corpusforge.extract.page import Page
from corpusforge.extract.surroundings import HEADING_LEVEL
from corpusforge.extract.tags import KINDS, NUMBERS, PREFORMATTED
from corpusforge.extract.values import values_of

MOST_IN_CELL, MOST_CHARACTERS = 3, 400
"""Blocks and characters of a cell of data; a table with fuller ones lays out the page."""
MOST_COLUMNS, MOST_ROWS = 1000, 65534
"""Columns and rows that one cell can span, by HTML's algorithm for processing rows."""
MOST_SPAN = 50
"""Columns up to which a cell is believed; one that says more ends with the last column that its table else has."""
MOST_EMPTY = 20
"""Places that spans leave empty for each cell of a table of data; one with more is no grid that a reader could see, and
would outgrow its page."""
MOST_NESTED = 32
"""Quotes, and lists, in one another that a line shows: else the margins of a deep page outgrow its text."""

_LI, _OL, _DD, _TABLE, _CAPTION, _TR, _TD, _TH, _QUOTE, _CODE = (
    NUMBERS[name] for name in ["li", "ol", "dd", "table", "caption", "tr", "td", "th", "blockquote", "code"]
)
_ROW_GROUPS = [NUMBERS[name] for name in ("table", "thead", "tbody", "tfoot")]
_FENCE = re.compile("^[ \t]*(`{3,})", re.MULTILINE)
_LANGUAGE = re.compile(r"\b(?:lang|language|highlight-source|brush)[-: ]\s?([a-z0-9+#]{1,20})(?![\w+#])", re.IGNORECASE)
_COUNT = re.compile(r"\+?([0-9]+)")
"""What HTML's rules for parsing non-negative integers take; whatever follows is ignored."""
_ENDLESS = 1 << 31

Line = tuple[str, int]
"""A line of text and the number of its block."""


@dataclass(frozen=True)
class Piece:
    """The text of a block, its number and the element that it hangs in."""

    text: str
    number: int
    element: int


@dataclass(frozen=True)
class Frame:
    """What an element stands in: a heading of a level, quotes, list items from the outermost on; 0 is none."""

    level: int = 0
    quotes: int = 0
    items: tuple[int, ...] = ()
    code: int = 0
    cell: int = 0
    row: int = 0
    group: int = 0
    table: int = 0


@dataclass(frozen=True)
class Cell:
    """A cell in the grid of its table: its element, its first column and the one behind its last, the row behind its
    last."""

    element: int
    first: int
    behind: int
    until: int


@dataclass(frozen=True)
class Row:
    """The cells that begin in a row, and how many columns it has with those that reach into it from above."""

    cells: Sequence[Cell]
    columns: int


class Markdown:
    """Writes the pieces of one page."""

    def __init__(self, page: Page, pieces: Sequence[Piece]) -> None:
        self._page, self._pieces = page, pieces
        self._frames: dict[int, Frame] = {0: Frame()}
        self._begun: set[int] = set()
        self._numbers: dict[int, int] = {}
        self._languages: dict[int, str] = {}
        self._named: dict[int, str] = {}
        self._by_parent = np.argsort(page.tree.parent, kind="stable")
        self._parents = page.tree.parent[self._by_parent]
        self._framed = [(self._frame(piece.element), piece) for piece in pieces]
        self._rows, self._tables = dict[int, Row](), set[int]()
        for table, rows in self._cells(self._data_tables()).items():
            if grid := self._grid(rows):
                self._rows.update(grid)
                self._tables.add(table)

    def lines(self) -> Iterator[Line]:
        """The lines in order."""
        for (kind, _), group in groupby(self._framed, self._unit):
            its = list(group)
            if kind == "code":
                yield from self._code(its[0][0], [piece for _, piece in its])
            elif kind == "row":
                yield from self._row(its[0][0], [(frame.cell, piece) for frame, piece in its])
            else:
                for frame, piece in its:
                    yield from self._paragraph(frame, piece)

    def _unit(self, framed: tuple[Frame, Piece]) -> tuple[str, int]:
        """What is written together: the lines of one stretch of code, the cells of one row."""
        frame, _ = framed
        if frame.table in self._tables:
            return "row", frame.row
        return ("code", frame.code) if frame.code else ("", 0)

    def _frame(self, element: int) -> Frame:
        """The frame of an element that breaks text."""
        tree, chain = self._page.tree, []
        while element not in self._frames:
            chain.append(element)
            element = int(tree.block[tree.parent[element]])
        frame = self._frames[element]
        for inner in reversed(chain):
            frame = self._frames[inner] = _within(frame, inner, int(tree.element[inner]))
        return frame

    def _paragraph(self, frame: Frame, piece: Piece) -> Iterator[Line]:
        text = piece.text
        if frame.level:
            text = "#" * frame.level + " " + " ".join(text.split("\n"))
        for line in lines_of(text):
            yield self._margin(frame) + line, piece.number

    def _margin(self, frame: Frame) -> str:
        """What stands before a line: signs of quotes, and the mark of its item or as much room."""
        margin = "> " * frame.quotes
        for item in frame.items[:-1]:
            margin += " " * len(self._mark(item))
        if frame.items:
            inner = frame.items[-1]
            mark = self._mark(inner)
            margin += mark if inner not in self._begun else " " * len(mark)
            self._begun.add(inner)
        return margin

    def _mark(self, item: int) -> str:
        tree = self._page.tree
        if tree.element[item] == _DD:
            return ": "
        holder = int(tree.parent[item])
        if tree.element[holder] != _OL:
            return "- "
        if item not in self._numbers:
            first = values_of(self._page.markup, int(tree.tag[holder])).get("start", "")
            begin = int(first) if re.fullmatch("[0-9]{1,6}", first) else 1
            self._numbers.update((own, begin + n) for n, own in enumerate(self._children(holder, (_LI,))))
        return f"{self._numbers[item]}. "

    def _code(self, frame: Frame, pieces: Sequence[Piece]) -> Iterator[Line]:
        margin, first = self._margin(frame), pieces[0].number
        room = _room(frame, margin)
        # Code may hold fences itself.
        longest = max((len(found) for piece in pieces for found in _FENCE.findall(piece.text)), default=2)
        fence = "`" * (longest + 1)
        yield f"{margin}{fence}{self._language(frame.code)}", first
        for piece in pieces:
            for line in piece.text.split("\n"):
                yield f"{room}{line}".rstrip(), piece.number
        yield f"{room}{fence}", pieces[-1].number

    def _language(self, code: int) -> str:
        """The programming language that the element, the one in it or one around it names in its class."""
        if code not in self._languages:
            tree = self._page.tree
            inner = self._children(code, (_CODE,))[:1]
            around = int(tree.parent[code])
            elements = (code, *inner, around, int(tree.parent[around]) if around > 0 else 0)
            told = (self._named_language(element) for element in elements if element > 0)
            self._languages[code] = next(filter(None, told), "")
        return self._languages[code]

    def _named_language(self, element: int) -> str:
        if element not in self._named:
            names = values_of(self._page.markup, int(self._page.tree.tag[element])).get("class", "")
            found = _LANGUAGE.search(names)
            self._named[element] = found[1].lower() if found else ""
        return self._named[element]

    def _data_tables(self) -> frozenset[int]:
        """Tables with two cells in a row whose cells are short and hold no table: others lay out the page."""
        cells: dict[int, list[Piece]] = {}
        rows: dict[int, set[int]] = {}
        bad, table_of = set[int](), dict[int, int]()
        for frame, piece in self._framed:
            if not frame.table:
                continue
            if not frame.row or not frame.cell or frame.level or frame.code:
                bad.add(frame.table)
            cells.setdefault(frame.cell, []).append(piece)
            rows.setdefault(frame.row, set()).add(frame.cell)
            table_of[frame.cell] = table_of[frame.row] = frame.table
        for cell, its in cells.items():
            if len(its) > MOST_IN_CELL or sum(len(piece.text) for piece in its) > MOST_CHARACTERS:
                bad.add(table_of[cell])
        bad.update(self._around_tables(set(table_of.values())))
        return frozenset({table_of[row] for row, its in rows.items() if len(its) > 1} - bad)

    def _around_tables(self, tables: Iterable[int]) -> set[int]:
        """The tables that these stand in."""
        tree, found, ahead = self._page.tree, set[int](), list(tables)
        while ahead:
            around = self._frame(int(tree.block[tree.parent[ahead.pop()]])).table
            if around and around not in found:
                found.add(around)
                ahead.append(around)
        return found

    def _cells(self, tables: frozenset[int]) -> dict[int, dict[int, list[int]]]:
        """The cells of each row, written or not, of each of these tables."""
        found: dict[int, dict[int, list[int]]] = {table: {} for table in tables}
        parts = np.flatnonzero(np.isin(self._page.tree.element, (_TR, _TD, _TH))) if tables else np.empty(0, np.intp)
        for element in parts.tolist():
            frame = self._frame(element)
            if frame.table in tables and frame.row:
                its = found[frame.table].setdefault(frame.row, [])
                if frame.cell:
                    its.append(element)
        return found

    def _grid(self, rows: dict[int, list[int]]) -> dict[int, Row]:
        """The rows of a table with each cell in its column, as HTML's algorithm for forming a table has it; none where
        spans leave too much empty."""
        most = MOST_EMPTY * sum(map(len, rows.values()))
        found, above, group, taken = dict[int, Row](), list[Cell](), 0, 0
        for number, (row, cells) in enumerate(rows.items()):
            if self._frame(row).group != group:
                above, group = [], self._frame(row).group
            if not cells:
                continue
            above = [cell for cell in above if cell.until > number]
            taken += len(above)
            if taken > most:
                return {}
            placed = self._placed(cells, number, above)
            above = sorted([*above, *placed], key=lambda cell: cell.first)
            found[row] = Row(placed, max(cell.behind for cell in above))
        columns = max(map(_believed, (cell for row in found.values() for cell in row.cells)), default=0)
        found = {element: Row(row.cells, min(row.columns, columns)) for element, row in found.items()}
        return found if sum(row.columns - len(row.cells) for row in found.values()) <= most else {}

    def _placed(self, cells: Sequence[int], number: int, above: Sequence[Cell]) -> list[Cell]:
        """The cells of a row, each in the next column that none from above takes; those are in order."""
        found, column, ahead = list[Cell](), 0, 0
        for element in cells:
            while ahead < len(above) and above[ahead].first <= column:
                column, ahead = max(column, above[ahead].behind), ahead + 1
            columns, rows = self._span(element)
            found.append(Cell(element, column, column + columns, number + rows))
            column += columns
        return found

    def _row(self, frame: Frame, its: Sequence[tuple[int, Piece]]) -> Iterator[Line]:
        """A row with all of its columns, those empty that have no main text or that a cell begun elsewhere takes; a
        line behind the first row of a table."""
        texts = defaultdict[int, list[str]](list)
        for cell, piece in its:
            texts[cell].append(piece.text)
        row = self._rows[frame.row]
        shown = [""] * row.columns
        for placed in row.cells:
            shown[placed.first] = " ".join(" ".join(texts[placed.element]).split()).replace("|", "\\|")
        margin, number = self._margin(frame), its[0][1].number
        yield f"{margin}| {' | '.join(shown)} |", number
        if frame.table not in self._begun:
            self._begun.add(frame.table)
            yield _room(frame, margin) + "|" + " --- |" * len(shown), number

    def _children(self, element: int, wanted: tuple[int, ...]) -> list[int]:
        """The wanted ones of the elements right in one."""
        first, last = np.searchsorted(self._parents, (element, element + 1))
        children = self._by_parent[first:last]
        found: list[int] = children[np.isin(self._page.tree.element[children], wanted)].tolist()
        return found

    def _span(self, cell: int) -> tuple[int, int]:
        """The columns and rows that a cell says it spans; rows of 0 are all that follow in the group."""
        values = values_of(self._page.markup, int(self._page.tree.tag[cell]))
        columns, rows = _count(values.get("colspan", "")), _count(values.get("rowspan", ""))
        return min(columns or 1, MOST_COLUMNS), min(rows, MOST_ROWS) or _ENDLESS


def _count(value: str) -> int:
    """The number in the value of an attribute; 1 where there is none."""
    found = _COUNT.match(value)
    return int(found[1]) if found else 1


def _believed(cell: Cell) -> int:
    """How many columns there are as far as one cell knows."""
    return cell.behind if cell.behind - cell.first <= MOST_SPAN else cell.first + 1


def _room(frame: Frame, margin: str) -> str:
    """What stands before the lines behind the first one: the signs of quotes again, and room for the rest."""
    quotes = "> " * frame.quotes
    return quotes + " " * (len(margin) - len(quotes))


def _within(around: Frame, element: int, what: int) -> Frame:
    """The frame of an element inside one that has the frame ``around``."""
    level, quotes, items = int(HEADING_LEVEL[what]) or around.level, around.quotes, around.items
    code, cell, row, group, table = around.code, around.cell, around.row, around.group, around.table
    if what == _TABLE:
        table, row, cell = element, 0, 0
    elif what == _CAPTION:
        table, row, cell = 0, 0, 0
    elif what == _TR:
        row, cell = element, 0
    elif what in (_TD, _TH):
        cell = element
    elif what in (_LI, _DD):
        items = (*items, element)[-MOST_NESTED:]
    elif what == _QUOTE:
        quotes = min(quotes + 1, MOST_NESTED)
    elif KINDS[what] & PREFORMATTED:
        code = element
    if what in _ROW_GROUPS:
        group = element
    return Frame(level, quotes, items, code, cell, row, group, table)
