"""Main text by our own model."""

from dataclasses import replace
from typing import Any

from corpusforge.extract.extractor import MODEL, Line, extracted
from corpusforge.extract.metadata import Metadata, metadata
from corpusforge.extract.network import read_network
from corpusforge.extract.options import PLAIN, Options
from corpusforge.extract.page import read_page
from corpusforge.extract.result import Result, dropped
from corpusforge.extract.surroundings import SLOTS
from corpusforge.models.cache import Model, load

EXTRACTOR = Model(
    "extractor",
    "6a754a270710e7bf48462618dafb9f08decad384bd4f7e1d2ba32d8cd7d3eb8d",
    MODEL,
    package="corpusforge.extract",
)
"""Fitted to the development pages of WCXB (CC BY 4.0) and others; see ``extractor.md`` beside it."""


class Corpusforge:
    """Extracts with the model that comes with the package; with ``metadata`` and other parts where they are asked
    for."""

    def __init__(self, metadata: bool = False, options: Options = PLAIN) -> None:
        self._network = load(EXTRACTOR, lambda path: read_network(path, SLOTS))
        self._metadata, self._options = metadata, options

    def __call__(self, html: bytes, place: str, url: str | None = None) -> Result:
        """The main text of a page of UTF-8, with how sure that is; ``url`` is the page's own address."""
        page = read_page(html)
        found = extracted(page, self._network, replace(self._options, url=url) if url else self._options)
        if not found.lines:
            return dropped("no_text")
        told = metadata(page) if self._metadata else Metadata()
        return Result(
            found.text,
            found.title or None,
            _blocks(found.lines),
            confidence=round(found.confidence, 3),
            page_type=found.kind,
            author=told.author or None,
            published=told.date or None,
            comments=found.comments or None,
        )


def _blocks(lines: list[Line]) -> list[dict[str, Any]]:
    """One for each line, but for the empty ones of code."""
    blocks, start = [], 0
    for line in lines:
        end = start + len(line.text)
        if end > start:
            blocks.append({"path": line.path, "start": start, "end": end, "links": line.links, "score": line.score})
        start = end + 1
    return blocks
