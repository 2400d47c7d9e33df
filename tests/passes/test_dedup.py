"""The duplicates pass: who is dropped for whom, the same in every order of rows and shards."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpusforge.passes.clusters import link
from corpusforge.passes.dedup import BANDS, Dedup, edges_of
from corpusforge.schema import DECISION
from tests.passes.deduped import Row, deduped, flat, place_at, read_table, row, run_dedup, write_shards
from tests.real import real

WORDS = [f"word{n}" for n in range(400)]


def words(first: int, last: int) -> str:
    return " ".join(WORDS[first:last])


def decided(rows: Sequence[Row]) -> dict[str, tuple[str | None, str | None]]:
    return {r["id"]: (r["reason"], r.get("survivor_id")) for r in rows}


def test_exact_near_and_same_id(tmp_path: Path) -> None:
    shards = [
        [row("b", words(0, 200)), row("c", words(0, 200).upper() + "\n")],
        [row("a", words(0, 180)), row("d", words(200, 400))],
        [row("d", "another text under an id that was there before, quite another")],
    ]
    rows = flat(deduped(tmp_path, shards))
    assert [r["reason"] for r in rows] == [None, "exact", "near", None, "same_id"]
    assert [r.get("survivor_id") for r in rows] == [None, "b", "b", None, "d"]
    assert [r["cluster_id"] for r in rows] == ["a", "a", "a", "d", "d"]
    assert [r["cluster_size"] for r in rows] == [3, 3, 3, 2, 2]
    assert [r["band"] for r in rows[:3]] == [rows[2]["band"], -1, rows[2]["band"]]
    assert rows[2]["band"] >= 0
    assert [r["band"] for r in rows[3:]] == [-2, -2]
    assert [r["similarity"] for r in rows[:2]] == [None, 1.0]
    assert 0.8 < rows[2]["similarity"] < 1
    assert rows[2]["similarity"] == pytest.approx(round(rows[2]["similarity"], 3), abs=1e-6)


def test_return_lies_beside_each_shard(tmp_path: Path) -> None:
    shards = [[row(f"x{n}", words(n, n + 40)) for n in range(0, 200, 50)], [], [row("y", words(0, 40))]]
    place = place_at(tmp_path)
    found = run_dedup(place, Dedup(reads=("clean",)), {"clean": write_shards(place, "clean", shards)})
    returned = found["duplicates"]
    assert [m.unit for m in returned] == ["000000", "000001", "000002"]
    tables = [read_table(place, m, "rows.parquet") for m in returned]
    assert all(t.schema.equals(DECISION) for t in tables)
    assert [t["row"].to_pylist() for t in tables] == [[0], [], [0]]
    assert returned[2].counts == {"duplicates.exact": 1, "dropped_bytes": len(words(0, 40))}
    assert returned[0].counts == {}
    assert found["duplicates/decide"][0].counts["clusters"] == 1
    sketch = read_table(place, found["duplicates/sketch"][0], "sketch.parquet")
    assert sketch.column_names[:3] == ["id", "row", "signature"]
    assert sketch["row"].to_pylist() == [0, 1, 2, 3]
    assert sketch.schema.field("signature").type == pa.binary(112 * 4)


def test_no_shards_and_empty_shards(tmp_path: Path) -> None:
    assert deduped(tmp_path / "none", []) == []
    assert deduped(tmp_path / "empty", [[], []]) == [[], []]


def test_a_chain_drops_only_what_is_like_its_survivor(tmp_path: Path) -> None:
    # Each text shares .78 of its shingles with the next one, .6 and less with those after.
    rows = [row(f"{n}", words(n * 12, n * 12 + 100)) for n in range(12)]
    found = flat(deduped(tmp_path, [rows], bands=50, rows=3))
    assert len({r["cluster_id"] for r in found}) == 1
    assert {r["cluster_id"] for r in found} == {"0"}
    by_id = {r["id"]: r for r in found}
    survivors = [r for r in found if r["reason"] is None]
    assert 1 < len(survivors) < 12
    for r in found:
        if r["reason"]:
            assert r["reason"] == "near"
            assert by_id[r["survivor_id"]]["reason"] is None
            assert abs(int(r["id"]) - int(r["survivor_id"])) <= 1
    # The size of a survivor is what it stands for; what stands alone is one.
    sizes = Counter(r["survivor_id"] or r["id"] for r in found)
    assert all(r["cluster_size"] == sizes[r["survivor_id"] or r["id"]] for r in found)


def test_short_texts_are_compared_exactly_and_never_lost(tmp_path: Path) -> None:
    texts = ["", "", "  ", "猫", "犬", "猫。", "猫", "吾輩は猫", "吾輩は犬", "one two", "One  two", "!!", "??", "!!"]
    found = flat(deduped(tmp_path, [[row(f"{n:02d}", t) for n, t in enumerate(texts)]]))
    dropped = {r["id"]: r["survivor_id"] for r in found if r["reason"]}
    assert dropped == {"06": "03", "10": "09", "13": "11"}
    assert {r["reason"] for r in found} == {None, "exact"}


@pytest.mark.parametrize(
    ("prefer", "survivor"),
    [(("longest",), "b"), (("shortest",), "a"), (("earliest",), "d"), (("latest",), "c"), ((), "a")],
)
def test_survivor_follows_the_declared_key(tmp_path: Path, prefer: tuple[str, ...], survivor: str) -> None:
    rows = [
        row("a", words(0, 190), date=None),
        row("b", words(0, 200), date="2024-03-01T00:00:00Z"),
        row("c", words(0, 195), date="2025-01-01T00:00:00Z"),
        row("d", words(0, 195), date="2023-01-01T00:00:00Z"),
    ]
    found = flat(deduped(tmp_path, [rows], prefer=prefer, similarity_at_least=0.6))
    assert [r["id"] for r in found if r["reason"] is None] == [survivor]
    assert {r["survivor_id"] for r in found if r["reason"]} == {survivor}


def test_a_record_read_twice_leaves_one(tmp_path: Path) -> None:
    one = row("a", words(0, 50))
    found = flat(deduped(tmp_path, [[one, one], [one]]))
    assert Counter(r["reason"] for r in found) == {None: 1, "same_id": 2}
    assert {r["similarity"] for r in found if r["reason"]} == {1.0}


def test_texts_that_differ_in_case_only_tie_in_no_order(tmp_path: Path) -> None:
    upper, lower = row("a", words(0, 50).upper()), row("a", words(0, 50))
    one = flat(deduped(tmp_path / "one", [[upper, lower]]))
    other = flat(deduped(tmp_path / "other", [[lower, upper]]))
    assert [r["text"] for r in one if not r["reason"]] == [r["text"] for r in other if not r["reason"]]


def test_same_id_leads_to_what_survives(tmp_path: Path) -> None:
    # x occurs twice; its better copy is itself a duplicate of w, so both stand behind w.
    rows = [row("x", "short and different text of x"), row("x", words(0, 200)), row("w", words(0, 205))]
    found = flat(deduped(tmp_path, [rows]))
    assert [(r["reason"], r.get("survivor_id")) for r in found] == [("same_id", "w"), ("near", "w"), (None, None)]


def test_each_part_can_be_switched_off(tmp_path: Path) -> None:
    rows = [row("a", words(0, 200)), row("b", words(0, 200)), row("c", words(0, 198)), row("c", "else")]
    off = flat(deduped(tmp_path / "off", [rows], exact=False, near=False))
    assert [r["reason"] for r in off] == [None, None, None, "same_id"]
    exact = flat(deduped(tmp_path / "exact", [rows], near=False))
    assert [r["reason"] for r in exact] == [None, "exact", None, "same_id"]
    near = flat(deduped(tmp_path / "near", [rows], exact=False))
    assert [r["reason"] for r in near] == [None, "near", "near", "same_id"]


PIECES = [words(n, n + 12) for n in range(0, 120, 12)]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(" ".join),
    st.sampled_from(["", "猫", words(0, 100), words(3, 103), words(6, 106), words(0, 100).upper()]),
)
DOCUMENTS = st.lists(st.tuples(st.integers(0, 14), TEXTS, st.integers(0, 2)), max_size=14)


def outcome(rows: Sequence[Row]) -> Counter[Any]:
    names = ("id", "text", "source_offset", "reason", "survivor_id", "similarity", "cluster_id", "cluster_size", "band")
    return Counter(tuple(r.get(name) for name in names) for r in rows)


@settings(max_examples=25, deadline=None)
@given(
    documents=DOCUMENTS, seed=st.integers(0, 10**6), shards=st.integers(1, 4), unit_bytes=st.sampled_from([700, 2**30])
)
def test_order_and_grouping_change_nothing(documents: list[Any], seed: int, shards: int, unit_bytes: int) -> None:
    rows = [row(f"{number:032x}", text, source_offset=offset) for number, text, offset in documents]
    chance = random.Random(seed)
    shuffled = chance.sample(rows, len(rows))
    cuts = sorted(chance.randint(0, len(rows)) for _ in range(shards - 1))
    groups = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    with TemporaryDirectory() as folder:
        first = flat(deduped(Path(folder, "one"), [rows], similarity_at_least=0.6))
        other = flat(deduped(Path(folder, "other"), groups, similarity_at_least=0.6, unit_bytes=unit_bytes))
    assert outcome(first) == outcome(other)
    consistent(first)


def consistent(rows: Sequence[Row]) -> None:
    """Nothing is dropped but for a row that stays, and every id stays at most once."""
    stays = [r["id"] for r in rows if r["reason"] is None]
    assert len(stays) == len(set(stays))
    for r in rows:
        if r["reason"]:
            assert r["survivor_id"] in stays
        if r["reason"] == "near":
            assert r["similarity"] >= 0.6
        if r["reason"] == "exact":
            assert r["similarity"] == 1


def test_two_roots_give_the_same_bytes(tmp_path: Path) -> None:
    shards = [[row(f"{n}", words(n, n + 80)) for n in range(first, first + 9)] for first in (0, 9)]
    found = []
    for root in ("one", "two"):
        place = place_at(tmp_path / root)
        steps = run_dedup(place, Dedup(reads=("clean",)), {"clean": write_shards(place, "clean", shards)})
        found.append({(m.step, m.unit, f.role): f.sha256 for ms in steps.values() for m in ms for f in m.files})
    assert found[0] == found[1]
    assert {step for step, _, _ in found[0]} == {
        *("clean", "duplicates", "duplicates/sketch", "duplicates/match", "duplicates/decide")
    }


def test_a_merge_round_changes_no_decision(tmp_path: Path) -> None:
    rows = [row(f"{n:02d}", words(n % 7, n % 7 + 80)) for n in range(14)]
    shards = [rows[n : n + 2] for n in range(0, 14, 2)]
    plain = flat(deduped(tmp_path / "plain", shards))
    place = place_at(tmp_path / "merged")
    made = Dedup(reads=("clean",), files_at_most=3, unit_bytes=2000)
    found = run_dedup(place, made, {"clean": write_shards(place, "clean", shards)})
    assert len(found["duplicates/merge"]) == 3
    assert len(found["duplicates/match"]) > 3
    assert all(len(u.reads) == 3 for u in made.steps()[2].plan(found))
    merged = [line for m in found["duplicates"] for line in read_table(place, m, "rows.parquet").to_pylist()]
    names = DECISION.names
    assert merged == [{name: r[name] for name in names} for r in plain]


def test_several_passes_are_read_as_one(tmp_path: Path) -> None:
    place = place_at(tmp_path)
    given = {
        "web": write_shards(place, "web", [[row("a", words(0, 90))]]),
        "wiki": write_shards(place, "wiki", [[row("b", words(0, 90))]]),
    }
    found = run_dedup(place, Dedup(reads=("web", "wiki")), given)
    assert [m.unit for m in found["duplicates"]] == ["web.000000", "wiki.000000"]
    assert found["duplicates"][1].counts["duplicates.exact"] == 1


def test_too_many_clusters_say_what_to_do(tmp_path: Path) -> None:
    rows = [row(f"{n:03d}", words(0, 50)) for n in range(100)]
    with pytest.raises(RuntimeError) as caught:
        deduped(tmp_path, [rows], cluster_bytes=60_000)
    message = str(caught.value)
    assert "duplicates/decide" in message
    assert "cluster_bytes is 60000" in message
    needed = int(message.split("Set cluster_bytes to ")[1].split()[0])
    found = flat(deduped(tmp_path / "enough", [rows], cluster_bytes=max(needed, 400_000)))
    assert Counter(r["reason"] for r in found) == {None: 1, "exact": 99}


def test_a_missing_id_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a document without an id"):
        deduped(tmp_path, [[row("a", "b"), {**row("a", "b"), "id": None}]])


@pytest.mark.parametrize(
    "wrong", [{"reads": ()}, {"similarity_at_least": 0}, {"prefer": ("best",)}, {"bands": 0}, {"treshold": 1}]
)
def test_a_wrong_recipe_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Dedup(**{"reads": ("clean",), **wrong})


def test_only_what_changes_the_output_is_identity() -> None:
    one = Dedup(reads=("clean",))
    same = Dedup(name="other", reads=("web",), unit_bytes=1, cluster_bytes=1, files_at_most=2)
    assert [s.spec() for s in one.steps()] == [s.spec() for s in same.steps()]
    for change in ({"seed": 2}, {"bands": 13}, {"similarity_at_least": 0.8}, {"prefer": ()}, {"near": False}):
        assert [s.spec() for s in one.steps()] != [s.spec() for s in Dedup(reads=("clean",), **change).steps()]
    # A new threshold or survivor keeps the sketches.
    other = Dedup(reads=("clean",), similarity_at_least=0.9, prefer=("earliest",))
    assert [s.spec() for s in one.steps()[:3]] == [s.spec() for s in other.steps()[:3]]


def test_threshold_is_exact_where_floats_are_not() -> None:
    made = Dedup(reads=("a",), bands=10, rows=10, similarity_at_least=0.29).steps()[3]
    assert made.needed == 29
    assert 0.29 * 100 < 29


@given(pairs=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=60))
@settings(deadline=None)
def test_components_are_those_of_a_slow_search(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, np.uint64) for side in zip(*pairs, strict=True))
    linked = link(first, second, np.zeros(len(pairs), np.int16))
    members = {n: {n} for pair in pairs for n in pair}
    for a, b in pairs:
        union = members[a] | members[b]
        members.update(dict.fromkeys(union, union))
    smallest = [linked.addresses[c] for c in linked.cluster]
    assert smallest == [min(members[int(a)]) for a in linked.addresses]


@given(lines=st.lists(st.tuples(*[st.integers(0, 2)] * 3, st.integers(0, 9)), max_size=40))
def test_edges_join_every_bucket_once(lines: list[tuple[int, int, int, int]]) -> None:
    table = pa.table(list(map(list, zip(*lines, strict=True))) or [[]] * 4, schema=BANDS)
    edges = edges_of(table)
    buckets: dict[Any, list[int]] = {}
    for *bucket, address in lines:
        buckets.setdefault(tuple(bucket), []).append(address)
    wanted = Counter((key[2], min(a), other) for key, a in buckets.items() for other in sorted(a)[1:])
    assert Counter(zip(*(edges[n].to_pylist() for n in edges.column_names), strict=True)) == wanted


def lines_of(name: str) -> list[dict[str, Any]]:
    with pa.input_stream(str(real(name)), compression="zstd") as file:
        return [json.loads(line) for line in file.read().splitlines()]


def found_pairs(tmp_path: Path, documents: list[dict[str, Any]]) -> tuple[dict[str, Row], dict[str, str]]:
    rows = [row(d["id"], d["text"]) for d in documents]
    found = flat(deduped(tmp_path, [rows[::2], rows[1::2]]))
    return {r["id"]: r for r in found}, {r["id"]: r.get("survivor_id") or r["id"] for r in found}


def test_recall_on_synthetic_near_duplicates(tmp_path: Path) -> None:
    _, survivor = found_pairs(tmp_path, lines_of("neardup-synthetic/docs.jsonl.zst"))
    pairs = lines_of("neardup-synthetic/pairs.jsonl.zst")
    hits: Counter[str] = Counter()
    for pair in pairs:
        together = survivor[pair["a"]] == survivor[pair["b"]]
        hits["exact" if pair["kind"] == "exact" else "near" if pair["jaccard5"] >= 0.8 else "far"] += together
    wanted = Counter("exact" if p["kind"] == "exact" else "near" if p["jaccard5"] >= 0.8 else "far" for p in pairs)
    assert hits["exact"] == wanted["exact"] > 0
    assert hits["near"] / wanted["near"] >= 0.97
    # Every document comes from one work, which stands before the #: no other work may be its survivor.
    assert all(a.split("#")[0] == b.split("#")[0] for a, b in survivor.items())


def test_editions_of_real_works(tmp_path: Path) -> None:
    found, survivor = found_pairs(tmp_path, lines_of("neardup-aozora/docs.jsonl.zst"))
    pairs = lines_of("neardup-aozora/pairs.jsonl.zst")
    alike = [p for p in pairs if p["jaccard5"] >= 0.8]
    hits = sum(survivor[p["a"]] == survivor[p["b"]] for p in alike)
    assert hits / len(alike) >= 0.95
    group = {d["id"]: d["group"] for d in lines_of("neardup-aozora/docs.jsonl.zst")}
    dropped = [r for r in found.values() if r["reason"]]
    assert dropped
    assert all(group[r["id"]] and group[r["id"]] == group[r["survivor_id"]] for r in dropped)
