"""Which lines of a page a text left out: those that it says with other marks are none."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.extract.extractor import written
from corpusforge.extract.options import Options
from corpusforge.extract.page import read_page
from corpusforge.text.page_lines import left_out, page_lines

WORDS = st.text("あいうえお亜伊宇江於abcdeABCDE12345 。、○×★()", min_size=1, max_size=30)
LINES = st.lists(WORDS.map(lambda line: " ".join(line.split())).filter(bool), min_size=1, max_size=12)
PARTS = (
    "<h2>{}</h2>",
    "<p>{}</p>",
    "<p><a href='/x?a=1&b=2'>{}</a></p>",
    "<p><code>{}</code></p>",
    "<p>{}<img src=/x.png alt='picture'></p>",
    "<ul><li>{}</li></ul>",
    "<ol start=8><li><p>{}</p></li></ol>",
    "<blockquote><p>{}</p></blockquote>",
    "<dl><dd>{}</dd></dl>",
    "<table><tr><td>{}</td><td>sake | 1</td></tr></table>",
)


def all_of(html: str, **options: Any) -> str:
    """The text of every block of a page."""
    page = read_page(html.encode())
    lines = written(page, np.arange(len(page.blocks)), Options(url="https://a.example/", **options))
    return "\n".join(line for line, _ in lines)


@pytest.mark.parametrize(
    "html",
    [
        "<h1>味噌汁の作り方</h1>",
        "<ul><li>出汁</li><li>味噌</li></ul><ol start=9><li>切る</li><li>煮る</li></ol><dl><dd>意味</dd></dl>",
        "<table><tr><th>材料</th><th>分量</th></tr><tr><td>昆布</td><td>10 g</td></tr></table>",
        "<table><tr><td>昆布<p>乾物<p>北海道</td><td>a|b</td></tr></table>",
        "<table><tr><td>○</td><td>×</td><td>★★★</td></tr></table>",
        "<h2>一番<br>二番</h2>",
        "<p>使う <code>a`b</code> と <a href='/wiki/a_(b)'>頁</a>、<a href='/c'>次の頁</a>です。</p>",
        "<p>味<img src=/x.png alt='a [b] c'>噌</p><p>短い!<a href=/x>頁</a></p>",
        "<blockquote><ul><li>引用<pre>a = [1]\nb(2)</pre></ul></blockquote>",
        "<pre>a = 1\nb = 2</pre>",
        "<pre>| a | b |</pre><pre>if (x) {\n  1. y\n}\nz</pre>",
        "<p><acronym>略</acronym>語</p>",
    ],
)
@pytest.mark.parametrize("marked", [{}, {"markdown": True, "links": True, "images": True}])
def test_lines_that_stand_in_the_text_with_marks_are_there(html: str, marked: dict[str, bool]) -> None:
    assert left_out(page_lines(html.encode()), all_of(html, **marked)) == []


def test_readings_above_characters_are_no_part_of_a_line() -> None:
    html = "<p>これは<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>の段落です。</p>".encode()
    assert page_lines(html) == ["これは漢字の段落です。"]
    assert page_lines(html, readings=True) == ["これは漢(かん)字じの段落です。"]


def test_what_engines_make_of_signs_does_not_matter() -> None:
    page = ["一番", "使いかた¶", "「規」の印", "二\u200b番 の 章"]
    assert left_out(page, "• 一番\n使いかた\n規の印\n二番の章") == []


def test_short_lines_are_not_there_by_chance() -> None:
    text = "# 味噌汁\nホームへ帰り検索して Top を読む[検索](https://a.example/menu)\n| 昆布 | 10 g |\n3. 切る\n7\n8"
    page = ["ホーム", "検索", "Top", "menu", "昆", "10", "3", "布10", "読む", "汁", "78"]
    assert left_out(page, text) == page


def test_long_lines_that_are_not_there_are_left_out() -> None:
    text = "出汁を取り、味噌を溶きます。\n# Privacy of soup"
    page = ["出汁を取り、味噌を溶きます。", "サイトマップのご案内はこちら", "Privacy Policy", "© 2026 味噌汁の会"]
    assert left_out(page, text) == page[1:]


def test_addresses_are_not_said() -> None:
    assert left_out(["example.com/privacy", "頁"], "[頁](https://example.com/privacy)") == ["example.com/privacy"]


def test_lines_of_marks_alone_say_nothing() -> None:
    assert left_out(["|", "* * *", "★"], "text") == ["* * *", "★"]


@given(LINES, st.lists(st.sampled_from(PARTS), min_size=12, max_size=12))
def test_a_page_is_in_its_own_text(lines: list[str], parts: list[str]) -> None:
    html = "".join(part.format(line) for part, line in zip(parts, lines, strict=False))
    page = page_lines(html.encode())
    for options in ({}, {"markdown": True}, {"links": True}, {"markdown": True, "links": True, "images": True}):
        assert left_out(page, all_of(html, **options)) == []


@given(LINES)
def test_a_text_of_other_words_holds_no_line(lines: list[str]) -> None:
    assert left_out(lines, "# Μίσο\n| σούπα | [νερό](https://a.example/あいうえお) |") == lines
