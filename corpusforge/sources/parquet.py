"""Parquet files: each row a text.

A slice owns the row groups that begin in it. A row's offset is its number in the file, its length 1: a row has no bytes
of its own in a Parquet file.
"""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.records.mapping import Mapped, places_of
from corpusforge.records.row_groups import tables
from corpusforge.records.tables import BUILT_ON, documents
from corpusforge.sources import Input, Slice, cut, whole


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parquet(Mapped):
    """Texts of Parquet files.

    ``text``, ``id``, ``url``, ``date``, ``title`` and ``licence`` say where a row has them: a column, a dotted path
    into a struct, or several of these, the first one that holds something. ``columns`` carries more columns on, each
    with its type (``string``, ``bool``, ``int32``, ``int64``, ``float32``, ``float64``, ``strings``); a value that does
    not fit is null. A text of more than ``text_bytes`` is dropped as ``source.too_large``. Batches end at
    ``batch_rows`` rows or ``batch_bytes`` of text.
    """

    text_bytes: PositiveInt = 16 << 20
    slice_bytes: PositiveInt = 64 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    revision: ClassVar[int] = 2
    built_on: ClassVar[tuple[str, ...]] = BUILT_ON

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return cut(given, self.slice_bytes) if limit is None else whole(given, limit)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS`` and the extra columns for the row groups that begin in the slice.

        Counts in ``passed_over``: ``source.no_text``, ``source.damaged``, ``source.not_parquet`` and
        ``source.empty_file``.
        """
        found = tables(file, piece, self._chosen, self.batch_rows, self.batch_bytes, passed_over)
        yield from documents(self, piece, found, passed_over)

    def _chosen(self, schema: pa.Schema) -> list[str]:
        """Of the columns that the fields look at those that are there, of structs the parts that are."""
        places = sorted(place for place in places_of(self) if _has(schema, place))
        # One column must be read to know the rows.
        return places or schema.names[:1]


def _has(schema: pa.Schema, place: str) -> bool:
    """Whether a place is a column or a field of structs: for one that is not Arrow gives no columns, and no rows."""
    if place in schema.names:
        return True
    first, *keys = place.split(".")
    kind = schema.field(first).type if schema.names.count(first) == 1 else None
    for key in keys:
        at = kind.get_field_index(key) if kind is not None and pa.types.is_struct(kind) else -1
        kind = kind.field(at).type if kind is not None and at >= 0 else None
    return kind is not None
