"""Units of a later pass: runs of whole or partial input shards, from counts in manifests only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from corpusforge.engine.unit import File, Manifest, Unit

Item = TypeVar("Item")


@dataclass(frozen=True)
class Piece:
    """Rows ``first`` to ``first + rows`` of one shard."""

    file: File
    first: int
    rows: int
    bytes: int


def plan_runs(shards: Sequence[Manifest], unit_bytes: int) -> list[Unit]:
    """Group shards, in order, into units of at most ``unit_bytes`` of text; a larger shard is cut into even parts."""
    pieces = [piece for shard in shards for piece in _pieces(shard, unit_bytes)]
    runs = in_runs([(piece, piece.bytes) for piece in pieces], unit_bytes)
    return [_unit(f"{number:06d}", run) for number, run in enumerate(runs)]


def _pieces(shard: Manifest, unit_bytes: int) -> Iterator[Piece]:
    rows, size = shard.counts.get("documents", 0), shard.counts.get("text_bytes", 0)
    if not rows:
        return
    parts = min(rows, max(1, -(-size // unit_bytes)))
    for part in range(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        yield Piece(shard.file("kept.parquet"), first, last - first, size // parts)


def in_runs(items: Iterable[tuple[Item, int]], most: int) -> Iterator[list[Item]]:
    """Items, each with its bytes, in runs of at most ``most`` bytes; a larger one is a run of its own."""
    run: list[Item] = []
    size = 0
    for item, length in items:
        if run and size + length > most:
            yield run
            run, size = [], 0
        run.append(item)
        size += length
    if run:
        yield run


def _unit(name: str, run: Sequence[Piece]) -> Unit:
    rows = [[piece.first, piece.rows] for piece in run]
    return Unit(name, {"rows": rows}, tuple(p.file for p in run), sum(p.bytes for p in run))
