"""Rows of Arrow tables as documents, and the file that Arrow reads from."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from corpusforge.decoders import raise_memory
from corpusforge.records.mapping import Fields, columns_of, row_of
from corpusforge.slices import Slice, grouped

BUILT_ON = ("pyarrow",)
"""Libraries whose version changes the rows of tables."""
BROKEN = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)
"""What Arrow raises for bytes that make no sense. ``check`` tells an I/O error and a lack of memory from these."""


class Watched:
    """A file for Arrow, which closes what it is given and hides where an error came from."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None
        self.closed = False

    def read(self, count: int = -1) -> bytes:
        try:
            return self._file.read(count)
        except OSError as error:
            self.error = error
            raise

    def seek(self, position: int, whence: int = 0) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        """The file is not ours to close."""

    def flush(self) -> None:
        """Nothing is written."""


class Reading(Protocol):
    """A file for Arrow that keeps the I/O error it met."""

    error: OSError | None


def check(file: Reading, error: BaseException) -> None:
    """Raise what Arrow met if it was no damage: an I/O error, or a lack of memory."""
    if file.error is not None:
        raise file.error
    raise_memory(error)


class Table(Fields, Protocol):
    """A source of tables."""

    @property
    def text_bytes(self) -> int: ...
    @property
    def batch_rows(self) -> int: ...
    @property
    def batch_bytes(self) -> int: ...


def documents(
    source: Table, piece: Slice, tables: Iterable[tuple[int, pa.RecordBatch]], passed_over: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of documents from tables, each given with the number that its first row has in the file.

    A row without text counts as ``source.no_text``, one whose values are no UTF-8 or no dates as ``source.damaged``. A
    text of more than ``text_bytes`` gives a row without it, dropped as ``source.too_large``.
    """
    columns = columns_of(source.columns)
    schema = pa.schema(list(columns.items()))
    sized = ((row, len(row["text"] or "")) for row in _rows(source, piece, tables, passed_over))
    for rows in grouped(sized, source.batch_rows, source.batch_bytes):
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _rows(
    source: Table, piece: Slice, tables: Iterable[tuple[int, pa.RecordBatch]], passed_over: Counter[str]
) -> Iterator[dict[str, Any]]:
    left = piece.limit
    for first, table in tables:
        for number, record in enumerate(records(table), first):
            if left == 0:
                return
            left = left if left is None else left - 1
            row = None if record is None else row_of(source, record)
            if row is None:
                passed_over["source.no_text" if record is not None else "source.damaged"] += 1
                continue
            too_large = len(row["text"].encode()) > source.text_bytes
            row["text"] = "" if too_large else row["text"]
            row["source_file"] = piece.name
            row["source_offset"] = number
            row["source_length"] = 1
            row["drop"] = "source.too_large" if too_large else None
            yield row


def records(table: pa.RecordBatch) -> Iterator[dict[str, Any] | None]:
    """The rows of a table, all of them; None for one with a value that Python cannot hold."""
    if not table.num_columns:  # from_arrays would know of no rows
        yield from ({} for _ in range(table.num_rows))
        return
    columns = [_dates(table.column(number)) for number in range(table.num_columns)]
    table = pa.RecordBatch.from_arrays(columns, names=table.schema.names)
    try:
        yield from table.to_pylist()
    except (ValueError, OverflowError):
        for number in range(table.num_rows):
            try:
                yield table.slice(number, 1).to_pylist()[0]
            except (ValueError, OverflowError):
                yield None


def _dates(column: pa.Array) -> pa.Array:
    """Times as strings, also within others: Python's own have neither nanoseconds nor the years that Arrow's have."""
    kind = column.type
    if pa.types.is_timestamp(kind) or kind == pa.time64("ns"):
        try:
            return pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)
        except pa.ArrowException as error:  # a time zone that there is not
            raise_memory(error)
            return pa.nulls(len(column))
    if kind == pa.duration("ns"):
        return column.cast(pa.int64())
    return _within(column) if _has_times(kind) else column


def _has_times(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_times(kind.value_type)
    inner = [kind.field(number).type for number in range(kind.num_fields)]
    return pa.types.is_timestamp(kind) or kind in (pa.time64("ns"), pa.duration("ns")) or any(map(_has_times, inner))


def _within(column: pa.Array) -> pa.Array:
    """A column of structs, lists, maps (as lists of structs) or categories, with the times in it as strings."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _dates(column.dictionary_decode())
    if pa.types.is_map(kind):
        pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
        return _dates(column.cast(pa.list_(pair)))
    if pa.types.is_struct(kind):
        fields = [_dates(column.field(number)) for number in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, names=[field.name for field in kind], mask=column.is_null())
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return column
    lengths = pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64())
    ends = pc.cumulative_sum(lengths)
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    return pa.LargeListArray.from_arrays(offsets, _dates(column.flatten()), mask=column.is_null())
