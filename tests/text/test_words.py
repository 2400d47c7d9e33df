"""Words and scripts: the same segmentation everywhere, offsets that hold."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.words import (
    LETTER,
    MARK,
    TABLE_SIZE,
    UNSPACED,
    WORD,
    codes,
    is_unspaced,
    kinds,
    units_per_word,
    word_spans,
    words,
)


def test_spaced_words_are_runs_with_apostrophes_inside() -> None:
    assert words("Don’t stop—it's 3.5 km, naïve café!") == ["Don’t", "stop", "it's", "3", "5", "km", "naïve", "café"]
    assert words("안녕하세요 여러분") == ["안녕하세요", "여러분"]
    assert words("Привет, мир") == ["Привет", "мир"]


def test_unspaced_words_are_characters_with_their_marks() -> None:
    assert words("東京へ行く") == ["東", "京", "へ", "行", "く"]
    assert words("か\u3099んき") == ["か\u3099", "ん", "き"]
    assert words("ที่นี่") == ["ที่", "นี่"]


def test_a_page_about_programs_stays_japanese() -> None:
    page = "関数 calculate_total_price は引数 customer_identifier を取り、合計金額を返します。"
    assert is_unspaced(page)
    assert not is_unspaced("The word 東京 means eastern capital and is written with two characters.")
    assert not any(map(is_unspaced, ("", "123 !?", "한국어 문장입니다")))


def test_units_of_a_word_by_script() -> None:
    texts = ("plain words", "日本語の文章です", "中文句子", "ภาษาไทยไม่มีช่องว่าง")
    assert [units_per_word(codes(text), kinds()) for text in texts] == [1, 2, 2, 3]


@given(st.text())
def test_spans_are_ordered_and_cover_every_letter(text: str) -> None:
    points, table = codes(text), kinds()
    spans = word_spans(points, table, units_per_word(points, table) > 1).tolist()
    covered = {at for start, end in spans for at in range(start, end)}
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    letters = {at for at, character in enumerate(text) if ord(character) < TABLE_SIZE and character.isalpha()}
    assert letters <= covered


@given(st.text(st.sampled_from("ab1'’ 猫カが\u3099ก\u0e34é-\U000e0100😀")) | st.text(), st.booleans())
def test_spans_are_those_of_a_plain_reading(text: str, unspaced: bool) -> None:
    found, at = [], 0
    while at < len(text):
        end = _word_end(text, at, unspaced)
        if end > at:
            found.append([at, end])
        at = max(end, at + 1)
    assert word_spans(codes(text), kinds(), unspaced).tolist() == found


def _word_end(text: str, at: int, unspaced: bool) -> int:
    """Where the word that begins at a place ends; the place itself where none does."""
    bits = [int(kinds()[ord(character)]) if ord(character) < TABLE_SIZE else 0 for character in text] + [0]
    if not bits[at] & WORD:
        return at
    end = at + 1
    if unspaced or bits[at] & UNSPACED:
        while bits[end] & WORD == MARK:
            end += 1
        return end
    while True:
        if bits[end] & WORD and not bits[end] & UNSPACED:
            end += 1
        elif text[end : end + 1] in ("'", "’") and bits[end + 1] & LETTER and not bits[end + 1] & UNSPACED:
            end += 2
        else:
            return end
