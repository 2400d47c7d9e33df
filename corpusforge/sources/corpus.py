"""Documents of an earlier corpus of ours: each row as it was kept, or several documents made of one.

A slice owns the row groups that begin in it. ``source_file``, ``source_offset`` and ``source_length`` stay those of the
first source, so that lineage leads to the record a text came from and not to the corpus in between.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ConfigDict, Field, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.decoders import raise_memory
from corpusforge.records.mapping import TYPES
from corpusforge.records.row_groups import tables
from corpusforge.records.tables import BUILT_ON
from corpusforge.schema import DOCUMENT, MASKED
from corpusforge.sources import Input, Slice, cut, grouped, whole
from corpusforge.text.canonical import sha256

CARRIED = {**TYPES, "masked": pa.list_(MASKED)}
NEEDED = ("id", "text", "source_file", "source_offset", "source_length")
CHILD = {"parent": pa.string(), "parent_start": pa.int32()}
BLANK = re.compile(r"\n[^\S\n]*(?=\n)")
LINE = re.compile(r"\S(?:.*\S)?")
BREAKS = (re.compile(r"\n"), re.compile(r"[。．！？!?]['\"」』）)]*|\.(?=\s)"), re.compile(r"\s"))


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Characters:
    """Pieces of at most that many characters (code points)."""

    characters: PositiveInt


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Corpus:
    """Documents of an earlier corpus.

    Every document has the columns of ``schemas/document.json``; ``columns`` names what else is carried on, with its
    type: ``string``, ``bool``, ``int32``, ``int64``, ``float32``, ``float64``, ``strings``, ``masked``. A recipe is
    checked before anything is read, so a column that is not named here is left behind. ``edits`` and ``blocks`` go with
    their document: replayed, they give the text that its first extraction wrote.

    ``split`` makes many documents of one: ``paragraphs`` (between blank lines), ``lines``, or ``{characters: N}``: at
    most N characters, up to a line's, else a sentence's, else a word's end in the second half, if there is one. A child
    has an id of its own, ``parent`` (the id) and ``parent_start`` (where its text begins in the parent's, in code
    points), and no edits and no blocks: those are the parent's.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    split: Literal["paragraphs", "lines"] | Characters | None = None
    slice_bytes: PositiveInt = 64 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = ("kept.parquet",)
    revision: ClassVar[int] = 1
    built_on: ClassVar[tuple[str, ...]] = BUILT_ON

    def __post_init__(self) -> None:
        for name, kind in self.columns.items():
            if kind not in CARRIED:
                raise ValueError(f"column {name} has type {kind!r}, which is none of {', '.join(CARRIED)}")
            if name in DOCUMENT.names or (self.split is not None and name in CHILD):
                raise ValueError(f"column {name} is carried on in any case")

    @property
    def writes(self) -> dict[str, pa.DataType]:
        every = {field.name: field.type for field in DOCUMENT}
        every |= {name: CARRIED[kind] for name, kind in self.columns.items()}
        return every if self.split is None else {**every, **CHILD}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return cut(given, self.slice_bytes) if limit is None else whole(given, limit)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """The documents of the row groups that begin in the slice; ``drop`` is null again.

        Counts in ``passed_over``: ``source.not_corpus`` (rows of a file that lacks columns every document has),
        ``source.no_text`` (no text, or nothing to split), ``source.damaged``, ``source.not_parquet``,
        ``source.empty_file``.
        """
        left = piece.limit
        for batch in self._documents(piece, file, passed_over):
            for made in [batch] if self.split is None else self._children(batch, passed_over):
                taken = made if left is None else made.slice(0, left)
                if taken.num_rows:
                    yield taken
                if left is not None:
                    left -= taken.num_rows
                    if left == 0:
                        return

    def _documents(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        wanted = [name for name in self.writes if name != "drop"]
        schema = pa.schema(
            [(name, kind) for name, kind in self.writes.items() if self.split is None or name not in CHILD]
        )
        found = tables(file, piece, lambda have: _chosen(have, wanted), self.batch_rows, self.batch_bytes, passed_over)
        for _, table in found:
            if not set(NEEDED) <= set(table.schema.names):
                passed_over["source.not_corpus"] += table.num_rows
                continue
            try:
                batch = _fitted(table, schema)
                batch.validate(full=True)
            except pa.ArrowException as error:
                raise_memory(error)
                passed_over["source.damaged"] += table.num_rows
                continue
            sound = batch.filter(pc.and_(batch["text"].is_valid(), batch["id"].is_valid()))
            if sound.num_rows < batch.num_rows:
                passed_over["source.no_text"] += batch.num_rows - sound.num_rows
            yield sound

    def _children(self, batch: pa.RecordBatch, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        sized = ((child, len(child[2])) for child in self._pieces(batch, passed_over))
        for children in grouped(sized, self.batch_rows, self.batch_bytes):
            rows, indices, texts, starts = zip(*children, strict=True)
            made = batch.take(pa.array(rows, pa.int64()))
            parents = made["id"].to_pylist()
            columns = {name: made[name] for name in made.schema.names} | {
                "id": pa.array([child_id(p, n) for p, n in zip(parents, indices, strict=True)], pa.string()),
                "text": pa.array(texts, pa.large_string()),
                "blocks": pa.nulls(len(rows), DOCUMENT.field("blocks").type),
                "edits": pa.array([[]] * len(rows), DOCUMENT.field("edits").type),
                "parent": made["id"],
                "parent_start": pa.array(starts, pa.int32()),
            }
            yield pa.RecordBatch.from_arrays([columns[name] for name in self.writes], names=list(self.writes))

    def _pieces(self, batch: pa.RecordBatch, passed_over: Counter[str]) -> Iterator[tuple[int, int, str, int]]:
        """Row, number in its parent, text and start of every child."""
        for row, text in enumerate(batch["text"].to_pylist()):
            number = -1
            for number, (start, end) in enumerate(self._ranges(text)):
                yield row, number, text[start:end], start
            if number < 0:
                passed_over["source.no_text"] += 1

    def _ranges(self, text: str) -> Iterator[tuple[int, int]]:
        if isinstance(self.split, Characters):
            yield from chunks(text, self.split.characters)
        elif self.split == "paragraphs":
            yield from _paragraphs(text)
        else:
            yield from (match.span() for match in LINE.finditer(text))


def child_id(parent: str, index: int) -> str:
    """The id of a document's piece: 32 hex digits of its parent's id and its number there, from 0."""
    return sha256(f"{parent}\n{index}".encode())[:32]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Ranges between blank lines, without the white space around them."""
    start = 0
    for end in (*(match.start() for match in BLANK.finditer(text)), len(text)):
        piece = text[start:end]
        begin = start + len(piece) - len(piece.lstrip())
        if piece := piece.strip():
            yield begin, begin + len(piece)
        start = end


def chunks(text: str, characters: int) -> Iterator[tuple[int, int]]:
    """Ranges of at most ``characters`` that cover a text; those of white space only are left out."""
    start = 0
    while start < len(text):
        end = min(start + characters, len(text))
        if end < len(text):
            end = _break(text, start + (characters + 1) // 2, end)
        if text[start:end].strip():
            yield start, end
        start = end


def _break(text: str, first: int, end: int) -> int:
    """The last place from ``first`` on where a line, else a sentence, else a word ends; ``end`` if there is none."""
    for pattern in BREAKS:
        places = [match.end() for match in pattern.finditer(text, first - 1, end)]
        if places:
            return places[-1]
    return end


def _chosen(have: pa.Schema, wanted: list[str]) -> list[str]:
    return [name for name in wanted if name in have.names] or have.names[:1]


def _fitted(table: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The table with exactly the columns of ``schema``; ``drop`` and columns that are not there are null."""
    have = set(table.schema.names) - {"drop"}
    rows = table.num_rows
    columns = [table[f.name].cast(f.type) if f.name in have else _nothing(f.type, rows) for f in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _nothing(kind: pa.DataType, rows: int) -> pa.Array:
    return pa.array([[]] * rows, kind) if kind == DOCUMENT.field("edits").type else pa.nulls(rows, kind)
