"""Lines and paragraphs as ranges."""

from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.lines import line_ranges, line_spans
from corpusforge.text.words import codes, kinds


def texts(text: str, paragraphs: bool = False, least: int = 1) -> list[str]:
    return [text[start:end] for start, end in line_spans(codes(text), kinds(), paragraphs, least).tolist()]


def test_lines_without_letters_are_none() -> None:
    assert texts("  Title \n\n* * *\n　本文。\nend") == ["Title", "本文。", "end"]
    assert texts("2\n第二条　この法律は、公布の日から施行する。", least=3) == [
        "第二条　この法律は、公布の日から施行する。"
    ]


def test_paragraphs_stand_between_blank_lines() -> None:
    assert texts("a\nb\n\n \nc\n\n", paragraphs=True) == ["a\nb", "c"]
    assert texts("", paragraphs=True) == []


@given(st.text(alphabet="ab 。\n"))
def test_ranges_rebuild_the_text(text: str) -> None:
    assert "\n".join(text[start:end] for start, end in line_ranges(text.split("\n")).tolist()) == text


@given(st.text(alphabet="ab 。\n"))
def test_spans_are_the_stripped_lines(text: str) -> None:
    assert texts(text) == [line.strip() for line in text.split("\n") if any(c in "ab" for c in line)]
