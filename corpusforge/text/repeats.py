"""How much of a text repeats itself: shares of equal lines, and of n-grams that occur again.

An n-gram is named exactly, not by a hash of its content: its name is the pair (name of the n-gram one shorter, unit
that follows). Only places whose shorter n-gram occurs twice can hold a longer one that does: the work shrinks with n.
"""

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel
from corpusforge.text.lines import Spans

Hashes = NDArray[np.uint64]
Ids = NDArray[np.int64]


@compiled
def numbered(keys: Hashes, places: Ids) -> tuple[Ids, Ids, Ids]:
    """Number equal keys in order of appearance: the number of each place, the first place and count of each number."""
    bits = 4
    while (1 << bits) < 2 * len(keys):
        bits += 1
    mask, shift = (1 << bits) - 1, np.uint64(64 - bits)
    slots = np.full(1 << bits, -1, np.int32)
    held = np.empty(len(keys), np.uint64)
    numbers, firsts = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    counts = np.zeros(len(keys), np.int64)
    found = 0
    for at in range(len(keys)):
        key = keys[at]
        slot = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> shift)
        while slots[slot] >= 0 and held[slots[slot]] != key:
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            slots[slot], held[found], firsts[found] = found, key, places[at]
            found += 1
        numbers[at] = slots[slot]
        counts[numbers[at]] += 1
    return numbers, firsts[:found], counts[:found]


@compiled
def repeated_spans(hashes: Hashes, spans: Spans) -> tuple[int, int]:
    """How many spans occurred before, and their length in all."""
    numbers, firsts, _ = numbered(hashes, np.arange(len(hashes)))
    count = length = 0
    for at in range(len(hashes)):
        if firsts[numbers[at]] != at:
            count += 1
            length += spans[at, 1] - spans[at, 0]
    return count, length


@compiled
def repeated_ngrams(hashes: Hashes, lengths: Ids, top: Ids, again: Ids) -> tuple[Ids, Ids]:
    """Characters of the most frequent n-gram for each n of ``top``, of n-grams seen before for each n of ``again``.

    The most frequent n-gram counts with every occurrence if it has at least two, the longest of equally frequent ones.
    N-grams seen before are covered greedily from the left, each character once; the first occurrence does not count.
    """
    tops, agains = np.zeros(len(top), np.int64), np.zeros(len(again), np.int64)
    ends = np.zeros(len(lengths) + 1, np.int64)
    ends[1:] = np.cumsum(lengths)
    places = np.arange(len(hashes))
    units, firsts, counts = numbered(hashes, places)
    names = units
    for n in range(1, max(top.max(), again.max()) + 1):
        if n > 1:
            places, names = _repeating(places, names, counts, len(hashes) - n)
            if len(places) == 0:
                break
            keys = (names.astype(np.uint64) << np.uint64(32)) | units[places + n - 1].astype(np.uint64)
            names, firsts, counts = numbered(keys, places)
        for at in range(len(top)):
            if top[at] == n:
                tops[at] = _most_frequent(firsts, counts, ends, n)
        for at in range(len(again)):
            if again[at] == n:
                agains[at] = _covered(places, names, firsts, ends, n)
    return tops, agains


@compiled
def _repeating(places: Ids, names: Ids, counts: Ids, last: int) -> tuple[Ids, Ids]:
    """The places whose n-gram occurs at least twice and that have a unit after it."""
    kept, kept_names = np.empty_like(places), np.empty_like(names)
    found = 0
    for at in range(len(places)):
        if counts[names[at]] > 1 and places[at] <= last:
            kept[found], kept_names[found] = places[at], names[at]
            found += 1
    return kept[:found], kept_names[:found]


@kernel
def _most_frequent(firsts: Ids, counts: Ids, ends: Ids, n: int) -> int:
    """Characters in all occurrences of the most frequent n-gram; 0 if none occurs twice."""
    most = longest = 0
    for name in range(len(firsts)):
        length = ends[firsts[name] + n] - ends[firsts[name]]
        if counts[name] > most or (counts[name] == most and length > longest):
            most, longest = counts[name], length
    return most * longest if most > 1 else 0


@kernel
def _covered(places: Ids, names: Ids, firsts: Ids, ends: Ids, n: int) -> int:
    """Characters under n-grams that began at an earlier place."""
    total = free = 0
    for at in range(len(places)):
        if places[at] >= free and firsts[names[at]] != places[at]:
            total += ends[places[at] + n] - ends[places[at]]
            free = places[at] + n
    return total
