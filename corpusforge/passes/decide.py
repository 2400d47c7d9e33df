"""The step of dedup that decides: all edges in one unit, while they and the rows they join fit ``cluster_bytes``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.exchange import scatter
from corpusforge.engine.tables import rows_at
from corpusforge.engine.unit import File, Manifest, Unit
from corpusforge.passes.clusters import (
    COMPARISONS,
    EXACT,
    REASONS,
    SAME_ID,
    Linked,
    Verdicts,
    judge,
    link,
    ordered,
    smallest_ids,
)
from corpusforge.passes.sketch import EXACT_BAND, ROW_BITS, SAME_ID_BAND
from corpusforge.report.add import Report
from corpusforge.schema import DECISION

EDGE_BYTES, ROW_BYTES = 80, 640
"""Memory of one edge, and of one row beside its signature: ids, keys, and the copies made while sorting them."""

DECIDED = pa.schema([("key", pa.uint64()), *((f.name, f.type) for f in DECISION), ("bytes", pa.int64())])
"""Decisions on their way back: ``key`` is the address of the row, ``bytes`` those of its text."""

NEEDED = ("id", "shingles", "digest", "text_digest", "characters", "bytes", "date", "source_file", "source_offset")


class ClustersTooLargeError(RuntimeError):
    """The rows that met do not fit the memory given to one unit."""


@dataclass(frozen=True)
class Decide:
    """Write ``decisions.parquet``: one line for every row that met another, sorted by address."""

    name: str
    sketch: str
    match: str
    exact: bool
    near: bool
    permutations: int
    similarity_at_least: float
    prefer: tuple[str, ...]
    cluster_bytes: int

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.sketch, self.match)

    @property
    def resources(self) -> Resources:
        return Resources(memory=self.cluster_bytes + (1 << 30))

    @property
    def needed(self) -> int:
        """Components of two signatures that must agree; computed in fractions, so that 0.7 of 10 is 7."""
        return math.ceil(Fraction(str(self.similarity_at_least)) * self.permutations) if self.near else 0

    def spec(self) -> dict[str, Any]:
        return {
            "pass": "dedup.decide",
            "revision": 1,
            "exact": self.exact,
            "components_at_least": self.needed,
            "prefer": list(self.prefer),
            "comparisons": COMPARISONS,
        }

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        edges = [m.file("edges.parquet") for m in inputs[self.match]]
        sketches = [m.file("sketch.parquet") for m in inputs[self.sketch]]
        if not edges:
            return []
        return [Unit("000000", {"edges": len(edges)}, (*edges, *sketches), sum(f.bytes for f in edges))]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        edges, sketches = unit.reads[: unit.spec["edges"]], unit.reads[unit.spec["edges"] :]
        linked = self._linked(inputs, edges)
        report = Report()
        if not len(linked.addresses):
            scatter(out, "decisions.parquet", DECIDED.empty_table())
            return report
        rows, signatures = self._rows(inputs, sketches, linked)
        verdicts = judge(rows, signatures, ordered(rows, self.prefer), self.exact, self.needed)
        decided = self._decided(rows, linked, verdicts)
        scatter(out, "decisions.parquet", decided)
        _count(report, linked, decided)
        return report

    def _linked(self, inputs: Reader, edges: Sequence[File]) -> Linked:
        tables, rows = [], 0
        for file in edges:
            with inputs.open(file) as opened:
                source = pq.ParquetFile(opened)
                rows += source.metadata.num_rows
                self._fits(rows * EDGE_BYTES, f"{rows} edges and more")
                tables.append(source.read())
        table = pa.concat_tables(tables)
        first, second, bands = (table[c].to_numpy() for c in ("first", "second", "band"))
        linked = link(first, second, bands)
        clustered = len(linked.addresses)
        size = rows * EDGE_BYTES + clustered * (ROW_BYTES + 4 * self.permutations)
        self._fits(size, f"{clustered} rows that met, joined by {rows} edges,")
        return linked

    def _fits(self, size: int, what: str) -> None:
        if size > self.cluster_bytes:
            raise ClustersTooLargeError(
                f"{self.name}: {what} need {size} bytes in one process, and cluster_bytes is {self.cluster_bytes}. "
                f"Set cluster_bytes to {size} or more where a worker has that memory, or let fewer rows meet: more "
                "rows per band, or an earlier pass that drops pages of nothing but navigation"
            )

    def _rows(self, inputs: Reader, sketches: Sequence[File], linked: Linked) -> tuple[pa.Table, NDArray[np.uint32]]:
        """What decides about the rows that met, in the order of their addresses, and their signatures."""
        signatures = np.empty((len(linked.addresses), self.permutations), np.uint32)
        tables = []
        shards = linked.addresses >> np.uint64(ROW_BITS)
        for shard in np.unique(shards).tolist():
            first, last = np.searchsorted(shards, (shard, shard + 1)).tolist()
            rows = (linked.addresses[first:last] & np.uint64((1 << ROW_BITS) - 1)).astype(np.int64)
            with inputs.open(sketches[shard]) as opened:
                table = rows_at(opened, rows, (*NEEDED, "signature"))
            signatures[first:last] = fixed(table["signature"], "<u4")
            tables.append(table.drop_columns(["signature"]))
        table = pa.concat_tables(tables)
        digests = fixed(table["text_digest"], ">u8").astype(np.uint64)
        columns: dict[str, NDArray[Any]] = {
            "text_high": digests[:, 0],
            "text_low": digests[:, 1],
            "address": linked.addresses,
            "cluster": linked.cluster,
        }
        for name, values in columns.items():
            table = table.append_column(name, pa.array(np.ascontiguousarray(values)))
        return table, signatures

    def _decided(self, rows: pa.Table, linked: Linked, verdicts: Verdicts) -> pa.Table:
        count = len(linked.addresses)
        ids = rows["id"].combine_chunks()
        survivor = pa.array(verdicts.survivor, mask=verdicts.survivor < 0)
        group = np.where(verdicts.survivor < 0, np.arange(count), verdicts.survivor)
        columns = {
            "key": linked.addresses,
            "row": (linked.addresses & np.uint64((1 << ROW_BITS) - 1)).astype(np.int64),
            "reason": pa.array(REASONS, pa.string()).take(pa.array(verdicts.reason)),
            "survivor_id": ids.take(survivor),
            "similarity": pa.array(_shares(verdicts.equal, self.permutations), mask=verdicts.equal < 0),
            "cluster_id": smallest_ids(rows),
            "cluster_size": np.bincount(group, minlength=count)[group].astype(np.int32),
            "band": _bands(linked, verdicts),
            "bytes": rows["bytes"].combine_chunks(),
        }
        return pa.table(columns).cast(DECIDED)


def fixed(column: pa.ChunkedArray, dtype: str) -> NDArray[Any]:
    """The values of a binary column of fixed width, without nulls, as rows of ``dtype``."""
    kind = np.dtype(dtype)
    width = column.type.byte_width // kind.itemsize
    parts = [
        np.frombuffer(c.buffers()[1], kind, len(c) * width, c.offset * column.type.byte_width)
        for c in column.chunks
        if len(c)
    ]
    return np.concatenate(parts).reshape(-1, width) if parts else np.empty((0, width), kind)


def _shares(equal: NDArray[np.int32], permutations: int) -> NDArray[np.float32]:
    """Similarity in thousandths, rounded in whole numbers."""
    return ((equal.astype(np.int64) * 2000 + permutations) // (2 * permutations)).astype(np.float32) / np.float32(1000)


def _bands(linked: Linked, verdicts: Verdicts) -> NDArray[np.int16]:
    """The band that made each row a duplicate; for the others, and near-duplicates, the lowest by which it met."""
    bands = linked.band.copy()
    bands[verdicts.reason == EXACT] = EXACT_BAND
    bands[verdicts.reason == SAME_ID] = SAME_ID_BAND
    return bands


def _count(report: Report, linked: Linked, decided: pa.Table) -> None:
    _, sizes = np.unique(linked.cluster, return_counts=True)
    report.count("clusters", len(sizes))
    report.bins("duplicates.linked_rows", [str(1 << (int(s).bit_length() - 1)) for s in sizes])
    similar = decided["similarity"].drop_null().to_numpy()
    report.bins("duplicates.similarity", [f"{round(s * 1000) // 50 / 20:.2f}" for s in similar.tolist()])
