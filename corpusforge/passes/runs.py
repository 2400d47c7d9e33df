"""Units of a later pass: runs of whole or partial input shards, from counts in manifests only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpusforge.engine.unit import File, Manifest, Unit


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
    return [_unit(f"{number:06d}", run) for number, run in enumerate(_grouped(pieces, unit_bytes))]


def _pieces(shard: Manifest, unit_bytes: int) -> Iterator[Piece]:
    rows, size = shard.counts.get("documents", 0), shard.counts.get("text_bytes", 0)
    if not rows:
        return
    parts = min(rows, max(1, -(-size // unit_bytes)))
    for part in range(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        yield Piece(shard.file("kept.parquet"), first, last - first, size // parts)


def _grouped(pieces: Sequence[Piece], unit_bytes: int) -> Iterator[list[Piece]]:
    run: list[Piece] = []
    for piece in pieces:
        if run and sum(p.bytes for p in run) + piece.bytes > unit_bytes:
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _unit(name: str, run: Sequence[Piece]) -> Unit:
    rows = [[piece.first, piece.rows] for piece in run]
    return Unit(name, {"rows": rows}, tuple(p.file for p in run), sum(p.bytes for p in run))
