"""The exchange: whatever was scattered is gathered once, sorted, whichever way keys and files are cut."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.engine import exchange
from corpusforge.engine.attempt import Output, Place, Reader
from corpusforge.engine.tables import TableWriter, read_rows, rows_at
from corpusforge.engine.unit import File
from corpusforge.schema import ROW_GROUP_ROWS
from corpusforge.storage import Store

SCHEMA = pa.schema([("key", pa.uint64()), ("value", pa.int64()), ("name", pa.string())])
EDGES = st.sampled_from([0, 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1])
KEYS = st.one_of(EDGES, st.integers(0, (1 << 64) - 1), st.integers(0, 5))
SHARDS = st.lists(st.lists(KEYS, max_size=30), min_size=1, max_size=4)


def table_of(keys: Sequence[int], first: int = 0) -> pa.Table:
    values = list(range(first, first + len(keys)))
    arrays = [pa.array(keys, pa.uint64()), pa.array(values, pa.int64()), pa.array([f"n{v}" for v in values])]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def scattered(root: Path, shards: Sequence[Sequence[int]]) -> tuple[Reader, list[File]]:
    store, files = Store(str(root)), []
    for number, keys in enumerate(shards):
        out = Output(Place(store, "v1"), "scatter", f"{number:06d}", "attempt")
        exchange.scatter(out, "rows.parquet", table_of(keys, number * 100_000))
        files += out.files
    return Reader(store), files


def rows_of(table: pa.Table) -> list[tuple[int, int]]:
    return list(zip(table["key"].to_pylist(), table["value"].to_pylist(), strict=True))


def expected(shards: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    rows = [(key, number * 100_000 + n) for number, keys in enumerate(shards) for n, key in enumerate(keys)]
    return sorted(rows, key=lambda r: r[0])


@settings(max_examples=30, deadline=None)
@given(shards=SHARDS, parts=st.integers(1, 7))
def test_every_row_arrives_once_and_sorted(shards: list[list[int]], parts: int) -> None:
    cuts = exchange.ranges(parts, 1, 1)
    with TemporaryDirectory() as folder:
        inputs, files = scattered(Path(folder), shards)
        pieces = [rows_of(exchange.gather(inputs, files, keys)) for keys in cuts]
    for (low, high), piece in zip(cuts, pieces, strict=True):
        assert all(low <= key < high for key, _ in piece)
    # A stable sort: equal keys stand in the order of the files, and of their rows.
    assert [r for piece in pieces for r in piece] == expected(shards)


@settings(max_examples=20, deadline=None)
@given(shards=SHARDS, parts=st.integers(1, 5))
def test_merging_first_changes_nothing(shards: list[list[int]], parts: int) -> None:
    with TemporaryDirectory() as folder:
        inputs, files = scattered(Path(folder), shards)
        out = Output(Place(inputs.store, "v1"), "merge", "000000", "attempt")
        rows = exchange.merge(inputs, files, out, "rows.parquet", exchange.ranges(parts, 1, 1))
        whole = Output(Place(inputs.store, "v1"), "merge", "000001", "attempt")
        exchange.merge(inputs, files, whole, "rows.parquet", [(0, exchange.TOP)])
        merged = rows_of(exchange.gather(inputs, out.files, (0, exchange.TOP)))
    assert rows == len(merged) == sum(map(len, shards))
    assert merged == expected(shards)
    assert out.files[0].sha256 == whole.files[0].sha256


def test_only_overlapping_row_groups_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = exchange.TOP // 5000
    inputs, files = scattered(tmp_path, [[n * step for n in range(5000)]])
    read: list[int] = []
    whole = exchange.pq.ParquetFile.read_row_group

    def counting(self: object, group: int, **more: object) -> pa.Table:
        read.append(group)
        return whole(self, group, **more)

    monkeypatch.setattr(exchange.pq.ParquetFile, "read_row_group", counting)
    found = exchange.gather(inputs, files, (3000 * step, 3010 * step), ["key", "value"])
    assert found["value"].to_pylist() == list(range(3000, 3010))
    assert found.column_names == ["key", "value"]
    assert read == [3000 // ROW_GROUP_ROWS]


def test_nothing_in_range_keeps_the_schema(tmp_path: Path) -> None:
    inputs, files = scattered(tmp_path, [[], [7]])
    assert exchange.gather(inputs, files, (8, 9)).schema == SCHEMA
    assert exchange.gather(inputs, files[:1], (0, exchange.TOP), ["key"]).schema == pa.schema([SCHEMA.field("key")])
    with pytest.raises(ValueError, match="nothing to gather"):
        exchange.gather(inputs, [], (0, 1))


@given(rows=st.integers(0, 10**12), row_bytes=st.integers(1, 1000), unit_bytes=st.integers(10**9, 10**12))
def test_ranges_cover_every_key_evenly(rows: int, row_bytes: int, unit_bytes: int) -> None:
    cuts = exchange.ranges(rows, row_bytes, unit_bytes)
    assert cuts[0][0] == 0
    assert cuts[-1][1] == exchange.TOP
    assert all(a[1] == b[0] for a, b in pairwise(cuts))
    widths = [high - low for low, high in cuts]
    assert max(widths) - min(widths) <= 1
    assert rows * row_bytes / len(cuts) <= unit_bytes


@given(files=st.integers(0, 400), at_most=st.integers(2, 20))
def test_one_merge_round_suffices_or_is_refused(files: int, at_most: int) -> None:
    if files > at_most * at_most:
        with pytest.raises(ValueError, match="larger units"):
            exchange.fan_in(files, at_most)
        return
    runs = exchange.fan_in(files, at_most)
    assert bool(runs) == (files > at_most)
    assert len(runs) <= at_most
    assert [n for first, last in runs for n in range(first, last)] == (list(range(files)) if runs else [])
    assert all(last - first <= at_most for first, last in runs)


@given(keys=st.lists(st.integers((1 << 64) - 4, (1 << 64) - 1), max_size=20).map(sorted))
def test_groups_are_runs_of_equal_keys(keys: list[int]) -> None:
    runs = list(exchange.groups(table_of(keys)))
    assert [keys[first:last] for first, last in runs] == [[k] * keys.count(k) for k in sorted(set(keys))]


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 2999), max_size=6, unique=True).map(sorted))
def test_bytes_do_not_depend_on_batches(cuts: list[int]) -> None:
    table = table_of(list(range(3000)))
    with TemporaryDirectory() as folder:
        out = Output(Place(Store(folder), "v1"), "step", "000000", "attempt")
        for role, borders in (("whole", [0, 3000]), ("cut", [0, *cuts, 3000])):
            with out.create(role) as file, TableWriter(file, SCHEMA) as writer:
                for first, last in pairwise(borders):
                    for batch in table.slice(first, last - first).to_batches():
                        writer.write(batch)
    whole, cut = out.files
    assert whole.sha256 == cut.sha256


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.integers(0, 2999), max_size=40, unique=True).map(sorted), first=st.integers(0, 2999))
def test_rows_are_found_by_position(rows: list[int], first: int) -> None:
    with TemporaryDirectory() as folder:
        inputs, files = scattered(Path(folder), [list(range(3000))])
        with inputs.open(files[0]) as opened:
            found = rows_at(opened, np.array(rows, np.int64), ("value",))
            batches = list(read_rows(opened, first, 50, ["value"]))
    assert found["value"].to_pylist() == rows
    assert [v for b in batches for v in b["value"].to_pylist()] == list(range(first, min(first + 50, 3000)))
