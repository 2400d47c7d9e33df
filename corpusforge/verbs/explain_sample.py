"""A sample of a recipe's input, and what its map passes make of it."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pyarrow as pa

from corpusforge.engine.serial_pool import cause_of
from corpusforge.passes.ledger import Ledger, stored_schema, swept_schema
from corpusforge.passes.map import Map, complete
from corpusforge.slices import Input, Slice
from corpusforge.verbs.sample import NoSample, Taken

PLACES = 64
"""Places that a sample is read from, at least, where the input has so many …"""
BATCH_ROWS, SLICE_BYTES = 8, 256 << 10
"""… in batches and slices no smaller than these."""
STRIDE = 4
"""Of so many batches of a place one is taken, so that a file that has one place only is not seen by its beginning."""


@dataclass(frozen=True)
class Passed:
    """A pass with what came in and what it kept; ``spent`` ns by stage, ``write`` for the rest."""

    made: Map
    given: tuple[pa.RecordBatch, ...]
    kept: tuple[pa.RecordBatch, ...]
    counts: Counter[str]
    spent: dict[str, int]


@dataclass
class Found:
    """What was read for a sample, and ``ns`` of CPU and ``rows`` of the first batches of places and of later ones."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    later: Counter[str] = field(default_factory=Counter)


def sampled_of(first: Map, records: int) -> Found:
    """Records of places spread over the files and within each; of large files a few, of small ones all."""
    many = min(len(first.inputs), records)
    chosen = [first.inputs[len(first.inputs) * n // many] for n in range(many)]
    size = sum(given.bytes for given in chosen)
    reader = replace(first, source=tuple(_fine(source, size, records) for source in first.source))
    places = [(given, piece) for given in chosen for piece in reader.reader_of(given.name).plan(given, first.limit)]
    found = Found()
    spare: list[pa.RecordBatch] = []
    open_ = [_batches(reader, *places[n], found) for n in _spread(len(places))]
    while open_ and _count(found.batches) < records:
        for place in list(open_):
            batches = [batch for _, batch in zip(range(STRIDE), place, strict=False)]
            found.batches += batches[:1]
            spare += batches[1:] if _count(spare) < records else []
            if len(batches) < STRIDE:
                open_.remove(place)
            if _count(found.batches) >= records:
                break
    columns = first.given({})
    names = [*(name for name in columns if name != "drop"), "drop"]
    fitted = [complete(batch, columns).select(names) for batch in (*found.batches, *spare)]
    rows = pa.Table.from_batches(fitted).slice(0, records).combine_chunks() if fitted else None
    return replace(found, batches=rows.to_batches(max_chunksize=first.batch_rows) if rows else [])


def _fine(source: Any, size: int, records: int) -> Any:
    """The source with small batches and slices, so that a few records can be had from each of many places."""
    small = {
        "batch_rows": max(records // PLACES, BATCH_ROWS),
        "slice_bytes": max(size // (PLACES * STRIDE), SLICE_BYTES),
    }
    return replace(source, **{f.name: small[f.name] for f in fields(source) if f.name in small})


def _count(batches: Sequence[pa.RecordBatch]) -> int:
    return sum(batch.num_rows for batch in batches)


def _spread(many: int) -> list[int]:
    """Numbers in an order in which every beginning is spread over all of them."""
    digits = many.bit_length()
    return sorted(range(many), key=lambda n: f"{n:0{digits}b}"[::-1])


def _batches(reader: Map, given: Input, piece: Slice, found: Found) -> Iterator[pa.RecordBatch]:
    """The batches of a place; its first one pays for finding the first record."""
    with given.open() as file:
        batches = reader.reader_of(piece.name).read(piece, file, found.passed_over)
        spent = found.first
        while True:
            started = time.process_time_ns()
            batch = next(batches, None)
            if batch is None:
                return
            spent["ns"] += time.process_time_ns() - started
            spent["rows"] += batch.num_rows
            yield batch
            spent = found.later


def measured(passes: Sequence[Any], batches: Sequence[pa.RecordBatch]) -> Iterator[Passed]:
    """Send rows through the map passes, each reading what an earlier one kept; ``NoSample`` where a stage raises."""
    kept: dict[str, tuple[pa.RecordBatch, ...]] = {}
    for made in passes:
        given = kept.get(next(iter(made.reads), ""), () if kept else tuple(batches))
        if isinstance(made, Map) and given:
            try:
                passed = run(made, given)
            except BaseException as error:
                # A panic of a Rust library is no Exception.
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                raise NoSample(f"pass {made.name} cannot be measured: {cause_of(error)}") from error
            kept[made.name] = passed.kept
            yield passed


def run(made: Map, given: Sequence[pa.RecordBatch]) -> Passed:
    """Send rows through a pass as a build does, with its files in memory."""
    columns = made.given({f.name: f.type for f in given[0].schema})
    schema = stored_schema(columns, {n: t for stage in made.stages for n, t in stage.writes.items()})
    kept, swept = Taken(schema), Taken(swept_schema(schema))
    ledger = Ledger(kept, swept, made.counted)
    spent: Counter[str] = Counter()
    started = time.process_time_ns()
    batches = [complete(batch, columns) for batch in given]
    for batch in batches:
        made.through(batch, ledger, spent)
    kept.size(), swept.size()
    whole = time.process_time_ns() - started
    spent.pop("write", None)
    others = max(whole - sum(spent.values()), 0)
    return Passed(made, tuple(batches), tuple(kept.batches), ledger.report.counts, {**spent, "write": others})


def left_in(batches: Sequence[pa.RecordBatch]) -> int:
    return sum(batch["drop"].null_count for batch in batches)
