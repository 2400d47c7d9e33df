"""Texts of archives as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from corpusforge.archive.record import Record
from corpusforge.archive.warc import address_of
from corpusforge.schema import TEXTS
from corpusforge.text.canonical import sha256


@dataclass(frozen=True)
class Text:
    """One text of an archive; ``more`` are values of the source's own columns."""

    record: Record
    text: str
    title: str | None
    charset: str | None
    charset_by: str | None
    charset_score: float | None
    drop: str | None
    more: tuple[Any, ...] = ()


def batch_of(source_file: str, schema: pa.Schema, rows: Sequence[Text]) -> pa.RecordBatch:
    """Texts as rows of ``TEXTS`` and the columns of ``schema`` behind them."""
    columns = {
        "id": [_identity(row) for row in rows],
        "url": [address_of(row.record) for row in rows],
        "date": [row.record.fields.first("warc-date") for row in rows],
        "title": [row.title for row in rows],
        "text": [row.text for row in rows],
        "charset": [row.charset for row in rows],
        "charset_by": [row.charset_by for row in rows],
        "charset_score": [row.charset_score for row in rows],
        "licence": [None] * len(rows),
        "source_file": [source_file] * len(rows),
        "source_offset": [row.record.offset for row in rows],
        "source_length": [row.record.length for row in rows],
        "drop": [row.drop for row in rows],
    }
    for place, name in enumerate(schema.names[len(TEXTS) :]):
        columns[name] = [row.more[place] for row in rows]
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _identity(row: Text) -> str:
    """32 hex digits: of the record's own name, else of address and content."""
    fields = row.record.fields
    name = fields.first("warc-record-id") or f"{address_of(row.record)}\n{sha256(row.record.block)}"
    return sha256(name.encode(errors="replace"))[:32]
