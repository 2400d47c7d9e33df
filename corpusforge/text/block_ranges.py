"""The ``blocks`` column: how it is made, and its ranges as numbers, replaced without a Python object a block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpusforge.schema import BLOCK

Offsets = NDArray[np.int64]
UNKNOWN_LINKS = -1


class Block(NamedTuple):
    """One block, as ``schema.BLOCK`` has it."""

    path: str
    start: int
    end: int
    links: int
    score: int


def blocks_column(rows: Sequence[Sequence[Block] | None]) -> pa.ListArray:
    """The column of rows of blocks, field by field: Arrow takes a list of structs to pieces one by one."""
    blocks = [block for row in rows for block in row or ()]
    columns = list(zip(*blocks, strict=True)) or [()] * len(BLOCK)
    fields = [pa.array(values, field.type) for values, field in zip(columns, BLOCK, strict=True)]
    values = pa.StructArray.from_arrays(fields, fields=list(BLOCK))
    bounds = np.cumsum([0, *(len(row or ()) for row in rows)])
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), values, pa.list_(BLOCK), mask=mask)


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
