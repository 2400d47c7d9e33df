"""A remote file that is read like one on disk: by ranges, with the next one fetched while this one is read."""

import io
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, BinaryIO, Protocol

FIRST_BYTES = 256 << 10
"""The range that is fetched where reading begins or jumps to; each one that follows on is twice as long."""
MOST_BYTES = 8 << 20
"""The longest range; a file that is read holds two of them."""
BUFFER_BYTES = 128 << 10
FETCHERS = 8
"""Threads that fetch ahead, for all files of a process, and ranges of one file that are fetched at once."""


class Ranges(Protocol):
    """Bytes somewhere else, of a known length."""

    @property
    def size(self) -> int: ...
    @property
    def state(self) -> str:
        """A mark that changes when the bytes do."""

    def fetch(self, start: int, end: int) -> Any:
        """The bytes ``start <= n < end``; raises ``Changed`` if they are no longer those that were opened."""


def reader(ranges: Ranges) -> BinaryIO:
    """A seekable file over ranges, with a buffer for short reads and lines."""
    return io.BufferedReader(RemoteFile(ranges), BUFFER_BYTES)


class RemoteFile(io.RawIOBase):
    """Holds the range that is read and, once the reading goes straight on, the next one."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self._at = 0
        self._start, self._held = 0, memoryview(b"")
        self._length = FIRST_BYTES
        self._ahead: tuple[int, Future[Any]] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ranges.size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self._ranges.size or not len(view):
            return 0
        if not self._start <= self._at < self._start + len(self._held):
            self._move(len(view))
        first = self._at - self._start
        piece = self._held[first : first + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _move(self, wanted: int) -> None:
        """Hold the range that begins where the reading is."""
        follows = self._at == self._start + len(self._held) and self._at > 0
        self._length = min(2 * self._length, MOST_BYTES) if follows else FIRST_BYTES
        ahead, self._ahead = self._ahead, None
        self._held = memoryview(b"")
        if ahead and ahead[0] == self._at:
            held = ahead[1].result()
        else:
            end = min(self._at + min(max(self._length, wanted), MOST_BYTES), self._ranges.size)
            held = self._ranges.fetch(self._at, end)
        self._start, self._held = self._at, memoryview(held)
        following = self._at + len(self._held)
        if follows and following < self._ranges.size:
            end = min(following + self._length, self._ranges.size)
            self._ahead = following, _fetchers().submit(self._ranges.fetch, following, end)

    def close(self) -> None:
        if self._ahead:
            self._ahead[1].cancel()
        self._ahead, self._held = None, memoryview(b"")
        super().close()


def fetch_all(ranges: Ranges, spans: Sequence[tuple[int, int]]) -> list[bytes]:
    """The bytes of several spans, fetched at the same time."""
    with ThreadPoolExecutor(FETCHERS) as pool:
        return [bytes(data) for data in pool.map(lambda span: ranges.fetch(*span) if span[0] < span[1] else b"", spans)]


@cache
def _fetchers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FETCHERS, thread_name_prefix="read-ahead")
