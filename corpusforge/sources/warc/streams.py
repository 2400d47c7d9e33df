"""Bytes of a WARC file with look-ahead: those of the file itself, or those that a gzip member inflates to."""

import io
import zlib
from typing import BinaryIO, Protocol

MARK = b"WARC/"
"""How every record begins."""
CHUNK = 1 << 15
STEP = 1 << 20


class Damaged(Exception):
    """The bytes of a gzip member cannot be had: bad data, bad CRC, or the file ends."""


class Supply(Protocol):
    """Where a stream's bytes come from."""

    def more(self) -> bytes:
        """The next bytes; none at the end."""

    def skip(self, count: int) -> int:
        """Leave bytes out without reading them; how many that were."""

    def back(self, position: int) -> bool:
        """Go back to a position in the stream, if that can be done."""


class Plain:
    """Bytes of a file as they are."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        file.seek(begin)

    def more(self) -> bytes:
        return self._file.read(CHUNK)

    def skip(self, count: int) -> int:
        here = self._file.tell()
        return self._file.seek(min(here + count, self._size)) - here

    def back(self, position: int) -> bool:
        self._file.seek(position)
        return True


class Member:
    """Bytes that a gzip member inflates to; ``end`` is where the member ends once all are read."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        self._file, self._zip, self._fed = file, zlib.decompressobj(31), begin
        file.seek(begin)

    @property
    def end(self) -> int:
        return self._fed - len(self._zip.unused_data)

    def more(self) -> bytes:
        while not self._zip.eof:
            data = self._zip.unconsumed_tail or self._feed()
            try:
                out = self._zip.decompress(data, STEP)
            except zlib.error as error:
                raise Damaged(str(error)) from error
            if out:
                return out
            if not data and not self._zip.eof:
                raise Damaged("the file ends in a gzip member")
        return b""

    def skip(self, count: int) -> int:
        return 0

    def back(self, position: int) -> bool:
        return False

    def _feed(self) -> bytes:
        data = self._file.read(CHUNK)
        self._fed += len(data)
        return data


class Stream:
    """Bytes with look-ahead; ``position`` is that of the first byte in ``buffer``."""

    def __init__(self, supply: Supply, position: int) -> None:
        self.buffer, self.position, self.ended, self._supply = bytearray(), position, False, supply

    def fill(self, count: int) -> bool:
        """Have ``count`` bytes in the buffer, if there are that many left."""
        while len(self.buffer) < count and not self.ended:
            data = self._supply.more()
            self.buffer += data
            self.ended = not data
        return len(self.buffer) >= count

    def drop(self, count: int) -> int:
        """Leave ``count`` bytes behind, or as many as there are; how many that were."""
        start = self.position
        while (left := start + count - self.position) > len(self.buffer):
            self.position += len(self.buffer)
            self.buffer.clear()
            self.position += self._supply.skip(start + count - self.position)
            if not self.fill(1):
                return self.position - start
        del self.buffer[:left]
        self.position += left
        return count

    def back(self, position: int) -> None:
        """Go back to ``position``, if its bytes can still be had."""
        if self._supply.back(position):
            self.buffer.clear()
            self.position, self.ended = position, False

    def seek_mark(self, end: int | None = None) -> bool:
        """Go on to the next place, this one apart, that follows a blank line and begins like a record.

        False where there is none, or none before ``end``.
        """
        at = 1
        while self.fill(1) and (end is None or self.position < end):
            found = self.buffer.find(MARK, at)
            if found >= 0 and self.buffer[max(found - 4, 0) : found].endswith((b"\n\r\n", b"\n\n")):
                self.drop(found)
                return True
            at = found + 1
            if found < 0:
                at = 1
                self.drop(max(len(self.buffer) - 8, 0))
                if not self.fill(len(self.buffer) + 1):
                    self.drop(len(self.buffer))
        return False
