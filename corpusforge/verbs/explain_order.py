"""Which stages of a pass may change places, and the cheapest order of those that may."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

TEXT = frozenset(("text", "blocks", "edits", "masked"))
"""Columns that hold places in one text: who changes one of them changes what all of them mean."""
MOST = 1000
"""Sets of stages that are followed at once: enough for every order of 12 free stages, the most promising of more."""


def bound(first: Any, second: Any) -> bool:
    """Whether two stages keep their places: one of them writes what the other reads or writes.

    Drops are apart, because a document is dropped whoever comes first. A stage that masks changes columns that it
    does not declare, so nothing passes it.
    """
    if getattr(first, "masks", False) or getattr(second, "masks", False):
        return True
    return _disturbs(first, second) or _disturbs(second, first)


def _disturbs(writer: Any, other: Any) -> bool:
    touched = {*other.reads, *(column for column in other.writes if column != "drop")}
    return bool(_together({*writer.writes}) & _together(touched))


def _together(columns: set[str]) -> set[str]:
    return columns | TEXT if columns & TEXT else columns


def needed(stages: Sequence[Any]) -> list[set[int]]:
    """The numbers of the stages that must stay before each one.

    Where a pass masks, no stage that drops moves behind the first one that writes text: what is dropped is written
    down, and would be so unmasked.
    """
    text = next((n for n, stage in enumerate(stages) if "text" in stage.writes), None)
    masks = any(getattr(stage, "masks", False) for stage in stages)
    before: list[set[int]] = []
    for number, stage in enumerate(stages):
        unmasked = masks and number == text
        direct = {n for n in range(number) if bound(stages[n], stage) or (unmasked and "drop" in stages[n].writes)}
        before.append(direct.union(*(before[n] for n in direct)))
    return before


def segments(before: Sequence[set[int]]) -> list[range]:
    """The stages in runs that nothing can leave: all of a run must stay before all of the next one."""
    count = len(before)
    cuts = [cut for cut in range(count + 1) if all(before[n].issuperset(range(cut)) for n in range(cut, count))]
    return [range(start, end) for start, end in pairwise(cuts)]


def cheapest(spent: NDArray[np.int64], dropped: NDArray[np.bool_], before: Sequence[set[int]]) -> tuple[int, ...]:
    """The order of least cost; the one given, 0, 1, 2, …, where none is cheaper.

    ``spent`` is what each stage (rows) takes for each document (columns), ``dropped`` which documents it drops. Which
    documents are left does not depend on the order of the stages that have been, so the best way to each set of stages
    is enough.
    """
    given = range(len(spent))
    ways: dict[frozenset[int], tuple[int, tuple[int, ...]]] = {frozenset(): (0, ())}
    for length in given:
        longer: dict[frozenset[int], tuple[int, tuple[int, ...]]] = {}
        for done, (cost, order) in ways.items():
            left = ~dropped[list(order)].any(axis=0)
            for stage in (n for n in given if n not in done and before[n] <= done):
                way = (cost + int(spent[stage][left].sum()), (*order, stage))
                longer[done | {stage}] = min(longer.get(done | {stage}, way), way)
        ways = dict(sorted(longer.items(), key=lambda entry: entry[1])[:MOST])
        # The given order is always followed, so that the one found is never dearer.
        start = frozenset(given[: length + 1])
        ways[start] = longer[start]
    return min(ways.values())[1]
