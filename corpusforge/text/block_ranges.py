"""The ``blocks`` column: how it is made, and its ranges as numbers, replaced without a Python object a block."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpusforge.schema import BLOCK

Offsets = NDArray[np.int64]
UNKNOWN_LINKS = -1


class Blocks(NamedTuple):
    """The blocks of a text, column by column, as ``schema.BLOCK`` has them."""

    path: list[str]
    start: list[int]
    end: list[int]
    links: list[int]
    score: list[int]


def blocks_column(rows: Sequence[Blocks | None]) -> pa.ListArray:
    """The column of the blocks of texts; made of one struct a block it takes three times as long."""
    given = [row for row in rows if row is not None]
    values = (list(chain.from_iterable(columns)) for columns in zip(*given, strict=True)) if given else repeat([])
    fields = [pa.array(value, field.type) for value, field in zip(values, BLOCK, strict=False)]
    bounds = np.cumsum([0, *(0 if row is None else len(row.path) for row in rows)])
    return pa.ListArray.from_arrays(
        pa.array(bounds, pa.int32()),
        pa.StructArray.from_arrays(fields, fields=list(BLOCK)),
        pa.list_(BLOCK),
        mask=pa.array([row is None for row in rows], pa.bool_()),
    )


@dataclass(frozen=True)
class BlockRanges:
    """The blocks of row ``i`` are those from ``bounds[i]`` to ``bounds[i + 1]``; offsets in code points.

    ``links`` is the share of link characters in 1/255, -1 where it is not known.
    """

    bounds: Offsets
    starts: Offsets
    ends: Offsets
    links: Offsets

    def of(self, row: int) -> slice:
        """Where the blocks of a row lie."""
        return slice(int(self.bounds[row]), int(self.bounds[row + 1]))


def block_ranges(column: pa.Array) -> BlockRanges:
    """The ranges of a column of blocks; a null list has none."""
    sizes = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    bounds = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    blocks = column.flatten()
    numbers = (pc.struct_field(blocks, name) for name in ("start", "end", "links"))
    starts, ends, links = (pc.fill_null(pc.cast(n, pa.int64()), UNKNOWN_LINKS).to_numpy() for n in numbers)
    return BlockRanges(bounds, starts, ends, links)


def with_ranges(column: pa.Array, ranges: BlockRanges, starts: Offsets, ends: Offsets) -> pa.Array:
    """The column with other starts and ends of its blocks."""
    blocks = column.flatten()
    fields = {field.name: pc.struct_field(blocks, field.name) for field in blocks.type}
    fields |= {"start": pa.array(starts, pa.int32()), "end": pa.array(ends, pa.int32())}
    values = pa.StructArray.from_arrays(list(fields.values()), fields=list(blocks.type))
    mask = column.is_null() if column.null_count else None
    return pa.ListArray.from_arrays(pa.array(ranges.bounds, pa.int32()), values, column.type, mask=mask)
