"""Parquet files as texts: row groups as slices, fields where a data set has them, damage counted to the row."""

import datetime
import io
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.records.tables import records
from corpusforge.sources import Slice
from corpusforge.sources.parquet import Parquet

Rows = list[dict[str, Any]]


def read(data: bytes, source: Parquet | None = None, edges: list[int] | None = None) -> tuple[Rows, Counter[str]]:
    source, passed_over, rows = source or Parquet(), Counter[str](), []
    for start, end in pairwise(edges or [0, len(data)]):
        for batch in source.read(Slice("a.parquet", "f", start, end), io.BytesIO(data), passed_over):
            rows += batch.to_pylist()
    return rows, passed_over


def written(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


@given(
    st.lists(st.none() | st.text(), max_size=40),
    st.integers(1, 9),
    st.lists(st.integers(1, 5000), max_size=6),
    st.sampled_from(["none", "snappy", "zstd", "gzip", "lz4", "brotli"]),
)
def test_every_row_is_read_once_or_counted(texts: list[str | None], group: int, cuts: list[int], coding: str) -> None:
    table = pa.table({"id": [f"n{n}" for n in range(len(texts))], "text": pa.array(texts, pa.string())})
    data = written(table, row_group_size=group, compression=coding)
    edges = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    rows, passed_over = read(data, edges=edges)
    assert [(r["source_offset"], r["text"]) for r in rows] == [(n, t) for n, t in enumerate(texts) if t and t.strip()]
    assert len(rows) + passed_over.total() == len(texts)


def test_fields_are_where_the_data_set_has_them() -> None:
    noon = datetime.datetime(2026, 8, 6, 12, 0, 0, 5, datetime.UTC)
    table = pa.table(
        {
            "body": pa.array(["一つ", "二つ"], pa.large_string()),
            "key": [7, 8],
            "meta": [{"url": "http://a.example/", "tags": ["x", "y"], "score": 0.5}, None],
            "seen": pa.array([noon, None], pa.timestamp("us", "UTC")),
            "a.b": ["dotted", None],
            "unread": [b"\xff", b"\xfe"],
        }
    )
    source = Parquet(
        text="body",
        id="key",
        url=("link", "meta.url"),
        date="seen",
        title="a.b",
        columns={"meta.tags": "strings", "meta.score": "float32"},
    )
    one, two = read(written(table), source)[0]
    assert (one["text"], one["url"], one["title"]) == ("一つ", "http://a.example/", "dotted")
    assert (one["meta.tags"], one["meta.score"]) == (["x", "y"], 0.5)
    assert one["date"].startswith("2026-08-06T12:00:00.000005")
    assert [two[name] for name in ("url", "date", "title", "meta.tags")] == [None] * 4
    assert one["id"] != two["id"]
    assert read(written(table), source)[0][0]["id"] == one["id"]


def test_dictionaries_and_strings_as_bytes() -> None:
    table = pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode(), "id": pa.array([b"1", b"2", b"3"])})
    assert [row["text"] for row in read(written(table))[0]] == ["a", "b", "a"]


def test_text_that_is_not_utf8_counts_and_its_neighbours_stay() -> None:
    texts = pa.array([b"good", b"\xff\xfe", "良い".encode()]).view(pa.string())
    rows, passed_over = read(written(pa.table({"text": texts})))
    assert [row["text"] for row in rows] + [passed_over] == ["good", "良い", Counter({"source.damaged": 1})]


def test_a_text_too_large_is_a_dropped_row() -> None:
    rows, _ = read(written(pa.table({"text": ["short", "あ" * 100]})), Parquet(text_bytes=200))
    assert [(row["text"], row["drop"]) for row in rows] == [("short", None), ("", "source.too_large")]


def test_a_file_without_texts_counts_its_rows() -> None:
    assert read(written(pa.table({"n": [1, 2, 3]}))) == ([], Counter({"source.no_text": 3}))
    assert read(written(pa.table({"text": pa.array([], pa.string())}))) == ([], Counter())


