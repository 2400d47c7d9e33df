"""Which tables only lay out, and what becomes of them."""

import pytest
from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from corpusforge.text.layout import tables, without_layout_tables

PROSE = "長い文章がここにある。" * 20


def page(inner: str) -> HtmlElement:
    return document_fromstring(f"<html><body>{inner}</body></html>")


def body(inner: str) -> str:
    """What becomes of a page, as markup without the text of ``PROSE``."""
    changed = without_layout_tables(page(inner)).find("body")
    return str(etree.tostring(changed, encoding="unicode")).replace(PROSE, "…")


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><th>品<th>値<tr><td>茶<td>100</table>",
        "<table><caption>値段</caption><tr><td>茶<td>100</table>",
        "<table><tr><td scope=row>茶<td>100</table>",
        "<table summary=値段><tr><td>茶</table>",
        "<table role=grid><tr><td>茶</table>",
        "<table><tr><td>茶<td>100<tr><td>水<td>80</table>",
        f"<table><tr><td>1<br>2</td><td><pre>{PROSE}</pre></td></tr></table>",
        f"<figure><table><tr><td>{PROSE}</td></tr></table></figure>",
        f"<table><tr><td>1<td>2<td>3<td>4<td>{PROSE}</table>",
    ],
)
def test_tables_of_data_stay(table: str) -> None:
    tree = page(table)
    assert without_layout_tables(tree) is tree


@pytest.mark.parametrize(
    "table",
    [
        "<table role=presentation><tr><th>品<td>値</table>",
        "<table><tr><td>一</td></tr><tr><td>二</td></tr></table>",
        "<table><tr><td>左</td><td><table><tr><th>品<td>値</table></td></tr></table>",
        f"<table><tr><td>左</td><td>{PROSE}</td></tr></table>",
        f"<table><tr><td>{PROSE}{PROSE}</td><td><p>{PROSE}</p><p>x</p></td></tr></table>",
    ],
)
def test_tables_that_lay_out_go(table: str) -> None:
    tree = page(table)
    before = etree.tostring(tree)
    assert without_layout_tables(tree) is not tree
    assert etree.tostring(tree) == before


def test_cells_become_paragraphs_or_blocks_in_their_order() -> None:
    cell = f"{PROSE}<br><br>次<b>太</b>字<div>箱</div>後<i>斜</i>尾<ul><li>点</ul>"
    table = f"<table><tr><td>左</td><td>{cell}</td></tr></table>"
    assert body(table) == (
        "<body><div><div><p>左</p><div><p>…<br/><br/>次<b>太</b>字</p><div>箱</div>"
        "<p>後<i>斜</i>尾</p><ul><li>点</li></ul></div></div></div></body>"
    )


def test_a_table_of_data_inside_one_that_lays_out_stays() -> None:
    made = body("<table><tr><td>左</td><td>右<table><tr><th>品</th><td>値</td></tr></table>後</td></tr></table>")
    data = "<table><tr><th>品</th><td>値</td></tr></table>"
    assert made == f"<body><div><div><p>左</p><div><p>右</p>{data}<p>後</p></div></div></div></body>"


def test_no_text_is_lost_or_moved() -> None:
    cell = "c<i>d</i>e<p>f</p>g<table><tr><td>h</td>i</tr></table>j"
    tree = page(f"前<table>a<tr>b<td>{cell}</td>k</tr>l</table>後{PROSE}")
    assert without_layout_tables(tree) is not tree
    assert without_layout_tables(tree).text_content() == tree.text_content()


def test_nested_deep_and_long_is_read_in_linear_time() -> None:
    deep = "<table><tr><td>x" * 60 + "</td></tr></table>" * 60
    assert len(tables(page(deep * 50))) == 3_000
    assert len(without_layout_tables(page("<table><tr>" + "<td>a" * 20_000)).findall(".//td")) == 20_000
