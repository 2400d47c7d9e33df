"""JSON objects, one a line, and the documents that they become."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import orjson
import pyarrow as pa

from corpusforge import decoders
from corpusforge.records.compressed import PLAIN, Damaged, blocks, kind_of
from corpusforge.records.lines import Line, lines
from corpusforge.records.nested import HEAD_BYTES, is_nested, nested
from corpusforge.slices import Input, Slice, cut, grouped, whole

BUILT_ON = (*decoders.BUILT_ON, "orjson")
"""Libraries whose version changes the objects of lines."""
SURROGATE = re.compile("[\ud800-\udfff]")


def parsed(line: bytes) -> tuple[dict[str, Any], bool] | str:
    """The object of a line and whether half a surrogate pair in it became U+FFFD; else ``bad_json`` or ``not_utf8``."""
    try:
        value, halved = orjson.loads(line), False
    except orjson.JSONDecodeError:
        try:
            value, halved = _with_python(line)
        except UnicodeDecodeError:
            return "not_utf8"
        except (ValueError, RecursionError):
            return "bad_json"
    return (value, halved) if isinstance(value, dict) else "bad_json"


def _with_python(line: bytes) -> tuple[Any, bool]:
    """Python's own reader also takes NaN and Infinity, as Python itself writes them, and halves of surrogate pairs."""
    value = json.loads(line.decode())
    dumped = json.dumps(value, ensure_ascii=False)
    if not SURROGATE.search(dumped):
        return value, False
    return json.loads(SURROGATE.sub("\ufffd", dumped)), True


class Objects(Protocol):
    """A source of lines of JSON."""

    @property
    def writes(self) -> dict[str, pa.DataType]: ...
    @property
    def line_bytes(self) -> int: ...
    @property
    def window_bytes(self) -> int: ...
    @property
    def batch_rows(self) -> int: ...
    @property
    def batch_bytes(self) -> int: ...


Take = Callable[[dict[str, Any]], dict[str, Any] | str]
"""From an object to the columns of its document but those of its source, or why there is none."""


def planned(given: Input, limit: int | None, slice_bytes: int) -> tuple[Slice, ...]:
    """Even slices of a plain file of lines; one of any other, or with a limit."""
    if limit is not None or given.bytes <= slice_bytes:
        return whole(given, limit)
    with given.open() as file:
        of_lines = kind_of(file, given.name) == PLAIN and not is_nested(_head(file, PLAIN, 0))
    return cut(given, slice_bytes) if of_lines else whole(given)


def documents(
    source: Objects, piece: Slice, file: BinaryIO, passed_over: Counter[str], take: Take
) -> Iterator[pa.RecordBatch]:
    """Batches of documents from the lines that begin in a slice, or from a file's nested objects; blank lines are none.

    A text in which half a surrogate pair became U+FFFD is dropped as ``source.lone_surrogate``. Counts what ``take``
    says and ``source.bad_json`` (no JSON object), ``source.not_utf8``, ``source.too_large`` (a line of more than
    ``line_bytes``), ``source.damaged_compression``, ``source.large_window`` and ``source.empty_file``.
    """
    if piece.start == piece.end == 0:
        passed_over["source.empty_file"] += 1
    schema = pa.schema(list(source.writes.items()))
    sized = ((row, row["source_length"]) for row in _rows(source, piece, file, passed_over, take))
    for rows in grouped(sized, source.batch_rows, source.batch_bytes):
        columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _rows(
    source: Objects, piece: Slice, file: BinaryIO, passed_over: Counter[str], take: Take
) -> Iterator[dict[str, Any]]:
    left = piece.limit
    try:
        for offset, length, line in _lines(source, piece, file):
            if left == 0:
                return
            if line is not None and (not line or line.isspace()):
                continue
            left = left if left is None else left - 1
            row = "too_large" if line is None else _row(line, take)
            if isinstance(row, str):
                passed_over[f"source.{row}"] += 1
                continue
            row["source_file"] = piece.name
            row["source_offset"] = offset
            row["source_length"] = length
            yield row
    except Damaged as damage:
        passed_over[f"source.{damage.reason}"] += 1


def _lines(source: Objects, piece: Slice, file: BinaryIO) -> Iterator[Line]:
    """The lines that begin in a slice; of a file that is nested its objects, which all begin at 0."""
    kind = kind_of(file, piece.name)
    if kind != PLAIN and piece.start > 0:
        return
    if not is_nested(_head(file, kind, source.window_bytes)):
        yield from lines(file, piece.name, piece.start, piece.end, source.line_bytes, source.window_bytes)
    elif piece.start == 0 < piece.end:
        yield from nested(blocks(file, kind, 0, source.window_bytes), source.line_bytes)


def _head(file: BinaryIO, kind: str, window_bytes: int) -> bytes:
    """The first plain bytes of a file, as far as they can be had."""
    if kind == PLAIN:
        file.seek(0)
        return file.read(HEAD_BYTES)
    try:
        return next(blocks(file, kind, 0, window_bytes), b"")[:HEAD_BYTES]
    except Damaged:
        return b""


def _row(line: bytes, take: Take) -> dict[str, Any] | str:
    read = parsed(line)
    if isinstance(read, str):
        return read
    record, halved = read
    row = take(record)
    if halved and isinstance(row, dict) and "\ufffd" in row["text"]:
        row["drop"] = "source.lone_surrogate"
    return row
