"""Tell tables that only lay a page out from tables of data, and turn the former into blocks.

Old pages put everything into one cell; an extractor that keeps tables makes one line of it. What is a data table is
decided by marks that browsers use for readers of the screen (Firefox's and Chromium's rules: ``th``, ``caption``,
``scope``, columns, nesting), and by prose, which no cell of data holds. One walk over the elements of tables.
"""

from copy import copy
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from lxml.html import HtmlElement

from corpusforge.text.blocks import INLINE

DATA_PARTS = frozenset(("caption", "col", "colgroup", "tfoot", "th", "thead"))
DATA_ROLES = frozenset(("table", "grid", "treegrid"))
CELL_MARKS = ("abbr", "headers", "scope")
PARTS = frozenset(("table", "tbody", "thead", "tfoot", "tr", "caption", "colgroup", "col"))
PROSE = 200
"""Characters from which on a cell that outweighs its table, or that is parted into blocks, is prose."""
MANY_COLUMNS = 5
_PARTING = "article blockquote br dd div dl h1 h2 h3 h4 h5 h6 hr ol p pre section ul"
_BLOCKS = frozenset(_PARTING.split())
_OUTERMOST = etree.XPath("//table[not(ancestor::table or ancestor::figure)]")


@dataclass(eq=False)
class Cell:
    """A ``td`` with the characters and blocks that stand in it and in no inner table."""

    element: Any
    characters: int = 0
    blocks: int = 0


@dataclass(eq=False)
class Table:
    """A table and what speaks for data or for layout in it."""

    element: Any
    data: bool = False
    nested: bool = False
    cells: list[Cell] = field(default_factory=list)
    rows: dict[Any, int] = field(default_factory=dict)
    parts: list[Any] = field(default_factory=list)

    @property
    def columns(self) -> int:
        return max(self.rows.values(), default=0)

    @property
    def lays_out(self) -> bool:
        role = (self.element.get("role") or "").lower()
        if role in ("presentation", "none"):
            return True
        if self.data or role in DATA_ROLES or (self.element.get("summary") or "").strip():
            return False
        if self.nested or self.columns == 1:
            return True
        return self.columns < MANY_COLUMNS and self._has_prose()

    def _has_prose(self) -> bool:
        half = sum(cell.characters for cell in self.cells) / 2
        return any(cell.characters >= PROSE and (cell.blocks > 1 or cell.characters > half) for cell in self.cells)


def without_layout_tables(tree: HtmlElement) -> HtmlElement:
    """The page with its layout tables as ``div`` and ``p``: a changed copy, or ``tree`` itself where there is none."""
    if not any(table.lays_out for table in tables(tree)):
        return tree
    changed = copy(tree)
    for table in tables(changed):
        if table.lays_out:
            _unwrap(table)
    return changed


def tables(tree: HtmlElement) -> list[Table]:
    """Every table of a page, outer before inner."""
    found: list[Table] = []
    for outermost in _OUTERMOST(tree):
        found += _read(outermost)
    return found


def _read(outermost: Any) -> list[Table]:
    found: list[Table] = []
    inside: dict[Any, tuple[Table, Cell | None]] = {}
    for element in outermost.iter(etree.Element):
        above = inside.get(element.getparent())
        if element.tag == "table":
            if above:
                above[0].nested = True
            found.append(Table(element))
            here: tuple[Table, Cell | None] = (found[-1], None)
        elif above:
            here = _inside(element, *above)
        inside[element] = here
        _count(element.text, here[1])
        if above:
            _count(element.tail, above[1])
    return found


def _inside(element: Any, table: Table, cell: Cell | None) -> tuple[Table, Cell | None]:
    """Note what an element means for the table that it stands in; the cell it opens or belongs to."""
    tag = element.tag
    table.data = table.data or tag in DATA_PARTS
    if tag in ("td", "th"):
        cell = Cell(element)
        table.cells.append(cell)
        table.data = table.data or any(element.get(mark) for mark in CELL_MARKS)
        row = element.getparent()
        table.rows[row] = table.rows.get(row, 0) + 1
    elif tag in PARTS:
        table.parts.append(element)
    elif cell and tag in _BLOCKS:
        cell.blocks += 1
        if tag == "pre" and element.getparent() is cell.element:
            table.data = True  # numbered code: unwrapped, the numbers and the code would be dropped
    return table, cell


def _count(text: str | None, cell: Cell | None) -> None:
    if text and cell:
        cell.characters += len(text.strip())


def _unwrap(table: Table) -> None:
    for part in (table.element, *table.parts):
        _rename(part, "div")
    for cell in table.cells:
        if all(child.tag in INLINE or child.tag == "br" for child in cell.element):
            _rename(cell.element, "p")
        else:
            _rename(cell.element, "div")
            _wrap_loose_text(cell.element)


def _rename(element: Any, tag: str) -> None:
    """Make it a block that keeps name and class; a border is common on boxes of text, but ill seen on blocks."""
    element.tag = tag
    style = element.get("style", "")
    if "border" in style and "none" not in style:
        del element.attrib["style"]


def _wrap_loose_text(cell: Any) -> None:
    """Put text and inline elements that stand between the blocks of a cell into paragraphs of their own."""
    paragraph = None
    if (cell.text or "").strip():
        paragraph = etree.Element("p")
        paragraph.text, cell.text = cell.text, None
        cell.insert(0, paragraph)
    for child in [child for child in cell if child is not paragraph]:
        if child.tag in INLINE or child.tag == "br":
            if paragraph is None:
                paragraph = etree.Element("p")
                child.addprevious(paragraph)
            paragraph.append(child)
            continue
        paragraph = None
        if (child.tail or "").strip():
            paragraph = etree.Element("p")
            paragraph.text, child.tail = child.tail, None
            child.addnext(paragraph)
