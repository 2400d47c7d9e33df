"""What the demo's writer planted, page by page, and the one form in which texts are compared."""

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corpusforge.text.canonical import canonical_json

Body = tuple[tuple[str, ...], ...]
"""Paragraphs of sentences."""


@dataclass(frozen=True)
class Value:
    """A planted value of ``kind`` email, ip, phone — or lookalike, which must stay."""

    kind: str
    value: str


@dataclass(frozen=True)
class Page:
    """One response or resource record.

    ``kind`` is article, or what else was planted (a kind of ``odd.KINDS``). ``charset`` is the Python codec of the
    bytes, ``declared`` says where and as what it was declared ("" = UTF-8 declared rightly, as most pages do).
    ``group`` names the pages of one origin, ``copy`` says how this one relates to ``copy_of`` (a url): exact or near.
    ``twin_of`` is the url of a page of the same site, topic, title and noise with another text: no duplicate.
    """

    url: str
    record_id: str
    file: str
    site: str
    lang: str
    kind: str
    topic: str
    title: str
    body: Body
    noise: tuple[str, ...]
    private: tuple[Value, ...]
    lookalikes: tuple[Value, ...]
    charset: str
    declared: str
    group: str | None = None
    copy: str | None = None
    copy_of: str | None = None
    twin_of: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Page":
        given = dict(data)
        given["body"] = tuple(tuple(p) for p in data["body"])
        given["noise"] = tuple(data["noise"])
        for name in ("private", "lookalikes"):
            given[name] = tuple(Value(**v) for v in data[name])
        return cls(**given)

    def paragraphs(self) -> list[str]:
        """The body as it stands on the page."""
        join = "" if self.lang in UNSPACED else " "
        return [join.join(sentences) for sentences in self.body]


@dataclass(frozen=True)
class Truth:
    """Everything planted: ``pages`` in the order of the files, ``records`` counts WARC types by file."""

    seed: int
    pages: tuple[Page, ...]
    records: Mapping[str, Mapping[str, int]]

    def to_bytes(self) -> bytes:
        return canonical_json(asdict(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Truth":
        return cls(data["seed"], tuple(Page.from_json(p) for p in data["pages"]), data["records"])


UNSPACED = ("ja", "zh", "zh-Hant")
"""Languages whose sentences follow each other without a space."""


def key(text: str) -> str:
    """The form in which texts are compared: NFKC without any white space, so that line ends and widths do not count."""
    return "".join(unicodedata.normalize("NFKC", text).split())
