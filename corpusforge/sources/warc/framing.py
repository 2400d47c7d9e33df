"""Where records begin and end in a WARC file, plain or gzip, sound or damaged.

What follows a place is a function of the file's bytes from there on: whoever comes to a record's first byte, from the
file's start or from a slice's, reads the same record and goes on to the same next one. A record is sound if its head is
whole and its block is followed by line ends and then a record or the end; in gzip, its member must also pass its CRC,
and a member's only record ends with the member if its Content-Length says less.
After a place that is not sound the walk goes on at the next sound record; each such stretch is one ``Lost``.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from corpusforge.sources.warc.streams import CHUNK, MARK, STEP, Damaged, Member, Plain, Stream
from corpusforge.text.http import BLANK_LINE, Fields, fields_of

MAGIC = b"\x1f\x8b\x08"
VERSION = re.compile(rb"WARC/\d\.\d+[ \t]*\r?\n")
INNER = re.compile(rb"\n\r?\nWARC/\d")
HEAD_BYTES = 1 << 16
PADDING = b"\0\r\n"
NONE = Fields(())
LENGTH = re.compile(r"\d{1,18}")


@dataclass(frozen=True)
class Record:
    """One record.

    ``begins`` is where its bytes begin in the file, for a record in a gzip member that of the member; it decides which
    slice owns it. ``offset`` is the same, plus, for a record that does not begin its member, its offset in what the
    member inflates to. ``length`` is its bytes in the file, for such records its inflated bytes. ``block`` is cut at
    the reader's limit, ``size`` is not.
    """

    begins: int
    offset: int
    length: int
    fields: Fields
    block: bytes
    size: int


@dataclass(frozen=True)
class Lost:
    """A stretch that holds no sound record, and why."""

    begins: int
    reason: str


@dataclass(frozen=True)
class Read:
    """What was read at one place of a stream: ``sound`` or not; the end follows or not."""

    sound: bool
    last: bool = False
    length: int = 0
    fields: Fields = NONE
    block: bytes = b""
    size: int = 0


def read_record(stream: Stream, keep: int) -> Read:
    """Read the record at the stream's position and go behind it; where it is not sound, stay if that can be done."""
    start = stream.position
    head = _head(stream)
    if head is None:
        return Read(False)
    fields, head_length = head
    size = int(fields.first("content-length") or 0)
    whole = size <= keep
    stream.fill(head_length + min(size, keep))
    block = bytes(stream.buffer[head_length : head_length + min(size, keep)])
    behind = head_length + size if whole else 0
    if not whole and stream.drop(head_length + size) < head_length + size:
        stream.back(start)
        return Read(False)
    if whole and len(stream.buffer) < behind:
        return Read(False)
    behind = _line_ends(stream, behind)
    last = not stream.fill(behind + 1)
    if not last and not (stream.fill(behind + len(MARK)) and stream.buffer[behind : behind + len(MARK)] == MARK):
        if not whole:
            stream.back(start)
        return Read(False)
    stream.drop(behind)
    return Read(True, last, stream.position - start, fields, block, size)


def _head(stream: Stream) -> tuple[Fields, int] | None:
    """The header fields at the stream's position, and the bytes they take; None if no record begins there."""
    if not stream.fill(len(MARK)) or not stream.buffer.startswith(MARK):
        return None
    stream.fill(1 << 10)
    blank = BLANK_LINE.search(stream.buffer)
    while blank is None and len(stream.buffer) < HEAD_BYTES and stream.fill(len(stream.buffer) + 1):
        blank = BLANK_LINE.search(stream.buffer)
    version = VERSION.match(stream.buffer)
    if blank is None or version is None:
        return None
    fields = fields_of(bytes(stream.buffer[version.end() : blank.start()]))
    length = fields.first("content-length") or ""
    if not fields.first("warc-type") or not LENGTH.fullmatch(length):
        return None
    return fields, blank.end()


def _line_ends(stream: Stream, at: int) -> int:
    while stream.fill(at + 1) and stream.buffer[at] in b"\r\n":
        at += 1
    return at


def records(file: BinaryIO, start: int, end: int, keep: int, look_back: int) -> Iterator[Record | Lost]:
    """Everything that begins in ``start`` … ``end``.

    The walk starts ``look_back`` bytes before ``start``: a WARC file inside a record's payload looks like records, but
    whoever comes from before that record goes past it.
    """
    file.seek(0)
    walk = gzip_records if file.read(len(MAGIC)) == MAGIC else plain_records
    for item in walk(file, max(start - look_back, 0), end, keep):
        if item.begins >= start:
            yield item


