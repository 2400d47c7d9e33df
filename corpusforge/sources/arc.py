"""ARC files, version 1 and 2, plain or compressed: HTML pages as WARC files give them.

A record is one line (address, IP, date, type, …, length), that many bytes and a line end. Slices are byte ranges; a
slice owns the records that begin in it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, NonNegativeInt, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.archive.batches import pages
from corpusforge.archive.packing import planned
from corpusforge.archive.page import COLUMNS, Capture
from corpusforge.archive.record import Head, Record
from corpusforge.archive.streams import Stream
from corpusforge.decoders import BUILT_ON
from corpusforge.sources import Input, Slice
from corpusforge.text.http import STATUS_LINE, Fields, Message, message_of

LINE_BYTES = 1 << 13
LINE = (
    rb"([a-zA-Z][a-zA-Z0-9+.\-]{0,20}:[^\r\n]{0,7000}?) (?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]{2,45}|-)"
    rb" (\d{8,18}|null|-) ([^\r\n]{0,1000})\r?\n"
)
"""A record's line; its date may be missing, and what stands for its length need not be a number."""
AMONG = re.compile(rb"\n(?=" + LINE + rb")")


class ArcFormat:
    """Records of ARC files. Spaces in the address are kept; a length that is none, or below 0, is taken as 0."""

    name = "arc"
    mark = re.compile(LINE)
    mark_bytes = LINE_BYTES
    behind = re.compile(rb"\r?\n")

    def next(self, data: bytearray, at: int) -> int:
        found = AMONG.search(data, at - 1)
        return found.end() if found else -1

    def head(self, stream: Stream) -> Head | None:
        stream.fill(LINE_BYTES)
        line = self.mark.match(stream.buffer)
        if line is None:
            return None
        url, date, rest = (part.decode("utf-8", "backslashreplace") for part in line.groups())
        words = rest.split()
        length = words[-1] if words and words[-1].isascii() and words[-1].isdecimal() else "0"
        if len(length) > 18:
            return None
        kind = words[0] if len(words) > 1 else ""
        return Head(Fields((("url", url), ("date", date), ("type", kind))), line.end(), int(length))


ARC = ArcFormat()


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Arc:
    """Pages of ARC files.

    Files may be plain, or compressed with one member a record. A payload of more than ``payload_bytes`` gives a row
    without html, dropped as ``source.too_large``. A slice looks ``look_back_bytes`` back so as not to take an ARC file
    inside a payload for records. Batches end at ``batch_rows`` rows or ``batch_bytes`` of html, whichever comes first.
    """

    slice_bytes: PositiveInt = 16 << 20
    payload_bytes: PositiveInt = 8 << 20
    look_back_bytes: NonNegativeInt = 4 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (".arc", ".arc.gz")
    revision: ClassVar[int] = 3
    built_on: ClassVar[tuple[str, ...]] = ("chardet", "fastwarc", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = COLUMNS

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``SOURCE`` and ``damage`` for the pages that begin in the slice.

        Counts in ``passed_over``: ``source.not_content`` (the file's own description, DNS answers),
        ``source.http_status`` (not 200), ``source.not_html``, ``source.broken_record``, ``source.bomb``,
        ``source.not_arc`` and ``source.empty_file``.
        """
        yield from pages(self, piece, file, ARC, capture_of, passed_over)


def capture_of(record: Record) -> Capture | str:
    """The capture in a record, else ``not_content``."""
    url = record.fields.first("url") or ""
    if url.lower().startswith(("filedesc:", "dns:", "warcinfo:")):
        return "not_content"
    kind = (("content-type", record.fields.first("type") or ""),)
    message = message_of(record.block) if STATUS_LINE.match(record.block) else Message(200, Fields(kind), record.block)
    if not message.fields.all("content-type"):
        message = Message(message.status, Fields(message.fields.pairs + kind), message.body)
    date = _date(record.fields.first("date") or "")
    return Capture(None, url, date, message, None, len(record.block) >= record.size, record.damage)


def _date(digits: str) -> str | None:
    """ISO 8601, from the first fourteen digits of the record's date."""
    if len(digits) < 14 or not digits.isdecimal():
        return None
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}Z"
