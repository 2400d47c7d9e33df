"""Files of HTML, one page each, and archives of them: zip, tar, compressed tar.

A page begins where its file or its member's head begins. A zip archive is cut into slices; a file, or a tar archive,
is one: it begins at 0, so a slice that begins later yields nothing.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, ClassVar
from urllib.parse import quote

import pyarrow as pa
from pydantic import ConfigDict, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.archive import tars, zips
from corpusforge.archive.packing import Bomb, Chain, Damaged, packing_of
from corpusforge.archive.page import COLUMNS, Capture, Page, Place, batch_of, page_of
from corpusforge.archive.record import Lost
from corpusforge.archive.streams import Plain, Stream, Supply
from corpusforge.decoders import BUILT_ON
from corpusforge.sources import Input, Slice, cut, grouped, whole
from corpusforge.text.canonical import sha256
from corpusforge.text.http import BOMB_BYTES, BOMB_RATIO, Fields, Message, is_html
from corpusforge.text.references import unescaped

ENDINGS = (".html", ".htm", ".xhtml", ".shtml")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".zst", ".bz2", ".tbz2", ".xz", ".txz", ".lz4", ".7z", ".rar", ".jar")
TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.lz4")
SNIFFED = 1 << 12
HEAD_BYTES = 1 << 16
HTML = (("content-type", "text/html"),)
Found = tuple[Place, str | None, Page]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Pages:
    """HTML files, and archives of them.

    A member of an archive is a page if its name ends like one or it begins like one. With ``base_url`` the address is
    that, followed by the file's name or the member's (``base_url: https://`` for a mirror in folders named by host);
    without, what the page says: where a browser saved it from, its canonical link, its ``og:url``; else null.
    ``member`` is the name in the archive. A page of more than ``payload_bytes`` gives a row without html, dropped as
    ``source.too_large``. Bytes behind a compressed file's members that are no member are one ``broken_record`` of a
    tar archive, and leave a page ``cut``. Batches end at ``batch_rows`` rows or ``batch_bytes`` of html, whichever
    comes first.
    """

    base_url: str | None = None
    slice_bytes: PositiveInt = 16 << 20
    payload_bytes: PositiveInt = 8 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (*ENDINGS, ".html.gz", ".htm.gz", ".html.zst", ".zip", *TARS)
    revision: ClassVar[int] = 3
    built_on: ClassVar[tuple[str, ...]] = ("chardet", *BUILT_ON)
    writes: ClassVar[dict[str, pa.DataType]] = {**COLUMNS, "member": pa.string()}

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes`` of a zip archive; else, and with ``limit``, one."""
        if limit is not None or given.bytes <= self.slice_bytes:
            return whole(given, limit)
        with given.open() as file:
            return cut(given, self.slice_bytes) if _is_zip(file, given.name) else whole(given)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``SOURCE``, ``damage`` and ``member`` for the pages that begin in the slice.

        Counts in ``passed_over``: ``source.not_html``, ``source.not_content`` (folders, links),
        ``source.nested_archive``, ``source.encrypted``, ``source.unknown_coding``, ``source.broken_record``,
        ``source.broken_archive`` (a zip archive without its directory, read by its members' heads), ``source.bomb``,
        ``source.empty_archive`` and ``source.empty_file``.
        """
        if piece.start == piece.end == 0:
            passed_over["source.empty_file"] += 1
            return
        rows = self._limited(piece, file, passed_over)
        for batch in grouped(((row, len(row[2].html)) for row in rows), self.batch_rows, self.batch_bytes):
            made = batch_of(piece.name, [(place, page) for place, _, page in batch])
            yield made.append_column("member", pa.array([member for _, member, _ in batch], pa.string()))

    def _limited(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[Found]:
        left = piece.limit
        items = self._zip(file, piece) if _is_zip(file, piece.name) else self._stream(file, piece)
        for item in items:
            if left == 0:
                return
            if isinstance(item, Lost):
                passed_over[f"source.{item.reason}"] += 1
                continue
            yield item
            left = None if left is None else left - 1

    def _zip(self, file: BinaryIO, piece: Slice) -> Iterator[Found | Lost]:
        entry: zips.Entry | Lost | None = None
        for entry in zips.entries(file):
            begins = entry.begins if isinstance(entry, Lost) else entry.offset
            if begins >= piece.end:
                return
            if begins >= piece.start:
                yield entry if isinstance(entry, Lost) else self._member(file, entry)
        if entry is None and piece.start == 0:
            yield Lost(0, "empty_archive")

    def _member(self, file: BinaryIO, entry: zips.Entry) -> Found | Lost:
        if entry.name.endswith("/"):
            return Lost(entry.offset, "not_content")
        supply = zips.opened(file, entry)
        if isinstance(supply, str):
            return Lost(entry.offset, supply)
        stream = Stream(supply, 0)
        try:
            outcome = self._page(entry.name, stream, None)
            rest = stream.fill(1)
        except Damaged as error:
            return Lost(entry.offset, "bomb" if isinstance(error, Bomb) else "broken_record")
        if isinstance(outcome, str):
            return Lost(entry.offset, outcome)
        page, data = outcome
        if len(data) > max(BOMB_BYTES, BOMB_RATIO * entry.packed):
            return Lost(entry.offset, "bomb")
        if entry.crc is not None and not rest and zlib.crc32(data) != entry.crc:
            return Lost(entry.offset, "broken_record")
        return Place(entry.offset, entry.packed), entry.name, page

    def _stream(self, file: BinaryIO, piece: Slice) -> Iterator[Found | Lost]:
        """The page, or the pages of the tar archive, that a file is."""
        if piece.start > 0:
            return
        packing = packing_of(file)
        supply: Supply = Plain(file, 0) if packing is None else Chain(file, packing)
        stream = Stream(supply, 0)
        try:
            stream.fill(tars.BLOCK)
            if piece.name.lower().endswith(TARS) or tars.is_tar(bytes(stream.buffer[: tars.BLOCK])):
                yield from self._tar(stream)
                if isinstance(supply, Chain) and supply.strange:
                    yield Lost(0, "broken_record")
                return
            outcome = self._page(piece.name.removesuffix(".gz").removesuffix(".zst"), stream, None)
        except Damaged as error:
            yield Lost(0, "bomb" if isinstance(error, Bomb) else "broken_record")
            return
        if isinstance(outcome, str):
            yield Lost(0, outcome)
            return
        strange = isinstance(supply, Chain) and supply.strange
        page = replace(outcome[0], damage="cut") if strange else outcome[0]
        yield Place(0, piece.end), None, page

    def _tar(self, stream: Stream) -> Iterator[Found | Lost]:
        entry: tars.Entry | Lost | None = None
        for entry in tars.entries(stream):
            if isinstance(entry, Lost):
                yield entry
                continue
            outcome = self._page(entry.name, stream, entry.size)
            if isinstance(outcome, str):
                yield Lost(entry.offset, outcome)
            else:
                yield Place(entry.offset, entry.size), entry.name, outcome[0]
        if entry is None:
            yield Lost(0, "empty_archive")

    def _page(self, name: str, stream: Stream, size: int | None) -> tuple[Page, bytes] | str:
        """The page at a stream's position, with its bytes, else ``not_html`` or ``nested_archive``.

        ``size`` is how many bytes of the stream are the page's; None for all of them.
        """
        most = self.payload_bytes + 1 if size is None else min(size, self.payload_bytes + 1)
        stream.fill(min(most, SNIFFED))
        head = bytes(stream.buffer[: min(most, SNIFFED)])
        ending = name.lower().endswith(ENDINGS)
        if not is_html(None, ["text/html"] if ending else [], head):
            return "nested_archive" if name.lower().endswith(ARCHIVES) else "not_html"
        data = stream.take(most)
        url = None if self.base_url is None else self.base_url + _path(name)
        damage = "cut" if size is not None and len(data) < most else None
        whole_page = len(data) <= self.payload_bytes
        message = Message(200, Fields(HTML), data)
        page = page_of(
            Capture(f"{url}\n{sha256(data)}", url, None, message, None, whole_page, damage), self.payload_bytes
        )
        if isinstance(page, str):
            return page
        return (page if page.url else replace(page, url=declared_url(page.html))), data


def _is_zip(file: BinaryIO, name: str) -> bool:
    file.seek(0)
    return file.read(4) in (zips.HEAD, zips.LAST) or name.lower().endswith(".zip")


def _path(name: str) -> str:
    """A file's name as part of an address: no step upwards, nothing that an address cannot hold."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return quote("/".join(parts), safe="/~!$&'()*+,;=:@")


SAVED = re.compile(rb"<!--\s{0,8}saved from url=(?:\(\d{1,8}\))?([^\s>]{1,4000})")
TAG = re.compile(rb"<(?:link|meta)\b[^>]{0,4000}>", re.IGNORECASE)
CANONICAL = re.compile(rb"\brel\s{0,8}=\s{0,8}[\"']?canonical\b", re.IGNORECASE)
SOCIAL = re.compile(rb"\bproperty\s{0,8}=\s{0,8}[\"']?og:url\b", re.IGNORECASE)
VALUE = re.compile(rb"\b(?:href|content)\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
ABSOLUTE = re.compile(r"https?://[^\s/]+(?:/\S*)?", re.IGNORECASE)


def declared_url(html: bytes) -> str | None:
    """The address that a page gives itself: where a browser saved it from, its canonical link, its ``og:url``."""
    head = html[:HEAD_BYTES]
    saved = SAVED.search(head)
    found = [saved[1]] if saved else []
    tags = [tag[0] for tag in TAG.finditer(head)]
    for sign in (CANONICAL, SOCIAL):
        values = [VALUE.search(tag) for tag in tags if sign.search(tag)]
        found += [value[1] or value[2] or value[3] or b"" for value in values if value]
    addresses = (unescaped(value.decode("utf-8", "replace")).strip() for value in found)
    return next((address for address in addresses if ABSOLUTE.fullmatch(address)), None)
