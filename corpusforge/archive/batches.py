"""From the records of an archive that begin in a slice to batches of rows: of pages, or of texts."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

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
    rows = outcomes(found, taken, piece.limit, passed_over)
    for batch in grouped(((row, len(row[1].html)) for row in rows), bounds.batch_rows, bounds.batch_bytes):
        yield page.batch_of(piece.name, [(Place(record.offset, record.length), made) for record, made in batch])


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
    rows = outcomes(found, text_of, piece.limit, passed_over)
    for batch in grouped(((made, len(made.text)) for _, made in rows), bounds.batch_rows, bounds.batch_bytes):
        yield text.batch_of(piece.name, schema, batch)


def _count_empty(piece: Slice, passed_over: Counter[str]) -> None:
    if piece.start == piece.end == 0:
        passed_over["source.empty_file"] += 1
