"""What the extractor reads of a page: its tags, its tree, its blocks, whatever the bytes are."""

import time

import numpy as np
import pytest
from hypothesis import given

from corpusforge.extract.features import FEATURES
from corpusforge.extract.markup import END, START
from corpusforge.extract.page import Page, read_page
from corpusforge.extract.surroundings import SLOTS
from corpusforge.extract.tags import NAMES
from tests.extract.markup import anything

NO_SCORES = np.zeros(SLOTS, np.float32)


def texts(html: str) -> list[str]:
    return read_page(html.encode()).texts()


def elements(page: Page) -> list[str]:
    return [NAMES[number] for number in page.tree.element[1:].tolist()]


def parents(html: str) -> list[tuple[str, str]]:
    tree = read_page(html.encode()).tree
    return [(NAMES[tree.element[one]], NAMES[tree.element[tree.parent[one]]]) for one in range(1, len(tree))]


@given(anything)
def test_any_bytes_give_a_page_whose_parts_fit(html: bytes) -> None:
    page = read_page(html)
    tags, tree, blocks = page.markup.tags, page.tree, page.blocks
    assert (tags[:, START] < tags[:, END]).all()
    assert (tags[1:, START] >= tags[:-1, END]).all()
    assert (tree.parent[1:] < np.arange(1, len(tree))).all()
    assert (tree.parent[1:] >= 0).all()
    assert (blocks.start < blocks.end).all()
    assert (blocks.start[1:] >= blocks.end[:-1]).all()
    assert (blocks.measures[:, 0] >= blocks.measures[:, 1]).all()
    found = page.features(NO_SCORES)
    assert found.shape == (len(blocks), len(FEATURES))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one<p>two", ["one", "two"]),
        ("one<br>two <b>bold</b>\n  text<div>three</div>four", ["one\ntwo bold text", "three", "four"]),
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", ["a", "b", "c", "d"]),
        ("<table><tr><td>1<td>2<tr><td>3</table>", ["1", "2", "3"]),
        ("<pre>a\n  b\n</pre>", ["a\n  b"]),
        ("<p>1 < 2 &amp;&lt; 3 &#x3042;</p>", ["1 < 2 &< 3 あ"]),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</ruby>です", ["漢字です"]),
        ("<script>if (a < b) '</p>'</script>after<style>p {}</style>", ["after"]),
        ("<noscript><p>read me</p></noscript>", ["read me"]),
        ("before<!-- no --><!-- -->after<!doctype html>", ["beforeafter"]),
        ("<title>t</title><textarea>x</textarea><select><option>o</select>y", ["y"]),
        ("<a href=\"x>y\">link</a> and <a title='>'>more", ["link and more"]),
        ("\u3000\u3000全角\u3000字下げ\u3000<p>&nbsp;x&nbsp;y", ["全角\u3000字下げ", "x y"]),
        ("<svg/>seen<svg><text>unseen</text></svg>", ["seen"]),
        ("", []),
        ("<p> </p>\n<div>\t</div>", []),
    ],
)
def test_text_is_cut_where_elements_break_it(html: str, expected: list[str]) -> None:
    assert texts(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a<div>b</div>", [("p", ""), ("div", "")]),
        ("<p>a<b>x</p>y", [("p", ""), ("b", "p")]),
        ("<dl><dt>a<dd>b<dt>c</dl>", [("dl", ""), ("dt", "dl"), ("dd", "dl"), ("dt", "dl")]),
        ("<a>x<a>y", [("a", ""), ("a", "")]),
        ("<div><span>a</div>b<p>c", [("div", ""), ("span", "div"), ("p", "")]),
        ("<table><tr><td><table><td>in</table><td>b", [
            ("table", ""), ("tr", "table"), ("td", "tr"), ("table", "td"), ("td", "table"), ("td", "tr")]),
        ("<x-a><y-b>t</x-a><p>", [("", ""), ("", ""), ("p", "")]),
        ("<td>a</div></td>", [("td", "")]),
    ],
)  # fmt: skip
def test_elements_that_are_not_closed_end_where_html_says(html: str, expected: list[tuple[str, str]]) -> None:
    assert parents(html) == expected


def test_measures_count_what_a_reader_sees() -> None:
    page = read_page("<p><img src=x>See <a href=/>this page</a>, <b>Now</b> 12 times. 日本語。</p>".encode())
    (measures,) = page.blocks.measures.tolist()
    width = len("See this page, Now 12 times. 。") + 2 * len("日本語")
    assert measures[:4] == [width, len("this page"), 8, 3]
    assert measures[4:9] == [3, 2, 2, 3, len("Now")]
    assert measures[9:] == [1, 0, ord("。"), ord("S"), 1]


@pytest.mark.parametrize(
    "piece",
    ["<title>", "<textarea>", "<script>", "<!--", "<svg>", "<div>", "<b><div>", "<p><a href='", "<li>", "<td><table>",
     "</p>", "<a ", "<", "&", "&#x", '<p class="a b c">', "<style>x</style>", "<table><tr>", "<x-own>"],
)  # fmt: skip
def test_hostile_markup_takes_time_in_proportion(piece: str) -> None:
    read_page(piece.encode() * 10)
    spent = []
    for times in (20_000, 80_000):
        html = piece.encode() * times
        began = time.process_time()
        page = read_page(html)
        page.features(NO_SCORES)
        spent.append(time.process_time() - began)
    assert spent[1] < 8 * spent[0] + 0.1, spent
