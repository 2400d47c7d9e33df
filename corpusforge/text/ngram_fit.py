"""Fit an n-gram model: sort all n-grams, count, discount, and interpolate from the shortest up.

An n-gram is named by its place among those of its length, so one more id is one more counting sort over the pairs
(name of the n-gram without its last id, last id); nothing is hashed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import compiled
from corpusforge.text.ngram import LIMIT, NGram, Places, checked

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts of an order whose counts of counts give none: as in KenLM's ``--discount_fallback`` (Heafield 2013)."""
HIGHEST_ORDER = 16
"""With more, a product of weights could leave the range of float64."""


def fit(sequences: Iterable[npt.ArrayLike], order: int, vocabulary: int) -> NGram:
    """The model of whole sequences of ids below ``vocabulary``; the order of the sequences changes nothing.

    What ends a sequence is predicted only if the caller appends an id for it. 29 MB of bytes at order 5 take 10 CPU
    seconds and 1.2 GB of memory. Raises ``ValueError`` for an id outside the vocabulary.
    """
    if not 1 <= order <= HIGHEST_ORDER or not 1 <= vocabulary < LIMIT:
        raise ValueError(f"order {order} must be 1 to {HIGHEST_ORDER}, vocabulary {vocabulary} 1 to {LIMIT - 1}")
    levels = _levels(_joined(sequences, vocabulary), order, vocabulary)
    offsets = np.cumsum([-1, 1, *(len(level.words) for level in levels)], dtype=np.int64)
    if offsets[-1] > LIMIT:
        raise ValueError(f"{offsets[-1]:,} n-grams are more than {LIMIT:,}; take a lower order or fewer sequences")
    below, chances, weights = np.full(1, 1 / vocabulary), [], []
    for n, level in enumerate(levels):
        counts = level.counts if n + 1 == order else _continuations(level, levels[n + 1])
        below, weight = _interpolated(counts, level.starts, level.suffixes, below, np.array([0, *_discounts(counts)]))
        chances.append(below.astype(np.float32))
        weights.append(weight.astype(np.float32))
    suffixes = [level.suffixes + np.int32(offset) for level, offset in zip(levels, offsets, strict=False)]
    starts = [level.starts[:-1] + np.int32(offset) for level, offset in zip(levels[1:], offsets[2:], strict=False)]
    return NGram(
        order=order,
        vocabulary=vocabulary,
        words=np.concatenate([level.words for level in levels]),
        suffixes=np.concatenate(suffixes),
        chances=np.concatenate(chances),
        starts=np.concatenate([*starts, np.array([offsets[-1]], np.int32)]),
        weights=np.concatenate([*weights[1:], np.empty(0, np.float32)]),
    )


@dataclass(frozen=True, eq=False)
class _Level:
    """All n-grams of one length, lexicographic; places of ``suffixes`` and ``starts`` count within their level.

    ``starts`` belongs to the level below: where the n-grams with each context begin. From ``edge`` on n-grams start
    with the begin id, which is the largest.
    """

    words: Places
    suffixes: Places
    counts: npt.NDArray[np.int64]
    starts: Places
    edge: int


def _joined(sequences: Iterable[npt.ArrayLike], vocabulary: int) -> Places:
    begin = np.array([vocabulary], np.int32)
    text = np.concatenate([part for ids in sequences for part in (begin, checked(ids, vocabulary))] or [begin])
    if len(text) > LIMIT:
        raise ValueError(f"{len(text):,} ids are more than {LIMIT:,}; take fewer sequences")
    return text


def _levels(text: Places, order: int, vocabulary: int) -> list[_Level]:
    counts = np.bincount(text, minlength=vocabulary + 1)
    by_word = _sorted(np.arange(len(text), dtype=np.int32), text, vocabulary + 1)[: len(text) - counts[-1]]
    counts[-1] = 0
    words, suffixes = np.arange(vocabulary + 1, dtype=np.int32), np.zeros(vocabulary + 1, np.int32)
    levels = [_Level(words, suffixes, counts, np.array([0, vocabulary], np.int32), vocabulary)]
    names = text
    for _ in range(order - 1):
        before = np.concatenate([np.array([-1], np.int32), names[:-1]])
        size = len(levels[-1].words)
        longer, firsts, counts = _runs(_sorted(by_word, before, size), before, text)
        starts = np.zeros(size + 1, np.int32)
        np.cumsum(np.bincount(before[firsts], minlength=size), out=starts[1:])
        levels.append(_Level(text[firsts], names[firsts], counts, starts, int(starts[levels[-1].edge])))
        names = longer
    return levels


def _continuations(level: _Level, longer: _Level) -> npt.NDArray[np.int64]:
    counts = np.bincount(longer.suffixes, minlength=len(level.words))
    counts[level.edge :] = level.counts[level.edge :]
    return counts


def _discounts(counts: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Equation 26 of Chen and Goodman 1998, for counts of one, two, and three or more."""
    one, two, three, four = (int(np.count_nonzero(counts == n)) for n in (1, 2, 3, 4))
    if not (one and two and three and four):
        return FALLBACK
    share = one / (one + 2 * two)
    found = (1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three)
    return found if min(found) > 0 else FALLBACK


@compiled
def _sorted(places: Any, keys: Any, size: int) -> Any:
    """``places`` by ``keys[place]`` below ``size``, equal keys in their order; places of negative keys are left out."""
    ends = np.zeros(size + 1, np.int32)
    for place in places:
        if keys[place] >= 0:
            ends[keys[place] + 1] += 1
    for key in range(size):
        ends[key + 1] += ends[key]
    result = np.empty(ends[size], np.int32)
    for place in places:
        key = keys[place]
        if key >= 0:
            result[ends[key]] = place
            ends[key] += 1
    return result


@compiled
def _runs(places: Any, before: Any, words: Any) -> Any:
    """Number equal pairs of ``before`` and ``words`` of sorted places; the number at each place of the text (−1 where
    none ends), the first place and the count of each number."""
    numbers = np.full(len(words), -1, np.int32)
    firsts, counts = np.empty(len(places), np.int32), np.zeros(len(places), np.int64)
    found, context, word = -1, -1, -1
    for place in places:
        if before[place] != context or words[place] != word:
            found, context, word = found + 1, before[place], words[place]
            firsts[found] = place
        numbers[place] = found
        counts[found] += 1
    return numbers, firsts[: found + 1].copy(), counts[: found + 1].copy()


@compiled
def _interpolated(counts: Any, starts: Any, suffixes: Any, below: Any, discounts: Any) -> Any:
    """The chance of each n-gram, and for each context the weight of the order below."""
    chances, weights = np.zeros(len(counts), np.float64), np.ones(len(starts) - 1, np.float64)
    for context in range(len(weights)):
        first, end = starts[context], starts[context + 1]
        total = counts[first:end].sum()
        if total:
            kinds = np.zeros(4, np.int64)
            for node in range(first, end):
                kinds[min(counts[node], 3)] += 1
            removed = kinds[1] * discounts[1] + kinds[2] * discounts[2] + kinds[3] * discounts[3]
            weights[context] = removed / total
        for node in range(first, end):
            own = (counts[node] - discounts[min(counts[node], 3)]) / total if total else 0.0
            chances[node] = own + weights[context] * below[suffixes[node]]
    return chances, weights
