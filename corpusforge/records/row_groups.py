"""Row groups of a Parquet file that begin in a slice, read a few rows at a time."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpusforge.records.tables import BROKEN, Watched, check
from corpusforge.slices import Slice

MAGIC = b"PAR1"
BUFFER = 1 << 20
"""Bytes read ahead in a column: a row group is never read at once."""
ROW_BYTES = 64


def tables(
    file: BinaryIO,
    piece: Slice,
    choose: Callable[[pa.Schema], Sequence[str]],
    batch_rows: int,
    batch_bytes: int,
    passed_over: Counter[str],
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Tables of at most ``batch_rows`` rows with the number that the first one has in the file.

    ``choose`` names the columns to read, none for a file of no use. A slice owns the row groups whose first column
    chunk begins in it. Counts ``source.empty_file``, ``source.not_parquet`` and, for what cannot be read,
    ``source.damaged``: 1 for the footer, else every row that is missing.
    """
    watched = Watched(file)
    source = _opened(file, watched, piece, passed_over)
    if source is None:
        return
    size = file.seek(0, os.SEEK_END)
    first = 0
    for number in range(source.metadata.num_row_groups):
        group = source.metadata.row_group(number)
        if piece.start <= _begin(group, size) < piece.end:
            rows = max(
                1, min(batch_rows, batch_bytes // max(ROW_BYTES, group.total_byte_size // max(1, group.num_rows)))
            )
            yield from _group(source, number, first, choose, rows, watched, passed_over)
        first += group.num_rows


def _opened(file: BinaryIO, watched: Watched, piece: Slice, passed_over: Counter[str]) -> pq.ParquetFile | None:
    """The file with its footer read; None if there is none, counted by the file's first slice."""
    file.seek(0)
    head = file.read(len(MAGIC))
    problem = "damaged" if head == MAGIC else "not_parquet" if head else "empty_file"
    try:
        if head:
            return pq.ParquetFile(
                pa.PythonFile(watched, "r"), buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
            )
    except BROKEN as error:
        check(watched, error)
    if piece.start == 0:
        passed_over[f"source.{problem}"] += 1
    return None


def _begin(group: pq.RowGroupMetaData, size: int) -> int:
    """Where the first column chunk begins; a place outside the file counts as its nearest byte."""
    if not group.num_columns:
        return 0
    column = group.column(0)
    begin = column.data_page_offset
    if column.dictionary_page_offset:
        begin = min(begin, column.dictionary_page_offset)
    return int(min(max(begin, 0), size - 1))


def _group(
    source: pq.ParquetFile,
    number: int,
    first: int,
    choose: Callable[[pa.Schema], Sequence[str]],
    batch_rows: int,
    watched: Watched,
    passed_over: Counter[str],
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The tables of one row group; the rows behind damage count."""
    rows, read = source.metadata.row_group(number).num_rows, 0
    try:
        columns = list(choose(source.schema_arrow))
        for table in source.iter_batches(batch_rows, row_groups=[number], columns=columns, use_threads=False):
            yield first + read, table
            read += table.num_rows
    except BROKEN as error:
        check(watched, error)
    if read < rows:
        passed_over["source.damaged"] += rows - read
