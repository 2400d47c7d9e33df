"""A cheaper order of a pass's stages: found by what each takes and drops, measured, and tried on the sample."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from corpusforge.passes.map import applied
from corpusforge.passes.specs import default_of, fields_of, use_of
from corpusforge.stages.prove import IDENTITY
from corpusforge.verbs.explain_order import cheapest, needed, segments
from corpusforge.verbs.explain_sample import Passed, run

FEW = 32
"""Rows that are timed together; what else a machine does falls on some of them only."""
LEAST = 0.005
"""The share of all time that another order must save to be proposed."""
ROUNDS = 6
"""How often two orders are run in turn; half of the rounds measure what the other half is compared with."""


@dataclass(frozen=True)
class Proposal:
    """Another order for a pass: ``saved`` ms of CPU a document of the source, ``noise`` of it, ``share`` of all."""

    step: str
    order: str
    saved: float
    noise: float
    share: float
    stages: str
    """The list of stages as a recipe has it."""


def proposed(passed: Passed, sampled: int, total: float, remarks: list[str]) -> Proposal | None:
    """A cheaper order for a pass, measured and tried on the sample; else a remark says why there is none."""
    made, stages = passed.made, passed.made.stages
    if not made.sweep:
        remarks.append(f"{made.name}: with `sweep: false` every stage sees every document, in any order")
        return None
    before = needed(stages)
    rows = pa.concat_batches([batch.filter(batch["drop"].is_null()) for batch in passed.given])
    order: list[int] = []
    saved = noise = 0.0
    for segment in segments(before):
        part = [stages[n] for n in segment]
        free = [{n - segment.start for n in before[s] if n >= segment.start} for s in segment]
        best = _best(part, rows, free, made.name, remarks)
        ms, spread = (ns / sampled / 1e6 for ns in _compared(part, [part[n] for n in best], rows)) if best else (0, 0)
        if best and ms > spread and ms >= LEAST * total:
            saved, noise = saved + ms, noise + spread
        elif best:
            least = f"only {max(ms, 0):.3f} ms a source document (noise {spread:.3f} ms)"
            remarks.append(f"{made.name}: {_names(part[n] for n in best)} would save {least}")
            best = None
        order += [segment.start + n for n in best or range(len(part))]
        rows = _through(part, rows)
    other = replace(made, stages=tuple(stages[n] for n in order))
    if order == sorted(order):
        return None
    if _content(run(other, passed.given).kept) != _content(passed.kept):
        told = "gives other documents on the sample, so a stage does not keep the rules of stages (`prove` says which)"
        remarks.append(f"{made.name}: {_names(other.stages)} {told}")
        return None
    return Proposal(made.name, _names(other.stages), saved, noise, saved / total, _yaml(other.stages))


def _names(stages: Iterable[Any]) -> str:
    return ", ".join(type(stage).__name__ for stage in stages)


def _best(
    stages: Sequence[Any], rows: pa.RecordBatch, before: Sequence[set[int]], place: str, remarks: list[str]
) -> tuple[int, ...] | None:
    """The cheapest order by what every stage takes and drops of all rows; None where that is the given one."""
    if len(stages) < 2 or not rows.num_rows:
        return None
    try:
        spent, dropped, liars = _scored(stages, rows)
    except Exception as error:
        why = "; ".join((repr(error), *getattr(error, "__notes__", ())))
        remarks.append(f"{place}: no order is tried of {_names(stages)}: what is dropped now would be an error ({why})")
        return None
    if liars:
        remarks.append(f"{place}: no order is tried of {_names(stages)}: {_names(liars)} reads more than it declares")
        return None
    order = cheapest(spent, dropped, before)
    return order if order != tuple(range(len(stages))) else None


def _scored(stages: Sequence[Any], rows: pa.RecordBatch) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[Any]]:
    """Nanoseconds and drops by stage and row, no row being swept; and stages that need more than they declare."""
    spent = np.zeros((len(stages), rows.num_rows), np.int64)
    dropped = np.zeros(spent.shape, np.bool_)
    liars = []
    place = rows.schema.get_field_index("drop")
    for number, stage in enumerate(stages):
        for row in range(rows.num_rows):
            one = rows.slice(row, 1)
            started = time.process_time_ns()
            applied(stage, one)
            spent[number, row] = time.process_time_ns() - started
        started = time.process_time_ns()
        result = applied(stage, rows)
        # A call has a cost of its own, which rows share in a build.
        spent[number] = spent[number] * ((time.process_time_ns() - started) / max(spent[number].sum(), 1))
        dropped[number] = result["drop"].is_valid().to_numpy(zero_copy_only=False)
        if not _declared(stage, rows, result):
            liars.append(stage)
        rows = result.set_column(place, "drop", pa.nulls(rows.num_rows, pa.string()))
    return spent, dropped, liars


def _declared(stage: Any, rows: pa.RecordBatch, result: pa.RecordBatch) -> bool:
    """Whether a stage writes the same if it is given the columns that it declares, and those that none changes."""
    some, written = rows.slice(0, FEW), list(stage.writes)
    try:
        alone = stage(some.select([n for n in some.schema.names if n in (*stage.reads, *IDENTITY, "drop")]))
    except Exception:
        return False
    return _content([alone.select(written)]) == _content([result.slice(0, some.num_rows).select(written)])


def _compared(given: Sequence[Any], other: Sequence[Any], rows: pa.RecordBatch) -> tuple[float, float]:
    """Nanoseconds that the other order saves, by the worse of two measurements, and what these differ by."""
    times = np.array([[_timed(stages, rows) for stages in (given, other)] for _ in range(ROUNDS)])
    # The least of each few rows: what else the machine does falls on some of them only.
    halves = np.array([times[half::2].min(axis=0).sum(axis=-1) for half in (0, 1)])
    return float((halves[:, 0] - halves[:, 1]).min()), float(np.abs(halves[0] - halves[1]).max())


def _timed(stages: Sequence[Any], rows: pa.RecordBatch) -> list[int]:
    """Nanoseconds for each few rows."""
    ends = [time.process_time_ns()]
    for start in range(0, rows.num_rows, FEW):
        _through(stages, rows.slice(start, FEW))
        ends.append(time.process_time_ns())
    return [end - start for start, end in pairwise(ends)]


def _through(stages: Sequence[Any], rows: pa.RecordBatch) -> pa.RecordBatch:
    for stage in stages:
        if rows.num_rows:
            rows = applied(stage, rows)
            rows = rows.filter(rows["drop"].is_null())
    return rows


def _content(batches: Sequence[pa.RecordBatch]) -> list[str]:
    """Rows as they can be compared, whatever the order of columns; a NaN is a NaN."""
    return [repr(sorted(row.items())) for batch in batches for row in batch.to_pylist()]


def _yaml(stages: Sequence[Any]) -> str:
    """The list of stages as a recipe has it, each with the fields that differ from their defaults."""
    lines = ["stages:"]
    for stage in stages:
        defaults = {f.name: default_of(f) for f in fields(stage)}
        module, _, name = use_of(stage).partition(":")
        short = module.removeprefix("corpusforge.stages.")
        entry = {"use": f"{short}.{name}" if short != module else use_of(stage)}
        entry |= {given: value for given, value in fields_of(stage).items() if value != defaults[given]}
        shown = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1 << 20)
        lines.append(f"  - {shown.strip()}")
    return "\n".join(lines)
