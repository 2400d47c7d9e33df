"""Tombstones: the documents of a corpus that are forgotten, by id; none of them is trained on again.

They lie in ``ROOT/CORPUS/_tombstones/000000.parquet``, ``000001.parquet`` …, beside the versions and not within one:
a version that takes units over from another, or makes the same document anew, must honour them too, and so must every
version when the one they were made for is removed. Files are added, never changed; the first entry of an id stands.
"""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from corpusforge.schema import PARQUET_OPTIONS
from corpusforge.storage import Store

FOLDER = "_tombstones"
"""No version can have this name."""
TOMBSTONE = pa.schema([("id", pa.string()), ("reason", pa.string()), ("date", pa.string())])


@dataclass(frozen=True)
class Tombstone:
    """A forgotten document, why, and since when (``2026-11-28``)."""

    id: str
    reason: str
    date: str


def read_tombstones(store: Store) -> dict[str, Tombstone]:
    """Every tombstone of a corpus by id, in the order in which they were set; ``store`` is ``ROOT/CORPUS``."""
    found: dict[str, Tombstone] = {}
    for data in store.read_each([f"{FOLDER}/{name}" for name in _names(store)]):
        for row in pq.read_table(io.BytesIO(data or b"")).to_pylist():
            found.setdefault(row["id"], Tombstone(**row))
    return found


def add_tombstones(store: Store, added: Sequence[Tombstone]) -> None:
    """Write tombstones in one more file; of two writers at once each gets a file of its own."""
    data = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([asdict(t) for t in added], TOMBSTONE), data, **PARQUET_OPTIONS)
    number = len(_names(store))
    while not store.put_if_absent(f"{FOLDER}/{number:06d}.parquet", data.getvalue()):
        number += 1


def _names(store: Store) -> list[str]:
    return [name for name in store.names(FOLDER) if name.endswith(".parquet")]
