"""The map pass: documents through stages; what a stage marks is swept before the next, dearer one sees it."""

import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pydantic import ConfigDict, Field, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.tables import TableWriter, read_rows, schema_of
from corpusforge.engine.unit import Manifest, Unit
from corpusforge.inputs import has_fingerprint
from corpusforge.passes.ledger import Ledger, stored_schema, swept_schema, without_html
from corpusforge.passes.runs import in_runs, plan_runs
from corpusforge.passes.specs import spec_of
from corpusforge.report.add import Report
from corpusforge.schema import BLOCK, EDIT, PARQUET_OPTIONS, ROW_GROUP_ROWS
from corpusforge.sources import Input, Slice, Source
from corpusforge.stages import Stage, marked
from corpusforge.storage import opened, state_of
from corpusforge.storage.addresses import shown

GROUP_BYTES = 16 << 20
"""Slices of inputs share a unit up to this size …"""
UNITS = 1000
"""… where there would be more units than about this many."""
ALWAYS = {"blocks": pa.list_(BLOCK), "edits": pa.list_(EDIT)}
"""Columns that a map pass adds where its input has none."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class Map:
    """Read a source, or the documents of another pass, and put them through ``stages``.

    Of several sources each file goes to the first one whose ``suffixes`` fit its name. ``unit_bytes`` is the text one
    unit reads at most; ``sweep: false`` scores every row by every stage and marks only; ``counted`` columns are counted
    by value, so that a later pass can partition by them.
    """

    name: str
    reads: tuple[str, ...] = ()
    source: tuple[Any, ...] = ()
    stages: tuple[Any, ...] = ()
    sweep: bool = True
    unit_bytes: PositiveInt = 64 << 20
    batch_rows: PositiveInt = 256
    counted: tuple[str, ...] = ("lang",)
    memory: PositiveInt = 3 << 30
    inputs: tuple[Input, ...] = Field(default=(), repr=False)
    limit: int | None = None

    @property
    def resources(self) -> Resources:
        return Resources(memory=self.memory)

    def steps(self) -> tuple["Map", ...]:
        return (self,)

    def columns(self, before: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
        """The columns after this pass, given those of the pass it reads."""
        every = self.given(before)
        for stage in self.stages:
            every.update(stage.writes)
        return {f.name: f.type for f in stored_schema(every)}

    def spec(self) -> dict[str, Any]:
        return {
            "pass": "map",
            "source": [spec_of(source) for source in self.source],
            "stages": [spec_of(stage) for stage in self.stages],
            "sweep": self.sweep,
            "unit_bytes": self.unit_bytes,
            "counted": list(self.counted),
            "unicode": unicodedata.unidata_version,
            "parquet": {**PARQUET_OPTIONS, "row_group_rows": ROW_GROUP_ROWS},
        }

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        if not self.source:
            return plan_runs(inputs[self.reads[0]], self.unit_bytes)
        pieces = [(i, piece) for i in self.inputs for piece in self.reader_of(i.name).plan(i, self.limit)]
        # Slices of many small files share a unit, so that a folder of a million pages is not a million units.
        most = min(GROUP_BYTES, sum(piece.bytes for _, piece in pieces) // UNITS)
        runs = in_runs([(piece, piece[1].bytes) for piece in pieces], most)
        return [
            Unit(
                f"{number:06d}",
                {"slices": [piece.to_json() for _, piece in run]},
                bytes=sum(piece.bytes for _, piece in run),
                places={given.name: (given.path, given.state) for given, _ in run},
            )
            for number, run in enumerate(runs)
        ]

    def reader_of(self, name: str) -> Source:
        """The source that reads the file of that name."""
        fits = (source for source in self.source if name.lower().endswith(source.suffixes))
        reader: Source = next(fits, self.source[0])
        return reader

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        columns = self._columns_in(unit, inputs)
        kept_schema = stored_schema(columns, {n: t for stage in self.stages for n, t in stage.writes.items()})
        spent: Counter[str] = Counter()
        with (
            out.create("kept.parquet") as kept_file,
            out.create("swept.parquet") as swept_file,
            TableWriter(kept_file, kept_schema) as kept,
            TableWriter(swept_file, swept_schema(kept_schema)) as swept,
        ):
            ledger = Ledger(kept, swept, self.counted)
            for batch in _timed(self._read(unit, inputs, ledger), spent, "read"):
                self.through(_without_killers(complete(batch, columns), inputs.skip), ledger, spent)
        out.cost["stages_us"] = {name: ns // 1000 for name, ns in spent.items()}
        return ledger.report

    def _columns_in(self, unit: Unit, inputs: Reader) -> dict[str, pa.DataType]:
        if self.source:
            return self.given({})
        with inputs.open(unit.reads[0]) as file:
            return self.given({f.name: f.type for f in schema_of(file)})

    def given(self, before: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
        """The columns that the first stage is given."""
        given = dict(before)
        for source in self.source:
            given.update({name: kind for name, kind in source.writes.items() if name not in given})
        return {**given, **ALWAYS}

    def _read(self, unit: Unit, inputs: Reader, ledger: Ledger) -> Iterator[pa.RecordBatch]:
        if self.source:
            for piece in slices_of(unit):
                yield from self._read_slice(piece, *unit.places[piece.name], ledger)
            return
        for file, (first, rows) in zip(unit.reads, unit.spec["rows"], strict=True):
            with inputs.open(file) as opened:
                for group in read_rows(opened, first, rows):
                    for start in range(0, group.num_rows, self.batch_rows):
                        yield group.slice(start, self.batch_rows)

    def _read_slice(self, piece: Slice, path: str, state: str, ledger: Ledger) -> Iterator[pa.RecordBatch]:
        size, before = state_of(path)
        # A copy of the file on another node has another date, so a date alone says nothing.
        if before != state and not has_fingerprint(path, size, piece.fingerprint):
            raise RuntimeError(f"input {shown(path)} is not what it was when the build began. Build again")
        passed_over: Counter[str] = Counter()
        with opened(path) as file:
            yield from self.reader_of(piece.name).read(piece, file, passed_over)
        for reason, records in sorted(passed_over.items()):
            ledger.passed_over(reason, records, piece.name, piece.start)
        if state_of(path)[1] != before:
            raise RuntimeError(f"input {shown(path)} changed while it was read. Leave it as it is and build again")

    def through(self, batch: pa.RecordBatch, ledger: Ledger, spent: Counter[str]) -> None:
        live = ledger.split(batch)
        last_of_html = max((n for n, stage in enumerate(self.stages) if "html" in stage.reads), default=-1)
        for number, stage in enumerate(self.stages):
            if not live.num_rows:
                return
            name = type(stage).__name__
            ledger.report.count(f"into.{number:02d}.{name}", live.num_rows)
            started = time.thread_time_ns()
            live = applied(stage, live)
            if number == last_of_html:
                live = without_html(live)
            spent[f"{number:02d}.{name}"] += time.thread_time_ns() - started
            if self.sweep:
                live = ledger.split(live)
        started = time.thread_time_ns()
        ledger.keep(ledger.split(live))
        spent["write"] += time.thread_time_ns() - started


def slices_of(unit: Unit) -> list[Slice]:
    """What a unit of a pass with a source reads."""
    return [Slice(**piece) for piece in unit.spec["slices"]]


def applied(stage: Stage, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch after a stage; an error names the stage and the first document that raises it."""
    try:
        result = stage(batch)
    except Exception as error:
        error.add_note(f"stage {type(stage).__name__}, {_culprit(stage, batch)}")
        raise
    if result.num_rows != batch.num_rows:
        raise RuntimeError(
            f"stage {type(stage).__name__} gave {result.num_rows} rows for {batch.num_rows}: a stage keeps every row"
        )
    return result


