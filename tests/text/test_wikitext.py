"""Wikitext to text: what a reader reads stays, what a page is built of goes, in any language and any state."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.wikitext import TooDear, Wikitext

JA = Wikitext("ja")


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''太字'''と''斜体''と'''''両方'''''", "太字と斜体と両方"),
        ("L''''amour''' et ''l'eau''", "L'amour et l'eau"),
        (
            "[[東アジア]]の[[島国|島の国]][[A (b)|]]と[[:Category:国]]",
            "東アジアの島の国Aと:Category:国".replace("と:", "と"),
        ),
        ("[http://a.example/ 外部] [http://b.example/] http://c.example/d", "外部  http://c.example/d"),
        ("[[ファイル:a.jpg|thumb|説明[[リンク]]あり]][[Category:国]][[en:Japan]]本文", "本文"),
        ("本文<ref>出典{{Cite web|url=x}}</ref><ref name=a />です<ref group=b>[[c]]</ref>。", "本文です。"),
        ("{{基礎情報|名=[[日本]]|画像=[[File:a.svg]]}}\n本文", "本文"),
        ("'''{{読み仮名|日本|にほん}}'''は", "日本（にほん）は"),
        ("{{ruby|漢字|かんじ}}と<ruby>東京<rp>（</rp><rt>とうきょう</rt><rp>）</rp></ruby>", "漢字と東京"),
        ("日本（{{lang-en|Japan}}、{{IPA|x}}）は（{{IPA|x}}、）国", "日本（Japan）は国"),
        ("関数f()と（空）", "関数f()と（空）"),
        (
            "{{仮リンク|言語|en|Language}} {{convert|5|km|mi}} {{nihongo|Tokyo|東京|Tōkyō}}",
            "言語 5 km Tokyo (東京, Tōkyō)",
        ),
        ("* 一\n** 二\n# 三\n*{{x}}\n:四\n;五", "- 一\n- 二\n- 三\n四\n五"),
        ("== 節 ==\n本文\n=== 空 ===\n{{reflist}}\n== 脚注 ==\n<references />", "節\n本文"),
        ("== 親 ==\n=== 子 ===\n本文", "親\n\n子\n本文"),
        ("a &amp; b&nbsp;c &lt;d&gt; &#x3042; &#xD800;", "a & b c <d> あ "[:-1] + " \ufffd"),
        ("<nowiki>''[[a]]''</nowiki> <code>x == y</code>", "''[[a]]'' x == y"),
        ("<nowiki>&amp;lt;</nowiki> <li>a<li>b", "&lt;\n- a\n- b"),
        ("<math>x^2 &lt; 3</math>", "$x^2 < 3$"),
        ("a\n<pre>\n  for i:\n    [[b]]\n</pre>\nc", "a\n\n  for i:\n    [[b]]\n\nc"),
        ("a<!-- b -->c\n<!-- d -->\ne", "ac\ne"),
        ("一<br>二<br />三", "一\n二\n三"),
        ("<gallery>\nFile:a.jpg|b\n</gallery>本文__NOTOC__ __目次強制__ __init__", "本文  __init__"),
        ('<span style="display:none">隠</span><div class="x">見</div>', "見"),
        ("{{{1|既定}}} {{formatnum:12345}}", "既定 12345"),
        ("a\n{| class=x\n! 名 !! 値\n|-\n| 東京 || 1\n|}\nb", "a\n\nb"),
    ],
)
def test_what_a_reader_reads(wikitext: str, text: str) -> None:
    assert JA.clean(wikitext) == text


def test_tables_are_lines_by_option() -> None:
    table = "a\n{| class=x\n|+ 表\n! 名 !! 値\n|-\n| [[東京]] || 1<ref>x</ref>\n|}\nb"
    assert Wikitext("ja", tables=True).clean(table) == "a\n\n表\n名 | 値\n東京 | 1\n\nb"


def test_spellings_side_by_side() -> None:
    text = "连-{zh-hans:接;zh-hant:線}- "
    text += "-{zh-tw:串流; zh-cn:流控制;}- -{H|zh-cn:a;zh-tw:b}--{R|原}- -{字}- <math>x-{a}-</math>"
    assert Wikitext("zh").clean(text) == "连接 流控制 原 字 $x-{a}-$"
    assert Wikitext("zh", variant="zh-hant").clean(text) == "连線 串流 原 字 $x-{a}-$"
    assert Wikitext("sr", variant="sr-el").clean("-{sr-ec:град; sr-el:grad}-") == "grad"
    assert JA.clean("-{zh-hans:a;zh-hant:b}-") == "-{zh-hans:a;zh-hant:b}-"


def test_names_of_namespaces_come_from_the_site() -> None:
    site = Wikitext("xx", hidden=frozenset({"tiedosto"}))
    assert site.clean("[[Tiedosto:a.jpg|b]]x[[File:c|d]]") == "xd"


MARKS = [
    "{{",
    "}}",
    "[[",
    "]]",
    "[http://a ",
    "]",
    "''",
    "<ref>",
    "</ref>",
    "<b>",
    "</b>",
    "{|",
    "|}",
    "|-",
    "|",
    "\n",
    "==",
    "*",
    "<pre>",
]
MARKS += [
    "<!--",
    "-->",
    "-{",
    "}-",
    "&#1;",
    "&amp;",
    "<math>",
    "(",
    "）",
    "{{ruby|",
    "{{lang|",
    "a",
    "字",
    " ",
    "<nowiki>",
    "__",
    "\x01",
    "\x02",
]


@given(st.lists(st.sampled_from(MARKS), max_size=60).map("".join), st.sampled_from(["ja", "zh"]), st.booleans())
def test_any_wikitext_gives_clean_lines(wikitext: str, lang: str, tables: bool) -> None:
    text = Wikitext(lang, tables=tables).clean(wikitext)
    assert not set(text) & set("\x01\x02\x03")
    assert "\n\n\n" not in text or "<pre>" in wikitext
    text.encode()


HOSTILE = [
    "<b>",
    "[http://a ",
    "[[a|",
    "{{a|",
    "<ref>",
    "''",
    "(",
    "\n* ",
    "-{",
    "<!--",
    "{{lang|a|",
    " ",
    "\n=a=",
    "&#",
]
HOSTILE += ["<div class='", "[[a|[[b|", "{{{a|", "{|\n|-\n|", "<nowiki>", "[[File:"]


@pytest.mark.parametrize("size", [20_000, 400_000])
@pytest.mark.parametrize("mark", HOSTILE)
def test_a_hostile_page_takes_seconds_or_is_refused(mark: str, size: int) -> None:
    text = mark * (size // len(mark))
    started = time.process_time()
    for lang in ("ja", "zh"):
        try:
            Wikitext(lang).clean(text)
        except TooDear:
            continue
    assert time.process_time() - started < 30
