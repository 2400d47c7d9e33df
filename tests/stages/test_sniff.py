"""The sniff spares extraction foreign pages and never loses a page of a kept language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.stages.sniff import LanguageSniff
from corpusforge.text.html import declared_languages, title_of, visible_text
from corpusforge.text.scripts import holds, scripts
from tests.stages.pages import html_batch, real_pages

JA = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
EN = "Call me Ishmael. Some years ago, never mind how long precisely, I thought I would sail about a little. "
ZH = "我们注意到，近年来人工智能技术的发展非常迅速，许多企业已经开始应用。"


def page(body: str, lang: str = "", head: str = "") -> str:
    return f"<!doctype html><html lang='{lang}'><head>{head}</head><body><div>{body}</div></body></html>"


def dropped(html: str, *keep: str) -> str | None:
    reason: str | None = LanguageSniff(keep=keep)(html_batch(html))["drop"][0].as_py()
    return reason


def test_a_lying_declaration_loses_no_japanese_page() -> None:
    assert dropped(page(JA * 9, lang="en"), "ja") is None
    assert dropped(page(EN * 9 + JA, lang="en"), "ja") is None
    assert dropped(page("<nav>" + "<a>Home</a> <a>About us</a> " * 90 + "</nav>" + JA * 9, lang="en"), "ja") is None
    assert dropped(page("&#29483;&#12399;&#12493;&#12467;&#12391;&#12377;。" * 30, lang="en"), "ja") is None


def test_a_reference_of_thousands_of_digits_ends_no_unit() -> None:
    reference = f"&#{'1' * 5000};"
    head = f'<title>{reference}</title><meta name="robots" content="{reference}">'
    assert dropped(page(reference + EN * 9, head=head), "en") is None
    assert title_of(head.encode()) == "\ufffd"


def test_foreign_pages_are_dropped() -> None:
    assert dropped(page(EN * 9 + "<a>にほん</a>", lang="ja"), "ja") == "LanguageSniff.other_language"
    assert dropped(page(ZH * 9 + "<a>の</a>", lang="ja"), "ja") == "LanguageSniff.other_language"
    assert dropped(page(JA * 9, lang="ja"), "en") == "LanguageSniff.other_language"


def test_a_page_without_a_letter_of_any_kept_script_is_dropped() -> None:
    assert dropped(page(EN * 9, lang="ja"), "ja") == "LanguageSniff.other_script"
    assert dropped(page(ZH * 9, lang="ja"), "ja", "ko") == "LanguageSniff.other_script"
    assert dropped(page("Loading, please wait…"), "ja") == "LanguageSniff.other_script"
    assert dropped(page("&#233;t&#xE9; &#12354x&#; \\u00e9" + EN), "ko") == "LanguageSniff.other_script"
    assert dropped(page(JA * 9), "en", "ko") == "LanguageSniff.other_language", "English has no script of its own"


def test_what_has_no_text_to_judge_stays() -> None:
    for japanese in (
        "猫である",
        "\\u732b\\u3067\\u3042\\u308b",
        "&#12391;&#12354;&#12427;",
        "&#x3067;",
        "ﾈｺ",
        "<!-- の -->",
    ):
        script = f"<script>var text = '{japanese}'</script>" * 50
        assert dropped(page(script), "ja") is None, japanese
        assert dropped(page(f"Loading, please wait…<p title='{japanese}'>"), "ja") is None, japanese
    assert dropped(page("<script>var text = 'Call me Ishmael. Some years ago';</script>" * 50), "en") is None
    assert dropped("", "ja") is None
    assert dropped(" \n", "ja") is None


def test_languages_whose_letters_have_names_in_html_are_not_judged_by_bytes() -> None:
    assert dropped(page("&Eta; &Alpha;&theta;&eta;&nu;&alpha; &epsilon;&iota;&nu;&alpha;&iota; " * 9), "el") is None
    assert dropped(page("&Mcy;&ocy;&scy;&kcy;&vcy;&acy; &scy;&tcy;&ocy;&lcy;&icy;&tscy;&acy; " * 9), "ru") is None


@given(
    st.text(max_size=200), st.sampled_from(["plain", "decimal", "hexadecimal", "script"]), st.sampled_from("あヴｱー")
)
def test_one_letter_anywhere_is_found(text: str, way: str, kana: str) -> None:
    code = ord(kana)
    forms = {"plain": kana, "decimal": f"&#{code}", "hexadecimal": f"&#X{code:x};", "script": f"\\u{code:04X}"}
    others = "".join(letter for letter in text if scripts(letter).kana == 0 and letter not in "&#\\")
    half = len(others) // 2
    page = (others[:half] + forms[way] + ";" + others[half:]).encode("utf-8", "ignore")
    assert holds(page, ("hiragana", "katakana"))
    assert not holds(others.encode("utf-8", "ignore"), ("hiragana", "katakana"))


def test_no_kept_language_keeps_every_one() -> None:
    result = LanguageSniff()(html_batch(page(EN * 9), page(JA * 9), page(ZH * 9), page("1 2 3")))
    assert result["sniff_lang"].to_pylist() == ["en", "ja", "zh", "und"]
    assert result["drop"].null_count == 4


def test_visible_text() -> None:
    html = b"<p>a<!-- <p>no --> b</p><SCRIPT>if (1<2) x='</p>'</SCRIPT>c<style>p{}</style ><br>1 < 2 &amp; d"
    assert visible_text(html, 1000) == "a b c 1 < 2 & d"
    assert visible_text(html, 3) == "a b"
    assert visible_text("猫猫".encode(), 4) == "猫"
    assert visible_text(b"<scripture>x</scripture><script>never closed", 100) == "x "


def test_declarations() -> None:
    html = (
        b"<html class=x xml:lang='ja-JP' lang=EN><meta http-equiv='Content-Language' content='ko-KR'><title> A\n&amp; B"
    )
    assert declared_languages(html) == ("ja", "en", "ko")
    assert title_of(html) == "A & B"
    assert declared_languages(b"<html data-lang=fr>") == ()


@pytest.mark.real
@pytest.mark.parametrize("keep", ["ja", "en", "zh", "ko", "de"])
def test_no_real_page_of_a_kept_language_is_lost(keep: str) -> None:
    pages = [p for shard in ("ja-web-00000", "multi-web-00000", "bench-00000") for p in real_pages(shard, 12)]
    result = LanguageSniff(keep=(keep,))(html_batch(*(html for html, _ in pages)))
    rows = list(zip((facts for _, facts in pages), result["drop"].to_pylist(), strict=True))
    assert [facts["url"] for facts, drop in rows if drop and facts["lang"] == keep and facts["lang_p"] >= 0.8] == []
    foreign = [drop for facts, drop in rows if facts["lang"] != keep and facts["lang_p"] >= 0.9]
    assert sum(map(bool, foreign)) >= 0.6 * len(foreign)
