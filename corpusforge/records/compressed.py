"""The door from an opened file to plain bytes: gzip, zstd, bz2, xz and lz4, of one stream or several, or none at all.

What the bytes say counts, not the name: a ``.gz`` that holds text is read as text. Only a plain file can be entered in
the middle. Memory is bounded by the window that the compression was made with; frames that ask for more than
``window_bytes`` are refused.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from corpusforge.decoders import BEGINS, ERRORS, SUFFIXES, WINDOW_BYTES, decoder, raise_memory

PLAIN = "plain"
BLOCK = 1 << 20
"""Bytes read at once."""
FEED = 1 << 13
"""Bytes inflated at once: so much at most is not given before damage."""
STEP = 1 << 18
"""Bytes given at once."""
HEAD = 16

MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18"),
}
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


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

    Raises ``Damaged`` after everything that could be inflated was given, ``MemoryError`` where memory is short.
    """
    file.seek(start if kind == PLAIN else 0)
    if kind == PLAIN:
        yield from iter(lambda: file.read(BLOCK), b"")
    else:
        yield from _inflated(file, kind, window_bytes)


def _inflated(file: BinaryIO, kind: str, window_bytes: int) -> Iterator[bytes]:
    """Stream after stream, with zeros as padding between them."""
    stream, fresh = decoder(kind, window_bytes), True
    for piece in _pieces(file):
        data = piece
        while data or not stream.needs_input:
            if fresh and not (data := data.lstrip(b"\0")):
                break
            fresh = False
            try:
                out = stream.decompress(data, STEP)
            except ERRORS as error:
                raise_memory(error)
                raise Damaged(_reason(error)) from error
            if out:
                yield out
            data = b""
            if stream.eof:
                data, stream, fresh = stream.unused_data or b"", decoder(kind, window_bytes), True
    if not fresh:
        raise Damaged


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        for at in range(0, len(block), FEED):
            yield block[at : at + FEED]


def _reason(error: Exception) -> str:
    too_much = "memory" in str(error).lower()
    return "large_window" if too_much else "damaged_compression"