def plain_records(file: BinaryIO, start: int, end: int, keep: int) -> Iterator[Record | Lost]:
    """Records of an uncompressed file that begin in ``start`` … ``end``; a stretch without one counts once."""
    context = max(start - 4, 0)
    stream = Stream(Plain(file, context), context)
    lost = start > 0
    while stream.position < start:
        if not stream.seek_mark(end):
            return
    while stream.position < end and stream.fill(1):
        begins = stream.position
        read = read_record(stream, keep)
        if read.sound:
            lost = False
            yield Record(begins, begins, read.length, read.fields, read.block, read.size)
            continue
        if not lost:
            lost = True
            yield Lost(begins, "broken_record" if begins else "not_warc")
        if not stream.seek_mark(end):
            return


def gzip_records(file: BinaryIO, start: int, end: int, keep: int) -> Iterator[Record | Lost]:
    """Records of a gzip file whose members begin in ``start`` … ``end``.

    Every damaged member that began like a record counts, and every stretch of something else behind a member, except
    padding.
    """
    begins = next_member(file, start, end) if start else 0
    while begins is not None and begins < end:
        if not begins_member(file, begins):
            if file.seek(0, io.SEEK_END) == begins:
                return
            yield Lost(begins, "broken_record" if begins else "not_warc")
            begins = next_member(file, begins + 1, end)
            continue
        member, lost = Member(file, begins), False
        try:
            for item in _member_records(member, begins, keep):
                yield item
                lost = isinstance(item, Lost)
            begins = _behind_padding(file, member.end)
        except Damaged:
            if not lost:
                yield Lost(begins, "broken_record")
            begins = next_member(file, begins + 1, end)


def _member_records(member: Member, begins: int, keep: int) -> Iterator[Record | Lost]:
    stream, lost = Stream(member, 0), False
    while stream.fill(1):
        at = stream.position
        read = read_record(stream, keep)
        if read.sound:
            lost = False
            length = member.end - begins if at == 0 and read.last else read.length
            yield Record(begins, begins + at, length, read.fields, read.block, read.size)
            continue
        if at == 0 and (sole := _sole_record(stream, keep)) is not None:
            yield Record(begins, begins, member.end - begins, sole.fields, sole.block, sole.size)
            continue
        if not lost:
            lost = True
            yield Lost(begins, "broken_record")
        stream.seek_mark()


def _sole_record(stream: Stream, keep: int) -> Read | None:
    """The only record of a sound member: the member bounds it, so that too small a Content-Length does no harm.

    Too large a one is believed: the record's rest may be in a member of its own, where it cannot be told from damage.
    """
    head = _head(stream)
    if head is None or stream.fill(keep):
        return None
    fields, head_length = head
    block = bytes(stream.buffer[head_length:])
    if len(block) < int(fields.first("content-length") or 0) or INNER.search(block):
        return None
    stream.drop(len(stream.buffer))
    block = block.removesuffix(b"\r\n\r\n")
    return Read(True, True, head_length + len(block), fields, block, len(block))


def begins_member(file: BinaryIO, at: int) -> bool:
    """Whether a gzip member begins at ``at`` that inflates to the mark of a WARC record."""
    file.seek(at)
    if file.read(len(MAGIC)) != MAGIC:
        return False
    stream = Stream(Member(file, at), 0)
    try:
        return stream.fill(len(MARK)) and stream.buffer.startswith(MARK)
    except Damaged:
        return False


def next_member(file: BinaryIO, at: int, end: int) -> int | None:
    """Where the next member that begins a record begins, from ``at`` on and before ``end``."""
    while at < end:
        file.seek(at)
        window = file.read(min(STEP, end - at) + len(MAGIC) - 1)
        found = window.find(MAGIC)
        while found >= 0:
            if begins_member(file, at + found):
                return at + found
            found = window.find(MAGIC, found + 1)
        at += STEP
    return None


def _behind_padding(file: BinaryIO, at: int) -> int:
    """Behind zero bytes and line ends, which some writers put between members."""
    while True:
        file.seek(at)
        data = file.read(CHUNK)
        left = len(data.lstrip(PADDING))
        at += len(data) - left
        if left or not data:
            return at
