"""What a capture gives: a page, or the reason why it gives none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpusforge.schema import SOURCE
from corpusforge.text.canonical import sha256
from corpusforge.text.charset import decide
from corpusforge.text.http import Message, decoded, is_html

HEAD_ROOM = 1 << 18
"""Bytes of a record kept beyond the payload, for its HTTP head and the frames of its chunks."""
COLUMNS: dict[str, pa.DataType] = {**{field.name: field.type for field in SOURCE}, "damage": pa.string()}
"""``SOURCE``, and how a page was damaged before it was read: ``cut``, ``bad_chunks``, ``bad_coding``, ``wrong_length``
(null: it was not)."""
SCHEMA = pa.schema(list(COLUMNS.items()))


@dataclass(frozen=True)
class Capture:
    """A response as an archive holds it, its body still coded.

    ``name`` is the record's own, ``identified`` the type that the crawler found; ``whole`` says that the body was not
    cut at the reader's limit.
    """

    name: str | None
    url: str | None
    date: str | None
    message: Message
    identified: str | None = None
    whole: bool = True
    damage: str | None = None


@dataclass(frozen=True)
class Page:
    """One HTML page of an archive; ``html`` is UTF-8, empty where ``drop`` says that the payload was not to be had."""

    id: str
    url: str | None
    date: str | None
    html: bytes
    charset: str | None
    charset_by: str | None
    charset_score: float | None
    damage: str | None
    drop: str | None


@dataclass(frozen=True)
class Place:
    """Where in its file a page was."""

    offset: int
    length: int


def page_of(capture: Capture, payload_bytes: int) -> Page | str:
    """The page in a capture, else why there is none: ``http_status`` or ``not_html``."""
    message = capture.message
    if message.status != 200:
        return "http_status"
    body = decoded(message, payload_bytes)
    declared = message.fields.all("content-type")
    if not is_html(capture.identified, declared, body.data):
        return "not_html"
    problem = body.problem if capture.whole and body.problem != "too_large" else "too_large"
    damage = capture.damage or body.damage
    identity = sha256((capture.name or f"{capture.url}\n{sha256(body.data)}").encode(errors="replace"))[:32]
    if problem is not None:
        return Page(identity, capture.url, capture.date, b"", None, None, None, damage, f"source.{problem}")
    found = decide(body.data, label_of(declared))
    charset = (found.charset, found.by, found.score)
    drop = "source.doubtful_charset" if found.doubtful else None
    return Page(identity, capture.url, capture.date, found.utf8, *charset, damage, drop)


def label_of(declared: Sequence[str]) -> str | None:
    """The charset parameter of the first Content-Type that has one."""
    for value in declared:
        for parameter in value.split(";")[1:]:
            name, _, label = parameter.partition("=")
            if name.strip().lower() == "charset" and label.strip():
                return label.strip()
    return None


def batch_of(source_file: str, rows: Sequence[tuple[Place, Page]]) -> pa.RecordBatch:
    """Pages as rows of ``SCHEMA``."""
    columns = {
        "id": [page.id for _, page in rows],
        "url": [page.url for _, page in rows],
        "date": [page.date for _, page in rows],
        "html": _joined([page.html for _, page in rows]),
        "charset": [page.charset for _, page in rows],
        "charset_by": [page.charset_by for _, page in rows],
        "charset_score": [page.charset_score for _, page in rows],
        "licence": [None] * len(rows),
        "source_file": [source_file] * len(rows),
        "source_offset": [place.offset for place, _ in rows],
        "source_length": [place.length for place, _ in rows],
        "drop": [page.drop for _, page in rows],
        "damage": [page.damage for _, page in rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def _joined(values: Sequence[bytes]) -> pa.LargeBinaryArray:
    """Values as an array, each copied once: Arrow's own way grows its buffer by doubling."""
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int64)
    data = pa.allocate_buffer(int(offsets[-1]))
    view = memoryview(data).cast("B")
    for start, end, value in zip(offsets[:-1], offsets[1:], values, strict=True):
        view[start:end] = value
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(values), [None, pa.py_buffer(offsets), data])
