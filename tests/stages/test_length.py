"""Lengths by language."""

import pyarrow as pa

from corpusforge.stages.length import TooLong, TooShort


def batch(rows: list[tuple[str | None, str | None]]) -> pa.RecordBatch:
    texts, langs = zip(*rows, strict=True)
    return pa.RecordBatch.from_pydict(
        {"text": pa.array(texts, pa.large_string()), "lang": pa.array(langs, pa.string())}
    )


def test_minimum_depends_on_the_language() -> None:
    words = "word " * 49
    rows = [
        (words, "en"),
        (words + "word", "en"),
        ("文" * 199, "ja"),
        ("文" * 200, "ja"),
        ("文" * 100, "zh"),
        (None, None),
    ]
    measured = TooShort()(batch(rows))
    assert measured["characters"].to_pylist() == [245, 249, 199, 200, 100, 0]
    assert measured["words"].to_pylist() == [49, 50, 99, 100, 50, 0]
    short = "TooShort.low_words"
    assert measured["drop"].to_pylist() == [short, None, "TooShort.low_characters", None, None, short]


def test_a_language_written_in_another_script_gets_the_fallback_of_its_script() -> None:
    assert TooShort()(batch([("romaji " * 50, "ja")]))["drop"].to_pylist() == [None]


def test_one_minimum_for_all() -> None:
    measured = TooShort(at_least=10)(batch([("short", "en"), ("long enough", "en")]))
    assert measured["drop"].to_pylist() == ["TooShort.low_characters", None]


def test_too_long() -> None:
    assert TooLong(at_most=3)(batch([("abcd", "en"), ("abc", "en")]))["drop"].to_pylist() == [
        "TooLong.high_characters",
        None,
    ]


def test_an_empty_batch() -> None:
    assert TooShort()(batch([("a", "en")]).slice(0, 0)).num_rows == 0
