"""HTTP messages as archives hold them: head, transfer and content codings, and whether a body is HTML.

Archives hold what servers sent, lies included, and some hold bodies already decoded under the old header. A coding that
the body does not show is therefore passed over, and a body that breaks off keeps what came before, as browsers do.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from fastwarc.stream_io import BrotliReader, WarcReader, ZstdReader
from zlib_ng import zlib_ng

BLANK_LINE = re.compile(rb"\n\r{0,2}\n")
"""The end of a head; carriage returns before it end the last line."""
STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})")
CHUNK = re.compile(rb"[\r\n]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\n]{0,256})?\r?\n")
STEP = 1 << 16
FEED = 1 << 14
"""Bytes that zlib is given at once: it copies what follows a member, and a member may have 20 bytes."""
CODINGS_AT_MOST = 5
"""More codings over each other than this are an attack; curl has the same limit."""
BOMB_BYTES = 1 << 20
BOMB_RATIO = 400
"""A body that decodes to so many times its bytes, and to more than ``BOMB_BYTES``, is no page; pages have 3 to 50."""


@dataclass(frozen=True)
class Fields:
    """Header fields in order; names in lower case."""

    pairs: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def first(self, name: str) -> str | None:
        for key, value in self.pairs:
            if key == name:
                return value
        return None

    def listed(self, name: str) -> list[str]:
        """Comma-separated tokens of every field of that name, in lower case."""
        tokens = ",".join(self.all(name)).split(",")
        return [t.strip().lower() for t in tokens if t.strip()]


@dataclass(frozen=True)
class Message:
    """A response: its status, header fields, and the body still coded."""

    status: int
    fields: Fields
    body: bytes


@dataclass(frozen=True)
class Body:
    """A decoded body, or the reason why there is none; ``damage``: ``cut``, ``bad_chunks`` or ``bad_coding``."""

    data: bytes
    problem: str | None = None
    damage: str | None = None


_FOLDED_OR_ODD = re.compile(rb"\n[ \t]|\r(?!\n|\Z)")
"""Lines that go on with the line before, and ends of lines that are a carriage return alone."""
Decoded = tuple[bytes, str | None]
"""What could be decoded, and what is wrong with it: ``cut`` or ``bad_coding``."""


def fields_of(block: bytes) -> Fields:
    """Parse header lines; folded lines join the line before, lines without a colon are passed over."""
    if block.isascii() and not _FOLDED_OR_ODD.search(block):
        parts = [line.partition(":") for line in block.decode("ascii").split("\n")]
        return Fields(tuple([(name.strip().lower(), value.strip()) for name, colon, value in parts if colon]))
    pairs: list[tuple[str, str]] = []
    for raw in block.splitlines():
        line = _text(raw)
        if line[:1] in (" ", "\t") and pairs:
            name, value = pairs.pop()
            pairs.append((name, f"{value} {line.strip()}"))
            continue
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name.strip().lower(), value.strip()))
    return Fields(tuple(pairs))


def message_of(block: bytes) -> Message:
    """Split a response; a block without a status line is taken as a body that came with status 200."""
    status = STATUS_LINE.match(block)
    if status is None:
        return Message(200, Fields(()), block)
    blank = BLANK_LINE.search(block)
    head, body = (block, b"") if blank is None else (block[: blank.start()], block[blank.end() :])
    return Message(int(status[1]), fields_of(head.partition(b"\n")[2]), body)


def decoded(message: Message, at_most: int) -> Body:
    """Undo transfer and content codings.

    ``problem`` is ``too_large`` (more than ``at_most`` bytes), ``bomb``, ``broken_payload`` (nothing could be decoded)
    or ``unknown_coding``. Work and memory are bounded by ``at_most``.
    """
    data, damage = _transferred(message)
    transfer = message.fields.listed("transfer-encoding")
    codings = [
        coding
        for coding in message.fields.listed("content-encoding") + [t for t in transfer if t != "chunked"]
        if coding not in PLAIN
    ]
    if len(codings) > CODINGS_AT_MOST:
        return Body(b"", "unknown_coding")
    for coding in reversed(codings):
        if not data:
            break
        decode = CODINGS.get(coding)
        result, wrong = (b"", None) if decode is None else decode(data, at_most + 1)
        if not result and not _looks_plain(data):
            return Body(b"", "unknown_coding" if decode is None else "broken_payload")
        if len(result) > at_most:
            return Body(b"", "too_large")
        if len(result) > max(BOMB_BYTES, BOMB_RATIO * len(data)):
            return Body(b"", "bomb")
        # A body that does not show the coding was decoded before it was stored, and its length is that of before.
        damage = damage or wrong if result else None
        data = result or data
    return Body(data, None, damage) if len(data) <= at_most else Body(b"", "too_large")


def _transferred(message: Message) -> Decoded:
    """The body without its chunks, and whether it is shorter than was said."""
    if "chunked" in message.fields.listed("transfer-encoding"):
        return unchunked(message.body)
    length = message.fields.first("content-length") or ""
    short = LENGTH.fullmatch(length) is not None and len(message.body) < int(length)
    return message.body, "cut" if short else None


def unchunked(body: bytes) -> Decoded:
    """Undo chunking; a body that does not begin with a chunk is not chunked, a broken chunk ends the body."""
    pieces: list[bytes] = []
    position = 0
    while chunk := CHUNK.match(body, position):
        size, start = int(chunk[1], 16), chunk.end()
        if size == 0:
            return b"".join(pieces), None
        pieces.append(body[start : start + size])
        position = start + size
    if not pieces:
        return body, None
    return b"".join(pieces), "bad_chunks" if position + 2 < len(body) else "cut"


def inflated(data: bytes, at_most: int, window: int) -> Decoded:
    """Inflate up to ``at_most`` bytes, gzip members one after another; what comes before an error is kept."""
    pieces: list[bytes] = []
    size = at = 0
    # What follows a stream, but is none itself, is left out, as browsers do.
    while at < len(data) and size < at_most and (at == 0 or data.startswith(GZIP, at)):
        stream = zlib_ng.decompressobj(window)
        before, begin = len(pieces), at
        try:
            while at < len(data) and size < at_most and not stream.eof:
                pieces.append(stream.decompress(data[at : at + FEED], at_most - size))
                size += len(pieces[-1])
                at = min(at + FEED, len(data)) - len(stream.unused_data)
        except INFLATE_ERROR:
            whole = b"".join(pieces[:before])
            return whole + _before_error(data[begin:], at_most - len(whole), window), "bad_coding"
        if not stream.eof:
            return b"".join(pieces), "cut"
    return b"".join(pieces), None


def _before_error(data: bytes, at_most: int, window: int) -> bytes:
    stream, pieces, size = zlib_ng.decompressobj(window), list[bytes](), 0
    for start in range(0, len(data), 64):
        try:
            piece = stream.decompress(data[start : start + 64], max(at_most - size, 1))
        except INFLATE_ERROR:
            break
        pieces.append(piece)
        size += len(piece)
        if size >= at_most:
            break
    return b"".join(pieces)


def _gunzip(data: bytes, at_most: int) -> Decoded:
    return inflated(data, at_most, 31) if data.startswith(GZIP) else (b"", None)


def _deflate(data: bytes, at_most: int) -> Decoded:
    """``deflate`` means zlib by the standard and a bare stream by habit."""
    is_zlib = len(data) > 1 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
    zipped = inflated(data, at_most, 15) if is_zlib else (b"", None)
    return zipped if zipped[0] else inflated(data, at_most, -15)


def _streamed(data: bytes, at_most: int, reader: Callable[[io.BytesIO], WarcReader]) -> Decoded:
    pieces: list[bytes] = []
    size = 0
    try:
        stream = reader(io.BytesIO(data))
        while size < at_most and (piece := stream.read(min(STEP, at_most - size))):
            pieces.append(piece)
            size += len(piece)
    except OSError:
        return b"".join(pieces), "bad_coding"
    return b"".join(pieces), None


GZIP = b"\x1f\x8b"
INFLATE_ERROR = cast("type[Exception]", zlib_ng.error)  # its stub calls it an instance
LENGTH = re.compile(r"\d{1,18}", re.ASCII)
PLAIN = {"identity", "none", "binary", "8bit", "7bit"}
CODINGS: dict[str, Callable[[bytes, int], Decoded]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": lambda data, at_most: _streamed(data, at_most, BrotliReader),
    "zstd": lambda data, at_most: _streamed(data, at_most, ZstdReader),
}

HTML_TYPES = {"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"}
VAGUE_TYPES = {"", "application/octet-stream", "application/xml", "text/xml", "unknown/unknown", "application/unknown"}
BINARY = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b\x08", b"RIFF", b"Rar!", b"BM\x00")
HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*"
    rb"<(?:!doctype html|html|head|body|title|meta|script|style|div|table|h1|p|br|a|b|font|iframe)[\s>]",
    re.IGNORECASE | re.DOTALL,
)


def media_type(value: str | None) -> str:
    """The type of a ``Content-Type`` value, in lower case, without parameters."""
    return (value or "").partition(";")[0].partition(",")[0].strip().lower()


def is_html(identified: str | None, declared: Sequence[str], body: bytes) -> bool:
    """Whether a body is HTML.

    The type that the crawler identified decides, else any type that the server declared, else how the body begins;
    the mark of a binary format overrules them all. Plain text is not HTML.
    """
    if body.startswith(BINARY):
        return False
    found, types = media_type(identified), {media_type(value) for value in declared}
    if found in HTML_TYPES or (types & HTML_TYPES and found in VAGUE_TYPES | {"text/plain"}):
        return True
    if found in VAGUE_TYPES and types <= VAGUE_TYPES:
        return HTML_START.match(body[:4096].lstrip(b"\xef\xbb\xbf")) is not None
    return False


def _looks_plain(data: bytes) -> bool:
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
