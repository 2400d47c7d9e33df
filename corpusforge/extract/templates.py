"""Blocks of one template: those whose elements have the same path of names and first classes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusforge.extract.blocks import IN_LINKS, WIDTH
from corpusforge.extract.tree import Places
from corpusforge.kernels import compiled


@dataclass(frozen=True)
class Groups:
    """``number`` is each block's group, ``sums`` (float32 of (groups, 5)) a group's blocks, width, width of links, and
    its first and last block."""

    number: Places
    sums: npt.NDArray[np.float32]


def group_blocks(template: npt.NDArray[np.uint64], measures: npt.NDArray[np.int32]) -> Groups:
    """Group blocks by their ``template``, uint64 of (blocks,)."""
    slots = 16
    while slots < 2 * len(template) + 2:
        slots *= 2
    number, sums = np.zeros(len(template), np.int32), np.zeros((len(template), 5), np.float32)
    groups = _group(template, measures, slots, number, sums)
    return Groups(number, sums[:groups])


@compiled
def _group(
    template: npt.NDArray[np.uint64],
    measures: npt.NDArray[np.int32],
    slots: int,
    number: Places,
    sums: npt.NDArray[np.float32],
) -> int:
    keys, groups = np.zeros(slots, np.uint64), np.full(slots, -1, np.int32)
    count = 0
    for block in range(len(template)):
        slot = np.int64(template[block] & np.uint64(slots - 1))
        while groups[slot] >= 0 and keys[slot] != template[block]:
            slot = (slot + 1) & (slots - 1)
        if groups[slot] < 0:
            keys[slot], groups[slot] = template[block], count
            sums[count, 3] = block
            count += 1
        group = groups[slot]
        number[block] = group
        sums[group, 0] += 1
        sums[group, 1] += measures[block, WIDTH]
        sums[group, 2] += measures[block, IN_LINKS]
        sums[group, 4] = block
    return count
