"""How one record is read at a place of a stream, sound or damaged.

A record is sound if its head is whole and its block is followed by line ends and then a record or the end. A record
whose head is whole and whose length is wrong ends where the next one begins, or with its member or file, and is marked.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from corpusforge.archive.streams import Stream
from corpusforge.text.http import Fields

NONE = Fields(())
LINE_ENDS = 1 << 16
"""Bytes of line ends behind a record at most."""
LAST_LINE_ENDS = re.compile(rb"(?:\r?\n){1,2}\Z")


@dataclass(frozen=True)
class Head:
    """A record's head: its fields, the bytes it takes, and how many bytes it says that the block has."""

    fields: Fields
    length: int
    size: int


class Format(Protocol):
    """What tells records apart."""

    name: str
    mark: re.Pattern[bytes]
    """How a record begins."""
    mark_bytes: int
    behind: re.Pattern[bytes]
    """The line ends behind a block."""

    def head(self, stream: Stream) -> Head | None:
        """The head at the stream's position; None if no record begins there."""

    def next(self, data: bytearray, at: int) -> int:
        """The first place from ``at`` on, 0 apart, where a record may begin among other bytes; -1 if there is none."""


@dataclass(frozen=True)
class Record:
    """One record.

    ``begins`` is where its bytes begin in the file, for a record in a member that of the member; it decides which
    slice owns it. ``offset`` is the same, plus, for a record that does not begin its member, its offset in what the
    member inflates to. ``length`` is its bytes in the file, for such records its inflated bytes. ``block`` is cut at
    the reader's limit, ``size`` is not. ``damage``: ``wrong_length`` or ``cut``.
    """

    begins: int
    offset: int
    length: int
    fields: Fields
    block: bytes
    size: int
    damage: str | None = None


@dataclass(frozen=True)
class Lost:
    """A stretch that holds no record, and why."""

    begins: int
    reason: str


@dataclass(frozen=True)
class Read:
    """What was read at one place of a stream: a record or not; the end follows or not."""

    found: bool
    last: bool = False
    length: int = 0
    fields: Fields = NONE
    block: bytes = b""
    size: int = 0
    damage: str | None = None


NOTHING = Read(False)


def read_record(stream: Stream, keep: int, form: Format) -> Read:
    """Read the record at the stream's position and go behind it; where there is none, stay if that can be done."""
    start = stream.position
    head = form.head(stream)
    if head is None:
        return NOTHING
    read = _sound(stream, keep, form, head)
    if read.found or stream.position != start:
        return read
    return _mended(stream, keep, form, head)


def _sound(stream: Stream, keep: int, form: Format, head: Head) -> Read:
    start = stream.position
    if not stream.holds(head.length + head.size):
        return NOTHING
    kept = head.length + min(head.size, keep)
    stream.fill(kept)
    whole = head.size <= keep
    block = b"" if whole else stream.part(head.length, kept)
    if not whole and stream.drop(head.length + head.size) < head.length + head.size:
        stream.back(start)
        return NOTHING
    behind = kept if whole else 0
    if len(stream.buffer) < behind:
        return NOTHING
    behind = _line_ends(stream, behind)
    last = not stream.fill(behind + 1)
    if not last and not marked(stream, behind, form):
        if not whole:
            stream.back(start)
        return NOTHING
    # Not before the record is known to be sound: many small ones may claim many bytes.
    block = stream.part(head.length, kept) if whole else block
    stream.drop(behind)
    return Read(True, last, stream.position - start, head.fields, block, head.size)


def _mended(stream: Stream, keep: int, form: Format, head: Head) -> Read:
    """A record whose length is wrong, or behind which something is damaged: it ends before the next one.

    Where line ends follow the length it says it has, that length is believed; what follows is a stretch of its own.
    """
    start, end = stream.position, _next_entry(stream, head.length, keep, form)
    if end is None:
        return NOTHING
    behind = head.length + head.size
    block = stream.part(head.length, min(end, behind))
    if behind < end and (blank := form.behind.match(stream.buffer, behind)):
        stream.drop(blank.end())
        return Read(True, False, stream.position - start, head.fields, block, head.size)
    last = end == len(stream.buffer) and stream.ended
    if last and end < behind:
        stream.drop(end)
        return Read(True, True, stream.position - start, head.fields, block, len(block), "cut")
    block = LAST_LINE_ENDS.sub(b"", stream.part(head.length, end))
    stream.drop(end)
    return Read(True, last, stream.position - start, head.fields, block, len(block), "wrong_length")


def _next_entry(stream: Stream, at: int, keep: int, form: Format) -> int | None:
    """Where the next record or the end comes in the stream's buffer; None if not within ``keep`` bytes."""
    size = 1 << 14
    while True:
        whole = not stream.fill(at + size)
        if (found := form.next(stream.buffer, at)) >= 0:
            return found
        if whole:
            return len(stream.buffer)
        if size > keep:
            return None
        size *= 2


def marked(stream: Stream, at: int, form: Format) -> bool:
    stream.fill(at + form.mark_bytes)
    return form.mark.match(stream.buffer, at) is not None


def _line_ends(stream: Stream, at: int) -> int:
    most = at + LINE_ENDS
    while at < most and stream.fill(at + 1) and stream.buffer[at] in b"\r\n":
        at += 1
    return at
