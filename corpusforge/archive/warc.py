"""How WARC records look: a version line, header fields, a blank line, a block, two line ends."""

import re

from corpusforge.archive.record import Head, Record
from corpusforge.archive.streams import Stream
from corpusforge.text.http import BLANK_LINE, fields_of

VERSION = re.compile(rb"WARC/\d\.\d+[ \t]*\r{0,2}\n")
SURE = re.compile(rb"WARC/\d\.\d{1,2}\r?\nWARC-")
HEAD_END = re.compile(BLANK_LINE.pattern + b"|(" + SURE.pattern + b")")
"""The blank line behind a head, or, as its group, the next record's head."""
HEAD_END_BYTES = 20
HEAD_BYTES = 1 << 16
LENGTH = re.compile(r"\d{1,18}", re.ASCII)


class WarcFormat:
    """Records of WARC files of any version; a type and a length are needed, nothing else."""

    name = "warc"
    mark = re.compile(rb"WARC/")
    mark_bytes = 5
    behind = re.compile(rb"\r?\n\r?\n")

    def next(self, data: bytearray, at: int) -> int:
        """Behind a blank line the mark is enough; elsewhere, as behind a record cut short, a field must follow it."""
        while (at := data.find(b"WARC/", at)) >= 0:
            if data[max(at - 4, 0) : at].endswith((b"\n\r\n", b"\n\n")) or SURE.match(data, at):
                return at
            at += 1
        return -1

    def head(self, stream: Stream) -> Head | None:
        if not stream.fill(self.mark_bytes) or not self.mark.match(stream.buffer):
            return None
        blank, version = _head_end(stream), VERSION.match(stream.buffer)
        if blank is None or version is None or blank[1]:
            return None
        fields = fields_of(bytes(stream.buffer[version.end() : blank.start()]))
        length = fields.first("content-length") or ""
        if not fields.first("warc-type") or not LENGTH.fullmatch(length):
            return None
        return Head(fields, blank.end(), int(length))


def _head_end(stream: Stream) -> re.Match[bytes] | None:
    """Where the head that begins the stream's buffer ends, within ``HEAD_BYTES``."""
    at, size = 1, 1 << 10
    while True:
        more = stream.fill(size)
        if (found := HEAD_END.search(stream.buffer, at, HEAD_BYTES)) or not more or size >= HEAD_BYTES:
            return found
        at, size = max(len(stream.buffer) - HEAD_END_BYTES, 1), size * 2


WARC = WarcFormat()


def kind_of(record: Record) -> str:
    """The record's type, in small letters."""
    return (record.fields.first("warc-type") or "").lower()


def address_of(record: Record) -> str | None:
    """The address that was asked for."""
    return (record.fields.first("warc-target-uri") or "").strip("<> ") or None
