"""WARC files, plain or compressed: HTML pages of response and resource records.

Slices are byte ranges; a slice owns the records that begin in it. A file that is one compressed member cannot be
entered in the middle and is one slice.
"""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, NonNegativeInt, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.archive.batches import pages
from corpusforge.archive.packing import planned
from corpusforge.archive.page import COLUMNS, Capture
from corpusforge.archive.record import Record
from corpusforge.archive.warc import WARC, address_of, kind_of
from corpusforge.decoders import BUILT_ON
from corpusforge.sources import Input, Slice
from corpusforge.text.http import Fields, Message, message_of


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Warc:
    """Pages of WARC files.

    Files may be plain, or compressed by gzip, zstd (with the dictionary at their start, if they have one) or lz4; one
    member or frame a record lets a file be read in slices. A payload of more than ``payload_bytes`` gives a row without
    html, dropped as ``source.too_large``. A slice looks ``look_back_bytes`` back so as not to take a WARC file inside a
    payload for records. Batches end at ``batch_rows`` rows or ``batch_bytes`` of html, whichever comes first.
    ``damage`` says what a page lost before it was read (``cut``, ``bad_chunks``, ``bad_coding``, ``wrong_length``).
    """

    slice_bytes: PositiveInt = 16 << 20
    payload_bytes: PositiveInt = 8 << 20
    look_back_bytes: NonNegativeInt = 4 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (".warc", ".warc.gz", ".warc.zst", ".warc.lz4")
    revision: ClassVar[int] = 4
    built_on: ClassVar[tuple[str, ...]] = ("chardet", "fastwarc", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = COLUMNS

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``SOURCE`` and ``damage`` for the pages that begin in the slice.

        Counts in ``passed_over``: ``source.not_content`` (request, metadata, revisit, …), ``source.http_status`` (not
        200), ``source.not_html``, ``source.broken_record``, ``source.bomb`` (a member that inflates beyond all
        measure), ``source.not_warc`` and ``source.empty_file``.
        """
        yield from pages(self, piece, file, WARC, capture_of, passed_over)


def capture_of(record: Record) -> Capture | str:
    """The capture in a record, else ``not_content``."""
    kind = kind_of(record)
    if kind not in ("response", "resource"):
        return "not_content"
    truncated = record.fields.first("warc-truncated")
    return Capture(
        record.fields.first("warc-record-id"),
        address_of(record),
        record.fields.first("warc-date"),
        _response(record) if kind == "response" else _resource(record),
        record.fields.first("warc-identified-payload-type"),
        len(record.block) >= record.size,
        record.damage or ("cut" if truncated else None),
    )


def _response(record: Record) -> Message:
    """A response with a type of its own, as DNS answers have, holds no HTTP message."""
    declared = (record.fields.first("content-type") or "application/http").lower()
    return message_of(record.block) if declared.startswith("application/http") else _resource(record)


def _resource(record: Record) -> Message:
    types = tuple(("content-type", value) for value in record.fields.all("content-type"))
    return Message(200, Fields(types), record.block)
