"""Which source each sample comes from: weights hold for a segment of the samples, and segments are only appended.

Within a segment the source furthest behind its weight is drawn next. Weights are rounded to 1/65 536, so that the order
repeats after that many samples and any place is found without a replay: n full periods draw exactly n times each
source's share. What came before a segment never depends on it, so weights, sources and the horizon may change at any
sample without disturbing what was seen.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import compiled

PERIOD = 1 << 16
"""Samples after which the order of sources repeats; the resolution of a weight is its inverse."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """From sample ``from_sample`` on, each source gives the share of samples that its weight has in their sum."""

    from_sample: int
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        wrong = {name: weight for name, weight in self.weights.items() if not 0 < weight < float("inf")}
        if wrong:
            raise ValueError(f"weights are finite numbers above 0, not {wrong}; leave a source out to give it none")
        if not 1 <= len(self.weights) <= PERIOD // 2:
            raise ValueError(f"a segment mixes 1 to {PERIOD // 2:,} sources, not {len(self.weights):,}")


class Mixture:
    """The source of every sample from 0 on; ``names`` are the sources in the order in which they first have a weight.

    Raises ``ValueError`` unless the segments begin at sample 0 and each later one after the one before it.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        starts = [segment.from_sample for segment in segments]
        if starts[:1] != [0] or any(b <= a for a, b in pairwise(starts)):
            raise ValueError(f"segments begin at sample 0 and rise from there; these begin at {starts}")
        self.segments = tuple(segments)
        self.names = tuple(dict.fromkeys(name for segment in segments for name in segment.weights))
        self._starts = np.array(starts, np.int64)
        self._turns = [Turns(_quotas(segment, self.names)) for segment in segments]
        self._before = [np.zeros(len(self.names), np.int64)]
        for turns, length in zip(self._turns, np.diff(self._starts).tolist(), strict=False):
            self._before.append(self._before[-1] + turns.counts(length))

    def draws(self, first: int, count: int) -> tuple[npt.NDArray[np.int32], Counts]:
        """For samples ``first`` … ``first + count - 1``: the number of the source in ``names``, and how many times
        that source was drawn before; two arrays of length ``count``."""
        source, nth = np.empty(count, np.int32), np.empty(count, np.int64)
        done = 0
        while done < count:
            number, offset, left = self._segment_of(first + done)
            taken = min(count - done, left)
            part = slice(done, done + taken)
            source[part], nth[part] = self._turns[number].draws(offset, taken)
            nth[part] += self._before[number][source[part]]
            done += taken
        return source, nth

    def counts(self, sample: int) -> dict[str, int]:
        """How many samples of each source come before ``sample``."""
        number, offset, _ = self._segment_of(sample)
        counts = self._before[number] + self._turns[number].counts(offset)
        return dict(zip(self.names, counts.tolist(), strict=True))

    def sample_of(self, name: str, nth: int) -> int | None:
        """The sample that draws ``name`` for the ``nth`` time, counted from 0; None if no segment does."""
        source = self.names.index(name)
        for number, turns in enumerate(self._turns):
            begun = int(self._before[number][source])
            last = number + 1 == len(self._turns)
            if turns.quotas[source] and (last or nth < self._before[number + 1][source]):
                return int(self._starts[number]) + turns.place_of(source, nth - begun)
        return None

    def state(self) -> list[dict[str, Any]]:
        """The segments with the counts at which each began: what a checkpoint stores."""
        return [
            {
                "from_sample": segment.from_sample,
                "weights": dict(segment.weights),
                "counts": dict(zip(self.names, before.tolist(), strict=True)),
            }
            for segment, before in zip(self.segments, self._before, strict=True)
        ]

    def _segment_of(self, sample: int) -> tuple[int, int, int]:
        """Number of the segment that holds a sample, the sample's place in it, and the samples left in it."""
        number = int(np.searchsorted(self._starts, sample, "right")) - 1
        end = self._starts[number + 1] if number + 1 < len(self._starts) else np.iinfo(np.int64).max
        return number, sample - int(self._starts[number]), int(end) - sample


class Turns:
    """The order of sources within a segment: one period, repeated; ``quotas`` are each source's turns in it."""

    def __init__(self, quotas: Counts) -> None:
        self.quotas = quotas
        self._order, self._rank = _turns(quotas)

    @cached_property
    def _places(self) -> npt.NDArray[np.int64]:
        """Places in the period of the first source's turns, then of the second's, and so on."""
        return np.argsort(self._order, kind="stable")

    def draws(self, offset: int, count: int) -> tuple[npt.NDArray[np.int32], Counts]:
        places = np.arange(offset, offset + count)
        source = self._order[places % PERIOD]
        return source, places // PERIOD * self.quotas[source] + self._rank[places % PERIOD]

    def counts(self, offset: int) -> Counts:
        begun = np.bincount(self._order[: offset % PERIOD], minlength=len(self.quotas))
        return offset // PERIOD * self.quotas + begun

    def place_of(self, source: int, nth: int) -> int:
        period, rank = divmod(nth, int(self.quotas[source]))
        return period * PERIOD + int(self._places[int(self.quotas[:source].sum()) + rank])


def _quotas(segment: Segment, names: Sequence[str]) -> Counts:
    """Each source's turns in a period, by largest remainder, at least one for a source that has a weight."""
    weights = np.array([segment.weights.get(name, 0.0) for name in names])
    exact = weights / math.fsum(weights.tolist()) * PERIOD
    quotas = np.maximum(np.floor(exact).astype(np.int64), weights > 0)
    rest = PERIOD - int(quotas.sum())
    quotas[np.argsort(quotas - exact, kind="stable")[: max(rest, 0)]] += 1
    for _ in range(rest, 0):
        quotas[quotas.argmax()] -= 1
    return quotas


@compiled
def _turns(quotas: Any) -> Any:
    """The source of each turn of a period, and how many turns it had in the period before.

    A source is behind by its share of the turns so far less those it had, times the period. Who is furthest behind is
    above zero when chosen, so that nobody is ever ahead by a period; at a period's end all are behind by multiples of
    it, and by zero together: by zero each, and the order repeats.
    """
    order, rank = np.empty(PERIOD, np.int32), np.empty(PERIOD, np.int64)
    behind, had = np.zeros(len(quotas), np.int64), np.zeros(len(quotas), np.int64)
    for turn in range(PERIOD):
        behind += quotas
        chosen = np.argmax(behind)
        order[turn], rank[turn] = chosen, had[chosen]
        behind[chosen] -= PERIOD
        had[chosen] += 1
    return order, rank
