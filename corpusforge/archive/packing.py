"""Compressed members one after another: gzip members, zstd and lz4 frames, bz2 and xz streams.

Memory is bounded whatever the members say of themselves. A member that inflates beyond all measure is a ``Bomb``:
``BOMB_BYTES`` and more, at more than ``BOMB_RATIO`` times its bytes; pages and archives of them inflate 3 to 50 times.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Protocol

import zstandard

from corpusforge.archive.streams import CHUNK
from corpusforge.decoders import BEGINS, ERRORS, Decoder, Zstd, decoder, raise_memory
from corpusforge.slices import Input, Slice, cut, whole

STEP = 1 << 20
BOMB_BYTES = 64 << 20
BOMB_RATIO = 200
DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"
DICTIONARY_BYTES = 16 << 20
BACK_AT_MOST = 8
"""How often a member is inflated again from its start, for records whose length is wrong."""
PADDING = b"\0\r\n"
PADDING_STEP = 1 << 10
SKIPPABLE = tuple(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16))
DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"


class Damaged(Exception):
    """The bytes of a member cannot be had: bad data, bad CRC, or the file ends."""


class Bomb(Damaged):
    """A member inflates beyond all measure."""


class Readable(Protocol):
    """What a member is read from."""

    def seek(self, offset: int, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


class Member:
    """Bytes that a member inflates to; ``end`` is where the member ends once all are read."""

    def __init__(self, file: Readable, begin: int, make: Callable[[], Decoder]) -> None:
        self._file, self._begin, self._fed, self._out, self._make = file, begin, begin, 0, make
        self._decoder, self._left, self._backs = make(), b"", 0
        file.seek(begin)

    @property
    def end(self) -> int:
        return self._fed - len(self._decoder.unused_data or b"")

    def more(self) -> bytes:
        if self._left:
            left, self._left = self._left, b""
            return left
        while not self._decoder.eof:
            data = self._feed() if self._decoder.needs_input else b""
            starved = self._decoder.needs_input and not data
            out = self._inflated(data)
            if out:
                self._out += len(out)
                self._check()
                return out
            if starved and not self._decoder.eof:
                raise Damaged("the file ends in a member")
        return b""

    def skip(self, count: int) -> int:
        return 0

    def back(self, position: int) -> bool:
        """Inflate once more from the start to ``position``, ``BACK_AT_MOST`` times in all."""
        if self._backs == BACK_AT_MOST:
            return False
        self._backs += 1
        self._fed, self._out, self._decoder, self._left = self._begin, 0, self._make(), b""
        self._file.seek(self._begin)
        data = b""
        while self._out < position and (data := self.more()):
            pass
        self._left = data[len(data) - (self._out - position) :]
        return True

    def _inflated(self, data: bytes) -> bytes:
        try:
            return self._decoder.decompress(data, STEP)
        except ERRORS as error:
            raise_memory(error)
            raise Damaged(str(error)) from error

    def _check(self) -> None:
        if self._out > BOMB_BYTES and self._out > BOMB_RATIO * (self._fed - self._begin):
            raise Bomb(f"{self._fed - self._begin} bytes inflate to more than {self._out}")

    def _feed(self) -> bytes:
        data = self._file.read(CHUNK)
        self._fed += len(data)
        return data


@dataclass(frozen=True)
class Packing:
    """A way to compress: how its members begin, and what reads one."""

    magic: bytes
    decoder: Callable[[], Decoder]
    shown_bytes: int
    """Bytes that a member needs at most to show what it begins with: a head and, but for gzip and xz, one block.

    Multiples of ``CHUNK``, so that a member is fed in the same steps whether it is looked at first or not.
    """

    def member(self, file: Readable, begin: int) -> Member:
        return Member(file, begin, self.decoder)


class Chain:
    """What all members of a file inflate to, one after another.

    What follows them and is no member is left out, and ``strange`` says that there is such.
    """

    def __init__(self, file: BinaryIO, packing: Packing) -> None:
        self._file, self._packing = file, packing
        self._member, self.strange = packing.member(file, behind_padding(file, 0)), False

    def more(self) -> bytes:
        while not (data := self._member.more()):
            at = behind_padding(self._file, self._member.end)
            self._file.seek(at)
            if (begin := self._file.read(len(self._packing.magic))) != self._packing.magic:
                self.strange = bool(begin)
                return b""
            self._member = self._packing.member(self._file, at)
        return data

    def skip(self, count: int) -> int:
        return 0

    def back(self, position: int) -> bool:
        return False


SHOWN_BYTES = {"gzip": 1 << 15, "zstd": 1 << 18, "bz2": 1 << 20, "xz": 1 << 16, "lz4": 5 << 20}
PACKINGS = {kind: Packing(begin, partial(decoder, kind), SHOWN_BYTES[kind]) for kind, begin in BEGINS.items()}
ZSTD = PACKINGS["zstd"]


def packing_of(file: BinaryIO) -> Packing | None:
    """How a file is compressed, by its first bytes; a zstd dictionary at its start is read."""
    file.seek(0)
    head = file.read(8)
    if head.startswith(DICTIONARY_FRAME):
        return _with_dictionary(file, int.from_bytes(head[4:], "little"))
    if head.startswith(SKIPPABLE):
        file.seek(behind_padding(file, 0))
        head = file.read(8)
    return next((packing for packing in PACKINGS.values() if head.startswith(packing.magic)), None)


def _with_dictionary(file: BinaryIO, size: int) -> Packing:
    """zstd with the dictionary that the file's first frame holds, itself compressed or not (IIPC's WARC-zstd)."""
    file.seek(8)
    data = file.read(min(size, DICTIONARY_BYTES))
    if data.startswith(ZSTD.magic):
        member, pieces, total = ZSTD.member(io.BytesIO(data), 0), list[bytes](), 0
        try:
            while total < DICTIONARY_BYTES and (piece := member.more()):
                pieces.append(piece)
                total += len(piece)
        except Damaged:
            return ZSTD
        data = b"".join(pieces)
    if not data.startswith(DICTIONARY_MAGIC):
        return ZSTD
    try:
        dictionary = zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)
        Zstd(dictionary=dictionary)
    except zstandard.ZstdError:
        return ZSTD
    return Packing(ZSTD.magic, lambda: Zstd(dictionary=dictionary), ZSTD.shown_bytes)


def behind_padding(file: BinaryIO, at: int) -> int:
    """Behind zero bytes and line ends, which some writers put between members, and frames that are to be skipped."""
    while True:
        file.seek(at)
        data = file.read(PADDING_STEP)
        rest = data.lstrip(PADDING)
        at += len(data) - len(rest)
        if rest.startswith(SKIPPABLE) or (0 < len(rest) < 8):
            file.seek(at)
            frame = file.read(8)
            behind = at + 8 + int.from_bytes(frame[4:], "little")
            if not frame.startswith(SKIPPABLE) or len(frame) < 8 or behind > file.seek(0, io.SEEK_END):
                return at
            at = behind
        elif rest or not data:
            return at


def planned(given: Input, limit: int | None, slice_bytes: int) -> tuple[Slice, ...]:
    """Slices of about ``slice_bytes``; one for a limit, or of a file that is one member."""
    if limit is not None or given.bytes <= slice_bytes:
        return whole(given, limit)
    with given.open() as file:
        return whole(given) if is_one_member(file, slice_bytes) else cut(given, slice_bytes)


def is_one_member(file: BinaryIO, at_least: int) -> bool:
    """Whether no member ends in the first ``at_least`` bytes of a compressed file: then cuts would win nothing."""
    packing = packing_of(file)
    if packing is None:
        return False
    size = file.seek(0, io.SEEK_END)
    member = packing.member(file, behind_padding(file, 0))
    try:
        while member.end < at_least:
            if not member.more():
                return member.end >= size
    except Damaged:
        return False
    return True
