"""Extract a page's main text, and say where in the page each line of it stood."""

from collections.abc import Callable
from dataclasses import fields
from importlib.util import find_spec
from typing import ClassVar, Literal

import pyarrow as pa
from pydantic import NonNegativeInt
from pydantic.dataclasses import dataclass

from corpusforge.engine import guard
from corpusforge.extract.by_corpusforge import EXTRACTOR, Corpusforge, fitted, network_of
from corpusforge.extract.by_resiliparse import NOT_INSTALLED, Resiliparse
from corpusforge.extract.by_trafilatura import Trafilatura
from corpusforge.extract.options import Options, Rule
from corpusforge.extract.result import Result, dropped
from corpusforge.models.cache import Model
from corpusforge.schema import BLOCK
from corpusforge.stages import STRICT, put
from corpusforge.text.block_ranges import blocks_column

PARTS = ("markdown", "links", "images", "comments", "title_heading", "byline", "captions")
FIELDS_OF = {
    "corpusforge": ("model", "metadata", *PARTS),
    "trafilatura": ("favor", "tables", "compare_below", "most_elements", "most_depth"),
}
"""Fields that are for one engine only."""


@dataclass(frozen=True, config=STRICT)
class MainText:
    """Write a page's main text, one paragraph a line, its title, and one block a line.

    ``engine`` is ``trafilatura``, ``corpusforge`` (our own model) or ``resiliparse``. Readings of ruby (``rt``, ``rp``)
    are taken out by every engine but resiliparse. Pages of more than ``most_bytes`` of UTF-8 are refused.

    Ours also writes how sure it is (``confidence``, the word F1 that it expects, 0 to 1), the ``page_type``, and with
    ``metadata`` the ``author``, the day that it was ``published`` and the language that the page declares
    (``declared_lang``), where they are marked up. ``markdown`` marks
    headings, lists, tables, code and quotes; ``links`` and ``images`` write addresses into the text; ``comments`` puts
    those of readers into a column of their own; ``title_heading``, ``byline`` and ``captions`` are main text where the
    model says so, always beside main text (``keep``) or never (``drop``). ``model`` is the path of one that
    ``corpusforge fit extractor`` wrote, in place of ours.

    For trafilatura: ``favor="precision"`` is its ``favor_precision``, as datatrove runs it; comments of readers are
    left out, tables of data are kept by option, tables that only lay out are read as blocks; its own deduplication
    stays off: it remembers pages. With ``compare_below`` (2 000, say) it compares its text with those of readability
    and justext only where its own has fewer characters: some 5 % cheaper, .002 of F1 lower. What is too dear is refused
    by counted work: ``most_elements``, ``most_depth`` of nesting (libxml2 itself stops at 2 048), attributes (a tag
    with over 2 000 loses them); of 8 401 real pages one has over 11 000 elements, which cost up to 5 s in the worst
    shapes.

    Reasons: ``too_large``, ``too_many_elements``, ``too_many_attributes``, ``too_deep``, ``not_parsed``, ``not_html``,
    ``no_text``, ``extractor_error``. Raises ``MemoryError`` naming the document where a failure to parse or an empty
    result may come from memory that is short.
    """

    engine: Literal["trafilatura", "corpusforge", "resiliparse"] = "trafilatura"
    model: str | None = None
    metadata: bool = False
    markdown: bool = False
    links: bool = False
    images: bool = False
    comments: bool = False
    title_heading: Rule = "model"
    byline: Rule = "model"
    captions: Rule = "model"
    favor: Literal["default", "precision"] = "default"
    tables: bool = True
    compare_below: NonNegativeInt | None = None
    most_bytes: int = 10_000_000
    most_elements: int = 20_000
    most_depth: int = 200

    revision: ClassVar[int] = 5
    unrecorded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        changed = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
        for engine, names in FIELDS_OF.items():
            given = [name for name in changed if name in names]
            if given and self.engine != engine:
                raise ValueError(f"{', '.join(given)}: only with engine: {engine}, not {self.engine}")
        if self.engine == "resiliparse" and find_spec("resiliparse") is None:
            raise ValueError(NOT_INSTALLED)
        if self.model is not None:
            network_of(fitted(self.model))

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns; the page's address where others are made absolute by it."""
        return ("html", "source_file", "source_offset", *(("url",) if self.links or self.images else ()))

    @property
    def writes(self) -> dict[str, pa.DataType]:
        """Columns; those of confidence and type where the engine tells them."""
        told: dict[str, pa.DataType] = {}
        if self.engine == "corpusforge":
            told = {"confidence": pa.float32(), "page_type": pa.string()}
        if self.engine == "corpusforge" and self.metadata:
            told |= {"author": pa.string(), "published": pa.string(), "declared_lang": pa.string()}
        if self.comments:
            told |= {"comments": pa.large_string()}
        text = {"text": pa.large_string(), "title": pa.string(), "blocks": pa.list_(BLOCK)}
        return {**text, **told, "drop": pa.string()}

    @property
    def built_on(self) -> tuple[str, ...]:
        """Libraries whose version changes the text."""
        if self.engine == "trafilatura":
            return ("trafilatura", "lxml", "lxml_html_clean", "justext")
        return ("resiliparse",) if self.engine == "resiliparse" else ()

    @property
    def models(self) -> tuple[Model, ...]:
        if self.engine != "corpusforge":
            return ()
        return (EXTRACTOR if self.model is None else fitted(self.model),)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = (batch[name].to_pylist() for name in self.reads)
        extract, rows = self._engine(), []
        for html, file, offset, *url in zip(*columns, strict=True):
            place = f"{file}:{offset}"
            guard.at(place)
            large = len(html or b"") > self.most_bytes
            rows.append(dropped("too_large") if large else extract(html or b"", place, *url))
        guard.at("")
        values = {name: [getattr(row, name) for row in rows] for name in self.writes}
        return put(self, batch, **values | {"blocks": blocks_column(values["blocks"])})

    def _engine(self) -> Callable[..., Result]:
        if self.engine == "corpusforge":
            chosen = {name: getattr(self, name) for name in PARTS}
            return Corpusforge(self.metadata, Options(**chosen), self.models[0])
        if self.engine == "resiliparse":
            return Resiliparse()
        precise = self.favor == "precision"
        return Trafilatura(precise, self.tables, self.most_elements, self.most_depth, self.compare_below)
