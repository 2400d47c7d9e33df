"""JSON Lines, plain or compressed: each line an object with a text; also objects in an array.

A slice owns the lines that begin in it. Offsets are those in the file, or in what a compressed file inflates to; such a
file is one slice.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.decoders import WINDOW_BYTES
from corpusforge.records.compressed import with_compressions
from corpusforge.records.mapping import Mapped, Place, found, row_of
from corpusforge.records.objects import BUILT_ON, documents, planned
from corpusforge.sources import Input, Slice


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Jsonl(Mapped):
    """Texts of JSON Lines files.

    ``text``, ``id``, ``url``, ``date``, ``title`` and ``licence`` say where an object has them: a key, a dotted path
    (``metadata.url``), or several of these, the first one that holds something; the defaults fit C4, Dolma, OSCAR,
    FineWeb, RedPajama and datatrove. ``columns`` carries more keys on, each with its type (``string``, ``bool``,
    ``int32``, ``int64``, ``float32``, ``float64``, ``strings``); a value that does not fit is null. A line of more than
    ``line_bytes`` is passed over, and so is what zstd or xz can only inflate with a window of more than
    ``window_bytes``. Batches end at ``batch_rows`` rows or ``batch_bytes`` of lines.

    A file that begins with an array of objects, or with an object written over many lines, is read object by object,
    by one worker.
    """

    id: Place = ("id", "doc_id", "warc_headers.warc-record-id")
    url: Place = ("url", "metadata.url", "meta.url", "warc_headers.warc-target-uri")
    date: Place = ("date", "timestamp", "created", "metadata.date", "warc_headers.warc-date", "date_download")
    line_bytes: PositiveInt = 32 << 20
    window_bytes: PositiveInt = WINDOW_BYTES
    slice_bytes: PositiveInt = 32 << 20
    batch_rows: PositiveInt = 1024
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = with_compressions(".jsonl", ".ndjson", ".jsonlines", ".json")
    revision: ClassVar[int] = 1
    built_on: ClassVar[tuple[str, ...]] = BUILT_ON

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes`` of a plain file of lines; one of any other, or with ``limit``."""
        return planned(given, limit, self.slice_bytes)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS`` and the extra columns for the lines that begin in the slice; blank lines are none.

        A text in which half a surrogate pair became U+FFFD is dropped as ``source.lone_surrogate``. Counts in
        ``passed_over``: ``source.bad_json`` (no JSON object), ``source.not_utf8``, ``source.no_text``,
        ``source.bad_text`` (no string), ``source.too_large``, ``source.damaged_compression``, ``source.large_window``
        and ``source.empty_file``.
        """
        yield from documents(self, piece, file, passed_over, self._row)

    def _row(self, record: dict[str, Any]) -> dict[str, Any] | str:
        """The columns of an object's text but those of its source, or why there is none."""
        row = row_of(self, record)
        if row is not None:
            return row
        text = found(record, self.text)
        return "no_text" if text is None or isinstance(text, str) else "bad_text"
