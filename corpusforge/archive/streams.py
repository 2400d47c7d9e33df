"""Bytes with look-ahead, of a file itself or of what a compressed member holds."""

import io
import sys
from collections.abc import Callable
from typing import BinaryIO, Protocol

CHUNK = 1 << 15


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


class Section:
    """A stretch of a file as a file of its own; positions are those in the file."""

    def __init__(self, file: BinaryIO, begin: int, end: int) -> None:
        self._file, self._at, self._end = file, begin, end

    def seek(self, offset: int) -> int:
        self._at = offset
        return offset

    def read(self, size: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(max(min(size, self._end - self._at), 0))
        self._at += len(data)
        return data

    def widen(self) -> None:
        """Go on to the file's end."""
        self._end = sys.maxsize

    def more(self) -> bytes:
        return self.read(CHUNK)

    def skip(self, count: int) -> int:
        count = min(count, self._end - self._at)
        self._at += count
        return count

    def back(self, position: int) -> bool:
        return False


class Stream:
    """Bytes with look-ahead; ``position`` is that of the first byte in ``buffer``."""

    def __init__(self, supply: Supply, position: int) -> None:
        self.buffer, self.position, self.ended, self._supply = bytearray(), position, False, supply
        self._size: int | None = None

    def fill(self, count: int) -> bool:
        """Have ``count`` bytes in the buffer, if there are that many left."""
        while len(self.buffer) < count and not self.ended:
            data = self._supply.more()
            self.buffer += data
            self.ended = not data
        return len(self.buffer) >= count

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, or as many as there are, which are then left behind."""
        self.fill(count)
        data = self.part(0, count)
        self.drop(len(data))
        return data

    def part(self, start: int, end: int) -> bytes:
        """A copy of what is in the buffer; a slice of it would be copied once more."""
        return bytes(memoryview(self.buffer)[start:end])

    def drop(self, count: int) -> int:
        """Leave ``count`` bytes behind, or as many as there are; how many that were."""
        start = self.position
        while (left := start + count - self.position) > len(self.buffer):
            self.position += len(self.buffer)
            self.buffer.clear()
            self.position += self._supply.skip(start + count - self.position)
            if not self.fill(1):
                self._size = self.position
                return self.position - start
        del self.buffer[:left]
        self.position += left
        return count

    def holds(self, count: int) -> bool:
        """False if it is known that fewer than ``count`` bytes are left: an end that was once come to is remembered."""
        return self._size is None or self.position + count <= self._size

    def back(self, position: int) -> None:
        """Go back to ``position``, if its bytes can still be had."""
        if self._supply.back(position):
            self.buffer.clear()
            self.position, self.ended = position, False

    def seek(self, find: Callable[[bytearray, int], int], overlap: int, end: int | None = None) -> bool:
        """Go on to the next place, this one apart, that ``find`` finds; it needs ``overlap`` bytes around it.

        False where there is none, or none before ``end``.
        """
        while self.fill(1) and (end is None or self.position < end):
            if (found := find(self.buffer, 1)) >= 0:
                self.drop(found)
                return True
            self.drop(max(len(self.buffer) - overlap, 0))
            if not self.fill(len(self.buffer) + 1):
                self.drop(len(self.buffer))
        return False
