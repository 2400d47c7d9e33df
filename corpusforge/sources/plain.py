"""Plain text files, also compressed: each file, each line or each paragraph a text.

A slice owns the lines or paragraphs that begin in it. Offsets are those in the file, or in what a compressed file
inflates to; such a file, and one in UTF-16 or UTF-32, is one slice.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass as simple_dataclass
from typing import BinaryIO, ClassVar, Literal

import pyarrow as pa
from pydantic import ConfigDict, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.decoders import BUILT_ON, WINDOW_BYTES
from corpusforge.records.compressed import Damaged, blocks, kind_of, with_compressions
from corpusforge.records.lines import BOM, Line, lines, planned
from corpusforge.records.mapping import identity
from corpusforge.records.paragraphs import paragraphs
from corpusforge.schema import TEXTS
from corpusforge.sources import Input, Slice, grouped, whole
from corpusforge.text.canonical import sha256
from corpusforge.text.charset import decide
from corpusforge.text.encodings import BY_NAME, Encoding, decode, encoding_of

HEAD_BYTES = 64 << 10
"""Bytes of a file that decide in which encoding its lines are."""
UTF_8 = BY_NAME["utf-8"]


@simple_dataclass(frozen=True)
class Charset:
    """An encoding, which evidence decided (``charset_by``), and how sure that is."""

    encoding: Encoding
    by: str
    score: float


@simple_dataclass(frozen=True)
class Row:
    """One text and where it is from; ``text`` is empty where ``drop`` says that it was not to be had."""

    id: str
    text: str
    charset: Charset | None
    offset: int
    length: int
    drop: str | None


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PlainText:
    """Texts of plain text files.

    ``per`` says what a text is: a ``line``, a ``paragraph`` (lines between blank lines) or a ``file``. ``charset``
    (any label of the WHATWG Encoding Standard, such as ``cp932``) overrules what the bytes say; without it the whole
    file, or for lines and paragraphs its first 64 kB, decide. A text of more than ``text_bytes`` is passed over, or
    for a file gives a row without text, dropped as ``source.too_large``. What zstd or xz can only inflate with a window
    of more than ``window_bytes`` is passed over. Batches end at ``batch_rows`` rows or ``batch_bytes`` of text.
    """

    per: Literal["line", "paragraph", "file"] = "line"
    charset: str | None = None
    text_bytes: PositiveInt = 16 << 20
    window_bytes: PositiveInt = WINDOW_BYTES
    slice_bytes: PositiveInt = 32 << 20
    batch_rows: PositiveInt = 1024
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = with_compressions(".txt", ".text")
    revision: ClassVar[int] = 3
    built_on: ClassVar[tuple[str, ...]] = ("chardet", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = {field.name: field.type for field in TEXTS}

    def __post_init__(self) -> None:
        if self.charset is not None and encoding_of(self.charset) is None:
            raise ValueError(
                f"charset {self.charset!r} is none that the Encoding Standard names. Try utf-8 or shift_jis"
            )

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """One slice for ``per: file``, else slices of about ``slice_bytes`` of a file that is not compressed."""
        return whole(given, limit) if self.per == "file" else planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS`` for what begins in the slice; blank lines are no texts.

        A text that cannot be read in the encoding of its file has U+FFFD for what cannot, and is dropped as
        ``source.doubtful_charset``. Counts in ``passed_over``: ``source.too_large``, ``source.damaged_compression``,
        ``source.large_window`` and ``source.empty_file``. A damaged file gives the text before the damage, for
        ``per: file`` in a row that is dropped as ``source.damaged_compression``.
        """
        if piece.start == piece.end == 0:
            passed_over["source.empty_file"] += 1
            return
        rows = self._file(piece, file) if self.per == "file" else self._texts(piece, file, passed_over)
        for batch in grouped(((row, row.length) for row in rows), self.batch_rows, self.batch_bytes):
            yield _batch(piece, batch)

    def _texts(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[Row]:
        left = piece.limit
        charset = self._of_head(file, piece.name)
        wide = charset.encoding.codec if charset.encoding.family == "wide" else None
        find = lines if self.per == "line" else paragraphs
        try:
            for line in find(file, piece.name, piece.start, piece.end, self.text_bytes, self.window_bytes, wide):
                if left == 0:
                    return
                if line[2] is not None and not line[2].strip():
                    continue
                left = left if left is None else left - 1
                if line[2] is None:
                    passed_over["source.too_large"] += 1
                else:
                    yield _row(line, line[2], charset, UTF_8 if wide else charset.encoding)
        except Damaged as damage:
            passed_over[f"source.{damage.reason}"] += 1

    def _of_head(self, file: BinaryIO, name: str) -> Charset:
        """The encoding that is given, else the one that the first lines are in, else UTF-8."""
        head, _ = self._begin(file, name, HEAD_BYTES)
        given = encoding_of(self.charset)
        if given is not None:
            return Charset(given, "recipe", 1.0)
        # A head that ends within a line may end within a character.
        decision = decide(head[: head.rfind(b"\n") + 1] or head, None)
        if decision.doubtful or decision.by == "repaired":
            # Mojibake is read back page by page, not line by line: the bytes are UTF-8.
            return Charset(UTF_8, "utf-8", decision.score)
        return Charset(BY_NAME[decision.charset], decision.by, decision.score)

    def _begin(self, file: BinaryIO, name: str, most: int) -> tuple[bytes, str | None]:
        """The first bytes of the text, up to about ``most``, and the damage if they end before."""
        found = bytearray()
        try:
            for block in blocks(file, kind_of(file, name), 0, self.window_bytes):
                found += block
                if len(found) > most:
                    break
        except Damaged as damage:
            return bytes(found), damage.reason
        return bytes(found[: most + 1]), None

    def _file(self, piece: Slice, file: BinaryIO) -> Iterator[Row]:
        if piece.start > 0:
            return
        data, damage = self._begin(file, piece.name, self.text_bytes)
        size = file.seek(0, io.SEEK_END)
        if len(data) > self.text_bytes:
            yield Row(sha256(piece.fingerprint.encode())[:32], "", None, 0, size, "source.too_large")
            return
        encoding = encoding_of(self.charset)
        if encoding is not None:
            row = _row((0, size, data), data.removeprefix(BOM), Charset(encoding, "recipe", 1.0), encoding)
        else:
            found = decide(data, None)
            charset = Charset(BY_NAME[found.charset], found.by, found.score)
            drop = "source.doubtful_charset" if found.doubtful else None
            row = Row(identity(None, None, found.text), found.text, charset, 0, size, drop)
        yield row if damage is None else Row(row.id, row.text, row.charset, 0, size, f"source.{damage}")


def _row(line: Line, data: bytes, charset: Charset, encoding: Encoding) -> Row:
    text = decode(encoding, data).removeprefix("\ufeff")
    bad = text.count("\ufffd") > (data.count(b"\xef\xbf\xbd") if encoding is UTF_8 else 0)
    drop = "source.doubtful_charset" if bad else None
    return Row(identity(None, None, text), text, charset, line[0], line[1], drop)


def _batch(piece: Slice, rows: Sequence[Row]) -> pa.RecordBatch:
    none = [None] * len(rows)
    columns = {
        "id": [row.id for row in rows],
        "url": none,
        "date": none,
        "title": none,
        "text": [row.text for row in rows],
        "charset": [row.charset and row.charset.encoding.name for row in rows],
        "charset_by": [row.charset and row.charset.by for row in rows],
        "charset_score": [row.charset and row.charset.score for row in rows],
        "licence": none,
        "source_file": [piece.name] * len(rows),
        "source_offset": [row.offset for row in rows],
        "source_length": [row.length for row in rows],
        "drop": [row.drop for row in rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=TEXTS)
