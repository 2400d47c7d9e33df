"""Main text by our own model."""

import re
from dataclasses import replace
from pathlib import Path

from corpusforge.extract.extractor import MODEL, THRESHOLD, extracted, short_page
from corpusforge.extract.metadata import Metadata, metadata, told_text
from corpusforge.extract.network import Network, read_network
from corpusforge.extract.options import PLAIN, Options
from corpusforge.extract.page import Page, read_page
from corpusforge.extract.result import Lines, Result, dropped
from corpusforge.extract.surroundings import SLOTS
from corpusforge.models.cache import Model, load
from corpusforge.text.canonical import sha256
from corpusforge.text.references import unescaped

EXTRACTOR = Model(
    "extractor",
    "9d2e007d754cf22fd1898dc6e762551d42b0cc10c2da8ceb4e910c4cab81bf4b",
    MODEL,
    package="corpusforge.extract",
)
"""Fitted to the development pages of WCXB (CC BY 4.0) and others; see ``extractor.md`` beside it."""
SCRIPT = "script"
"""The path of lines that no element of the page shows; their score is the least that is taken."""
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")


def fitted(path: str) -> Model:
    """The model in a file that ``corpusforge fit extractor`` wrote; raises ``ValueError`` where there is none."""
    try:
        return Model("extractor", sha256(Path(path).read_bytes()), path)
    except OSError as error:
        raise ValueError(
            f"model: {path} cannot be read ({error.strerror}); `corpusforge fit extractor` makes one"
        ) from None


def network_of(model: Model) -> Network:
    """The loaded model; raises ``ValueError`` where its file is none or was made for other features."""
    return load(model, lambda path: read_network(path, SLOTS))


class Corpusforge:
    """Extracts with the model that comes with the package, or another; with ``metadata`` and other parts where they are
    asked for."""

    def __init__(self, metadata: bool = False, options: Options = PLAIN, model: Model = EXTRACTOR) -> None:
        self._network = network_of(model)
        self._metadata, self._options = metadata, options

    def __call__(self, html: bytes, place: str, url: str | None = None) -> Result:
        """The main text of a page of UTF-8, with how sure that is; ``url`` is the page's own address."""
        page = read_page(html)
        if html and len(page.tree) < 2:
            return dropped("not_html")
        found = extracted(page, self._network, replace(self._options, url=url) if url else self._options)
        told = metadata(page) if self._metadata else Metadata()
        told_lines = None if found.lines else _told(page)
        lines = found.lines or told_lines or short_page(page)
        if not lines:
            return dropped("no_text")
        return Result(
            lines.text,
            found.title or None,
            lines.blocks,
            confidence=None if told_lines else round(found.confidence, 3),
            page_type=found.kind or None,
            author=told.author or None,
            published=told.date or None,
            declared_lang=told.lang or None,
            comments=found.comments or None,
        )


def _told(page: Page) -> Lines:
    """The lines that a page without main text has in JSON-LD; markup in them is passed over."""
    lines = (" ".join(line.split()) for line in unescaped(_TAG.sub("\n", told_text(page))).split("\n"))
    return Lines.at(SCRIPT, THRESHOLD, [line for line in lines if line])
