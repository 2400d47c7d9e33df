"""What inflates compressed streams: gzip, zstd, bz2, xz and lz4, a stream at a time, in bounded steps.

Memory is bounded by the window that a stream was made with; one that asks for more than ``window_bytes`` is refused.
"""

import bz2
import lzma
import re
from typing import Protocol, cast

import lz4.frame
import zstandard
from zlib_ng import zlib_ng

BUILT_ON = ("lz4", "zlib-ng", "zstandard")
"""Libraries whose version changes what is inflated, or what counts as damage."""
WINDOW_BYTES = 128 << 20
"""What the tools of zstd and xz take without being asked; ``zstd --long=31`` needs 2 GiB."""
XZ_BYTES = 1 << 20
"""What xz needs beside its window."""
ZSTD_FEED = 512
"""Bytes given to zstd at once: its library bounds no output, and each four of them can become a block of 128 kB."""

BEGINS = {
    "gzip": b"\x1f\x8b\x08",
    "zstd": b"\x28\xb5\x2f\xfd",
    "bz2": b"BZh",
    "xz": b"\xfd7zXZ\0",
    "lz4": b"\x04\x22\x4d\x18",
}
"""How the streams of each kind begin."""
SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2", ".xz": "xz", ".lz4": "lz4"}
"""The kind that a file's name tells."""
INFLATE_ERROR = cast("type[Exception]", zlib_ng.error)  # its stub calls it an instance
ERRORS = (INFLATE_ERROR, lzma.LZMAError, zstandard.ZstdError, RuntimeError, EOFError, OSError, ValueError)
"""What decoders raise; they are given bytes, so an OSError of theirs is never one of the file."""
NO_MEMORY = re.compile(r"not enough memory|allocation[ _](?:error|failed)|malloc of size|error -4 while", re.IGNORECASE)
"""How libraries say that the machine has no memory left, not that the bytes ask for more than is allowed."""
ASKED = re.compile(r"of size (\d{13,})")
"""Terabytes are asked for by damaged lengths only."""


def raise_memory(error: BaseException) -> None:
    """Raise ``MemoryError`` if an error says that memory was short: that tells nothing about the bytes."""
    said = str(error)
    if (isinstance(error, MemoryError) or NO_MEMORY.search(said)) and not ASKED.search(said):
        raise MemoryError(said) from error


class Decoder(Protocol):
    """What inflates one stream, as the standard library's ``bz2`` and ``lzma`` have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Inflate:
    """zlib-ng's decompressor as a ``Decoder``: ``window`` 31 for a gzip member, -15 for bare deflate.

    It gives what zlib gives, errors included, in half the time.
    """

    def __init__(self, window: int) -> None:
        self._zip, self.needs_input = zlib_ng.decompressobj(window), True

    @property
    def eof(self) -> bool:
        return self._zip.eof

    @property
    def unused_data(self) -> bytes:
        return self._zip.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zip.decompress(self._zip.unconsumed_tail + data, max_length)
        self.needs_input = len(out) < max_length and not self._zip.unconsumed_tail
        return out


class Zstd:
    """A zstd frame as a ``Decoder``; it is fed by ``ZSTD_FEED``, whatever ``max_length`` says."""

    def __init__(
        self, window_bytes: int = WINDOW_BYTES, dictionary: zstandard.ZstdCompressionDict | None = None
    ) -> None:
        whole = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=max(window_bytes, 1 << 10))
        self._frame, self._left = whole.decompressobj(), b""

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def needs_input(self) -> bool:
        return not self._left

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + self._left

    def decompress(self, data: bytes, max_length: int) -> bytes:
        data = self._left + data
        fed, self._left = data[:ZSTD_FEED], data[ZSTD_FEED:]
        try:
            return self._frame.decompress(fed)
        except zstandard.ZstdError as error:
            raise_memory(error)
            raise


def decoder(kind: str, window_bytes: int = WINDOW_BYTES) -> Decoder:
    """A decoder for one stream of a kind of ``BEGINS``."""
    if kind == "gzip":
        return Inflate(31)
    if kind == "zstd":
        return Zstd(window_bytes)
    if kind == "bz2":
        return bz2.BZ2Decompressor()
    if kind == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=window_bytes + XZ_BYTES)
    made: Decoder = lz4.frame.LZ4FrameDecompressor()
    return made
