"""Which held-out samples a run looks at: the same for every run, so that its figures can be compared."""

import numpy as np
import numpy.typing as npt

from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.stream import Source, Stream

SEED = 0
"""The order of held-out samples is the same for every run."""


def held_out(name: str, source: Source, sequence: int) -> Stream:
    """The held-out samples of a source, in the order in which runs look at them."""
    return Stream({name: source}, [Segment(0, {name: 1.0})], SEED, sequence)


def looked_at(source: Source, sequence: int, samples: int) -> int:
    """How many of a source's held-out samples there are, ``samples`` at most."""
    return min(samples, source.positions(sequence))


def places(name: str, source: Source, sequence: int, samples: int) -> npt.NDArray[np.bool_]:
    """Which of a source's positions hold the first ``samples`` samples: bool of (positions,)."""
    chosen = np.zeros(source.positions(sequence), bool)
    count = looked_at(source, sequence, samples)
    if count:
        chosen[held_out(name, source, sequence).locate(0, count).positions] = True
    return chosen
