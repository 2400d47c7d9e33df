"""Shares of repetition against a plain count."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.text.repeats import repeated_ngrams, repeated_spans
from corpusforge.text.words import codes, hashes_of


def plain_top(words: list[str], n: int) -> int:
    grams = [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]
    if not grams or max(Counter(grams).values()) < 2:
        return 0
    counts = Counter(grams)
    most = max(counts.values())
    return most * max(len("".join(gram)) for gram, count in counts.items() if count == most)


def plain_again(words: list[str], n: int) -> int:
    first: dict[tuple[str, ...], int] = {}
    grams = [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]
    for at, gram in enumerate(grams):
        first.setdefault(gram, at)
    total = at = 0
    while at < len(grams):
        repeated = first[grams[at]] < at
        total += len("".join(grams[at])) if repeated else 0
        at += n if repeated else 1
    return total


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), max_size=60))
def test_ngrams_agree_with_a_plain_count(words: list[str]) -> None:
    hashes = np.array(["a bb ccc d".index(word) for word in words], np.uint64)
    lengths = np.array([len(word) for word in words], np.int64)
    tops, agains = repeated_ngrams(hashes, lengths, np.array([2, 3]), np.array([2, 5]))
    assert tops.tolist() == [plain_top(words, 2), plain_top(words, 3)]
    assert agains.tolist() == [plain_again(words, 2), plain_again(words, 5)]


def test_repeated_spans_count_all_but_the_first() -> None:
    spans = np.array([[0, 3], [4, 7], [8, 10], [11, 14]], np.int32)
    points = codes("one\none\nno\none")
    assert repeated_spans(hashes_of(points, spans), spans) == (2, 6)
