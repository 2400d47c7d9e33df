"""Shards made by hand, and the duplicates pass run on them by the engine, for the tests of dedup."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpusforge.engine.attempt import Output, Place
from corpusforge.engine.run import run
from corpusforge.engine.serial_pool import SerialPool
from corpusforge.engine.tables import TableWriter
from corpusforge.engine.unit import Manifest
from corpusforge.passes.dedup import Dedup
from corpusforge.storage import Store

KEPT = pa.schema(
    [
        ("id", pa.string()),
        ("date", pa.string()),
        ("text", pa.large_string()),
        ("lang", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
    ]
)
Row = dict[str, Any]


def row(identity: str, text: str, **more: Any) -> Row:
    return {"id": identity, "date": None, "text": text, "lang": "ja", "source_file": "a", "source_offset": 0, **more}


def place_at(root: Path) -> Place:
    return Place(Store(str(root)), "v1")


def write_shards(place: Place, step: str, shards: Sequence[Sequence[Row]]) -> list[Manifest]:
    """Commit each shard as a pass ``step`` would have."""
    manifests = []
    for number, rows in enumerate(shards):
        out = Output(place, step, f"{number:06d}", "attempt")
        with out.create("kept.parquet") as file, TableWriter(file, KEPT) as writer:
            for batch in pa.Table.from_pylist(list(rows), KEPT).to_batches():
                writer.write(batch)
        manifest = Manifest(step, out.unit, f"identity {number}", tuple(out.files), {"documents": len(rows)})
        manifests.append(place.commit(manifest))
    return manifests


def run_dedup(place: Place, made: Dedup, given: dict[str, list[Manifest]]) -> dict[str, list[Manifest]]:
    """Run every step; give the manifests of all of them. A failed unit is an error."""
    found = dict(given)
    for step in made.steps():
        outcome = run(step, {name: found[name] for name in step.reads}, place, lambda resources, left: SerialPool())
        if outcome.failed:
            raise RuntimeError(outcome.failed[0].causes[-1])
        found[step.name] = outcome.manifests
    return found


def read_table(place: Place, manifest: Manifest, role: str) -> pa.Table:
    with place.store.open(manifest.file(role).path) as file:
        return pq.read_table(file)


def deduped(root: Path, shards: Sequence[Sequence[Row]], **options: Any) -> list[list[Row]]:
    """The rows of every shard, each with what dedup decided on it (nothing for a row without a twin)."""
    place = place_at(root)
    made = Dedup(reads=("clean",), **options)
    found = run_dedup(place, made, {"clean": write_shards(place, "clean", shards)})
    result = []
    for rows, manifest in zip(shards, found["duplicates"], strict=True):
        lines = {line["row"]: line for line in read_table(place, manifest, "rows.parquet").to_pylist()}
        result.append([{**r, **lines.get(n, {"reason": None, "cluster_size": 1})} for n, r in enumerate(rows)])
    return result


def flat(shards: Sequence[Sequence[Row]]) -> list[Row]:
    return [r for shard in shards for r in shard]
