"""A keyed permutation of ``range(size)``, computed and never stored: any place, in any order, in constant memory.

A balanced Feistel network (Luby and Rackoff 1988) on the least even number of bits that holds ``size``; values that
fall outside are sent through again until they fall inside (Black and Rogaway 2002), fewer than four times on average.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import compiled
from corpusforge.text.mixing import mixed64

ROUNDS = 8
"""Four rounds make a strong pseudorandom permutation; domains of a few bits need more to look random."""
LARGEST = 1 << 62
_ROUNDS, _ONE, _STEP = np.uint64(ROUNDS), np.uint64(1), np.uint64(0x9E3779B97F4A7C15)

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Permutation:
    """``self(places)`` and ``self.inverse(places)`` undo each other; ``key`` has 64 bits.

    Raises ``ValueError`` for a size outside 1 … 2^62.
    """

    size: int
    key: int

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST:
            raise ValueError(f"a permutation needs 1 to {LARGEST:,} places, not {self.size:,}")

    def __call__(self, places: Places) -> Places:
        """Where each place goes, int64 of the same shape."""
        return self._walked(places, True)

    def inverse(self, places: Places) -> Places:
        """Where each place comes from."""
        return self._walked(places, False)

    def _walked(self, places: Places, forward: bool) -> Places:
        half = max(1, -(-(self.size - 1).bit_length() // 2))
        given = np.ascontiguousarray(places, np.int64).view(np.uint64)
        found: Places = _walk(given, np.uint64(self.size), np.uint64(half), np.uint64(self.key), forward)
        return found


@compiled
def _walk(places: Any, size: Any, half: Any, key: Any, forward: Any) -> Any:
    found = np.empty(len(places), np.int64)
    for n in range(len(places)):
        value = _once(places[n], half, key, forward)
        while value >= size:
            value = _once(value, half, key, forward)
        found[n] = np.int64(value)
    return found


@compiled
def _once(value: Any, half: Any, key: Any, forward: Any) -> Any:
    mask = (_ONE << half) - _ONE
    left, right = value >> half, value & mask
    for n in range(ROUNDS):
        turn = np.uint64(n)
        if forward:
            left, right = right, left ^ (mixed64(right ^ mixed64(key + turn * _STEP)) & mask)
        else:
            turn = _ROUNDS - _ONE - turn
            left, right = right ^ (mixed64(left ^ mixed64(key + turn * _STEP)) & mask), left
    return (left << half) | right
