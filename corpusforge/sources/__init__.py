"""Sources: each reads one kind of input into batches of documents, slice by slice.

A slice owns the records that *begin* in its byte range, so any cut points give the same records.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Input:
    """One raw input file; ``path`` says where it lies and is never part of an identity."""

    name: str
    path: str
    bytes: int
    fingerprint: str


@dataclass(frozen=True)
class Slice:
    """A byte range of an input; ``limit`` ends it after that many content records."""

    name: str
    fingerprint: str
    start: int
    end: int
    limit: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Source(Protocol):
    """Reads one kind of input. ``read`` counts what gives no row, as ``source.reason``, in ``passed_over``."""

    revision: int
    suffixes: tuple[str, ...]
    """Endings of the files that are taken from a folder."""

    @property
    def writes(self) -> dict[str, pa.DataType]: ...
    def plan(self, inputs: Sequence[Input], limit: int | None) -> Sequence[Slice]: ...
    def read(self, piece: Slice, path: str, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]: ...
