"""From the records of a data set to the columns of a document: which key of a record is which field.

A place is a key, a dotted path (``meta.url``) or several of these: the first one that holds something counts. A key
that itself has dots is found before the path it could be.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Any, Protocol

import pyarrow as pa

from corpusforge.schema import TEXTS
from corpusforge.text.canonical import canonical_json, sha256

Place = str | tuple[str, ...]

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
    @property
    def data_set(self) -> str: ...


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


def places_of(fields: Fields) -> set[str]:
    """Every place that a mapping looks at."""
    every = [fields.text, fields.id, fields.url, fields.date, fields.title, fields.licence, *fields.columns]
    return {one for place in every for one in ((place,) if isinstance(place, str) else place)}


def row_of(fields: Fields, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The columns of a document but those of its source; None for a record without text."""
    text = found(record, fields.text)
    if not isinstance(text, str) or not text.strip():
        return None
    text = _sound(text)
    url = word(found(record, fields.url))
    row = {
        "id": identity(word(found(record, fields.id)), url, text, fields.data_set),
        "url": url,
        "date": word(found(record, fields.date)),
        "title": word(found(record, fields.title)),
        "text": text,
        "licence": word(found(record, fields.licence)),
    }
    return row | {name: typed(found(record, name), kind) for name, kind in fields.columns.items()}


def identity(given: str | None, url: str | None, text: str, data_set: str = "") -> str:
    """32 hex digits: of the record's own id in its data set, else of address and content.

    An id that is 32 hex digits already, as ours are, stays as it is unless a data set is named.
    """
    if given and not data_set and OUR_ID.fullmatch(given):
        return given
    name = f"{data_set}\n{given}" if given and data_set else given or f"{url}\n{sha256(text.encode())}"
    return sha256(name.encode())[:32]


def found(record: Mapping[str, Any], place: Place) -> Any:
    """The first value at a place that is not null or an empty string."""
    for path in (place,) if isinstance(place, str) else place:
        value = _at(record, path)
        if value is not None and value != "":
            return value
    return None


def _at(record: Mapping[str, Any], path: str) -> Any:
    if path in record:
        return record[path]
    value: Any = record
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def word(value: Any) -> str | None:
    """A value as a string: dates in ISO 8601, lists and objects as canonical JSON."""
    if value is None or isinstance(value, str):
        return _sound(value) if value else None
    if isinstance(value, bytes):
        return _sound(value.decode("utf-8", "replace"))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | dict):
        try:
            return _sound(canonical_json(value).decode("utf-8", "replace"))
        except (TypeError, ValueError):
            return None
    return str(value)


def _sound(value: str) -> str:
    """The string without what UTF-8 cannot say: a lone surrogate becomes U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


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
