"""Bytes are told to be UTF-8 or not as Python tells, and foreign characters are found wherever they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.encodings import BY_NAME
from corpusforge.text.reading import UTF_8, is_utf8, read

PIECES = st.sampled_from(
    (
        b"<p>",
        "é".encode(),
        "雪国".encode(),
        "𠮷".encode(),
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe3",
        b"\x80",
    )
)


@given(st.lists(PIECES | st.binary(max_size=4), max_size=20).map(b"".join))
def test_utf8_is_what_python_decodes(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not is_utf8(data)
    else:
        assert is_utf8(data)


@pytest.mark.parametrize(("text", "foreign", "score"), [("<p>a</p>", 0, 1000), ("xのyλz", 2, 500)])
def test_a_reading_measures_its_foreign_characters(text: str, foreign: int, score: int) -> None:
    reading = read(BY_NAME["euc-jp"], text.encode("euc_jp"))
    assert (reading.text, reading.characters, reading.score, reading.bad) == (text, foreign, score, 0)


def test_the_first_4000_foreign_characters_are_measured_wherever_they_stand() -> None:
    text = "a" * 100_000 + "の" + "b" * 40_000 + "λ" * 3999 + "の" * 50_000
    reading = read(BY_NAME["euc-jp"], text.encode("euc_jp"))
    assert (reading.characters, reading.score) == (4000, 0)
    assert read(BY_NAME["euc-jp"], text.replace("λ", "の").encode("euc_jp")).score == 1000


def test_a_reading_counts_what_cannot_be_read() -> None:
    reading = read(UTF_8, "雪国".encode() * 9 + b"\xe3")
    assert (reading.bad, reading.characters, reading.sound) == (1, 19, True)
