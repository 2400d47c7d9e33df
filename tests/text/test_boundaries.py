"""Words of a text: dictionary words in Japanese, runs elsewhere, whole characters everywhere."""

import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text.boundaries import PIECE, word_ends

pytest.importorskip("sudachipy", reason="pip install 'corpusforge[words]'")


def words(text: str, lang: str | None = None) -> list[str]:
    ends = word_ends(text, lang).tolist()
    return [text[start:end] for start, end in pairwise([0, *ends])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("吾輩は猫である。", "吾輩 は 猫 で ある 。"),
        ("東京都知事が選挙管理委員会へ", "東京 都 知事 が 選挙 管理 委員 会 へ"),
        ("人々のコーヒーは1,234円、3.5個だ", "人々 の コーヒー は 1,234 円 、 3.5 個 だ"),
        ("買った。「食べたい」", "買っ た 。 「 食べ たい 」"),
        ("PythonのライブラリをTシャツで", "Python の ライブラリ を T シャツ で"),
    ],
)
def test_japanese_words_are_those_of_the_dictionary(text: str, expected: str) -> None:
    assert words(text) == expected.split()


def test_spaced_words_take_the_space_before_them() -> None:
    assert words("The cat isn't 3.5 km away.") == ["The", " cat", " isn't", " 3.5", " km", " away", "."]
    assert words("my_name -- café e\u0301t\u0301e") == ["my_name", " --", " café", " e\u0301t\u0301e"]
    assert words("한국어 문장, 다음") == ["한국어", " 문장", ",", " 다음"]
    assert words("end  ") == ["end", "  "]


def test_scripts_side_by_side() -> None:
    assert words("私は Don't Panic を　読んだ") == ["私", "は", " Don't", " Panic", " を", "　読ん", "だ"]


def test_line_breaks_end_a_word_and_indents_go_with_the_next() -> None:
    assert words("猫だ。\n\n　犬だ。\n") == ["猫", "だ", "。", "\n\n", "　犬", "だ", "。", "\n"]
    assert words("a \r\n  b") == ["a", " \r\n", "  b"]


def test_chinese_and_thai_words_are_letters_with_their_marks() -> None:
    assert words("北京很大，我の。" + "汉" * 40)[:7] == ["北", "京", "很", "大", "，", "我", "の"]
    assert words("ที่นี่") == ["ที่", "นี่"]


def test_a_japanese_text_without_kana_is_known_by_its_language() -> None:
    assert words("東京都庁") == ["東", "京", "都", "庁"]
    assert words("東京都庁", "ja") == ["東京", "都庁"]


def test_what_is_read_as_one_character_stays_whole() -> None:
    assert words("👩‍👩‍👧 と👍🏽と☺️と。") == ["👩‍👩‍👧", " と", "👍🏽", "と", "☺️", "と", "。"]
    assert words("👍🏽👩‍👩‍👧🇯🇵🇫🇷🇩") == ["👍🏽", "👩‍👩‍👧", "🇯🇵", "🇫🇷", "🇩"]


@pytest.mark.parametrize(
    "run", ["あ" * 40_000, "亜、" * 30_000, "の" + "ﷺ" * 20_000, "アが" * 20_000, "の" + "𠮷" * 30_000]
)
def test_runs_longer_than_the_dictionary_takes_are_cut(run: str) -> None:
    began = time.perf_counter()
    ends = word_ends(run).tolist()
    assert ends[-1] == len(run)
    assert len(ends) > len(run) // (8 * PIECE)
    assert time.perf_counter() - began < 20


FRAGMENTS = [
    *"。、「」 \n\r\t　あがアー々日本7.,'_-",
    "\u3099",
    "\u200d",
    "ﾞ",
    "ｶ",
    "㍿",
    "👩",
    "👩‍👧",
    "🇯",
    "🏽",
    "ไท",
    "é",
    "don't",
    "\x85",
]


@given(st.text(max_size=40) | st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
def test_ends_rise_to_the_end_of_the_text_and_split_no_character(text: str) -> None:
    for lang in (None, "ja"):
        ends = word_ends(text, lang).tolist()
        assert ends[-1:] == ([len(text)] if text else [])
        assert all(0 < before < after for before, after in pairwise([*ends, len(text) + 1]))
        assert not [
            end
            for end in ends[:-1]
            if text[end] in "\u3099\u200dﾞ🏽" and text[end - 1] not in "\n\r\x85\t\x0b\x0c\u2028\u2029"
        ]


def test_a_missing_dictionary_is_named_with_its_extra() -> None:
    without = "import sys; sys.modules['sudachipy'] = None; from corpusforge.text import boundaries; "
    done = subprocess.run(
        [sys.executable, "-c", without + "boundaries.word_ends('吾輩は猫である')"], capture_output=True, text=True
    )
    assert "corpusforge[words]" in done.stderr.strip().splitlines()[-1]
    spaced = subprocess.run(
        [sys.executable, "-c", without + "print(boundaries.word_ends('a b'))"], capture_output=True, text=True
    )
    assert spaced.stdout.strip() == "[1 3]"
