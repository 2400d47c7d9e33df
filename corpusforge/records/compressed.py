"""The door from an opened file to plain bytes: gzip, zstd, bz2, xz and lz4, of one stream or several, or none at all.

What the bytes say counts, not the name: a ``.gz`` that holds text is read as text. Only a plain file can be entered in
the middle. Memory is bounded by the window that the compression was made with; frames that ask for more than
``window_bytes`` are refused.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import lz4.frame
import zstandard

PLAIN = "plain"
WINDOW_BYTES = 128 << 20
"""What the tools of zstd and xz take without being asked; ``zstd --long=31`` needs 2 GiB."""
BLOCK = 1 << 20
"""Bytes read at once."""
FEED = 1 << 13
"""Bytes inflated at once: so much at most is not given before damage."""
STEP = 1 << 18
"""Bytes given at once."""
ZSTD_FEED = 512
"""Bytes given to zstd at once: its library bounds no output, and each four bytes can become a block of 128 kB."""
HEAD = 16

MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18"),
}
SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2", ".xz": "xz", ".lz4": "lz4"}
BEGINS = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "bz2": b"BZh",
    "xz": b"\xfd7zXZ\0",
    "lz4": b"\x04\x22\x4d\x18",
}
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, RuntimeError, EOFError, OSError, ValueError, MemoryError)
"""What decoders raise; they are given bytes, so an OSError of theirs is never one of the file."""


class Damaged(Exception):
    """The rest of a file cannot be had: ``damaged_compression``, or ``large_window`` if it asks for too much memory."""

    def __init__(self, reason: str = "damaged_compression") -> None:
        super().__init__(reason)
        self.reason = reason


def with_compressions(*suffixes: str) -> tuple[str, ...]:
    """Suffixes of files, as they are and with those of every compression."""
    return tuple(suffix + packed for suffix in suffixes for packed in ("", *SUFFIXES))


def kind_of(file: BinaryIO, name: str) -> str:
    """How a file is compressed, ``plain`` if it is not; such a file, and no other, can be entered in the middle."""
    file.seek(0)
    head = file.read(HEAD)
    named = next((kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix)), None)
    found = next((kind for kind, magic in MAGIC.items() if magic.match(head)), None)
    if found is not None or named is None:
        return found or PLAIN
    begin = BEGINS[named]
    return named if CONTROLS.search(head) or begin.startswith(head[: len(begin)]) else PLAIN


def blocks(file: BinaryIO, kind: str, start: int = 0, window_bytes: int = WINDOW_BYTES) -> Iterator[bytes]:
    """The plain bytes of a file, from ``start`` if it is not compressed, in blocks of at most 1 MiB.

    Raises ``Damaged`` after everything that could be inflated was given.
    """
    file.seek(start if kind == PLAIN else 0)
    if kind == PLAIN:
        yield from iter(lambda: file.read(BLOCK), b"")
    else:
        yield from _inflated(file, _decoder(kind, window_bytes))


class Decoder(Protocol):
    """What inflates one stream, as the standard library's ``bz2`` and ``lzma`` have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _inflated(file: BinaryIO, make: Callable[[], Decoder]) -> Iterator[bytes]:
    """Stream after stream, with zeros as padding between them."""
    decoder, fresh = make(), True
    for piece in _pieces(file):
        data = piece
        while data or not decoder.needs_input:
            if fresh and not (data := data.lstrip(b"\0")):
                break
            fresh = False
            try:
                out = decoder.decompress(data, STEP)
            except ERRORS as error:
                raise Damaged(_reason(error)) from error
            if out:
                yield out
            data = b""
            if decoder.eof:
                data, decoder, fresh = decoder.unused_data or b"", make(), True
    if not fresh:
        raise Damaged


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        for at in range(0, len(block), FEED):
            yield block[at : at + FEED]


def _reason(error: Exception) -> str:
    too_much = "memory" in str(error).lower()
    return "large_window" if too_much else "damaged_compression"


def _decoder(kind: str, window_bytes: int) -> Callable[[], Decoder]:
    makers: dict[str, Callable[[], Decoder]] = {
        "gzip": Gzip,
        "zstd": lambda: Zstd(window_bytes),
        "bz2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=window_bytes + BLOCK),
        "lz4": lz4.frame.LZ4FrameDecompressor,
    }
    return makers[kind]


class Gzip:
    """A gzip member as a ``Decoder``."""

    def __init__(self) -> None:
        self._zip, self.needs_input = zlib.decompressobj(31), True

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

    def __init__(self, window_bytes: int) -> None:
        whole = zstandard.ZstdDecompressor(max_window_size=max(window_bytes, 1 << 10))
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
        return self._frame.decompress(fed)
