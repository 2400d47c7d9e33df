"""MediaWiki dumps (``pages-articles``): each page a text, its wikitext cleaned.

A plain dump and one of many bz2 streams (``multistream``) can be entered anywhere: a slice owns the pages that begin in
it, or in a stream that begins in it. Offsets are those in the file, for bz2 those of the stream plus those in what it
inflates to, else those in what the file inflates to. Any other compressed dump is one slice.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa
from pydantic import ConfigDict, Field, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.decoders import BUILT_ON, WINDOW_BYTES
from corpusforge.records.compressed import PLAIN, kind_of, with_compressions
from corpusforge.records.dumps import STREAM_MARK, Found, bz2_pieces, next_stream, pages, plain_pieces
from corpusforge.records.wiki_page import Page, Site, page_of, site_of
from corpusforge.schema import TEXTS
from corpusforge.sources import Input, Slice, cut, grouped, whole
from corpusforge.text.canonical import sha256
from corpusforge.text.wikitext import TooDear, Wikitext, shipped_templates

NUMBERS = {"source_page": pa.int64(), "source_revision": pa.int64()}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Wiki:
    """Pages of MediaWiki dumps.

    ``namespaces`` are the numbers of those that are read: 0 has the articles. ``tables`` keeps tables, a row a line.
    ``templates`` adds to the templates whose text is kept: a name and a format, as in ``{"lang": "{2}"}``; an empty
    format drops one. ``variant`` chooses among spellings where a wiki has several (``zh-hans``, ``zh-tw``, ``sr-ec``).
    ``licence`` is that of the wiki, which dumps do not say: ``CC-BY-SA-4.0`` for Wikipedia. A page of more than
    ``page_bytes`` is dropped as ``source.too_large``; what zstd or xz can only inflate with a window of more than
    ``window_bytes`` is passed over. Batches end at ``batch_rows`` rows or ``batch_bytes`` of pages.
    """

    namespaces: tuple[int, ...] = (0,)
    tables: bool = False
    templates: dict[str, str] = Field(default_factory=dict)
    variant: str = "zh-hans"
    licence: str | None = None
    page_bytes: PositiveInt = 8 << 20
    window_bytes: PositiveInt = WINDOW_BYTES
    slice_bytes: PositiveInt = 32 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = with_compressions(".xml")
    revision: ClassVar[int] = 2
    built_on: ClassVar[tuple[str, ...]] = ("mwparserfromhell", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = {**{field.name: field.type for field in TEXTS}, **NUMBERS}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes`` of a plain dump or one of many bz2 streams; else, or with ``limit``, one."""
        if limit is not None or given.bytes <= self.slice_bytes:
            return whole(given, limit)
        with given.open() as file:
            kind = kind_of(file, given.name)
            second = next_stream(file, STREAM_MARK, self.slice_bytes) if kind == "bz2" else None
        return cut(given, self.slice_bytes) if kind == PLAIN or second is not None else whole(given)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS``, ``source_page`` and ``source_revision`` for the pages that begin in the slice.

        Drops ``source.too_large`` and ``source.too_dear`` (so many marks are not closed that parsing would take
        minutes). Counts in ``passed_over``: ``source.redirect``, ``source.not_content`` (other namespaces, scripts and
        data), ``source.no_text``, ``source.broken_page``, ``source.damaged`` (the dump has no end),
        ``source.damaged_compression``, ``source.not_wiki`` and ``source.empty_file``.
        """
        if piece.start == piece.end:
            passed_over["source.empty_file"] += piece.end == 0
            return
        kind = kind_of(file, piece.name)
        if kind not in (PLAIN, "bz2") and piece.start > 0:
            return
        site = site_of(plain_pieces(file, kind, 0, self.window_bytes))
        pieces = (
            bz2_pieces(file, piece.start) if kind == "bz2" else plain_pieces(file, kind, piece.start, self.window_bytes)
        )
        found = pages(pieces, piece.start, piece.end, self.page_bytes)
        sized = ((row, row["source_length"]) for row in self._rows(piece, found, site, passed_over))
        schema = pa.schema(list(self.writes.items()))
        for rows in grouped(sized, self.batch_rows, self.batch_bytes):
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    def _rows(
        self, piece: Slice, found: Iterator[Found], site: Site, passed_over: Counter[str]
    ) -> Iterator[dict[str, Any]]:
        templates = {**shipped_templates(), **{name.lower(): form for name, form in self.templates.items()}}
        cleaner = Wikitext(site.lang, site.hidden, templates, self.tables, self.variant)
        left = piece.limit
        for one in found:
            if left == 0:
                return
            row = self._row(one, site, cleaner)
            if isinstance(row, str):
                passed_over[f"source.{row}"] += 1
            else:
                yield row | {"source_file": piece.name, "source_offset": one.offset, "source_length": one.length}
            if left is not None and row not in ("redirect", "not_content", "not_wiki"):
                left -= 1

    def _row(self, found: Found, site: Site, cleaner: Wikitext) -> dict[str, Any] | str:
        """The columns of a page but those of its source, or why there is none."""
        page = page_of(found) if found.reason in (None, "too_large") else None
        if page is None:
            return found.reason or "broken_page"
        if page.redirect:
            return "redirect"
        if page.namespace not in self.namespaces or page.model not in ("wikitext", None):
            return "not_content"
        drop, text = found.reason, ""
        if drop is None:
            try:
                text = cleaner.clean(page.text)
            except TooDear:
                drop = "too_dear"
        if drop is None and not text.strip():
            return "no_text"
        return {
            "id": identity(site, page),
            "url": site.url_of(page.title),
            "date": page.date,
            "title": page.title,
            "text": text,
            "licence": self.licence,
            "source_page": page.number,
            "source_revision": page.revision,
            "drop": drop and f"source.{drop}",
        }


def identity(site: Site, page: Page) -> str:
    """32 hex digits: of wiki, page and revision, else of wiki, title and text."""
    if page.number is not None:
        return sha256(f"{site.base}\n{page.number}\n{page.revision}".encode())[:32]
    return sha256(f"{site.base}\n{page.title}\n{sha256(page.text.encode())}".encode())[:32]
