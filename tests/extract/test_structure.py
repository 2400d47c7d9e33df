"""What our engine writes besides plain text: marks of structure, addresses, parts by option."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.extract.extractor import paths, plain, written
from corpusforge.extract.options import Options
from corpusforge.extract.page import read_page
from corpusforge.extract.result import Lines
from corpusforge.stages.main_text import MainText
from corpusforge.stages.mask import MaskPersonal
from tests.extract.markup import anything
from tests.extract.pages import TEXTS, article
from tests.stages.pages import html_batch

URL = "https://a.example/d/page.html"


def lines_of(html: str | bytes, **options: Any) -> list[str]:
    """The lines of all blocks of a page, whether they are main text or not."""
    page = read_page(html.encode() if isinstance(html, str) else html)
    return [text for text, _ in written(page, np.arange(len(page.blocks)), Options(**options))]


def row(html: str, **fields: Any) -> dict[str, Any]:
    batch = html_batch(html).append_column("url", pa.array([URL]))
    found: dict[str, Any] = MainText(engine="corpusforge", **fields)(batch).to_pylist()[0]
    return found


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h1>A</h1><h3>B<br>C</h3><p>d", ["# A", "### B C", "d"]),
        ("<ul><li>a<li>b<ul><li>c</ul>d<li>e</ul>", ["- a", "- b", "  - c", "  d", "- e"]),
        ("<ol start=9><li>a<li><p>b<p>c<li>d</ol>", ["9. a", "10. b", "    c", "11. d"]),
        ("<ol><li><ul><li>a</ul><li>b</ol>", ["   - a", "2. b"]),
        ("<dl><dt>a<dd>b<dd>c</dl>", ["a", ": b", ": c"]),
        ("<blockquote><p>a<br>b<blockquote>c</blockquote></blockquote>", ["> a", "> b", "> > c"]),
        ("<table><tr><th>a<th>b<tr><td>c|d<td><p>e<p>f</table>", ["| a | b |", "| --- | --- |", "| c\\|d | e f |"]),
        ("<table><tr><td colspan=2>a<td>b<tr><td>c<td><td>d</table>",
         ["| a |  | b |", "| --- | --- | --- |", "| c |  | d |"]),
        ("<table><tr><td><h2>a</h2><td>b</table>", ["## a", "b"]),
        (f"<table><tr><td>{'a' * 401}<td>b</table>", ["a" * 401, "b"]),
        ("<table><tr><td>a<tr><td>b</table>", ["a", "b"]),
        ("<pre class='language-c++'>  a\n\n\tb\n</pre>c", ["```c++", "  a", "", "\tb", "```", "c"]),
        ("<ul><li>a<pre>b\nc</pre></ul>", ["- a", "  ```", "  b", "  c", "  ```"]),
        ("<div class='highlight-source-py'><pre><code>x</code></pre></div>", ["```py", "x", "```"]),
        ("<pre>a\n ```\nb</pre>", ["````", "a", " ```", "b", "````"]),
        ("<blockquote><ul><li><pre>a\n\nb</pre></ul></blockquote>",
         ["> - ```", ">   a", ">", ">   b", ">   ```"]),
        ("<blockquote><table><tr><td>a<td>b</table></blockquote>", ["> | a | b |", "> | --- | --- |"]),
        ("<table><caption>a</caption><tr><td>b<td>c</table>", ["a", "| b | c |", "| --- | --- |"]),
        ("<table><tr><td>a<td>b<td><table><tr><td><table><tr><td>c<td>d</table></table><td>e</table>",
         ["a", "b", "| c | d |", "| --- | --- |", "e"]),
        ("<p>use <code>`</code>, <code>a``b</code>.", ["use `` ` ``, ```a``b```."]),
        ("<p>use <code>a &lt; b</code> or <kbd>c</kbd>.", ["use `a < b` or `c`."]),
        ("日本語<h2>見出し</h2><ul><li>項目</ul>", ["日本語", "## 見出し", "- 項目"]),
        ("", []),
    ],
)  # fmt: skip
def test_structure_is_marked(html: str, expected: list[str]) -> None:
    assert lines_of(html, markdown=True) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>see <a href='/x y'>the  page</a>, too", "see [the page](https://a.example/x%20y), too"),
        ("<a href=b?c=1&amp;d=(2)><code>x</code></a>", "[`x`](https://a.example/d/b?c=1&d=%282%29)"),
        ("<code><a href='/api/list.html'>list()</a></code>", "[`list()`](https://a.example/api/list.html)"),
        ("<p>a <code> <b><a href=/x>b</a></b> </code>.", "a [`b`](https://a.example/x) ."),
        ("<code>f(<a href=/g>g</a>)</code>", "`f(g)`"),
        ("<code><a href=/f>f</a>(<a href=/g>g</a>)</code>, <a href=/h>h</a>", "`f(g)`, [h](https://a.example/h)"),
        ("<a href=/a>see <code>x</code> or <kbd>y</kbd></a>", "[see `x` or `y`](https://a.example/a)"),
        ("<code>f<a href=/a>g<kbd>h</kbd>i</a></code>", "`fg``h``i`"),
        ("<code><a href='#f'>f</a></code>", "`f`"),
        ("<p><a href='#top'>up</a> <a href='javascript:x()'>do</a> <a>none</a> <a href='//['>bad</a>",
         "up do none [bad](//[)"),
        (f"<p><a data-html=\"{'x' * 2001} href='/y'\" href=/z>a</a>", "[a](https://a.example/z)"),
        (f"<p><a href='{'x' * 2001}' HREF=/y>a</a>", "a"),
        ("<base target=a><base href='https://b.example/c/'><p><a href=d>e</a>", "[e](https://b.example/c/d)"),
        ("<p><a href='/x?a=1&copy=2&amp;b=3&section=4'>c</a>", "[c](https://a.example/x?a=1&copy=2&b=3&section=4)"),
        ("<p><a href='mailto:a%40b.example'>a</a> <a href=' Tel:+81(0)3-1234-5678'>b</a>", "a b"),
        ("<p><a href='/?to=a%40b.example'>a</a>", "[a](https://a.example/?to=a@b.example)"),
        ("<h2><a href=/a>b<br>c<br></a>d</h2>", "## [b](https://a.example/a) [c](https://a.example/a) d"),
        ("<p><a href=/a>b</a><a href=/c>d</a>", "[b](https://a.example/a)[d](https://a.example/c)"),
    ],
)  # fmt: skip
def test_links_are_written_in_full(html: str, expected: str) -> None:
    assert lines_of(html, markdown=True, links=True, url=URL) == [expected]


def test_a_link_around_blocks_is_one_in_each() -> None:
    assert lines_of("<a href=/x><h2>a</h2><p>b</p></a>", links=True) == ["[a](/x)", "[b](/x)"]


def test_what_stands_behind_a_break_begins_a_line() -> None:
    html = "<p>a<br>\n b<br> <img src=c>d</p><pre>  e\n  f</pre>"
    assert lines_of(html, images=True) == ["a", "b", "![](c) d", "  e", "  f"]
    page = read_page(html.encode())
    assert [line for line, _ in plain(page, np.arange(2))] == ["a", "b", "d", "  e", "  f"]


def test_links_and_code_end_with_their_line() -> None:
    assert lines_of("<p><a href=/x>a<br> b<br></a>c", links=True) == ["[a](/x)", "[b](/x)", "c"]
    assert lines_of("<p>a <code>b<br>c</code>", markdown=True) == ["a `b`", "`c`"]
    linked = lines_of("<p><code><a href=/x>a<br>b</a><br>c</code>", markdown=True, links=True)
    assert linked == ["[`a`](/x)", "[`b`](/x)", "`c`"]


def test_blocks_of_code_hold_no_links() -> None:
    html = '<pre><code>use <a href="/x">x</a></code></pre><p>See <a href="/x">x</a>.'
    found = lines_of(html, markdown=True, links=True, url="https://a.jp/")
    assert found == ["```", "use x", "```", "See [x](https://a.jp/x)."]
    assert lines_of(html, links=True, url="https://a.jp/")[0] == "use [x](https://a.jp/x)"


def test_code_with_a_backtick_at_one_end_has_room_at_both() -> None:
    assert lines_of("<p>Type <code>`b</code> now.", markdown=True) == ["Type `` `b `` now."]


def test_images_at_one_place_keep_their_order() -> None:
    html = "<p>Both<img src=https://a.jp/z><img src=https://a.jp/b> are here."
    assert lines_of(html, images=True) == ["Both ![](https://a.jp/z) ![](https://a.jp/b) are here."]


def test_code_is_no_border_of_links_where_it_is_not_marked() -> None:
    assert lines_of("<code>f(<a href=/g>g</a>)</code>", links=True) == ["f([g](/g))"]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a <img src=b.png alt='c d'> e", ["a ![c d](https://a.example/d/b.png) e"]),
        ("<p>a<img src=b.png>e", ["a ![](https://a.example/d/b.png) e"]),
        ("<p><img data-src=/b src='data:x' alt=c>e", ["![c](https://a.example/b) e"]),
        ("<p>a</p><figure><img src=/b alt=c><figcaption>d</figcaption></figure>",
         ["a", "![c](https://a.example/b)", "d"]),
        ("<img src=/b><p>a</p><img src=/c>", ["a"]),
        ("<p>a <img src='data:x'> b", ["a b"]),
        ("<p>a <img data-lazy-src=/b src='data:x'><noscript><img src=/b></noscript> c",
         ["a ![](https://a.example/b)", "c"]),
        ("<p>a <img src=blob:x> b <img src=/c><img src=/c>",
         ["a b ![](https://a.example/c) ![](https://a.example/c)"]),
    ],
)  # fmt: skip
def test_images_stand_where_they_are_shown(html: str, expected: list[str]) -> None:
    assert lines_of(html, images=True, url=URL) == expected


def test_parts_are_kept_or_dropped_by_option() -> None:
    byline = '<p class="byline">By Natsume Soseki</p>'
    figure = "<figure><img src=x><figcaption>A cat, asleep.</figcaption></figure>"
    html = article("en").replace("</h1>", f"</h1>{byline}{figure}")
    heading = TEXTS["en"][:20].strip()
    kept = row(html, title_heading="keep", byline="keep", captions="keep")["text"].split("\n")
    dropped = row(html, title_heading="drop", byline="drop", captions="drop")["text"].split("\n")
    assert kept[:3] == [heading, "By Natsume Soseki", "A cat, asleep."]
    assert dropped == [line for line in kept[3:] if line.startswith(TEXTS["en"])]


def test_comments_are_a_column_of_their_own() -> None:
    said = "".join(f"<li class=comment><p>I do not agree with that at all, number {n}.</p></li>" for n in range(3))
    html = article("en").replace("</main>", f'</main><ol id="comments" class="comments">{said}</ol>')
    found = row(html, comments=True)
    lines = [*(found["comments"] or "").split("\n"), *found["text"].split("\n")]
    assert [line for line in lines if "agree" in line] == [
        f"I do not agree with that at all, number {n}." for n in range(3)
    ]
    assert "comments" not in row(html)


def test_each_line_of_marked_text_has_its_block() -> None:
    extra = f"<ul><li>{TEXTS['ja']}</li></ul><pre>a = 1\n\nb = 2</pre>"
    found = row(article("ja", extra=extra), markdown=True)
    lines = found["text"].split("\n")
    assert lines[0] == f"# {TEXTS['ja'][:20]}"
    assert f"- {TEXTS['ja']}" in lines
    assert lines[-5:] == ["```", "a = 1", "", "b = 2", "```"]
    marked = [found["text"][block["start"] : block["end"]] for block in found["blocks"]]
    assert marked == [line for line in lines if line]


def test_fields_of_our_engine_are_refused_for_another() -> None:
    with pytest.raises(ValueError, match="markdown, comments: only with engine: corpusforge, not trafilatura"):
        MainText(markdown=True, comments=True)
    for engine in ("corpusforge", "resiliparse"):
        with pytest.raises(ValueError, match=f"favor, compare_below: only with engine: trafilatura, not {engine}"):
            MainText(engine=engine, favor="precision", compare_below=2000)


def test_a_page_that_scripts_make_gives_what_its_data_says() -> None:
    body = "One sentence.\\n<p>Another &amp; one.</p>"
    html = f'<script type="application/ld+json">{{"@type": "NewsArticle", "articleBody": "{body}"}}</script>'
    found = row(f"<html><body><div id=app></div>{html}</body></html>")
    assert found["text"] == "One sentence.\nAnother & one."
    assert [block["path"] for block in found["blocks"]] == ["script", "script"]
    assert found["confidence"] is None
    assert row(html.replace("NewsArticle", "WebSite"))["drop"] == "MainText.no_text"


def test_halves_of_surrogate_pairs_in_data_end_no_batch() -> None:
    told = '{"@type": "Article", "author": "A\\udc00", "articleBody": "One \\ud83d sentence, \\ud83d\\ude00."}'
    found = row(f'<div></div><script type="application/ld+json">{told}</script>', metadata=True)
    assert (found["text"], found["author"]) == ("One \ufffd sentence, 😀.", "A\ufffd")


def test_a_reference_of_many_digits_ends_no_batch() -> None:
    endless = f"&#{'1' * 5000};"
    found = row(article("en").replace("</h1>", f"{endless}</h1>"), links=True, images=True, metadata=True)
    assert found["text"].split("\n")[0].endswith("\ufffd")


def test_text_without_a_tag_hangs_nowhere() -> None:
    page = read_page(b"a")
    assert paths(page, page.blocks.element) == [""]


def test_a_deep_page_is_written() -> None:
    assert lines_of("<blockquote>" * 600 + "a", markdown=True)[0].endswith("> a")
    assert len(lines_of("<ul><li>a" * 300, markdown=True)) == 300
    assert max(map(len, lines_of("<blockquote><ol><li>" * 160 + "<p>a" * 9, markdown=True))) < 200


@given(anything, st.builds(Options, *[st.booleans()] * 3))
def test_each_block_is_a_line_whatever_the_options(html: bytes, options: Options) -> None:
    lines = Lines.at("", 0, lines_of(html, **vars(options)))
    text, blocks = lines.text, lines.blocks
    shown = [text[start:end] for start, end in zip(blocks.start, blocks.end, strict=True)]
    assert shown == [line for line in text.split("\n") if line]
    assert len(lines) == len(text.split("\n")) or not lines


@pytest.mark.parametrize("markdown", [False, True])
def test_the_masks_hide_what_marks_repeat(markdown: bool) -> None:
    mail, phone = "taro.yamada@mail.example.com", "03-1234-5678"
    extra = "".join(
        f"<p><a href='mailto:{one}'>{one}</a>, <code>{one}</code> <a href='tel:{one}'><img src=x alt='{one}'></a></p>"
        f"<ul><li>{one}</ul><table><tr><td>{one}<td>{one}</table><pre>{one}</pre><h3>{one}</h3>"
        for one in (mail, phone, mail.replace("@", "%40").join(("<a href='/?m=", "'>link</a>")))
    )
    options: dict[str, Any] = dict.fromkeys(("links", "images", "comments", "metadata"), True)
    batch = html_batch(article("ja", extra=extra)).append_column("url", pa.array([URL]))
    made = MainText(engine="corpusforge", markdown=markdown, **options)(batch)
    hidden = MaskPersonal()(made).to_pylist()[0]["text"]
    assert min(hidden.count(mask) for mask in ("<EMAIL>", "<PHONE>")) > 4
    assert [sign for sign in ("yamada", "1234") if sign in hidden] == []


@given(anything, st.builds(Options, *[st.booleans()] * 3))
def test_marks_take_no_text_away(html: bytes, options: Options) -> None:
    marked = iter("".join(lines_of(html, **vars(options))))
    for text in read_page(html).texts():
        for sign in "".join(text.split()):
            assert sign in marked
