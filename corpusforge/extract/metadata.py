"""What a page says of itself: title, author, date and language, from JSON-LD, Open Graph and meta tags."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpusforge.extract.characters import decoded, whole
from corpusforge.extract.markup import ATTRIBUTES, ELEMENT, END, KIND, OPEN, TAG_END
from corpusforge.extract.page import Page
from corpusforge.extract.tags import NUMBERS
from corpusforge.extract.values import values_of
from corpusforge.text.references import unescaped

MOST_TAGS = 200
"""Tags of each kind that are read."""
MOST_JSON = 1 << 18
"""Bytes of JSON-LD that are read."""
MOST_CHARACTERS = 500
"""Characters of a value; what is longer is none."""

_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ][\d:.+\-Z]*)?")
_LANGUAGE = re.compile("[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
_TITLES = ("og:title", "twitter:title", "dc.title", "citation_title")
_AUTHORS = ("author", "article:author", "dc.creator", "citation_author", "parsely-author", "sailthru.author")
_DATES = (
    "article:published_time", "date", "dc.date", "dc.date.issued", "citation_publication_date", "parsely-pub-date",
)  # fmt: skip
_BODIES = ("articleBody", "text", "reviewBody")
_CONTENT = ("Article", "Posting", "Report", "WebPage", "HowTo", "Recipe", "Book", "Question", "CreativeWork")
"""Ends of types in JSON-LD whose author and date are those of the page."""


@dataclass(frozen=True)
class Metadata:
    """Empty where the page does not say it. ``title`` is the headline, without the site's name if that is marked up;
    ``date`` is when it was published, ``YYYY-MM-DD`` or ``YYYY-MM``; ``lang`` as in ``<html lang>``."""

    title: str = ""
    author: str = ""
    date: str = ""
    lang: str = ""


def metadata(page: Page) -> Metadata:
    """Read what a page says of itself; a page that says nothing, or nonsense, gives empty values."""
    metas = _metas(page)
    told = list(_json_ld(page))
    html = next((attributes for attributes in _attributes(page, "html", 1)), {})
    plain = " ".join(decoded(page.title.tobytes()).split())
    return Metadata(
        _first((_text(one.get("headline")) for one in told), (metas.get(name, "") for name in _TITLES), [plain]),
        _first((_person(one.get("author")) for one in told), (metas.get(name, "") for name in _AUTHORS)),
        _first((_day(one.get("datePublished")) for one in told), (_day(metas.get(name)) for name in _DATES)),
        _first(
            filter(
                _LANGUAGE.fullmatch, (html.get("lang", ""), html.get("xml:lang", ""), metas.get("content-language", ""))
            )
        ),
    )


def told_text(page: Page) -> str:
    """The longest text that a page's JSON-LD holds as its content, for pages that scripts alone make."""
    values = (one.get(name) for one in _json_ld(page) for name in _BODIES)
    return whole(max((value for value in values if isinstance(value, str)), key=len, default=""))


def _first(*groups: Any) -> str:
    return next((value for group in groups for value in group if value), "")


def _attributes(page: Page, name: str, most: int) -> Iterator[dict[str, str]]:
    tags = page.markup.tags
    rows = np.flatnonzero((tags[:, ELEMENT] == NUMBERS[name]) & (tags[:, KIND] == OPEN))[:most]
    for row in rows.tolist():
        yield {key: _clean(value) for key, value in values_of(page.markup, row).items()}


def _metas(page: Page) -> dict[str, str]:
    """Contents of meta tags by name, property or header, the first of each."""
    found: dict[str, str] = {}
    for attributes in _attributes(page, "meta", MOST_TAGS):
        name = attributes.get("property") or attributes.get("name") or attributes.get("http-equiv") or ""
        if name and attributes.get("content"):
            found.setdefault(name.lower(), attributes["content"])
    return found


def _json_ld(page: Page) -> Iterator[dict[str, Any]]:
    """The things in a page's JSON-LD that are content."""
    tags = page.markup.tags
    rows = np.flatnonzero((tags[:, ELEMENT] == NUMBERS["script"]) & (tags[:, KIND] == OPEN))
    for row in rows[:MOST_TAGS].tolist():
        start, inner, end = (int(tags[row, column]) for column in (ATTRIBUTES, TAG_END, END))
        if b"ld+json" not in page.markup.html[start:inner].tobytes().lower() or end - inner > MOST_JSON:
            continue
        content = page.markup.html[inner:end].tobytes()
        try:
            told = json.loads(content[: content.rfind(b"</")].decode("utf-8", "replace"), strict=False)
        except (ValueError, RecursionError):
            continue
        yield from _things(told)


def _things(told: Any) -> Iterator[dict[str, Any]]:
    one_level = told if isinstance(told, list) else [told]
    for thing in one_level:
        if not isinstance(thing, dict):
            continue
        graph = thing.get("@graph")
        yield from (one for one in (graph if isinstance(graph, list) else []) if _is_content(one))
        if _is_content(thing):
            yield thing


def _is_content(thing: Any) -> bool:
    kinds = thing.get("@type") if isinstance(thing, dict) else None
    return any(str(kind).endswith(_CONTENT) for kind in (kinds if isinstance(kinds, list) else [kinds]))


def _person(value: Any) -> str:
    """The name or names of authors."""
    people = value if isinstance(value, list) else [value]
    names = [_text(person.get("name") if isinstance(person, dict) else person) for person in people]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _text(value: Any) -> str:
    return _clean(value) if isinstance(value, str) else ""


def _clean(value: str) -> str:
    text = " ".join(unescaped(whole(value)).split())
    return text if len(text) <= MOST_CHARACTERS else ""


def _day(value: Any) -> str:
    found = _DATE.match(value.strip()) if isinstance(value, str) else None
    if not found or not 1 <= int(found[2]) <= 12 or not 1 <= int(found[3] or 1) <= 31:
        return ""
    return "-".join(part for part in found.groups() if part)
