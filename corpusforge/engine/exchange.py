"""The one way rows meet: scatter (each unit writes rows sorted by key) and gather (one unit reads one range of keys).

The files between the passes are the shuffle. A row has a ``key: uint64`` that is spread evenly (a hash) or an address;
a gather reads from every file only the row groups that overlap its range.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpusforge.engine.attempt import Output, Reader
from corpusforge.engine.tables import TableWriter
from corpusforge.engine.unit import File

FAN_IN = 1000
"""Files one gather reads at most; more go through a merge round first."""
TOP = 1 << 64

Range = tuple[int, int]
"""Keys ``low <= key < high``."""


def scatter(out: Output, role: str, table: pa.Table) -> None:
    """Write the rows of a unit, sorted by key; equal keys keep their order."""
    ordered = _sorted(table)
    with out.create(role) as file, TableWriter(file, table.schema) as writer:
        for batch in ordered.to_batches():
            writer.write(batch)


def gather(inputs: Reader, files: Sequence[File], keys: Range, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of all files with a key in the range, sorted by key; equal keys in the order of ``files``.

    ``columns`` names the columns wanted, ``key`` among them; at least one file is needed, for the schema.
    """
    if not files:
        raise ValueError("nothing to gather: no file given")
    pieces = [piece for file in files for piece in _overlap(inputs, file, keys, columns)]
    return _sorted(pa.concat_tables(pieces))


def merge(inputs: Reader, files: Sequence[File], out: Output, role: str, parts: Sequence[Range]) -> int:
    """Merge sorted files into one, a range of keys at a time; give the number of rows.

    ``parts`` are ranges in order that together cover every key.
    """
    with inputs.open(files[0]) as first:
        schema = pq.read_schema(first)
    with out.create(role) as file, TableWriter(file, schema) as writer:
        for keys in parts:
            for batch in gather(inputs, files, keys).to_batches():
                writer.write(batch)
        return writer.rows


def fan_in(files: int, at_most: int = FAN_IN) -> list[tuple[int, int]]:
    """Which runs ``(first, last)`` of files to merge so that one gather reads few enough; none if it does already.

    One round of merging serves ``at_most`` squared files.
    """
    if files <= at_most:
        return []
    if files > at_most * at_most:
        raise ValueError(f"{files} files are more than one merge round of {at_most} serves; use larger units")
    return [(first, min(first + at_most, files)) for first in range(0, files, at_most)]


def ranges(rows: int, row_bytes: int, unit_bytes: int) -> list[Range]:
    """Even ranges of hashed keys so that each gathers about ``unit_bytes``; at least one."""
    count = max(1, -(-rows * row_bytes // unit_bytes))
    borders = [TOP * i // count for i in range(count + 1)]
    return list(pairwise(borders))


def groups(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Runs ``(first, last)`` of rows with equal key in a gathered table."""
    if not table.num_rows:
        return
    keys = _keys(table)
    borders = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    starts = np.concatenate(([0], borders))
    ends = np.concatenate((borders, [len(keys)]))
    yield from zip(starts.tolist(), ends.tolist(), strict=True)


def _overlap(inputs: Reader, file: File, keys: Range, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    """The rows of one file in the range, in its order; an empty table first, which carries the schema."""
    low, high = keys
    wanted = list(columns) if columns else None
    with inputs.open(file) as opened:
        source = pq.ParquetFile(opened)
        position = source.schema_arrow.names.index("key")
        yield source.read_row_groups([], columns=wanted)
        for group in range(source.metadata.num_row_groups):
            seen = source.metadata.row_group(group).column(position).statistics
            if seen.max < low or seen.min >= high:
                continue
            table = source.read_row_group(group, columns=wanted)
            found = _keys(table)
            # A border of 2^64 fits no uint64: the largest key below the range's end does.
            first = int(np.searchsorted(found, np.uint64(low), side="left"))
            last = int(np.searchsorted(found, np.uint64(high - 1), side="right"))
            yield table.slice(first, last - first)


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(pa.array(np.argsort(_keys(table), kind="stable"))).combine_chunks()


def _keys(table: pa.Table) -> NDArray[np.uint64]:
    keys: NDArray[np.uint64] = table["key"].to_numpy().astype(np.uint64, copy=False)
    return keys
