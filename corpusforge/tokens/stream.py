"""The stream of training samples: a pure function of shards, mixture, seed and sample number.

Sample g is drawn from a source by the mixture; its nth draw is position p of epoch n // positions, where p comes from
that epoch's keyed permutation; the sample is tokens p · sequence … p · sequence + sequence, one more than the model
reads, so that each has a successor to predict. The only state is the number of samples consumed: how many processes
read, and how far a run will go, change nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from corpusforge.tokens.mixture import Mixture, Segment
from corpusforge.tokens.permutation import Permutation
from corpusforge.tokens.shards import Span, TokenSource


class Source(Protocol):
    """What samples are drawn from; ``positions`` is how many different ones of ``sequence`` tokens it has."""

    @property
    def name(self) -> str: ...
    def positions(self, sequence: int) -> int: ...


@dataclass(frozen=True)
class Located:
    """Where samples lie: source names by number, and for each sample its source, epoch and position."""

    names: tuple[str, ...]
    sources: npt.NDArray[np.int32]
    epochs: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]


class Stream:
    """Samples of ``sequence`` + 1 tokens from ``sources``, by name, mixed by ``segments``.

    Any source has its samples located; those of a ``TokenSource`` are also read and know their documents. Raises
    ``ValueError`` for a segment that names no source of these, or a source with less than one sample.
    """

    def __init__(self, sources: Mapping[str, Source], segments: Sequence[Segment], seed: int, sequence: int) -> None:
        self.mixture, self.seed, self.sequence = Mixture(segments), seed, sequence
        missing = [name for name in self.mixture.names if name not in sources]
        if missing:
            raise ValueError(f"the mixture names {missing}, which are not among the sources: {sorted(sources)}")
        self.sources = [sources[name] for name in self.mixture.names]
        self._positions = np.array([source.positions(sequence) for source in self.sources], np.int64)
        for source, positions in zip(self.sources, self._positions.tolist(), strict=True):
            if not positions:
                raise ValueError(
                    f"the source {source.name} is too small for one sample of {sequence:,} tokens and the token after "
                    "them: take a shorter sequence or more text"
                )

    def locate(self, first: int, count: int) -> Located:
        """Where samples ``first`` … ``first + count - 1`` lie."""
        sources, nth = self.mixture.draws(first, count)
        epochs, places = np.divmod(nth, self._positions[sources])
        for source, epoch in {*zip(sources.tolist(), epochs.tolist(), strict=True)}:
            chosen = (sources == source) & (epochs == epoch)
            places[chosen] = self._order(source, epoch)(places[chosen])
        return Located(self.mixture.names, sources, epochs, places)

    def read(self, first: int, count: int) -> npt.NDArray[np.int32]:
        """The tokens of ``count`` samples from ``first`` on, int32 of (count, sequence + 1); -1 is an erased token."""
        found = self.locate(first, count)
        ids = np.empty((count, self.sequence + 1), np.int32)
        lines = {source: self.line(source) for source in {*found.sources.tolist()}}
        places = zip(found.sources.tolist(), found.positions.tolist(), strict=True)
        for row, (source, position) in zip(ids, places, strict=True):
            lines[source].read(position * self.sequence, row)
        return ids

    def documents(self, sample: int) -> Iterator[Span]:
        """The documents whose tokens are in a sample, in order."""
        found = self.locate(sample, 1)
        source = self.line(int(found.sources[0]))
        return source.documents(int(found.positions[0]) * self.sequence, self.sequence + 1)

    def samples_of(self, name: str, shard: int, document: int, until: int) -> list[int]:
        """The samples before ``until`` that hold a token of a document, ascending.

        ``name`` is its source, ``shard`` the number of its shard there.
        """
        source = self.line(self.mixture.names.index(name))
        last, touched = source.positions(self.sequence) - 1, set[int]()
        for start, count in source.places(shard, document):
            low = max(0, -(-(start - self.sequence) // self.sequence))
            touched.update(range(low, min(last, (start + count - 1) // self.sequence) + 1))
        return self.samples_at(name, sorted(touched), until)

    def samples_at(self, name: str, positions: Sequence[int], until: int) -> list[int]:
        """The samples before ``until`` that lie at one of these positions of a source, ascending."""
        number = self.mixture.names.index(name)
        size, drawn = int(self._positions[number]), self.mixture.counts(until)[name]
        at, epochs = np.array(positions, np.int64), range(-(-drawn // size))
        nths = (epoch * size + place for epoch in epochs for place in self._order(number, epoch).inverse(at))
        found = (self.mixture.sample_of(name, int(nth)) for nth in nths if nth < drawn)
        return sorted(sample for sample in found if sample is not None)

    def line(self, number: int) -> TokenSource:
        """The source of a number in ``mixture.names``; ``TypeError`` if it is no line of tokens."""
        source = self.sources[number]
        if not isinstance(source, TokenSource):
            raise TypeError(f"the source {source.name} is no line of tokens: locate its samples and read them there")
        return source

    def _order(self, source: int, epoch: int) -> Permutation:
        return _permutation(int(self._positions[source]), self.seed, self.mixture.names[source], epoch)


@lru_cache(maxsize=1024)
def _permutation(size: int, seed: int, name: str, epoch: int) -> Permutation:
    key = hashlib.blake2b(f"{seed}\0{name}\0{epoch}".encode(), digest_size=8).digest()
    return Permutation(size, int.from_bytes(key, "little"))