def test_what_is_no_parquet_file_is_told_from_a_damaged_one() -> None:
    data = written(pa.table({"text": ["a"] * 50, "id": [str(n) for n in range(50)]}), row_group_size=10)
    assert read(b"no parquet at all") == ([], Counter({"source.not_parquet": 1}))
    assert read(data[:-5]) == ([], Counter({"source.damaged": 1}))
    hurt = bytearray(data)
    begin = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(2).column(0).data_page_offset
    hurt[begin : begin + 40] = b"\xff" * 40
    rows, passed_over = read(bytes(hurt))
    assert passed_over == Counter({"source.damaged": 10})
    assert [row["source_offset"] for row in rows] == [n for n in range(50) if n // 10 != 2]


class Failing(io.BytesIO):
    """A file on a disk that fails behind its first bytes, but for the footer."""

    def read(self, count: int | None = -1, /) -> bytes:
        if 4 <= self.tell() < 500:
            raise OSError(5, "disk error")
        return super().read(count)


def test_an_io_error_is_not_taken_for_damage() -> None:
    data = written(pa.table({"text": [str(n) * 50 for n in range(500)]}))
    with pytest.raises(OSError, match="disk error"):
        list(Parquet().read(Slice("a", "f", 0, len(data)), Failing(data), Counter()))


def test_a_large_row_group_is_not_held_at_once(tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    texts = [f"{n} " + "猫" * 5000 for n in range(4000)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=4000, use_dictionary=False)
    del texts
    before = pa.total_allocated_bytes()
    peak = rows = 0
    with path.open("rb") as file:
        for batch in Parquet(batch_rows=64).read(Slice("a", "f", 0, path.stat().st_size), file, Counter()):
            rows += batch.num_rows
            peak = max(peak, pa.total_allocated_bytes() - before)
    assert rows == 4000
    assert peak < 20 << 20, "60 MB of text, a few MB at a time"


@pytest.mark.parametrize("metadata", [pa.array(["a", "b"]), pa.array([{"other": 1}, {"other": 2}])])
def test_rows_of_a_file_without_any_place_are_counted(metadata: pa.Array) -> None:
    assert read(written(pa.table({"metadata": metadata}))) == ([], Counter({"source.no_text": 2}))


def test_a_table_gives_each_row_even_without_columns() -> None:
    table = pa.RecordBatch.from_pydict({"a": [1, 2, 3]})
    assert list(records(table.select([]))) == [{}, {}, {}]


def test_a_lack_of_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(*_: Any, **__: Any) -> Any:
        raise pa.ArrowMemoryError("malloc of size 16777216 failed")

    data = written(pa.table({"text": ["one"]}))
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", starved)
    with pytest.raises(MemoryError):
        read(data)


def test_times_within_others_are_strings() -> None:
    time, said = 1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789"
    ns = pa.timestamp("ns")
    columns = {
        "struct": pa.array([{"date": time}, None, {"date": None}], pa.struct([("date", ns)])),
        "list": pa.array([[time, None], None, [1]], pa.list_(ns)),
        "fixed": pa.array([[time], None, [1]], pa.list_(ns, 1)),
        "map": pa.array([[("k", time)], None, []], pa.map_(pa.string(), ns)),
        "category": pa.array([time, None, 1], ns).dictionary_encode(),
    }
    table = pa.RecordBatch.from_pydict(columns)
    rows = list(records(table))
    early = "1970-01-01T00:00:00.000000001"
    assert rows[0] == {
        "struct": {"date": said},
        "list": [said, None],
        "fixed": [said],
        "map": [{"key": "k", "value": said}],
        "category": said,
    }
    assert rows[1] == dict.fromkeys(columns)
    assert rows[2] == {"struct": {"date": None}, "list": [early], "fixed": [early], "map": [], "category": early}
    assert list(records(table.slice(1))) == rows[1:]


def test_a_date_in_a_struct_with_nanoseconds_is_the_date() -> None:
    metadata = pa.array([{"date": 1_700_000_000_123_456_789}], pa.struct([("date", pa.timestamp("ns"))]))
    rows, passed_over = read(written(pa.table({"text": ["one"], "metadata": metadata})))
    assert [row["date"] for row in rows] == ["2023-11-14T22:13:20.123456789"]
    assert not passed_over
