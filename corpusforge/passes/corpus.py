"""The corpus pass: sweeps duplicates with their evidence and writes the final, self-contained shards."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ConfigDict, Field, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.tables import TableWriter, read_rows, schema_of
from corpusforge.engine.unit import File, Manifest, Unit
from corpusforge.passes.ledger import Ledger, series_name, stored_schema, swept_schema
from corpusforge.report.add import Report
from corpusforge.schema import PARQUET_OPTIONS, ROW_GROUP_ROWS

CLUSTER = {"cluster_id": pa.string(), "cluster_size": pa.int32()}
EVIDENCE = (("survivor_id", pa.string()), ("similarity", pa.float32()), ("band", pa.int16()))


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Corpus:
    """Write shards of ``shard_bytes`` of text, one series for each value of ``partition_by``.

    ``reads`` names the pass with the documents and, where there is one, the dedup pass with the decisions on them.
    """

    name: str
    reads: tuple[str, ...] = Field(min_length=1, max_length=2)
    partition_by: str | None = None
    shard_bytes: PositiveInt = 256 << 20
    counted: tuple[str, ...] = ("lang",)

    @property
    def resources(self) -> Resources:
        return Resources()

    def steps(self) -> tuple["Corpus", ...]:
        return (self,)

    def columns(self, before: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
        """The columns after this pass, given those of the documents it reads."""
        return {f.name: f.type for f in stored_schema(dict(before), CLUSTER)}

    def spec(self) -> dict[str, Any]:
        return {
            "pass": "corpus",
            "revision": 1,
            "partition_by": self.partition_by,
            "shard_bytes": self.shard_bytes,
            "decided": len(self.reads) > 1,
            "counted": list(self.counted),
            "parquet": {**PARQUET_OPTIONS, "row_group_rows": ROW_GROUP_ROWS},
        }

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        shards = inputs[self.reads[0]]
        decided = {m.unit: m for m in inputs[self.reads[1]]} if len(self.reads) > 1 else {}
        series: dict[str, list[tuple[Manifest, int, int]]] = {}
        for shard in shards:
            for value, (rows, size) in self._sizes(shard).items():
                series.setdefault(value, []).append((shard, rows, size))
        return [unit for value in sorted(series) for unit in self._series(value, series[value], decided)]

    def _sizes(self, shard: Manifest) -> dict[str, tuple[int, int]]:
        """Documents and text bytes of a shard by partition value."""
        if not shard.counts.get("documents"):
            return {}
        if self.partition_by is None:
            return {"all": (shard.counts["documents"], shard.counts.get("text_bytes", 0))}
        start, end = f"by.{self.partition_by}.", ".documents"
        found = [k[len(start) : -len(end)] for k in shard.counts if k.startswith(start) and k.endswith(end)]
        return {v: (shard.counts[f"{start}{v}{end}"], shard.counts.get(f"{start}{v}.text_bytes", 0)) for v in found}

    def _series(
        self, value: str, shards: Sequence[tuple[Manifest, int, int]], decided: Mapping[str, Manifest]
    ) -> Iterator[Unit]:
        run: list[tuple[Manifest, int, int]] = []
        held = number = 0
        for shard, rows, size in shards:
            parts = min(rows, max(1, -(-size // self.shard_bytes)))
            for part in range(parts):
                if run and held + size // parts > self.shard_bytes:
                    yield self._unit(value, number, run, held, decided)
                    run, held, number = [], 0, number + 1
                run.append((shard, rows * part // parts, rows * (part + 1) // parts))
                held += size // parts
        if run:
            yield self._unit(value, number, run, held, decided)

    def _unit(
        self,
        value: str,
        number: int,
        run: Sequence[tuple[Manifest, int, int]],
        size: int,
        decided: Mapping[str, Manifest],
    ) -> Unit:
        files: list[File] = []
        for shard, _, _ in run:
            files.append(shard.file("kept.parquet"))
            if decided:
                files.append(decided[shard.unit].file("rows.parquet"))
        spec = {"partition": value, "rows": [[first, last] for _, first, last in run]}
        return Unit(f"{series_name(value)}-{number:06d}", spec, tuple(files), size)

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        step = 2 if len(self.reads) > 1 else 1
        with inputs.open(unit.reads[0]) as file:
            kept_schema = stored_schema({f.name: f.type for f in schema_of(file)}, CLUSTER)
        with (
            out.create("kept.parquet") as kept_file,
            out.create("swept.parquet") as swept_file,
            TableWriter(kept_file, kept_schema) as kept,
            TableWriter(swept_file, swept_schema(kept_schema, EVIDENCE)) as swept,
        ):
            ledger = Ledger(kept, swept, self.counted)
            for number, (first, last) in enumerate(unit.spec["rows"]):
                shard = unit.reads[number * step]
                decisions = _decisions(inputs, unit.reads[number * step + 1]) if step == 2 else {}
                for batch in self._chosen(inputs, shard, unit.spec["partition"], first, last, decisions):
                    ledger.keep(ledger.split(batch))
        return ledger.report

    def _chosen(
        self, inputs: Reader, shard: File, value: str, first: int, last: int, decisions: Mapping[int, dict[str, Any]]
    ) -> Iterator[pa.RecordBatch]:
        """Rows of one partition value, from its ``first`` to its ``last`` in the shard, with what dedup decided."""
        row = seen = 0
        with inputs.open(shard) as file:
            for batch in read_rows(file):
                numbers = pa.array(range(row, row + batch.num_rows), pa.int64())
                row += batch.num_rows
                if self.partition_by:
                    mask = pc.equal(batch[self.partition_by].fill_null("None"), value)
                    batch, numbers = batch.filter(mask), numbers.filter(mask)
                start, end = max(first - seen, 0), min(last - seen, batch.num_rows)
                seen += batch.num_rows
                if start < end:
                    yield _decided(batch.slice(start, end - start), numbers[start:end].to_pylist(), decisions)


def _decisions(inputs: Reader, file: File) -> dict[int, dict[str, Any]]:
    with inputs.open(file) as opened:
        return {line["row"]: line for batch in read_rows(opened) for line in batch.to_pylist()}


def _decided(batch: pa.RecordBatch, numbers: Sequence[int], decisions: Mapping[int, dict[str, Any]]) -> pa.RecordBatch:
    """The batch with its clusters, and its duplicates marked with their evidence."""
    found = [decisions.get(number, {}) for number in numbers]
    ids = batch["id"].to_pylist()
    reasons = [f"duplicates.{f['reason']}" if f.get("reason") else None for f in found]
    columns = {name: batch[name] for name in batch.schema.names}
    columns["cluster_id"] = pa.array([f.get("cluster_id", i) for f, i in zip(found, ids, strict=True)], pa.string())
    columns["cluster_size"] = pa.array([f.get("cluster_size", 1) for f in found], pa.int32())
    for name, kind in EVIDENCE:
        columns[name] = pa.array([f.get(name) for f in found], kind)
    columns["drop"] = pa.array(reasons, pa.string())
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
