"""Tables in Markdown: every cell stands under its own column, whatever spans rows and columns."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.extract.extractor import written
from corpusforge.extract.options import Options
from corpusforge.extract.page import read_page

WIDEST = 150
"""Characters written for each byte of a page: no spans make more of it."""


def lines_of(html: str) -> list[str]:
    """The lines of all blocks of a page in Markdown, main text or not."""
    page = read_page(html.encode())
    return [text for text, _ in written(page, np.arange(len(page.blocks)), Options(markdown=True))]


def rows_of(html: str) -> list[str]:
    """The lines of a table but for the one behind its first row."""
    first, _, *others = lines_of(f"<table>{html}</table>")
    return [first, *others]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<tr><th>県<th>市<th>人口<tr><th rowspan='2'>山形県<td>山形市<td>24万人<tr><td>米沢市<td>8万人",
         ["| 県 | 市 | 人口 |", "| 山形県 | 山形市 | 24万人 |", "|  | 米沢市 | 8万人 |"]),
        ("<thead><tr><th rowspan=2>県<th colspan=2>値<tr><th>人口<th>面積<tbody><tr><td>a<td>b<td>c",
         ["| 県 | 値 |  |", "|  | 人口 | 面積 |", "| a | b | c |"]),
        ("<tr><td>a<td rowspan=2 colspan=2>b<td>c<tr><td>d<td>e", ["| a | b |  | c |", "| d |  |  | e |"]),
        ("<tr><td>a<td>b<td rowspan=3>c<tr><td>d<td>e<tr><td>f", ["| a | b | c |", "| d | e |  |", "| f |  |  |"]),
        ("<tr><td rowspan=3>a<td rowspan=2>b<td>c<tr><td>d<tr><td>e<td>f",
         ["| a | b | c |", "|  |  | d |", "|  | e | f |"]),
        ("<tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d", ["| a | b |", "|  | c |", "|  | d |"]),
        ("<tbody><tr><td rowspan=0>a<td>b<tr><td>c<tbody><tr><td>d<td>e", ["| a | b |", "|  | c |", "| d | e |"]),
        ("<thead><tr><td rowspan=9>a<td>b</thead><tr><td>c<td>d<tr><td>e<td>f",
         ["| a | b |", "| c | d |", "| e | f |"]),
        ("<tr><td rowspan=3>a<td>b<tr><tr><td>c<tr><td>d<td>e", ["| a | b |", "|  | c |", "| d | e |"]),
        ("<tr><td rowspan='+2 rows' colspan=' 02.5'>a<td>b<tr><td>c", ["| a |  | b |", "|  |  | c |"]),
        ("<tr><td rowspan=-2 colspan=0>a<td rowspan=many>b<tr><td>c<td>d", ["| a | b |", "| c | d |"]),
        ("<tr><td>a<td rowspan=2>b<tr><td colspan=2>c<td>d", ["| a | b |", "| c |  | d |"]),
        ("<tr><td rowspan=2><td>a<td>b<tr><td>c<td>d", ["|  | a | b |", "|  | c | d |"]),
        ("<tr><form><td rowspan=2>a<td>b</form><tr><td>c<td>", ["| a | b |", "|  | c |  |"]),
    ],
)  # fmt: skip
def test_cells_stand_under_their_own_columns(html: str, expected: list[str]) -> None:
    assert rows_of(html) == expected


def test_cells_above_count_where_their_row_is_not_main_text() -> None:
    html = b"<table><tr><td rowspan=3>a<td>b<tr><td>c<td>d<tr><td>e<td>f</table>"
    lines = [text for text, _ in written(read_page(html), np.array([2, 3, 4, 5]), Options(markdown=True))]
    assert lines == ["|  | c | d |", "| --- | --- | --- |", "|  | e | f |"]


def test_a_cell_of_more_columns_than_its_table_ends_with_it() -> None:
    html = "<tr><th colspan=1000>a<tr><td>b<td>c<td>d<tr><td>e<td colspan='100%'>f"
    assert rows_of(html) == ["| a |  |  |", "| b | c | d |", "| e | f |  |"]


def test_a_cell_of_many_columns_has_them_where_its_table_does() -> None:
    named = "".join(f"<td>{n}" for n in range(60))
    shown = rows_of(f"<tr><td rowspan=2>a<td colspan=60>b<td>c<tr>{named}<td>d")
    assert [line.split(" | ")[-1] for line in shown] == ["c |", "d |"]
    assert [line.count("|") for line in shown] == [63, 63]


ROWS = "<tr><td>x<td>y" * 2000


@pytest.mark.parametrize(
    "html",
    [
        f"<tr><td rowspan=65534 colspan=1000>a<td>b{ROWS}",
        f"<tr>{'<td rowspan=65534 colspan=1000>a' * 2000}<td>b{ROWS}",
        f"<tr>{'<td rowspan=65534>a' * 2000}{ROWS}",
        f"<tr>{'<td rowspan=0 colspan=9>' * 2000}{ROWS}",
        f"<tr>{'<td colspan=50>a' * 5000}{ROWS}",
        "<tr>" + "<td colspan=1000>" * 5000 + "a<td>b",
        "<tr><td rowspan=65534 colspan=1000>a<td>b<tr>" * 3000,
        f"<tr><td rowspan={'9' * 1999} colspan={'9' * 1999}>a<td>b{ROWS}",
    ],
)
def test_no_spans_make_a_page_outgrow_itself(html: str) -> None:
    lines = lines_of(f"<table>{html}</table>")
    assert sum(map(len, lines)) < WIDEST * len(html)
    said = "".join(lines)
    assert said.count("b") == html.count(">b")
    assert said.count("x") == html.count(">x")


def test_a_table_of_more_empty_places_than_any_reader_sees_is_written_in_paragraphs() -> None:
    html = "<table><tr><td rowspan=65534 colspan=1000>a<td>b<tr><td>c<td>d</table>"
    assert lines_of(html) == ["a", "b", "c", "d"]


CELL = st.tuples(st.integers(0, 4), st.integers(0, 4))
GROUP = st.lists(st.lists(CELL, max_size=4), min_size=1, max_size=5)


def tables(groups: list[list[list[tuple[int, int]]]]) -> str:
    """Markup of groups of rows of cells of (columns, rows), each with its number as its text."""
    number, html = 0, "<table>"
    for group in groups:
        html += "<tbody>"
        for row in group:
            html += "<tr>"
            for columns, rows in row:
                html, number = f"{html}<td colspan={columns} rowspan={rows}>{number}", number + 1
    return html + "</table>"


def slots(groups: list[list[list[tuple[int, int]]]]) -> list[list[str]]:
    """The same by HTML's algorithm for forming a table, slot by slot; rows without a cell are not written."""
    number, found = 0, list[list[str]]()
    for group in groups:
        taken: dict[tuple[int, int], str] = {}
        for y, row in enumerate(group):
            x = 0
            for columns, rows in row:
                while (x, y) in taken:
                    x += 1
                down = range(y, y + rows) if rows else range(y, len(group))
                taken.update({(x + w, h): "" for w in range(columns or 1) for h in down})
                taken[x, y], number = str(number), number + 1
            if row:
                wide = max(x for x, h in taken if h == y) + 1
                found.append([taken.get((x, y), "") for x in range(wide)])
    return found


@given(st.lists(GROUP, min_size=1, max_size=3))
def test_columns_are_those_of_html(groups: Any) -> None:
    expected = slots(groups)
    lines = [line for line in lines_of(tables(groups)) if "---" not in line]
    if any(len(row) > 1 for group in groups for row in group):
        assert lines == [f"| {' | '.join(row)} |" for row in expected]
    else:
        assert lines == [text for row in expected for text in row if text]
