"""Character references in texts and in values of attributes."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.references import unescaped, unescaped_value

PIECES = ("&", "&amp;", "&amp", "&gt;", "&lt;", "&lt", "&quot;", "&nbsp;", "&#39;", "&#3", "&not", "it;", "#", ";", "é")


@given(st.text("&#;xamplt19 é", max_size=40))
def test_a_text_is_read_as_python_reads_it(text: str) -> None:
    assert unescaped(text) == unescape(text)


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_the_frequent_ones_are_read_as_python_reads_them(text: str) -> None:
    assert unescaped(text) == unescape(text)


@pytest.mark.parametrize("zeros", [0, 5000])
def test_a_number_of_any_length_is_read(zeros: int) -> None:
    assert unescaped(f"a&#{'0' * zeros}65;&#{'0' * zeros}{'9' * 5000};b") == "aA\ufffdb"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("?a=1&copy=2&reg=3&section=4&lt", "?a=1&copy=2&reg=3&section=4<"),
        ("?a=1&amp;b=2&amp c&copyx;", "?a=1&b=2& c&copyx;"),
        ("&#65;&#x42;&#67 &eacute;&NotEqualTilde; &no; &", "ABC é≂̸ &no; &"),
    ],
)
def test_values_keep_what_only_looks_like_a_reference(value: str, expected: str) -> None:
    assert unescaped_value(value) == expected
