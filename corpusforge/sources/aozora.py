"""Works of Aozora Bunko: a text file each, or many in a zip archive.

A slice owns the texts that begin in it: a text file at 0, a member of an archive where its local header stands.
"""

import io
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass as simple_dataclass
from typing import BinaryIO, ClassVar
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pyarrow as pa
from pydantic import ConfigDict, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.decoders import BUILT_ON
from corpusforge.schema import TEXTS
from corpusforge.sources import Input, Slice, cut, grouped, whole
from corpusforge.text.aozora import Work, work_of
from corpusforge.text.canonical import sha256
from corpusforge.text.charset import Decision, decide

RUBY = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("reading", pa.string())]))
OWN: dict[str, pa.DataType] = {
    "author": pa.string(),
    "ruby": RUBY,
    "colophon": pa.string(),
    "missing_characters": pa.int32(),
}
ZIP = b"PK"
END_MAGIC = b"PK\5\6"
END_BYTES = 22 + 0xFFFF
"""The end of the directory, and the comment behind it."""
MANY = 0xFFFF
"""Written for the number of members where there are as many or more."""
TEXT_SUFFIX = ".txt"
BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, NotImplementedError, RuntimeError)
"""What ``zipfile`` raises for bytes that it cannot make sense of."""
LICENCE = re.compile(r"https?://creativecommons\.org/[\w./-]+")


@simple_dataclass(frozen=True)
class Found:
    """One text and where it is from; without ``decision`` its bytes were not to be had, as ``drop`` says."""

    id: str
    offset: int
    length: int
    decision: Decision | None
    work: Work | None
    drop: str | None


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Aozora:
    """Texts in the format of Aozora Bunko (``.txt``, in Shift_JIS or any other encoding; ``.zip`` with any number).

    Title and author are taken from the head, the legend is taken out, and what follows ``底本：`` is the column
    ``colophon``. Ruby is taken out of the text and kept in the column ``ruby`` (``start`` and ``end`` in code points of
    the text, and the reading). Notes on characters become these characters; those that no code is known for are written
    ``〓`` and counted in ``missing_characters``. Other notes are taken out, and accents put together. The text is in
    the form that the stage ``normal.Normal`` gives. A Creative Commons address in the colophon is the licence.

    A file of more than ``text_bytes`` gives a row without text, dropped as ``source.too_large``. Batches end at
    ``batch_rows`` rows or ``batch_bytes`` of text.
    """

    text_bytes: PositiveInt = 16 << 20
    slice_bytes: PositiveInt = 16 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (TEXT_SUFFIX, ".zip")
    revision: ClassVar[int] = 2
    built_on: ClassVar[tuple[str, ...]] = ("chardet", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = {**{field.name: field.type for field in TEXTS}, **OWN}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """One slice for a text; for an archive slices of about ``slice_bytes``, with ``limit`` one."""
        packed = given.name.lower().endswith(".zip")
        return cut(given, self.slice_bytes) if packed and limit is None else whole(given, limit)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS``, ``author``, ``ruby``, ``colophon`` and ``missing_characters``.

        A text in no encoding that reads well is dropped as ``source.doubtful_charset``. Counts in ``passed_over``:
        ``source.damaged_archive`` (its directory cannot be read), ``source.broken_record`` (a member cannot),
        ``source.encrypted``, ``source.not_content`` (no ``.txt``) and ``source.empty_file``.
        """
        if piece.start == piece.end == 0:
            passed_over["source.empty_file"] += 1
            return
        sized = ((found, found.length) for found in self._found(piece, file, passed_over))
        for rows in grouped(sized, self.batch_rows, self.batch_bytes):
            yield _batch(piece, rows)

    def _found(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[Found]:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if file.read(len(ZIP)) == ZIP or piece.name.lower().endswith(".zip"):
            yield from self._members(piece, file, size, passed_over)
        elif piece.start == 0:
            file.seek(0)
            yield self._text(file.read(self.text_bytes + 1), 0, size, piece.fingerprint)

    def _members(self, piece: Slice, file: BinaryIO, size: int, passed_over: Counter[str]) -> Iterator[Found]:
        archive = _opened(file)
        every = () if archive is None else _members(archive, size)
        if piece.start == 0 and min(len(every), MANY) != _declared(file, size):
            passed_over["source.damaged_archive"] += 1
        if archive is None:
            return
        left = piece.limit
        for member in every:
            if not piece.start <= member.header_offset < piece.end or member.is_dir():
                continue
            if left == 0:
                return
            data = _content(archive, member, self.text_bytes)
            if isinstance(data, str):
                passed_over[f"source.{data}"] += 1
                left = left if left is None or data == "not_content" else left - 1
                continue
            left = left if left is None else left - 1
            seen = f"{member.CRC} {member.file_size}"
            yield self._text(data, member.header_offset, member.compress_size, seen)

    def _text(self, data: bytes, offset: int, length: int, seen: str) -> Found:
        """The text in a file. ``seen`` stands for its content where that is too large."""
        if len(data) > self.text_bytes:
            return Found(sha256(seen.encode())[:32], offset, length, None, None, "source.too_large")
        decision = decide(data, "shift_jis")
        drop = "source.doubtful_charset" if decision.doubtful else None
        return Found(sha256(data)[:32], offset, length, decision, work_of(decision.text), drop)


def _opened(file: BinaryIO) -> ZipFile | None:
    try:
        return ZipFile(file)
    except BROKEN:
        return None


def _members(archive: ZipFile, size: int) -> Sequence[ZipInfo]:
    """The members of an archive in the order in which they stand."""
    there = [member for member in archive.infolist() if 0 <= member.header_offset < size]
    return sorted(there, key=lambda member: member.header_offset)


def _declared(file: BinaryIO, size: int) -> int:
    """How many members an archive says it has: a damaged directory may hide some; -1 where it does not say."""
    file.seek(max(0, size - END_BYTES))
    end = file.read()
    at = end.rfind(END_MAGIC)
    return int.from_bytes(end[at + 10 : at + 12], "little") if at >= 0 else -1


def _content(archive: ZipFile, member: ZipInfo, most: int) -> bytes | str:
    """The bytes of a text, up to one more than ``most``, or why there are none."""
    if not member.filename.lower().endswith(TEXT_SUFFIX):
        return "not_content"
    if member.flag_bits & 1:
        return "encrypted"
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "broken_record"
    try:
        with archive.open(member) as content:
            return content.read(most + 1)
    except BROKEN:
        return "broken_record"


def _batch(piece: Slice, rows: Sequence[Found]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [_row(piece, found) for found in rows], schema=pa.schema(list(Aozora.writes.items()))
    )


def _row(piece: Slice, found: Found) -> dict[str, object]:
    row: dict[str, object] = {
        "id": found.id,
        "text": "",
        "source_file": piece.name,
        "source_offset": found.offset,
        "source_length": found.length,
        "drop": found.drop,
    }
    if found.decision is None or found.work is None:
        return row
    work, licence = found.work, LICENCE.search(found.work.colophon or "")
    return row | {
        "title": work.title,
        "text": work.text,
        "charset": found.decision.charset,
        "charset_by": found.decision.by,
        "charset_score": found.decision.score,
        "licence": licence and licence[0],
        "author": work.author,
        "ruby": [vars(ruby) for ruby in work.ruby],
        "colophon": work.colophon,
        "missing_characters": work.missing,
    }
