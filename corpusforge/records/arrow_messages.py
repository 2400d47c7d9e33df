"""Where the messages of an Arrow IPC stream or file lie, found without reading their bodies.

A message is a length, a flatbuffer of that length and a body. Of the flatbuffer only what kind it is, how long its body
is and how many rows a record batch has are read here; Arrow reads and checks the rest.
See "Encapsulated message format" in the Arrow columnar format.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = b"ARROW1"
FILE_HEAD = 8
CONTINUES = 0xFFFFFFFF
SCHEMA, DICTIONARY, BATCH = 1, 2, 3
METADATA_BYTES = 64 << 20


class Damaged(Exception):
    """The walk cannot go on at ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"no message at {offset}")
        self.offset = offset


@dataclass(frozen=True)
class Message:
    """One message: ``rows`` of a record batch, ``first`` the number of its first row in the file."""

    kind: int
    offset: int
    length: int
    rows: int = 0
    first: int = 0


def messages(file: BinaryIO) -> Iterator[Message]:
    """Every message of a stream or file, in order; raises ``Damaged`` where there should be one or an end."""
    size = file.seek(0, os.SEEK_END)
    is_file = _read(file, 0, len(MAGIC)) == MAGIC
    offset, first = FILE_HEAD if is_file else 0, 0
    while True:
        head = _read(file, offset, 8)
        metadata_at, length = _length(head, offset)
        if length == 0:
            break
        if length < 0 or length > METADATA_BYTES:
            raise Damaged(offset)
        metadata = _read(file, metadata_at, length)
        try:
            kind, body, rows = _parsed(metadata)
        except (struct.error, IndexError):
            raise Damaged(offset) from None
        end = metadata_at + length + body
        if body < 0 or rows < 0 or end > size or kind not in (SCHEMA, DICTIONARY, BATCH):
            raise Damaged(offset)
        yield Message(kind, offset, end - offset, rows, first)
        first += rows
        offset = end
    _check_end(file, offset, size, is_file)


def _check_end(file: BinaryIO, offset: int, size: int, is_file: bool) -> None:
    """A stream ends with its end mark, a file with the magic word."""
    whole = _read(file, size - len(MAGIC), len(MAGIC)) == MAGIC if is_file else not _read(file, offset + 8, 1)
    if not whole:
        raise Damaged(offset)


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(max(offset, 0))
    return file.read(count)


def _length(head: bytes, offset: int) -> tuple[int, int]:
    """Where the metadata begins and how long it is, 0 for the end mark; before format 0.15 no mark went before."""
    if len(head) < 4:
        raise Damaged(offset)
    word = struct.unpack_from("<I", head)[0]
    if word != CONTINUES:
        return offset + 4, struct.unpack_from("<i", head)[0]
    if len(head) < 8:
        raise Damaged(offset)
    return offset + 8, struct.unpack_from("<i", head, 4)[0]


def _parsed(metadata: bytes) -> tuple[int, int, int]:
    """Kind, length of the body and rows of a message; raises ``struct.error`` or ``IndexError`` for nonsense."""
    table = struct.unpack_from("<I", metadata)[0]
    kind_at, header_at, body_at = (_field(metadata, table, number) for number in (1, 2, 3))
    kind = metadata[kind_at] if kind_at else 0
    body = struct.unpack_from("<q", metadata, body_at)[0] if body_at else 0
    rows = 0
    if kind == BATCH and header_at:
        rows_at = _field(metadata, header_at + struct.unpack_from("<I", metadata, header_at)[0], 0)
        rows = struct.unpack_from("<q", metadata, rows_at)[0] if rows_at else 0
    return kind, body, rows


def _field(metadata: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer table is; 0 for one that is left out."""
    layout = table - struct.unpack_from("<i", metadata, table)[0]
    if layout < 0:
        raise IndexError(layout)
    size = struct.unpack_from("<H", metadata, layout)[0]
    slot = 4 + 2 * number
    place = struct.unpack_from("<H", metadata, layout + slot)[0] if slot + 2 <= size else 0
    return table + place if place else 0


class Spliced:
    """Messages of a file one after another, as a file that Arrow reads a stream from."""

    def __init__(self, file: BinaryIO, pieces: Sequence[Message]) -> None:
        self._file, self._pieces = file, iter(pieces)
        self._at = self._left = 0
        self.error: OSError | None = None
        self.closed = False

    def read(self, count: int) -> bytes:
        found = []
        while count > 0:
            if not self._left:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._at, self._left = piece.offset, piece.length
            try:
                data = _read(self._file, self._at, min(count, self._left))
            except OSError as error:
                self.error = error
                raise
            if not data:
                break
            found.append(data)
            self._at += len(data)
            self._left -= len(data)
            count -= len(data)
        return b"".join(found)

    def close(self) -> None:
        """The file is not ours to close."""

    def flush(self) -> None:
        """Nothing is written."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return False
