"""The splits that an earlier version's clusters had, carried over to the clusters of this version.

One unit, and only in a build that stands on an earlier version: a cluster may have members in many shards, so that no
token unit could know alone what became of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.tables import TableWriter, read_rows, schema_of
from corpusforge.engine.unit import File, Manifest, Unit
from corpusforge.report.add import Report
from corpusforge.tokens.split import earlier_splits

SPLIT = pa.schema([("cluster_id", pa.string()), ("split", pa.string())])
ROW_BYTES = 400
"""Memory that one document of either version takes at most while the splits are joined (two dictionary entries)."""
ALL_BYTES = 8 << 30


class TooManyDocumentsError(RuntimeError):
    """The two versions do not fit the memory given to one unit."""


@dataclass(frozen=True)
class KeepSplits:
    """``NAME/splits``: the split of each cluster of ``corpus`` that has a member in the earlier version."""

    name: str
    corpus: str
    tokens: str
    all_bytes: int = ALL_BYTES

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.corpus,)

    @property
    def earlier(self) -> tuple[str, ...]:
        """Passes of the earlier version whose manifests ``plan`` is given as ``earlier/PASS``."""
        return (self.corpus, self.tokens)

    @property
    def resources(self) -> Resources:
        return Resources(memory=self.all_bytes)

    def spec(self) -> dict[str, Any]:
        return {"pass": "splits", "revision": 1}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        documents = inputs.get(f"earlier/{self.tokens}", ())
        before, now = inputs.get(f"earlier/{self.corpus}", ()), inputs[self.corpus]
        if not documents:
            return []
        rows = sum(m.counts.get("records", 0) for m in (*before, *now))
        if rows * ROW_BYTES > self.all_bytes:
            raise TooManyDocumentsError(
                f"keeping the splits of {rows:,} documents takes about {rows * ROW_BYTES:,} bytes, more than "
                f"{self.all_bytes:,} in one worker. Build without --from, or from a smaller version"
            )
        groups = {
            "now": _files(now, "kept.parquet", "swept.parquet"),
            "kept": _files(before, "kept.parquet"),
            "swept": _files(before, "swept.parquet"),
            "documents": _files(documents, "train.docs.parquet", "validation.docs.parquet"),
        }
        return [Unit("splits", {k: len(v) for k, v in groups.items()}, tuple(f for v in groups.values() for f in v))]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        files = iter(unit.reads)
        groups = {k: [next(files) for _ in range(unit.spec[k])] for k in ("now", "kept", "swept", "documents")}
        found = earlier_splits(
            _pairs(inputs, groups["now"], "cluster_id"),
            _pairs(inputs, groups["documents"], "split"),
            _pairs(inputs, groups["kept"], "cluster_id"),
            _pairs(inputs, groups["swept"], "cluster_id"),
        )
        lines = {"cluster_id": sorted(found), "split": [found[name] for name in sorted(found)]}
        with out.create("splits.parquet") as file, TableWriter(file, SPLIT) as writer:
            writer.write(pa.RecordBatch.from_pydict(lines, SPLIT))
        report = Report()
        report.count("clusters", len(found))
        return report


def known_splits(inputs: Reader, file: File, clusters: frozenset[str]) -> dict[str, str]:
    """The carried-over splits of the clusters of one unit."""
    return {name: split for name, split in _pairs(inputs, [file], "split", "cluster_id") if name in clusters}


def _files(manifests: Sequence[Manifest], *roles: str) -> list[File]:
    return [file for manifest in manifests for file in manifest.files if file.role in roles]


def _pairs(inputs: Reader, files: Sequence[File], column: str, key: str = "id") -> Iterator[tuple[str, str]]:
    """(id, value) of each row; without a dedup pass each document is its own cluster."""
    for file in files:
        with inputs.open(file) as opened:
            there = column in schema_of(opened).names
            for batch in read_rows(opened, columns=(key, column) if there else (key,)):
                names = batch[key].to_pylist()
                values = batch[column].to_pylist() if there else names
                yield from ((name, value or name) for name, value in zip(names, values, strict=True))
