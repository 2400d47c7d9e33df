"""The stored form of text: what changes, what does not, and where offsets go."""

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text.normal import is_normal, normalise, normalise_with

TROUBLE = st.text(st.sampled_from("aか\u3099゙ｶﾞﾊﾟｱﾟ。｡ \u3000\t\n\r\x0b\u2028\x00\ufeff\u200be\u0301가ᄀ\u1161\xad漢神"))


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("ﾊﾝｶｸ ｶﾞｷﾞﾌﾟ｡", "ハンカク ガギプ。"),
        ("ｱﾞ ﾞ", "ア゛ ゛"),
        ("カﾞ", "ガ"),
        ("か\u3099", "が"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a  \t\u3000\nb ", "a\nb"),
        ("\ufeffa\x00b\x1bc\u200bd\xade", "abcde"),
        ("ＡＢＣ１２３①㈱㌔", "ＡＢＣ１２３①㈱㌔"),
        ("👩‍👧 نمی‌خواهم", "👩‍👧 نمی‌خواهم"),
        ("a\tb\n\n\nc", "a\tb\n\n\nc"),
    ],
)
def test_examples(given_text: str, stored: str) -> None:
    assert normalise(given_text) == stored


@settings(deadline=None)
@given(TROUBLE | st.text())
def test_normal_form_is_a_fixed_point_in_nfc(text: str) -> None:
    stored = normalise(text)
    assert normalise(stored) == stored
    assert is_normal(stored)
    assert unicodedata.is_normalized("NFC", stored)
    assert not {"\r", "\x00", "\ufeff"} & set(stored)


@settings(deadline=None)
@given(TROUBLE | st.text(), st.data())
def test_offsets_keep_order_and_whole_lines_stay_whole_lines(text: str, data: st.DataObject) -> None:
    bounds = [0, len(text)] + [i for i, c in enumerate(text) if c == "\n"]
    offsets = sorted(bounds + data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    stored, moved = normalise_with(text, offsets)
    assert stored == normalise(text)
    assert moved[0] == 0
    assert moved[-1] == len(stored)
    assert all(0 <= at <= len(stored) for at in moved)
    lines = text.split("\n")
    start = 0
    for line in lines:
        _, (first, last) = normalise_with(text, [start, start + len(line)])
        assert stored[first:last] == normalise(line)
        start += len(line) + 1


@settings(deadline=None)
@given(TROUBLE | st.text() | st.text(st.sampled_from("ab \n\u3000e\u0301\U00020000\U0002f800ｶ")), st.data())
def test_offsets_move_as_the_text_before_them_in_their_line_does(text: str, data: st.DataObject) -> None:
    offsets = data.draw(st.lists(st.integers(0, len(text)), max_size=5))
    stored, moved = normalise_with(text, offsets)
    if is_normal(text):
        assert (stored, moved) == (text, offsets)
        return
    lines = re.split("(?<=\n)", text)
    starts = [0, *accumulate(map(len, lines))]
    ready = [normalise(line) for line in lines]
    for offset, found in zip(offsets, moved, strict=True):
        number = min(bisect_right(starts, offset) - 1, len(lines) - 1)
        before = normalise(lines[number][: offset - starts[number]])
        assert found == len("".join(ready[:number])) + min(len(before), len(ready[number]))


def test_a_clean_text_is_the_same_object() -> None:
    text = "吾輩は猫である。\n名前はまだ無い。"
    assert normalise(text) is text


def test_long_runs_of_spaces_are_no_trap() -> None:
    assert normalise("a" + " " * 1_000_000 + "b ") == "a" + " " * 1_000_000 + "b"
