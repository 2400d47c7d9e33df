"""The duplicates pass: rows meet by id, by text and by MinHash bands; one of each group stays, with evidence.

Five engine passes on the exchange: ``NAME/sketch`` (scatter), ``NAME/merge`` (only above the fan-in), ``NAME/match``
(gather into edges), ``NAME/decide`` (clusters), ``NAME`` (return, a file of decisions beside each shard).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass as plain
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from corpusforge.engine.attempt import Output, Pass, Reader, Resources
from corpusforge.engine.exchange import FAN_IN, fan_in, gather, merge, ranges
from corpusforge.engine.tables import TableWriter
from corpusforge.engine.unit import File, Manifest, Unit
from corpusforge.passes.decide import Decide
from corpusforge.passes.sketch import BANDS, ROW_BITS, Sketch, shards_of
from corpusforge.report.add import Report
from corpusforge.schema import DECISION

Prefer = Literal["longest", "shortest", "earliest", "latest"]

MATCH_BYTES = 128
"""Memory of one line of a gathered band table while it is sorted."""

EDGE = pa.schema([("band", pa.int16()), ("first", pa.uint64()), ("second", pa.uint64())])
"""Two rows that share a bucket of a band; every member of a bucket is joined to the one of smallest address."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Dedup:
    """Decide which documents are duplicates: of an id, of a text, or nearly of a text.

    ``prefer`` orders what stays (then id, text digest and source decide). A near-duplicate has an estimated Jaccard
    similarity of at least ``similarity_at_least`` to a document that stays. ``bands`` of ``rows`` hashes find the
    pairs: 14 × 8 finds .924 of the pairs of similarity .8 (1 − (1 − .8^8)^14; FineWeb, datatrove).
    A shingle is ``shingle_words`` words, or ``shingle_characters`` characters where words are not spaced.
    """

    name: str = "duplicates"
    reads: tuple[str, ...] = Field(default=(), min_length=1, validate_default=True)
    exact: bool = True
    near: bool = True
    bands: int = Field(default=14, ge=1, le=1024)
    rows: int = Field(default=8, ge=1, le=1024)
    shingle_words: int = Field(default=5, ge=1)
    shingle_characters: int = Field(default=5, ge=1)
    similarity_at_least: float = Field(default=0.7, gt=0, le=1)
    prefer: tuple[Prefer, ...] = ("longest",)
    unit_bytes: int = Field(default=1 << 30, ge=1)
    cluster_bytes: int = Field(default=2 << 30, ge=1)
    seed: int = Field(default=1, ge=0, lt=1 << 32)
    files_at_most: int = Field(default=FAN_IN, ge=2)

    def steps(self) -> tuple[Pass, ...]:
        sketch = Sketch(
            f"{self.name}/sketch",
            self.reads,
            self.exact,
            self.near,
            self.bands,
            self.rows,
            self.seed,
            self.shingle_words,
            self.shingle_characters,
        )
        merged = Merge(f"{self.name}/merge", sketch.name, self.unit_bytes, self.files_at_most)
        match = Match(f"{self.name}/match", sketch.name, merged.name, self.unit_bytes)
        decide = Decide(
            f"{self.name}/decide",
            sketch.name,
            match.name,
            self.exact,
            self.near,
            sketch.permutations,
            self.similarity_at_least,
            self.prefer,
            self.cluster_bytes,
        )
        return (sketch, merged, match, decide, Return(self.name, self.reads, decide.name))


