"""Token shards read as one line of tokens, memory-mapped: what a stream of samples is cut from.

The line is every shard in order, end to end. Where documents are repeated, the documents that have a second turn follow
as a second layer, then those with a third: a copy never stands beside its original.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusforge.text.canonical import identity_of, sha256
from corpusforge.tokens.digests import Progress, prove
from corpusforge.tokens.indexed import open_index
from corpusforge.tokens.megatron import Ids, Index

ERASED = -1
"""Stands for every token of a forgotten document."""

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shard:
    """A token shard on disk: ``bin`` and ``idx`` in Megatron's format, ``docs`` the sidecar where there is one.

    ``sha256`` is the digest of the ``.bin``, ``idx_sha256`` and ``docs_sha256`` those of the others where known.
    """

    name: str
    bin: Path
    idx: Path
    sha256: str
    docs: Path | None = None
    idx_sha256: str | None = None
    docs_sha256: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: where the files are, not what is in them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def files(self) -> list[tuple[Path, str]]:
        """The files whose digests are known, with these."""
        found = ((self.bin, self.sha256), (self.idx, self.idx_sha256), (self.docs, self.docs_sha256))
        return [(path, digest) for path, digest in found if path and digest]

    @cached_property
    def index(self) -> Index:
        return open_index(self.idx)

    @cached_property
    def ids(self) -> Ids:
        """All token ids, mapped; ``ValueError`` if the file is not as long as its index says."""
        dtype, size = self.index.dtype, self._bin_bytes()
        return np.memmap(self.bin, dtype=dtype, mode="r") if size else np.empty(0, dtype)

    def sized(self) -> None:
        """Raise ``ValueError`` if the ``.bin`` or the sidecar has another size than the index says."""
        self._bin_bytes()
        if self.docs is not None:
            self._row_a_document(pq.read_metadata(self.docs).num_rows)

    def _bin_bytes(self) -> int:
        size, tokens = self.bin.stat().st_size, int(self.index.lengths.sum(dtype=np.int64))
        expected = tokens * self.index.dtype.itemsize
        if size != expected:
            raise ValueError(f"{self.bin} is {size} bytes long; its index promises {expected}: copy it anew")
        return size

    def _row_a_document(self, rows: int) -> None:
        if rows != self.documents:
            promised = f"{self.documents:,} documents of {self.bin}"
            raise ValueError(f"{self.docs} has {rows:,} rows for the {promised}: copy it anew")

    @cached_property
    def starts(self) -> Offsets:
        """Where each document starts, in tokens, and behind the last one where it ends."""
        ends = np.cumsum(self.index.lengths, dtype=np.int64)
        starts: Offsets = np.concatenate([np.zeros(1, np.int64), ends])[self.index.documents]
        return starts

    @property
    def documents(self) -> int:
        """How many there are; one may consist of several sequences."""
        return len(self.index.documents) - 1

    def column(self, *names: str) -> Any:
        """Columns of the sidecar, one row a document."""
        if self.docs is None:
            raise ValueError(f"the token shard {self.bin} has no sidecar of documents, so nothing is known of them")
        found = pq.read_table(self.docs, columns=list(names))
        self._row_a_document(len(found))
        return found


@dataclass(frozen=True)
class Span:
    """Tokens of one document of a shard: ``count`` of them from its token ``start`` on."""

    shard: Shard
    document: int
    start: int
    count: int


class TokenSource:
    """Shards as one line of tokens.

    ``repeats`` says how often a document is taken by the size of its duplicate cluster: ``{2: 2, 10: 3}`` takes those
    of clusters of two to nine twice and of larger ones three times. ``erased`` are ids of forgotten documents: their
    tokens read as ``ERASED`` and everything else stays in its place. ``eod`` is the id that ends each document.
    """

    def __init__(
        self,
        name: str,
        shards: Sequence[Shard],
        eod: int,
        vocabulary: int,
        repeats: Mapping[int, int] | None = None,
        erased: Sequence[str] = (),
    ) -> None:
        self.name, self.shards, self.eod, self.vocabulary = name, tuple(shards), eod, vocabulary
        self.repeats = dict(repeats or {})
        if any(times < 1 for times in self.repeats.values()):
            raise ValueError(f"{name}: repeats are at least 1, not {self.repeats}")
        self._shard, self._begin, lengths = self._runs()
        self._starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self.tokens = int(self._starts[-1])
        self.erased = frozenset(erased)
        self._erased = self._erased_ranges(self.erased) if erased else {}

    @property
    def digest(self) -> str:
        """Digest of what the line holds; erased documents do not change it."""
        repeats = sha256(np.stack([self._shard, self._begin, self._starts[1:]]).tobytes()) if self.repeats else None
        return identity_of({"shards": [s.sha256 for s in self.shards], "eod": self.eod, "repeats": repeats})

    def check(self, full: bool = False, listen: Progress = lambda done, total: None) -> None:
        """Raise ``ValueError`` for a file that is not as long as its index says, or has not a row a document.

        ``full`` reads every file and compares its SHA-256 with that of its manifest: about 1 GB a second and thread;
        ``listen`` is called after each file with the bytes that are done and those there are in all. The error is then
        a ``DamagedError``, which names the file, both digests and the cure.
        """
        for shard in self.shards:
            shard.sized()
        if full:
            prove([file for shard in self.shards for file in shard.files], listen)

    def positions(self, sequence: int) -> int:
        """Samples of ``sequence`` tokens, each with the token after it, in the line; the rest at its end is unused."""
        return max(0, (self.tokens - 1) // sequence)

    def read(self, start: int, out: npt.NDArray[np.int32]) -> None:
        """Fill ``out`` with the tokens of the line from ``start`` on."""
        done = 0
        for shard, begin, count in self._pieces(start, len(out)):
            part = out[done : done + count]
            part[:] = self.shards[shard].ids[begin : begin + count]
            if shard in self._erased:
                _erase(part, begin, *self._erased[shard])
            done += count

    def documents(self, start: int, count: int) -> Iterator[Span]:
        """The documents that ``count`` tokens from ``start`` on belong to, in order."""
        for number, begin, length in self._pieces(start, count):
            shard = self.shards[number]
            document = int(np.searchsorted(shard.starts, begin, "right")) - 1
            at, end = begin, begin + length
            while at < end:
                first, last = int(shard.starts[document]), int(shard.starts[document + 1])
                if last > at:
                    yield Span(shard, document, at - first, min(last, end) - at)
                at, document = min(last, end), document + 1

    def places(self, shard: int, document: int) -> list[tuple[int, int]]:
        """(start, count) in the line of each turn of a document; ``shard`` is its number in ``shards``."""
        begin, end = (int(n) for n in self.shards[shard].starts[document : document + 2])
        lengths = np.diff(self._starts)
        holding = (self._shard == shard) & (self._begin <= begin) & (begin < self._begin + lengths) & (begin < end)
        return [
            (int(self._starts[run]) + begin - int(self._begin[run]), end - begin) for run in np.flatnonzero(holding)
        ]

    def _pieces(self, start: int, count: int) -> Iterator[tuple[int, int, int]]:
        """Number of the shard, first token in it and count, for each run that a stretch of the line touches."""
        if not 0 <= start <= start + count <= self.tokens:
            raise IndexError(
                f"{self.name} has {self.tokens:,} tokens; {start:,} to {start + count:,} are not all there"
            )
        run = int(np.searchsorted(self._starts, start, "right")) - 1
        while count:
            taken = min(count, int(self._starts[run + 1]) - start)
            if taken:
                yield int(self._shard[run]), int(self._begin[run]) + start - int(self._starts[run]), taken
            start, count, run = start + taken, count - taken, run + 1

    def _runs(self) -> tuple[Offsets, Offsets, Offsets]:
        """Shard, first token and tokens of each run: every shard whole, then layers of repeated documents."""
        whole = [(n, 0, len(shard.ids)) for n, shard in enumerate(self.shards)]
        parts = [np.array(whole, np.int64).reshape(-1, 3)]
        times = [self._times(shard) for shard in self.shards] if self.repeats else []
        for turn in range(1, max((int(t.max(initial=1)) for t in times), default=1)):
            parts += [_layer(n, self.shards[n].starts, found > turn) for n, found in enumerate(times)]
        shard, begin, length = np.concatenate(parts).T
        return np.ascontiguousarray(shard), np.ascontiguousarray(begin), np.ascontiguousarray(length)

    def _times(self, shard: Shard) -> Offsets:
        sizes = shard.column("cluster_size")["cluster_size"].to_numpy()
        bounds = sorted(self.repeats)
        table = np.array([1, *(self.repeats[bound] for bound in bounds)], np.int64)
        times: Offsets = table[np.searchsorted(bounds, sizes, "right")]
        return times

    def _erased_ranges(self, ids: frozenset[str]) -> dict[int, tuple[Offsets, Offsets]]:
        found, wanted = {}, pa.array(sorted(ids), pa.string())
        for number, shard in enumerate(self.shards):
            rows = pc.is_in(shard.column("id")["id"], value_set=wanted).to_numpy()
            if rows.any():
                found[number] = shard.starts[:-1][rows], shard.starts[1:][rows]
        return found


def _layer(shard: int, starts: Offsets, chosen: npt.NDArray[np.bool_]) -> Offsets:
    """Runs of neighbouring chosen documents."""
    edges = np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]]))
    first, last = starts[np.flatnonzero(edges == 1)], starts[np.flatnonzero(edges == -1)]
    return np.stack([np.full(len(first), shard), first, last - first], axis=1)


def _erase(part: npt.NDArray[np.int32], begin: int, starts: Offsets, ends: Offsets) -> None:
    """Put ``ERASED`` over the tokens of ``part``, which starts at token ``begin`` of a shard, that lie in a range."""
    first = int(np.searchsorted(ends, begin, "right"))
    for start, end in zip(starts[first:], ends[first:], strict=True):
        if start >= begin + len(part):
            return
        part[max(start - begin, 0) : end - begin] = ERASED
