"""Demo pages as a reader of WARC files gets them."""

import gzip
from collections.abc import Iterator
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpusforge.demo.truth import Page, Truth

CONTENT = WarcRecordType.response | WarcRecordType.resource


class Wire:
    """What the standard library reads a response from."""

    def __init__(self, block: bytes) -> None:
        self.block = block

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self.block)


def http_payload(block: bytes) -> bytes:
    """The payload of an HTTP response, transfer and content codings undone by the standard library."""
    response = HTTPResponse(Wire(block))  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    return gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body


def payloads(folder: Path, truth: Truth) -> Iterator[tuple[Page, bytes]]:
    """Every page with its payload.

    Codings are not left to fastwarc: with ``auto_decode="all"`` version 2.0 ends after the first chunked record.
    """
    pages = {page.record_id.strip("<>"): page for page in truth.pages}
    for name in truth.records:
        with (folder / name).open("rb") as file:
            for record in ArchiveIterator(file, record_types=CONTENT, parse_http=False):
                block = record.reader.read()
                payload = block if record.record_type == WarcRecordType.resource else http_payload(block)
                yield pages[record.record_id.strip("<>")], payload