@plain(frozen=True)
class Merge:
    """Merge band files, ``files_at_most`` into one, where one gather would have to open more."""

    name: str
    sketch: str
    unit_bytes: int
    files_at_most: int

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.sketch,)

    @property
    def resources(self) -> Resources:
        return Resources()

    def spec(self) -> dict[str, Any]:
        return {"pass": "dedup.merge", "revision": 1}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        shards = inputs[self.sketch]
        runs = fan_in(len(shards), self.files_at_most)
        return [self._unit(number, shards[first:last]) for number, (first, last) in enumerate(runs)]

    def _unit(self, number: int, shards: Sequence[Manifest]) -> Unit:
        files = tuple(m.file("bands.parquet") for m in shards)
        rows = sum(m.counts["band_rows"] for m in shards)
        return Unit(f"{number:06d}", {"rows": rows}, files, sum(f.bytes for f in files))

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        parts = ranges(unit.spec["rows"], MATCH_BYTES, self.unit_bytes)
        out.counts["band_rows"] = merge(inputs, unit.reads, out, "bands.parquet", parts)
        return Report()


@plain(frozen=True)
class Match:
    """Join the rows of every bucket, one range of keys a unit."""

    name: str
    sketch: str
    merged: str
    unit_bytes: int

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.sketch, self.merged)

    @property
    def resources(self) -> Resources:
        return Resources()

    def spec(self) -> dict[str, Any]:
        return {"pass": "dedup.match", "revision": 1}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        shards = inputs[self.merged] or inputs[self.sketch]
        files = tuple(m.file("bands.parquet") for m in shards)
        if not files:
            return []
        parts = ranges(sum(m.counts["band_rows"] for m in shards), MATCH_BYTES, self.unit_bytes)
        size = sum(f.bytes for f in files) // len(parts)
        # The borders are written as text: JSON numbers above 2^53 are not safe everywhere.
        specs = [{"low": f"{low:x}", "high": f"{high:x}"} for low, high in parts]
        return [Unit(f"{number:06d}", spec, files, size) for number, spec in enumerate(specs)]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        keys = (int(unit.spec["low"], 16), int(unit.spec["high"], 16))
        edges = edges_of(gather(inputs, unit.reads, keys, BANDS.names))
        with out.create("edges.parquet") as file, TableWriter(file, EDGE) as writer:
            for batch in edges.to_batches():
                writer.write(batch)
        out.counts["edges"] = edges.num_rows
        return Report()


def edges_of(met: pa.Table) -> pa.Table:
    """Join every row to the first of its bucket: components are the same whichever row is the centre of the star."""
    key, check, band, address = (met[name].to_numpy() for name in BANDS.names)
    order = np.lexsort((address, band, check, key))
    key, check, band, address = key[order], check[order], band[order], address[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (key[1:] != key[:-1]) | (check[1:] != check[:-1]) | (band[1:] != band[:-1])
    centre = address[starts][np.cumsum(starts) - 1]
    arrays = [pa.array(values[~starts]) for values in (band, centre, address)]
    return pa.Table.from_arrays(arrays, schema=EDGE)


@plain(frozen=True)
class Return:
    """Write the decisions on each shard beside it: ``rows.parquet``, one line for every row that met another."""

    name: str
    shards: tuple[str, ...]
    decide: str

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.shards, self.decide)

    @property
    def resources(self) -> Resources:
        return Resources()

    def spec(self) -> dict[str, Any]:
        return {"pass": "dedup.return", "revision": 1}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        files: tuple[File, ...] = tuple(m.file("decisions.parquet") for m in inputs[self.decide])
        names = [name for name, _ in shards_of(self.shards, inputs)]
        return [Unit(name, {"shard": number}, files) for number, name in enumerate(names)]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        shard = unit.spec["shard"]
        decided = gather(inputs, unit.reads, (shard << ROW_BITS, (shard + 1) << ROW_BITS))
        with out.create("rows.parquet") as file, TableWriter(file, DECISION) as writer:
            for batch in decided.select(DECISION.names).to_batches():
                writer.write(batch)
        report = Report()
        for reason, size in zip(decided["reason"].to_pylist(), decided["bytes"].to_pylist(), strict=True):
            if reason:
                report.count(f"duplicates.{reason}")
                report.count("dropped_bytes", size)
        return report