def _culprit(stage: Stage, batch: pa.RecordBatch) -> str:
    for row in range(batch.num_rows):
        one = batch.slice(row, 1)
        try:
            stage(one)
        except Exception:
            return f"document {one['id'][0].as_py()} ({one['url'][0].as_py()})"
    return f"one of {batch.num_rows} documents from {batch['id'][0].as_py()} on, together only"


def _without_killers(batch: pa.RecordBatch, skip: Mapping[str, str]) -> pa.RecordBatch:
    """Mark the records that killed their workers before."""
    if not skip:
        return batch
    rows = zip(batch["source_file"].to_pylist(), batch["source_offset"].to_pylist(), strict=True)
    reasons = [skip.get(f"{name}:{offset}") for name, offset in rows]
    return batch.set_column(batch.schema.get_field_index("drop"), "drop", marked(batch, reasons))


def complete(batch: pa.RecordBatch, columns: Mapping[str, pa.DataType] = ALWAYS) -> pa.RecordBatch:
    """The batch with every column that a stage may count on: null where its source has none, no edits, no drop."""
    for name, kind in {**columns, "drop": pa.string()}.items():
        if name not in batch.schema.names:
            rows = batch.num_rows
            batch = batch.append_column(name, pa.array([[]] * rows, kind) if name == "edits" else pa.nulls(rows, kind))
    return batch


def _timed(batches: Iterator[pa.RecordBatch], spent: Counter[str], name: str) -> Iterator[pa.RecordBatch]:
    """Count the CPU time that making each batch takes."""
    while True:
        started = time.thread_time_ns()
        batch = next(batches, None)
        spent[name] += time.thread_time_ns() - started
        if batch is None:
            return
        yield batch
