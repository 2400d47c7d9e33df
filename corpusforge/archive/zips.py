"""Members of zip archives, by the directory at their end or, where that is missing or damaged, by their heads.

Sizes and names that an archive gives are never trusted with memory: the directory and each member have limits. Members
that share bytes are a bomb (Fifield, "A better zip bomb", 2019): only the first of them is read.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from corpusforge.archive.packing import Member
from corpusforge.archive.record import Lost
from corpusforge.archive.streams import Section, Supply
from corpusforge.decoders import Decoder, Inflate, decoder

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
LOCATOR = struct.Struct("<4sLQL")
END_64 = struct.Struct("<4sQ2H2L4Q")
HEAD, DIRECTORY, LAST = b"PK\3\4", b"PK\1\2", b"PK\5\6"
TAIL_BYTES = (1 << 16) + END.size
DIRECTORY_BYTES = 128 << 20
"""A directory of more than about a million members is not read."""
STEP = 1 << 20
UNKNOWN_32 = 0xFFFFFFFF
ENCRYPTED, LATER, UTF_8 = 1, 8, 1 << 11
METHODS: dict[int, Callable[[], Decoder] | None] = {
    0: None,
    8: partial(Inflate, -15),
    12: partial(decoder, "bz2"),
    93: partial(decoder, "zstd"),
    95: partial(decoder, "xz"),
}


@dataclass(frozen=True)
class Entry:
    """One member: its name, where its head begins, its packed bytes; ``crc`` is None where it is not known."""

    name: str
    offset: int
    packed: int
    method: int
    flags: int
    crc: int | None


def entries(file: BinaryIO) -> Iterator[Entry | Lost]:
    """Every member in the order of the file, and a ``Lost`` for what stands in the way."""
    size = file.seek(0, io.SEEK_END)
    found = _directory(file, size)
    if found is None:
        yield Lost(0, "broken_archive")
        yield from _scanned(file, size)
        return
    taken = 0
    for entry in sorted(found, key=lambda entry: (entry.offset, entry.name)):
        if entry.offset < taken:
            yield Lost(entry.offset, "bomb")
            continue
        taken = entry.offset + LOCAL.size + entry.packed
        yield entry


def opened(file: BinaryIO, entry: Entry) -> Supply | str:
    """The bytes of a member, else why they cannot be had: ``encrypted``, ``unknown_coding`` or ``broken_record``."""
    file.seek(entry.offset)
    data = file.read(LOCAL.size)
    if len(data) < LOCAL.size or not data.startswith(HEAD):
        return "broken_record"
    if entry.flags & ENCRYPTED:
        return "encrypted"
    if entry.method not in METHODS:
        return "unknown_coding"
    names = sum(LOCAL.unpack(data)[-2:])
    begin = entry.offset + LOCAL.size + names
    section = Section(file, begin, begin + entry.packed)
    packed_by = METHODS[entry.method]
    return section if packed_by is None else Member(section, begin, packed_by)


def _directory(file: BinaryIO, size: int) -> list[Entry] | None:
    """The members that the directory names; None if there is no whole directory."""
    file.seek(max(size - TAIL_BYTES, 0))
    tail = file.read(TAIL_BYTES)
    at = tail.rfind(LAST)
    if at < 0 or len(tail) - at < END.size:
        return None
    *_, length, begin, _ = END.unpack_from(tail, at)
    where = max(size - TAIL_BYTES, 0) + at
    if UNKNOWN_32 in (length, begin) and (wide := _end_64(file, where)):
        where, length, begin = wide
    if length > min(DIRECTORY_BYTES, where):
        return None
    file.seek(where - length)
    return _entries(file.read(length), where - length - begin)


def _end_64(file: BinaryIO, where: int) -> tuple[int, int, int] | None:
    file.seek(max(where - LOCATOR.size, 0))
    data = file.read(LOCATOR.size)
    if len(data) < LOCATOR.size or not data.startswith(b"PK\6\7"):
        return None
    at = LOCATOR.unpack(data)[2]
    if at > where:
        return None
    file.seek(at)
    data = file.read(END_64.size)
    if len(data) < END_64.size or not data.startswith(b"PK\6\6"):
        return None
    length, begin = END_64.unpack(data)[-2:]
    return at, length, begin


def _entries(data: bytes, shift: int) -> list[Entry] | None:
    """The members of a directory; ``shift`` is what stands before the archive in its file."""
    found, at = list[Entry](), 0
    while at < len(data):
        if len(data) - at < CENTRAL.size or data[at : at + 4] != DIRECTORY:
            return None
        _, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, *_, offset = CENTRAL.unpack_from(
            data, at
        )
        begin = at + CENTRAL.size
        more = data[begin + name : begin + name + extra]
        if UNKNOWN_32 in (packed, size, offset):
            packed, offset = _wide(more, size, packed, offset)
        text = _name(data[begin : begin + name], flags)
        found.append(Entry(text, max(offset + shift, 0), packed, method, flags, crc))
        at = begin + name + extra + comment
    return found


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int]:
    """Packed bytes and place of a member from the zip64 field among its extra fields."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            values = [int.from_bytes(extra[i : i + 8], "little") for i in range(at + 4, at + 4 + length - 7, 8)]
            if size == UNKNOWN_32 and values:
                values.pop(0)
            if packed == UNKNOWN_32 and values:
                packed = values.pop(0)
            if offset == UNKNOWN_32 and values:
                offset = values.pop(0)
        at += 4 + length
    return packed, offset


def _scanned(file: BinaryIO, size: int) -> Iterator[Entry]:
    """Members by their heads. A member that does not say its length goes on to the file's end, if need be."""
    at = 0
    while (found := _find(file, at, size)) is not None:
        file.seek(found)
        data = file.read(LOCAL.size)
        if len(data) < LOCAL.size:
            return
        _, _, flags, method, _, _, crc, packed, _, name, extra = LOCAL.unpack(data)
        text = _name(file.read(name), flags)
        begin = found + LOCAL.size + name + extra
        unknown = bool(flags & LATER) or packed == UNKNOWN_32
        yield Entry(text, found, size - begin if unknown else packed, method, flags, None if unknown else crc)
        at = begin if unknown else begin + packed


def _find(file: BinaryIO, at: int, size: int) -> int | None:
    while at < size:
        file.seek(at)
        window = file.read(STEP + len(HEAD) - 1)
        if (found := window.find(HEAD)) >= 0:
            return at + found
        at += STEP
    return None


def _name(data: bytes, flags: int) -> str:
    """A member's name: UTF-8 where it can be that, else as Windows writes it in Japan, else as the standard says."""
    for encoding in ("utf-8",) if flags & UTF_8 else ("utf-8", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("cp437")
