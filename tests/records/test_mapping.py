"""The mapping of records: alternatives, paths, ids that do not depend on the file, types that fit or give null."""

import datetime
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.records.mapping import TYPES, Place, columns_of, found, identity, places_of, row_of, typed, word
from corpusforge.text.canonical import sha256


@dataclass(frozen=True)
class Given:
    text: Place = "text"
    id: Place = "id"
    url: Place = ("url", "meta.url")
    date: Place = "date"
    title: Place = "title"
    licence: Place = ("licence", "license")
    columns: dict[str, str] = field(default_factory=dict)


def test_the_first_place_that_holds_something_counts() -> None:
    record = {"url": "", "meta": {"url": "http://a.example/", "n": 0}, "meta.n": 7}
    assert found(record, ("url", "meta.url")) == "http://a.example/"
    assert found(record, "meta.n") == 7, "a key that has dots itself"
    assert found(record, "meta.url.more") is None
    assert found(record, ("none", "url")) is None


def test_a_record_becomes_a_row() -> None:
    record = {"text": "本文", "id": 12, "license": "CC0-1.0", "date": datetime.date(2026, 8, 6), "n": 3}
    row = row_of(Given(columns={"n": "int64"}), record)
    assert row == {
        "id": sha256(f"12\n{sha256('本文'.encode())}".encode())[:32],
        "url": None,
        "date": "2026-08-06",
        "title": None,
        "text": "本文",
        "licence": "CC0-1.0",
        "n": 3,
    }
    assert (
        row_of(Given(), {"text": " \n"}) is row_of(Given(), {"text": None}) is row_of(Given(), {"text": ["a"]}) is None
    )


def test_ids_tell_records_apart_and_stay() -> None:
    assert identity(None, "u", "a") != identity(None, "u", "b") != identity(None, "v", "b")
    assert identity("1", "u", "a") == identity("1", "v", "a") != identity("1", "u", "b"), "numbers begin anew"
    assert identity("1", "u", "a") != identity("2", "u", "a")


OURS = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "given",
    [
        OURS,
        OURS.upper(),
        "a" * 39 + "1",
        "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "{7D444840-9DC0-11D1-B245-5FFDCE74FAD2}",
        "<urn:uuid:7d444840-9dc0-11d1-b245-5ffdce74fad2>",
        "urn:isbn:9780141036144",
    ],
)
def test_ids_that_are_one_of_a_kind_alone_are_the_id(given: str) -> None:
    expected = OURS if given == OURS else sha256(given.encode())[:32]
    assert identity(given, "u", "a") == identity(given, None, "b") == expected


@pytest.mark.parametrize(
    "given",
    ["0" * 31 + "a", "1" * 32, "00000000-0000-0000-0000-000000000001", "doc-1", "a" * 31, "urn:uuid:00000000-1"],
)
def test_numbers_in_any_form_need_the_content(given: str) -> None:
    assert identity(given, None, "a") != identity(given, None, "b")


def test_values_that_do_not_fit_are_null() -> None:
    cases = [("int32", 1 << 31), ("int32", 1.5), ("int64", float("nan")), ("int64", float("inf")), ("bool", 1)]
    assert [typed(value, kind) for kind, value in cases] == [None] * len(cases)
    assert (typed(2.0, "int32"), typed(True, "float32"), typed(10**400, "float64")) == (2, None, None)
    assert typed(["a", 1], "strings") == ["a", "1"]
    assert word({"b": 1, "a": [2]}) == '{"a":[2],"b":1}'


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["text", "id", "url", "date", "meta", "n"]), anything))
def test_any_record_gives_a_row_that_arrow_takes(record: dict[str, Any]) -> None:
    for kind in TYPES:
        fields = replace(Given(), columns={"n": kind})
        row = row_of(fields, record)
        if row is not None:
            schema = columns_of(fields.columns)
            pa.RecordBatch.from_pylist([row], pa.schema([(name, schema[name]) for name in row]))


def test_columns_are_checked_and_places_collected() -> None:
    with pytest.raises(ValueError, match="none of string"):
        columns_of({"n": "number"})
    with pytest.raises(ValueError, match="another name"):
        columns_of({"text": "string"})
    assert {"url", "meta.url", "text", "license"} <= places_of(Given())


def test_what_is_too_deep_for_a_string_is_null() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert word(deep) is None
    assert typed([deep, 1], "strings") == [None, "1"]
