"""The one way rows meet: scatter (each unit writes rows sorted by key) and gather (one unit reads one range of keys).

The files between the passes are the shuffle. A row has a ``key: uint64`` that is spread evenly (a hash) or an address;
a gather reads from every file only the row groups that overlap its range.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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
    """The rows of all files with a key in the range, sorted by key; equal keys in the order of ``files``."""
    pieces = [piece for file in files for piece in _overlap(inputs, file, keys, columns)]
    return _sorted(pa.concat_tables(pieces)) if pieces else pa.table({})


def merge(inputs: Reader, files: Sequence[File], out: Output, role: str, parts: Sequence[Range]) -> int:
    """Merge sorted files into one, a range of keys at a time; give the number of rows."""
    with inputs.open(files[0]) as first:
        schema = pq.read_schema(first)
    with out.create(role) as file, TableWriter(file, schema) as writer:
        for keys in parts:
            for batch in gather(inputs, files, keys).to_batches():
                writer.write(batch)
        return writer.rows


def ranges(rows: int, row_bytes: int, unit_bytes: int) -> list[Range]:
    """Even ranges of hashed keys so that each gathers about ``unit_bytes``; at least one."""
    count = max(1, -(-rows * row_bytes // unit_bytes))
    borders = [TOP * i // count for i in range(count + 1)]
    return list(zip(borders, borders[1:], strict=False))


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
    low, high = keys
    with inputs.open(file) as opened:
        source = pq.ParquetFile(opened)
        position = source.schema_arrow.names.index("key")
        for group in range(source.metadata.num_row_groups):
            seen = source.metadata.row_group(group).column(position).statistics
            if seen.max < low or seen.min >= high:
                continue
            table = source.read_row_group(group, columns=list(columns) if columns else None)
            found = _keys(table)
            first = int(np.searchsorted(found, np.uint64(low)))
            last = len(found) if high == TOP else int(np.searchsorted(found, np.uint64(high)))
            yield table.slice(first, last - first)


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(pa.array(np.argsort(_keys(table), kind="stable"))).combine_chunks()


def _keys(table: pa.Table) -> Any:
    return table["key"].to_numpy().astype(np.uint64, copy=False)
