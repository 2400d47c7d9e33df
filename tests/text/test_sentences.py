"""Sentences of a text: marks, brackets, abbreviations, lines; checked on sentences that the demo planted."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.demo.pages import plan
from corpusforge.text.sentences import PROTECTED, sentence_ends


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in pairwise([0, *sentence_ends(text).tolist()])]


@pytest.mark.parametrize(
    "expected",
    [
        ["吾輩は猫である。", "名前はまだ無い。"],
        ["「はい。今行きます。」と言った。", "「はい。」", "太郎は答えた。", "（終わり。）", "次だ"],
        ["本当ですか？！", "えっ！と叫んだ。", "はい！", "とても嬉しい。", "え？って聞いた。"],
        ["すごい!(笑)", "次へ。", "よい（笑）。", "終"],
        ["そう…だね……", "　うん。"],
        ["円周率は３．１４です．", "次に進む．"],
        ["値は3.5です。", "ver.2.0へ。"],
        ["Mr. Smith paid 3.5 dollars, e.g. for tea.", " He left!", ' "Why?" she asked.', " J. K. Rowling wrote it."],
        ["It is no. 5.", " See Fig. 3.", ' He said "No."', " Then 1999.", " What?!", " (So it is.)", " Next..."],
        ["你好。", "“我走了。”", "他说。"],
        ["Am 17. Oktober 2010 kam er.", " Wann?"],
        ["यह एक वाक्य है।", " दूसरा।"],
        ["https://a.b/c?d=e!f は例です。", "x.y"],
        ['彼は"はい。"と答えた。', '"次。"', "終"],
    ],
)
def test_sentences_joined_come_apart_again(expected: list[str]) -> None:
    assert sentences("".join(expected)) == expected


def test_lines_are_paragraphs_unless_they_were_wrapped() -> None:
    assert sentences("見出し\n本文です\n\n次") == ["見出し\n", "本文です\n\n", "次"]
    assert sentences("1. Introduction\n2. Methods\n") == ["1. Introduction\n", "2. Methods\n"]
    wrapped = "The quick brown fox jumps over the lazy dog and\nthen goes on. "
    assert sentences(wrapped + "Yes.\n") == [wrapped[:-1], " Yes.\n"]
    assert sentences("赤、\n青、\n黄。\n") == ["赤、\n青、\n黄。\n"]
    assert sentences("apples\noranges") == ["apples\n", "oranges"]


def test_white_space_is_no_sentence() -> None:
    assert sentences("\n\n終。 \n \n次。  ") == ["\n\n終。 \n \n", "次。  "]
    assert sentences(" \n ") == [" \n "]
    assert sentences("") == []


def test_an_open_bracket_and_a_long_one_protect_nothing() -> None:
    assert sentences("顔は:(です。次。") == ["顔は:(です。", "次。"]
    speech = "長い話です。" * (PROTECTED // 6 + 1)
    assert len(sentences(f"「{speech}」と言った。")) == PROTECTED // 6 + 1
    assert len(sentences(f"「{speech[:60]}」と言った。")) == 1


@pytest.mark.parametrize("lang", ["en", "zh", "ko", "de", "fr", "zh-Hant", "es", "ru"])
def test_sentences_that_the_demo_planted_are_found(lang: str) -> None:
    join = "" if lang.startswith("zh") else " "
    paragraphs = [p for draft in plan(400, 1) if draft.lang == lang for p in draft.body]
    found = [[s.strip() for s in sentences(join.join(p))] for p in paragraphs]
    same = sum(mine == [s.strip() for s in p] for mine, p in zip(found, paragraphs, strict=True))
    assert len(paragraphs) > 40
    assert same == len(paragraphs)


def test_every_planted_end_is_found_in_japanese() -> None:
    """A planted sentence may hold two, so more are found than were planted, each behind a mark."""
    for paragraph in (p for draft in plan(200, 1) if draft.lang == "ja" for p in draft.body):
        text = "".join(paragraph)
        planted = {sum(map(len, paragraph[: n + 1])) for n in range(len(paragraph))}
        found = sentence_ends(text).tolist()
        assert planted <= set(found)
        assert all(text[end - 1] in "。！？」）" for end in found)


@given(st.text() | st.lists(st.sampled_from([*"。！？!?.…」「()\"' \n\r　aAあ1、,", "Mr", "と", "\x85"])).map("".join))
def test_ends_rise_to_the_end_of_the_text_and_no_sentence_is_blank(text: str) -> None:
    ends = sentence_ends(text).tolist()
    assert ends[-1:] == ([len(text)] if text else [])
    assert all(before < after for before, after in pairwise([0, *ends]))
    assert text.isspace() or not [s for s in sentences(text) if s.isspace()]


@pytest.mark.parametrize(
    "text", ["「（。" * 60_000, "a. b. " * 40_000, "。」" * 60_000, "\n " * 90_000, '"?' * 90_000, "…" * 200_000]
)
def test_odd_text_takes_no_longer_than_its_length(text: str) -> None:
    began = time.perf_counter()
    sentence_ends(text)
    assert time.perf_counter() - began < 5
