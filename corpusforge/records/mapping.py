"""From the records of a data set to the columns of a document: which key of a record is which field.

A place is a key, a dotted path (``meta.url``) or several of these: the first one that holds something counts. A key
that itself has dots is found before the path it could be.
"""

import datetime
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import pyarrow as pa
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from corpusforge.schema import TEXTS
from corpusforge.text.canonical import canonical_json, sha256

Place = str | tuple[str, ...]
Record = dict[str, Any]
"""What a reader of JSON or Arrow gives: its strings are sound, as both are strict."""

TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "strings": pa.list_(pa.string()),
}
"""Types that a recipe can give an extra column."""

HEX = "[0-9a-fA-F]"
UNIQUE = re.compile(
    rf"(?!0{{8}})(?!\d+\Z){HEX}{{32,128}}"
    rf"|[<{{]?(?!0{{8}}){HEX}{{8}}-(?:{HEX}{{4}}-){{3}}{HEX}{{12}}[>}}]?"
    r"|<?[uU][rR][nN]:(?!uuid:0{8})[a-zA-Z0-9][a-zA-Z0-9-]{1,31}:\S+"
)
"""Ids that are one of a kind by their form: digests, UUIDs, URNs. Numbers that are filled up with zeros are none."""
OUR_ID = re.compile(r"[0-9a-f]{32}")
BITS = {"int32": 31, "int64": 63}


class Fields(Protocol):
    """The places of a source's fields, and the extra columns it carries on, each with a word of ``TYPES``."""

    @property
    def text(self) -> Place: ...
    @property
    def id(self) -> Place: ...
    @property
    def url(self) -> Place: ...
    @property
    def date(self) -> Place: ...
    @property
    def title(self) -> Place: ...
    @property
    def licence(self) -> Place: ...
    @property
    def columns(self) -> Mapping[str, str]: ...


def columns_of(columns: Mapping[str, str]) -> dict[str, pa.DataType]:
    """What a source of records writes: ``TEXTS`` and the extra columns behind.

    Raises ``ValueError`` for a type there is not, and for a column that ``TEXTS`` has already.
    """
    for name, kind in columns.items():
        if kind not in TYPES:
            raise ValueError(f"column {name} has type {kind!r}, which is none of {', '.join(TYPES)}")
        if name in (*TEXTS.names, "html"):
            raise ValueError(f"column {name} is filled by every source. Give the extra column another name")
    return {**{f.name: f.type for f in TEXTS}, **{name: TYPES[kind] for name, kind in columns.items()}}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Mapped:
    """The fields of a source whose records have text, id and the like under names that differ between data sets."""

    text: Place = ("text", "content", "raw_content")
    id: Place = ("id", "doc_id")
    url: Place = ("url", "metadata.url", "meta.url")
    date: Place = ("date", "timestamp", "created", "metadata.date")
    title: Place = ("title", "metadata.title", "meta.title")
    licence: Place = ("licence", "license", "metadata.license", "meta.license")
    columns: dict[str, str] = Field(default_factory=dict)

    def __post_init__(self) -> None:
        columns_of(self.columns)

    @property
    def writes(self) -> dict[str, pa.DataType]:
        return columns_of(self.columns)


def places_of(fields: Fields) -> set[str]:
    """Every place that a mapping looks at."""
    every = [fields.text, fields.id, fields.url, fields.date, fields.title, fields.licence, *fields.columns]
    return {one for place in every for one in ((place,) if isinstance(place, str) else place)}


def row_of(fields: Fields, record: Record) -> dict[str, Any] | None:
    """The columns of a document but those of its source; None for a record without text."""
    text = found(record, fields.text)
    if not isinstance(text, str) or not text or text.isspace():
        return None
    url = word(found(record, fields.url))
    row = {
        "id": identity(word(found(record, fields.id)), url, text),
        "url": url,
        "date": word(found(record, fields.date)),
        "title": word(found(record, fields.title)),
        "text": text,
        "licence": word(found(record, fields.licence)),
    }
    for name, kind in fields.columns.items():
        row[name] = typed(found(record, name), kind)
    return row


def identity(given: str | None, url: str | None, text: str) -> str:
    """32 hex digits: of the record's own id where it is one of a kind, else of its id, or its address, and content.

    Data sets that number their records, or begin anew in each file, so keep all of them. Digests of 32 hex digits, as
    our ids are, stay as they are.
    """
    if given is not None and UNIQUE.fullmatch(given):
        return given if OUR_ID.fullmatch(given) else sha256(given.encode())[:32]
    name = given if given is not None else url
    return sha256(f"{name}\n{sha256(text.encode())}".encode())[:32]


def found(record: Record, place: Place) -> Any:
    """The first value at a place that is not null or an empty string."""
    for path, keys in _paths(place):
        value = record.get(path)
        if value is None and keys:
            value = _below(record, keys)
        if value is not None and value != "":
            return value
    return None


@cache
def _paths(place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The paths of a place, each with its keys if it has more than one."""
    paths = (place,) if isinstance(place, str) else place
    return tuple((path, tuple(path.split(".")) if "." in path else ()) for path in paths)


def _below(record: Record, keys: tuple[str, ...]) -> Any:
    value: Any = record
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def word(value: Any) -> str | None:
    """A value as a string: dates in ISO 8601, lists and objects as canonical JSON; None for what has no such form."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | dict):
        try:
            return canonical_json(value).decode("utf-8")
        except (TypeError, ValueError, RecursionError):
            return None
    return str(value)


def typed(value: Any, kind: str) -> Any:
    """The value for a column of that type, null where it does not fit."""
    if value is None or kind == "string":
        return word(value)
    if kind == "strings":
        return [word(one) for one in value] if isinstance(value, list | tuple) else None
    if kind == "bool":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if kind in BITS:
        return int(value) if value == value // 1 and abs(value) < 1 << BITS[kind] else None
    try:
        return float(value)
    except OverflowError:
        return None
