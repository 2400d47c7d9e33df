"""Every source there is keeps the contract, on a sample of its own and on what damage makes of it."""

import hashlib
import importlib
import inspect
import pickle
import pkgutil
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

import corpusforge.sources
from corpusforge.sources import Input, Slice
from corpusforge.storage import state_of

Rows = list[dict[str, Any]]
NEEDED = ("id", "source_file", "source_offset", "source_length")


def sources() -> Iterator[tuple[str, type[Any]]]:
    """Every source class in ``corpusforge.sources``, with the name of its module."""
    for entry in pkgutil.iter_modules(corpusforge.sources.__path__):
        module = importlib.import_module(f"corpusforge.sources.{entry.name}")
        for _, part in inspect.getmembers(module, inspect.isclass):
            if part.__module__ == module.__name__ and hasattr(part, "revision") and hasattr(part, "suffixes"):
                yield entry.name, part


CASES = [
    (name, part, settings)
    for name, part in sources()
    for settings in ({}, *getattr(importlib.import_module(f"tests.sources.samples.{name}"), "settings", ()))
]


@pytest.fixture(scope="module", params=CASES, ids=[f"{part.__name__}-{n}" for n, (_, part, _) in enumerate(CASES)])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    name, part, settings = request.param
    folder = tmp_path_factory.mktemp(name)
    path: Path = importlib.import_module(f"tests.sources.samples.{name}").sample(folder)
    return part(**settings), path


def input_of(path: Path) -> Input:
    size, state = state_of(str(path))
    return Input(path.name, str(path), size, hashlib.sha256(path.read_bytes()).hexdigest(), state)


def read(source: Any, path: Path, edges: list[int], limit: int | None = None) -> tuple[Rows, Counter[str]]:
    """All rows of a file, read in slices between the edges."""
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    schema = pa.schema(list(source.writes.items()))
    for start, end in pairwise(edges):
        with path.open("rb") as file:
            for batch in source.read(Slice(path.name, "f", start, end, limit), file, passed_over):
                assert batch.schema.equals(schema), "a batch has just the columns that the source writes"
                assert batch.num_rows <= source.batch_rows
                rows += batch.to_pylist()
    return rows, passed_over


def test_any_cut_points_give_the_same_records(case: tuple[Any, Path]) -> None:
    source, path = case
    size = path.stat().st_size
    expected = read(source, path, [0, size])
    assert len(expected[0]) >= 5, "a sample has at least five records"
    chance = random.Random(7)
    for _ in range(20):
        cuts = sorted({chance.randrange(1, size) for _ in range(chance.randint(1, 9))})
        assert read(source, path, [0, *cuts, size]) == expected


def test_batches_of_one_row_give_the_same_records(case: tuple[Any, Path]) -> None:
    source, path = case
    edges = [0, path.stat().st_size]
    assert read(replace(source, batch_rows=1), path, edges) == read(source, path, edges)


def test_the_plan_covers_the_file_and_a_limit_ends_it(case: tuple[Any, Path]) -> None:
    source, path = case
    given = input_of(path)
    if "slice_bytes" in {f.name for f in fields(source)}:
        source = replace(source, slice_bytes=max(1, given.bytes // 3))
    pieces = source.plan(given, None)
    assert [p.start for p in pieces] == [0, *[p.end for p in pieces[:-1]]]
    assert pieces[-1].end == given.bytes
    assert {(p.name, p.fingerprint, p.limit) for p in pieces} == {(given.name, given.fingerprint, None)}
    (limited,) = source.plan(given, 3)
    assert (limited.start, limited.end, limited.limit) == (0, given.bytes, 3)
    every, _ = read(source, path, [0, given.bytes])
    few, _ = read(source, path, [0, given.bytes], limit=3)
    assert 1 <= len(few) <= 3
    assert few == every[: len(few)]


def test_a_row_says_where_it_is_from_and_its_id_survives_moving_the_file(
    case: tuple[Any, Path], tmp_path: Path
) -> None:
    source, path = case
    rows, _ = read(source, path, [0, path.stat().st_size])
    for row in rows:
        assert all(row[name] is not None for name in NEEDED)
        assert len(row["id"]) == 32
        int(row["id"], 16)
        assert row["source_file"] == path.name
        assert ("text" in row) != ("html" in row)
    assert len({row["id"] for row in rows}) == len(rows), "ids are distinct"
    moved = tmp_path / f"moved-{path.name}"
    moved.write_bytes(path.read_bytes())
    again, _ = read(source, moved, [0, path.stat().st_size])
    assert [row["id"] for row in again] == [row["id"] for row in rows]


def test_damage_is_accounted_for(case: tuple[Any, Path], tmp_path: Path) -> None:
    source, path = case
    whole = path.read_bytes()
    sound, counted = read(source, path, [0, len(whole)])
    chance = random.Random(11)
    for number in range(40):
        damaged = tmp_path / f"{number}-{path.name}"
        damaged.write_bytes(mutated(whole, chance))
        rows, passed_over = read(source, damaged, [0, damaged.stat().st_size])
        assert all(reason.startswith("source.") for reason in passed_over)
        if len(rows) < len(sound):
            assert passed_over != counted, "records that are missing are counted"


def mutated(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    length = chance.choice([1, 1, 16, 1000])
    kind = chance.choice(["flip", "cut", "zero", "gone", "noise", "twice"])
    middle = data[at : at + length]
    if kind == "cut":
        return data[:at]
    made = {
        "flip": bytes(b ^ 1 << chance.randrange(8) for b in middle),
        "zero": bytes(len(middle)),
        "gone": b"",
        "noise": chance.randbytes(length),
        "twice": middle * 2,
    }[kind]
    return data[:at] + made + data[at + length :]


def test_an_empty_file_is_counted(case: tuple[Any, Path], tmp_path: Path) -> None:
    source, path = case
    empty = tmp_path / path.name
    empty.touch()
    assert len(source.plan(input_of(empty), None)) == 1
    assert read(source, empty, [0, 0]) == ([], Counter({"source.empty_file": 1}))


def test_a_source_explains_itself_pickles_and_refuses_unknown_fields(case: tuple[Any, Path]) -> None:
    source, path = case
    assert pickle.loads(pickle.dumps(source)) == source
    assert path.name.lower().endswith(source.suffixes)
    assert (type(source).__doc__ or "").strip().splitlines()[0]
    with pytest.raises((ValidationError, TypeError), match="no_such_field"):
        TypeAdapter(type(source)).validate_python({"no_such_field": 1})
