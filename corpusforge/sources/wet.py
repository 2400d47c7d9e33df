"""WET files: the texts of conversion records, as Common Crawl extracts them.

Slices are byte ranges; a slice owns the records that begin in it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, NonNegativeInt, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.archive.batches import texts
from corpusforge.archive.packing import planned
from corpusforge.archive.page import label_of
from corpusforge.archive.record import Record
from corpusforge.archive.text import Text
from corpusforge.archive.warc import kind_of
from corpusforge.decoders import BUILT_ON
from corpusforge.schema import TEXTS
from corpusforge.sources import Input, Slice
from corpusforge.text.charset import decide
from corpusforge.text.http import media_type

SCHEMA = pa.schema([*TEXTS, ("identified_lang", pa.string()), ("damage", pa.string())])


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Wet:
    """Texts of WET files.

    ``identified_lang`` is what the crawler found the page's languages to be, as it says it (``jpn,eng``); ``damage``
    is ``wrong_length`` or ``cut``. A text of more than ``payload_bytes`` gives a row without text, dropped as
    ``source.too_large``. A slice looks ``look_back_bytes`` back so as not to take a WARC file inside a text for
    records. Batches end at ``batch_rows`` rows or ``batch_bytes`` of text, whichever comes first.
    """

    slice_bytes: PositiveInt = 16 << 20
    payload_bytes: PositiveInt = 8 << 20
    look_back_bytes: NonNegativeInt = 4 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (
        ".warc.wet", ".warc.wet.gz", ".warc.wet.zst", ".wet", ".wet.gz", ".wet.zst"
    )  # fmt: skip
    revision: ClassVar[int] = 3
    built_on: ClassVar[tuple[str, ...]] = ("chardet", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = {field.name: field.type for field in SCHEMA}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS``, ``identified_lang`` and ``damage`` for the texts that begin in the slice.

        Counts in ``passed_over``: ``source.not_content`` (what is no conversion record), ``source.not_text``,
        ``source.broken_record``, ``source.bomb``, ``source.not_warc`` and ``source.empty_file``.
        """
        yield from texts(self, piece, file, SCHEMA, _text, passed_over)


def _text(record: Record) -> Text | str:
    """The text in a record, else ``not_content`` or ``not_text``."""
    declared = record.fields.all("content-type")
    if kind_of(record) != "conversion":
        return "not_content"
    if media_type(declared[0] if declared else None) not in ("text/plain", ""):
        return "not_text"
    more = (record.fields.first("warc-identified-content-language"), record.damage)
    if len(record.block) < record.size:
        return Text(record, "", None, None, None, None, "source.too_large", more)
    decision = decide(record.block, label_of(declared))
    drop = "source.doubtful_charset" if decision.doubtful else None
    return Text(record, decision.utf8.decode(), None, decision.charset, decision.by, decision.score, drop, more)
