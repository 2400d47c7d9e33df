"""WARC files, plain or gzip: HTML pages of response and resource records.

Slices are byte ranges; a slice owns the records that begin in it. A file that is one gzip member cannot be entered in
the middle and is one slice.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, NonNegativeInt, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.schema import SOURCE
from corpusforge.sources import Input, Slice, cut, grouped, whole
from corpusforge.sources.warc.framing import MAGIC, Lost, Record, records
from corpusforge.sources.warc.page import Page, page_of
from corpusforge.sources.warc.streams import Damaged, Member

HEAD_ROOM = 1 << 18
"""Bytes of a record kept beyond the payload, for its HTTP head and the frames of its chunks."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Warc:
    """Pages of WARC files.

    A payload of more than ``payload_bytes`` gives a row without html, dropped as ``source.too_large``. A slice looks
    ``look_back_bytes`` back so as not to take a WARC file inside a payload for records. Batches end at ``batch_rows``
    rows or ``batch_bytes`` of html, whichever comes first.
    """

    slice_bytes: PositiveInt = 16 << 20
    payload_bytes: PositiveInt = 8 << 20
    look_back_bytes: NonNegativeInt = 4 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (".warc", ".warc.gz")
    revision: ClassVar[int] = 1
    built_on: ClassVar[tuple[str, ...]] = ("fastwarc",)
    writes: ClassVar[dict[str, pa.DataType]] = {field.name: field.type for field in SOURCE}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        if limit is not None or given.bytes <= self.slice_bytes or self._is_one_member(given):
            return whole(given, limit)
        return cut(given, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``SOURCE`` for the pages that begin in the slice.

        Counts in ``passed_over``: ``source.not_content`` (request, metadata, revisit, …), ``source.http_status`` (not
        200), ``source.not_html``, ``source.broken_record``, ``source.not_warc`` and ``source.empty_file``.
        """
        if piece.start == piece.end == 0:
            passed_over["source.empty_file"] += 1
        sized = ((row, len(row[1].html)) for row in self._rows(file, piece, passed_over))
        for rows in grouped(sized, self.batch_rows, self.batch_bytes):
            yield _batch(piece, rows)

    def _is_one_member(self, given: Input) -> bool:
        """Whether no member ends in the first ``slice_bytes`` of a gzip file: then cuts would win nothing."""
        with given.open() as file:
            if file.read(len(MAGIC)) != MAGIC:
                return False
            member = Member(file, 0)
            try:
                while member.end < self.slice_bytes:
                    if not member.more():
                        return member.end >= given.bytes
            except Damaged:
                return False
        return True

    def _rows(self, file: BinaryIO, piece: Slice, passed_over: Counter[str]) -> Iterator[tuple[Record, Page]]:
        left = piece.limit
        for item in records(file, piece.start, piece.end, self.payload_bytes + HEAD_ROOM, self.look_back_bytes):
            if left == 0:
                return
            outcome = item.reason if isinstance(item, Lost) else page_of(item, self.payload_bytes)
            if isinstance(outcome, Page) and isinstance(item, Record):
                yield item, outcome
            else:
                passed_over[f"source.{outcome}"] += 1
            if left is not None and isinstance(item, Record) and outcome != "not_content":
                left -= 1


def _batch(piece: Slice, rows: Sequence[tuple[Record, Page]]) -> pa.RecordBatch:
    records, pages = zip(*rows, strict=True)
    columns = {
        "id": [page.id for page in pages],
        "url": [page.url for page in pages],
        "date": [page.date for page in pages],
        "html": [page.html for page in pages],
        "charset": [page.charset for page in pages],
        "charset_by": [page.charset_by for page in pages],
        "charset_score": [page.charset_score for page in pages],
        "licence": [None] * len(rows),
        "source_file": [piece.name] * len(rows),
        "source_offset": [record.offset for record in records],
        "source_length": [record.length for record in records],
        "drop": [page.drop for page in pages],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SOURCE)
