"""Where the pages of a MediaWiki dump begin and end, and what each one holds.

Pages are found by their tags: inside of text a tag cannot stand, so every ``<page>`` begins a page. Each is parsed by
itself: damage costs one page, and a fragment cannot declare entities, so none can grow.
"""

import bz2
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from corpusforge.records.compressed import BLOCK, MAGIC, PLAIN, Damaged, blocks

OPEN = re.compile(rb"<page>")
OPEN_OR_CLOSE = re.compile(rb"</?page>")
OVERLAP = 6
HEAD_END = re.compile(rb"</siteinfo>|<mediawiki[^>]*>")
ROOT, END = b"<mediawiki", b"</mediawiki>"
HEAD_BYTES = 1 << 20
GAP_BYTES = 1 << 12
STREAM = MAGIC["bz2"]
STREAM_MARK = 10
FEED = 1 << 14


@dataclass(frozen=True)
class Piece:
    """Plain bytes and the ``offset`` of their first one.

    ``stream`` is where the compressed stream begins that they are of: it decides which slice owns what begins in them.
    Bytes of a plain file have none, there each decides by its own offset. ``broken``: the stream ends here in damage.
    """

    stream: int | None
    offset: int
    data: bytes
    broken: bool = False


@dataclass(frozen=True)
class Found:
    """One page's XML, cut at the reader's limit, which ``length`` is not; ``reason`` says why there is none."""

    offset: int
    length: int
    xml: bytes
    reason: str | None = None


class Scan:
    """Goes through pieces from mark to mark."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self.broken: Piece | None = None
        self._pieces, self._buffer, self._position, self._filled = pieces, bytearray(), 0, 0
        self._starts: list[tuple[int, Piece]] = []

    def until(self, mark: re.Pattern[bytes], keep: int) -> tuple[bytes, int, bytes]:
        """Go up to the next mark: at most ``keep`` bytes before it, how many there were, and the mark.

        The mark is empty at the end, or where a stream is broken; that piece is then ``broken``.
        """
        kept, passed = bytearray(), 0
        self.broken = None
        while True:
            match = mark.search(self._buffer)
            count = match.start() if match else max(0, len(self._buffer) - OVERLAP)
            found = bytes(match[0]) if match else b""
            more = match is None and self._more()
            if match is None and not more:
                count = len(self._buffer)
            kept += self._buffer[: min(count, keep - len(kept))]
            self.skip(count)
            passed += count
            if not more:
                return bytes(kept), passed, found

    def skip(self, count: int) -> None:
        del self._buffer[:count]
        self._position += count

    def place(self) -> tuple[int, int]:
        """Where the next byte begins for a slice, and its offset; there must be one in the buffer."""
        while len(self._starts) > 1 and self._starts[1][0] <= self._position:
            del self._starts[0]
        start, piece = self._starts[0]
        offset = piece.offset + self._position - start
        return (offset if piece.stream is None else piece.stream), offset

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None or piece.broken:
            self.broken = piece
            return False
        self._starts.append((self._filled, piece))
        self._filled += len(piece.data)
        self._buffer += piece.data
        return True


def pages(pieces: Iterator[Piece], start: int, end: int, keep: int) -> Iterator[Found]:
    """The pages that begin in ``start`` to ``end``, and the reasons why something there is none.

    What stands behind a page, up to the next one, belongs to it; what stands before the first one to the slice at 0.
    """
    scan = Scan(pieces)
    ours, first = start == 0, start == 0
    while True:
        between, _, mark = scan.until(OPEN, HEAD_BYTES if first else GAP_BYTES)
        begins, offset = scan.place() if mark else (0, 0)
        if ours and scan.broken is None and (reason := _wrong(between, first, bool(mark))):
            yield Found(offset, 0, b"", reason)
        if mark and begins < end:
            ours = True
            yield _page(scan, offset, len(mark), keep)
        elif scan.broken is None:
            return
        first = False
        if scan.broken is not None:
            if (scan.broken.stream or 0) >= end:
                return
            ours = False
            yield Found(scan.broken.offset, 0, b"", "damaged_compression")


def _page(scan: Scan, offset: int, opened: int, keep: int) -> Found:
    """The page whose tag the scan stands before."""
    scan.skip(opened)
    xml, length, closed = scan.until(OPEN_OR_CLOSE, keep)
    if not closed.startswith(b"</"):
        return Found(offset, length, b"", "broken_page")
    scan.skip(len(closed))
    whole = length <= keep
    reason = None if whole else "too_large"
    return Found(offset, opened + length + len(closed), b"<page>" + xml + (closed if whole else b""), reason)


def _wrong(between: bytes, first: bool, goes_on: bool) -> str | None:
    """What is wrong with what stands where no page is: a head, an end and white space may stand there."""
    rest = between.strip()
    if first and ROOT not in rest and not goes_on:
        return "not_wiki"
    if first:
        heads = [match.end() for match in HEAD_END.finditer(rest)]
        rest = rest[heads[-1] :].strip() if heads else rest
    if not goes_on:
        return None if rest.startswith(END) else "damaged"
    return "broken_page" if rest and not rest.startswith(END) else None


def plain_pieces(file: BinaryIO, kind: str, start: int, window_bytes: int) -> Iterator[Piece]:
    """A plain file from ``start``, or all that a compressed one inflates to, which begins at 0."""
    offset = start if kind == PLAIN else 0
    try:
        for data in blocks(file, kind, start, window_bytes):
            yield Piece(None if kind == PLAIN else 0, offset, data)
            offset += len(data)
    except Damaged:
        yield Piece(0, offset, b"", broken=True)


def bz2_pieces(file: BinaryIO, start: int) -> Iterator[Piece]:
    """What the bz2 streams inflate to that begin at ``start`` or later, each with where its stream begins.

    Offsets are those of the stream plus those in what it inflates to. Behind damage it goes on at the next stream.
    """
    begins = next_stream(file, start)
    while begins is not None:
        decoder, offset, position = bz2.BZ2Decompressor(), begins, begins
        broken = False
        try:
            while not decoder.eof:
                data = b""
                if decoder.needs_input:
                    file.seek(position)
                    data = file.read(FEED)
                    position += len(data)
                    if not data:
                        raise EOFError
                out = decoder.decompress(data, BLOCK)
                if out:
                    yield Piece(begins, offset, out)
                    offset += len(out)
        except (ValueError, EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            broken = True
        if broken:
            yield Piece(begins, offset, b"", broken=True)
            begins = next_stream(file, begins + STREAM_MARK)
        else:
            begins = _behind(file, position - len(decoder.unused_data))


def _behind(file: BinaryIO, at: int) -> int | None:
    """Where the next stream begins behind one: right there, or after something else."""
    file.seek(at)
    return at if STREAM.match(file.read(STREAM_MARK)) else next_stream(file, at)


def next_stream(file: BinaryIO, at: int, within: int | None = None) -> int | None:
    """Where the next bz2 stream begins, from ``at`` on, and not more than ``within`` bytes behind it."""
    end = None if within is None else at + within
    while end is None or at < end:
        file.seek(at)
        window = file.read(BLOCK)
        match = STREAM.search(window)
        if match:
            return at + match.start()
        if len(window) < BLOCK:
            return None
        at += BLOCK - STREAM_MARK + 1
    return None
