"""WAT files: title and description of each page, and how many links it has, as Common Crawl lists them.

Slices are byte ranges; a slice owns the records that begin in it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, NonNegativeInt, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.archive.batches import texts
from corpusforge.archive.packing import planned
from corpusforge.archive.record import Record
from corpusforge.archive.text import Text
from corpusforge.archive.warc import kind_of
from corpusforge.decoders import BUILT_ON
from corpusforge.schema import TEXTS
from corpusforge.sources import Input, Slice

SCHEMA = pa.schema([*TEXTS, ("links", pa.int32()), ("damage", pa.string())])


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Wat:
    """Titles, descriptions and numbers of links of the pages in WAT files.

    The text is the title and, in a line of its own, the description that the page declares; it tells what a page is
    about without its body. A record of more than ``payload_bytes`` gives a row without text, dropped as
    ``source.too_large``. A slice looks ``look_back_bytes`` back so as not to take a WARC file inside a record for
    records. Batches end at ``batch_rows`` rows or ``batch_bytes`` of text, whichever comes first.
    """

    slice_bytes: PositiveInt = 16 << 20
    payload_bytes: PositiveInt = 8 << 20
    look_back_bytes: NonNegativeInt = 4 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (
        ".warc.wat", ".warc.wat.gz", ".warc.wat.zst", ".wat", ".wat.gz", ".wat.zst"
    )  # fmt: skip
    revision: ClassVar[int] = 2
    built_on: ClassVar[tuple[str, ...]] = BUILT_ON
    writes: ClassVar[dict[str, pa.DataType]] = {field.name: field.type for field in SCHEMA}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS``, ``links`` and ``damage`` for the records on HTML pages that begin in the slice.

        Counts in ``passed_over``: ``source.not_content`` (records on requests and on metadata), ``source.not_html``
        (records on other responses), ``source.broken_json``, ``source.broken_record``, ``source.bomb``,
        ``source.not_warc`` and ``source.empty_file``.
        """
        yield from texts(self, piece, file, SCHEMA, _text, passed_over)


def _text(record: Record) -> Text | str:
    """Title and description in a record, else ``not_content``, ``not_html`` or ``broken_json``."""
    if kind_of(record) != "metadata":
        return "not_content"
    if len(record.block) < record.size:
        return Text(record, "", None, None, None, None, "source.too_large", (None, record.damage))
    try:
        envelope = json.loads(record.block.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return "broken_json"
    payload = _within(envelope, "Envelope", "Payload-Metadata")
    response = _within(payload, "HTTP-Response-Metadata")
    if not response:
        return "not_content"
    page = _within(response, "HTML-Metadata")
    if not page:
        return "not_html"
    head, links = _within(page, "Head"), page.get("Links")
    title, description = _said(head.get("Title")), _description(head.get("Metas"))
    count = len(links) if isinstance(links, list) else 0
    text = "\n".join(piece for piece in (title, description) if piece)
    return Text(record, text, title or None, "utf-8", "utf-8", 1.0, None, (count, record.damage))


def _within(value: Any, *names: str) -> dict[str, Any]:
    """The object under a path of names; an empty one where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _description(metas: Any) -> str:
    """The page's description, else that for social networks."""
    found: dict[str, str] = {}
    for meta in metas if isinstance(metas, list) else []:
        if isinstance(meta, dict):
            name = _said(meta.get("name") or meta.get("property")).lower()
            found.setdefault(name, _said(meta.get("content")))
    return found.get("description") or found.get("og:description") or ""


def _said(value: Any) -> str:
    """A string in one line, without what UTF-8 cannot hold."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()
