"""Inputs and the slices they are read in.

A slice owns the records that *begin* in its byte range, so any cut points give the same records.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, BinaryIO, TypeVar

from corpusforge.storage import opened

Item = TypeVar("Item")


@dataclass(frozen=True)
class Input:
    """One raw input file; where it lies (``path``) and when it changed (``state``) are never part of an identity."""

    name: str
    path: str
    bytes: int
    fingerprint: str
    state: str = ""

    def open(self) -> BinaryIO:
        """The file, seekable, for reading."""
        return opened(self.path)


@dataclass(frozen=True)
class Slice:
    """A byte range of an input; ``limit`` ends it after that many content records."""

    name: str
    fingerprint: str
    start: int
    end: int
    limit: int | None = None

    @property
    def bytes(self) -> int:
        return self.end - self.start

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def whole(given: Input, limit: int | None = None) -> tuple[Slice]:
    """One slice: for files that cannot be entered in the middle, and for a limit."""
    return (Slice(given.name, given.fingerprint, 0, given.bytes, limit),)


def cut(given: Input, slice_bytes: int) -> tuple[Slice, ...]:
    """Even slices of at most ``slice_bytes``."""
    count = max(1, -(-given.bytes // slice_bytes))
    cuts = [given.bytes * i // count for i in range(count + 1)]
    return tuple(Slice(given.name, given.fingerprint, start, end) for start, end in pairwise(cuts))


def grouped(rows: Iterable[tuple[Item, int]], batch_rows: int, batch_bytes: int) -> Iterator[list[Item]]:
    """Rows, each with its bytes, in lists that end at a number of rows or of bytes, whichever comes first."""
    batch: list[Item] = []
    size = 0
    for row, length in rows:
        batch.append(row)
        size += length
        if len(batch) >= batch_rows or size >= batch_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
