"""Lines of a file, compressed or not, with the places where they begin.

A line begins at 0 or behind a line feed, and a slice owns the lines that begin in it. Places are those in the file, or
in what a compressed file inflates to: all of its lines belong to the slice that begins at 0.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeAlias

from corpusforge.decoders import WINDOW_BYTES
from corpusforge.records.compressed import PLAIN, blocks, kind_of
from corpusforge.slices import Input, Slice, cut, whole

BOM = b"\xef\xbb\xbf"
MARKED = "corpusforge.marked"
"""Handles errors of UTF-16 and UTF-32: what cannot be decoded becomes the byte FF, which UTF-8 cannot have."""
Line: TypeAlias = tuple[int, int, bytes | None]
"""Where a line begins, its length with its line end, its bytes without it; None where it is longer than allowed."""


def _marked(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(MARKED, _marked)


def planned(given: Input, limit: int | None, slice_bytes: int) -> tuple[Slice, ...]:
    """Even slices of a plain file; one of a compressed one, or with a limit."""
    if limit is not None or given.bytes <= slice_bytes:
        return whole(given, limit)
    with given.open() as file:
        return cut(given, slice_bytes) if kind_of(file, given.name) == PLAIN else whole(given)


def lines(
    file: BinaryIO,
    name: str,
    start: int,
    end: int | None,
    line_bytes: int,
    window_bytes: int = WINDOW_BYTES,
    wide: str | None = None,
) -> Iterator[Line]:
    """The lines that begin from ``start`` up to ``end``, or to the end of the file.

    Lines end with ``\\n`` or ``\\r\\n``. A line of more than ``line_bytes`` is never held. A byte order mark is taken
    off. ``wide`` is the codec of a file whose line ends are not one byte, such as UTF-16: it is read as if it were
    compressed, and its lines are UTF-8, but for
    a byte FF where it cannot be decoded. Raises ``compressed.Damaged`` after the last line that is whole.
    """
    if end is not None and start >= end:
        return
    kind = kind_of(file, name)
    one = kind != PLAIN or wide is not None
    if one and start > 0:
        return
    begin = max(start - 1, 0)
    pieces = blocks(file, kind, begin, window_bytes)
    found = _split(pieces if wide is None else _narrow(pieces, wide), begin, None if one else end, line_bytes)
    first = next(found, None)
    if start == 0 and first is not None:
        offset, length, data = first
        yield offset, length, data.removeprefix(BOM) if data else data
    yield from found


def _narrow(pieces: Iterable[bytes], codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)(MARKED)
    for piece in pieces:
        yield decoder.decode(piece).encode(errors="surrogateescape")
    yield decoder.decode(b"", final=True).encode(errors="surrogateescape")


def _split(pieces: Iterable[bytes], offset: int, end: int | None, most: int) -> Iterator[Line]:
    """Lines of a stream of bytes of which the first stands at ``offset``."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        first, *others = piece.split(b"\n")
        size += len(first)
        if size <= most + 1:
            held.append(first)
        for other in others:
            yield offset, size + 1, _joined(held, size, most)
            offset += size + 1
            if end is not None and offset >= end:
                return
            held[:] = [other]
            size = len(other)
    if size:
        yield offset, size, _joined(held, size, most)


def _joined(held: list[bytes], size: int, most: int) -> bytes | None:
    if size > most + 1:
        return None
    data = (held[0] if len(held) == 1 else b"".join(held)).removesuffix(b"\r")
    return data if len(data) <= most else None
