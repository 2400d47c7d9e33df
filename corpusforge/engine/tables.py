"""Parquet files whose bytes depend on their rows only, not on how the rows came."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpusforge.schema import PARQUET_OPTIONS, ROW_GROUP_ROWS


class TableWriter:
    """Writes batches as row groups of exactly ``ROW_GROUP_ROWS`` rows, whatever the batches were."""

    def __init__(self, file: Any, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(pa.PythonFile(file, "w"), schema, **PARQUET_OPTIONS)
        self.schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self.rows = 0

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._write(self._rows)
        self._writer.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; columns are taken by name in the order of the schema."""
        self._waiting.append(batch.select(self.schema.names).cast(self.schema))
        self._rows += batch.num_rows
        self.rows += batch.num_rows
        while self._rows >= ROW_GROUP_ROWS:
            self._write(ROW_GROUP_ROWS)

    def _write(self, rows: int) -> None:
        if not rows:
            return
        table = pa.Table.from_batches(self._waiting, self.schema)
        # One chunk a column: chunk borders would become page borders.
        self._writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=ROW_GROUP_ROWS)
        rest = table.slice(rows)
        self._waiting, self._rows = rest.to_batches(), rest.num_rows


def read_rows(
    file: BinaryIO, first: int = 0, rows: int | None = None, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Rows ``first`` to ``first + rows`` of a Parquet file, one row group at a time."""
    source = pq.ParquetFile(file)
    last = source.metadata.num_rows if rows is None else first + rows
    start = 0
    for group in range(source.metadata.num_row_groups):
        end = start + source.metadata.row_group(group).num_rows
        if start < last and end > first:
            table = source.read_row_group(group, columns=list(columns) if columns is not None else None)
            piece = table.slice(max(first - start, 0), min(last, end) - max(first, start))
            yield from piece.combine_chunks().to_batches()
        start = end


def schema_of(file: BinaryIO) -> pa.Schema:
    """The Arrow schema of a Parquet file."""
    return pq.read_schema(file)


def rows_at(file: BinaryIO, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
    """The rows of a Parquet file at ascending positions; only row groups that hold one of them are read."""
    source = pq.ParquetFile(file)
    pieces = [source.read_row_groups([], columns=list(columns))]
    start = 0
    for group in range(source.metadata.num_row_groups):
        end = start + source.metadata.row_group(group).num_rows
        first, last = np.searchsorted(rows, (start, end)).tolist()
        if last > first:
            table = source.read_row_group(group, columns=list(columns))
            pieces.append(table.take(pa.array(rows[first:last] - start)))
        start = end
    return pa.concat_tables(pieces)
