"""Sources: each reads one kind of input into batches of documents, slice by slice."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import pyarrow as pa

from corpusforge.slices import Input, Slice, cut, grouped, whole

__all__ = ["Input", "Slice", "Source", "cut", "grouped", "whole"]


class Source(Protocol):
    """Reads one kind of input.

    ``plan`` cuts one input into slices, with ``limit`` into one. ``read`` is given the opened file; it counts what
    gives no row, as ``source.reason``, in ``passed_over``.
    """

    revision: int
    suffixes: tuple[str, ...]
    """Endings, in small letters, of the files that are taken from a folder."""

    @property
    def writes(self) -> dict[str, pa.DataType]: ...
    def plan(self, given: Input, limit: int | None) -> Sequence[Slice]: ...
    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]: ...
