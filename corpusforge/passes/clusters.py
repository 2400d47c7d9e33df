"""Clusters of rows that meet, and what becomes of each row: a fixed order decides, never the order of the shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel

KEPT, EXACT, NEAR, SAME_ID = range(4)
REASONS = (None, "exact", "near", "same_id")

COMPARISONS = 1024
"""Kept rows of its cluster that a row is compared with at most, first ones first, so that a giant cluster costs
a fixed time per row (about 20 µs); beyond it a near-duplicate may be kept, never a distinct row dropped."""

PREFER = {
    "longest": ("characters", "descending"),
    "shortest": ("characters", "ascending"),
    "earliest": ("date", "ascending"),
    "latest": ("date", "descending"),
}
"""What a survivor may be chosen by; a row without a date comes last."""

TIES = ("id", "text_high", "text_low", "source_file", "source_offset")
"""How every tie-break ends. Rows equal in all of these are the same record read twice."""


@dataclass(frozen=True)
class Linked:
    """Rows that met another one: ascending ``addresses``, ``cluster`` of each, lowest ``band`` by which it met."""

    addresses: NDArray[np.uint64]
    cluster: NDArray[np.int64]
    band: NDArray[np.int16]


@dataclass(frozen=True)
class Verdicts:
    """Per row: ``reason`` (index in REASONS), index of the ``survivor`` (-1: the row stays), ``equal`` components."""

    reason: NDArray[np.int8]
    survivor: NDArray[np.int64]
    equal: NDArray[np.int32]


def link(first: NDArray[np.uint64], second: NDArray[np.uint64], bands: NDArray[np.int16]) -> Linked:
    """Connected components of the edges ``first[i] - second[i]``; MinHash bands come before the others."""
    addresses = np.unique(np.concatenate((first, second)))
    left, right = np.searchsorted(addresses, first), np.searchsorted(addresses, second)
    cluster = _components(len(addresses), left, right)
    # The bands below zero come last: 16 bits without a sign put them there.
    lowest = np.full(len(addresses), 0xFFFF, np.uint16)
    for ends in (left, right):
        np.minimum.at(lowest, ends, bands.astype(np.uint16))
    return Linked(addresses, cluster, lowest.astype(np.int16))


def ordered(rows: pa.Table, prefer: Sequence[str]) -> NDArray[np.int64]:
    """Positions of the rows, cluster by cluster, the best survivor first."""
    keys = [("cluster", "ascending"), *(PREFER[p] for p in prefer), *((t, "ascending") for t in TIES)]
    order = pc.sort_indices(rows, sort_keys=[*keys, ("address", "ascending")])
    positions: NDArray[np.int64] = order.to_numpy().astype(np.int64)
    return positions


def judge(
    rows: pa.Table, signatures: NDArray[np.uint32], order: NDArray[np.int64], exact: bool, needed: int
) -> Verdicts:
    """What becomes of each row, in one go from the best survivor of each cluster to the last.

    An id that occurred before is ``same_id``; a text that occurred before is ``exact``; a row with at least ``needed``
    components equal to those of a row that stays is ``near``. A row is only ever dropped for a row that stays, so a
    chain of small steps drops nothing that is unlike its survivor. ``needed`` 0 compares no signatures.
    """
    taken = rows.take(pa.array(order))
    ids, digests = _codes(taken["id"]), _codes(taken["digest"])
    if not exact:
        digests = np.full(len(order), -1, np.int64)
    digests[taken["characters"].to_numpy() == 0] = -1
    comparable = rows["shingles"].to_numpy() > 0
    clusters = rows["cluster"].to_numpy()
    reason, survivor, equal = _judged(order, clusters, ids, digests, comparable, signatures, needed, COMPARISONS)
    return Verdicts(reason, survivor, equal)


def smallest_ids(rows: pa.Table) -> pa.Array:
    """For each row the smallest id of its cluster: the name of the cluster, the same in every order of the shards."""
    sorting = [("cluster", "ascending"), ("id", "ascending")]
    order = pc.sort_indices(rows, sort_keys=sorting).to_numpy()
    clusters = rows["cluster"].to_numpy()
    _, first, group = np.unique(clusters[order], return_index=True, return_inverse=True)
    smallest = np.empty(len(order), np.int64)
    smallest[order] = order[first[group]]
    return rows["id"].combine_chunks().take(pa.array(smallest))


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Equal values get equal small integers."""
    indices = column.combine_chunks().dictionary_encode().indices
    codes: NDArray[np.int64] = indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


@compiled
def _components(count: int, left: Any, right: Any) -> Any:
    """Union-find; the root of a component is its smallest member."""
    parent = np.arange(count)
    for i in range(len(left)):
        a, b = _root(parent, left[i]), _root(parent, right[i])
        if a != b:
            parent[max(a, b)] = min(a, b)
    for i in range(count):
        parent[i] = _root(parent, i)
    return parent


@kernel
def _root(parent: Any, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@compiled
def _judged(
    order: Any, clusters: Any, ids: Any, digests: Any, comparable: Any, signatures: Any, needed: int, comparisons: int
) -> Any:
    count = len(order)
    reason, survivor = np.zeros(count, np.int8), np.full(count, -1, np.int64)
    equal = np.full(count, -1, np.int32)
    by_id, by_digest = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    kept, kept_rows, cluster = np.empty(comparisons, np.int64), 0, -1
    for place in range(count):
        row = order[place]
        if clusters[row] != cluster:
            cluster, kept_rows = clusters[row], 0
        twin = by_id[ids[place]]
        if twin >= 0:
            survivor[row] = twin if survivor[twin] < 0 else survivor[twin]
            reason[row] = SAME_ID
            if comparable[row] and comparable[survivor[row]]:
                equal[row] = _equal(signatures, row, survivor[row])
            continue
        by_id[ids[place]] = row
        if digests[place] >= 0:
            twin = by_digest[digests[place]]
            if twin >= 0:
                # A twin that was dropped as near has the signature of this row: so is this row, for the same survivor.
                stays = survivor[twin] < 0
                survivor[row] = twin if stays else survivor[twin]
                reason[row] = EXACT if stays else reason[twin]
                equal[row] = signatures.shape[1] if stays else equal[twin]
                continue
            by_digest[digests[place]] = row
        if needed == 0 or not comparable[row]:
            continue
        for k in range(kept_rows):
            same = _equal(signatures, row, kept[k])
            if same >= needed:
                reason[row], survivor[row], equal[row] = NEAR, kept[k], same
                break
        if survivor[row] < 0 and kept_rows < comparisons:
            kept[kept_rows] = row
            kept_rows += 1
    return reason, survivor, equal


@kernel
def _equal(signatures: Any, first: int, second: int) -> int:
    same = 0
    for k in range(signatures.shape[1]):
        same += signatures[first, k] == signatures[second, k]
    return same
