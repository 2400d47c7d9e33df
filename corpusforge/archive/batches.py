"""From the records of an archive that begin in a slice to batches of rows: of pages, or of texts."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from corpusforge.archive import page, text
from corpusforge.archive.framing import outcomes, records
from corpusforge.archive.page import HEAD_ROOM, Capture, Page, Place, page_of
from corpusforge.archive.record import Format, Record
from corpusforge.archive.text import Text
from corpusforge.archive.warc import WARC
from corpusforge.slices import Slice, grouped


class Bounds(Protocol):
    """The sizes that a source of archives is given; see ``corpusforge.sources.warc.Warc``."""

    @property
    def payload_bytes(self) -> int: ...
    @property
    def look_back_bytes(self) -> int: ...
    @property
    def batch_rows(self) -> int: ...
    @property
    def batch_bytes(self) -> int: ...


def pages(
    bounds: Bounds,
    piece: Slice,
    file: BinaryIO,
    form: Format,
    capture_of: Callable[[Record], Capture | str],
    passed_over: Counter[str],
) -> Iterator[pa.RecordBatch]:
    """Rows of ``archive.page.SCHEMA`` for the captures that begin in a slice; counts why others give none."""
    _count_empty(piece, passed_over)

    def taken(record: Record) -> Page | str:
        capture = capture_of(record)
        return capture if isinstance(capture, str) else page_of(capture, bounds.payload_bytes)

    found = records(file, piece.start, piece.end, bounds.payload_bytes + HEAD_ROOM, bounds.look_back_bytes, form)
    made = outcomes(found, taken, piece.limit, passed_over)
    sized = (((Place(record.offset, record.length), row), len(row.html)) for record, row in made)
    for rows in grouped(sized, bounds.batch_rows, bounds.batch_bytes):
        yield _let_go(rows, page.batch_of(piece.name, rows))


def texts(
    bounds: Bounds,
    piece: Slice,
    file: BinaryIO,
    schema: pa.Schema,
    text_of: Callable[[Record], Text | str],
    passed_over: Counter[str],
) -> Iterator[pa.RecordBatch]:
    """Rows of ``schema`` for the WARC records with a text that begin in a slice; counts why others give none."""
    _count_empty(piece, passed_over)
    found = records(file, piece.start, piece.end, bounds.payload_bytes, bounds.look_back_bytes, WARC)
    made = outcomes(found, text_of, piece.limit, passed_over)
    for rows in grouped(((row, len(row.text)) for _, row in made), bounds.batch_rows, bounds.batch_bytes):
        yield _let_go(rows, text.batch_of(piece.name, schema, rows))


def _let_go(rows: list[Any], batch: pa.RecordBatch) -> pa.RecordBatch:
    """Else the rows are held while the batch is worked on, and while the next ones are read."""
    rows.clear()
    return batch


def _count_empty(piece: Slice, passed_over: Counter[str]) -> None:
    if piece.start == piece.end == 0:
        passed_over["source.empty_file"] += 1
