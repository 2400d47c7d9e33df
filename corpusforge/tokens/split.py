"""Train or validation: decided by the duplicate cluster, never by shard, order or run.

All members of a cluster share one split, so that no near-copy of a validation text is trained on.
"""

import hashlib
from collections.abc import Iterable, Mapping

TRAIN, VALIDATION = "train", "validation"
SPLITS = (TRAIN, VALIDATION)


def split_of(cluster: str, validation_share: float) -> str:
    """The split of a cluster, from the hash of its smallest document id (the document's own id without twins)."""
    return VALIDATION if hash_of(cluster, b"split") < int(validation_share * 2**64) else TRAIN


def hash_of(name: str, purpose: bytes) -> int:
    """An evenly spread 64-bit hash of an id; other purposes give independent hashes."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, person=purpose).digest(), "big")


def earlier_splits(
    clusters: Mapping[str, str], members: Iterable[tuple[str, str]], earlier: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Splits of clusters that have a member in an earlier version; validation wins where clusters joined.

    ``clusters`` gives the cluster of each document at hand, ``members`` (id, cluster) of documents that were swept as
    their twins, ``earlier`` (id, split) of the documents of the earlier version. The iterables are read once; what is
    held grows with the clusters at hand only.
    """
    wanted = set(clusters.values())
    cluster_of = {name: name for name in wanted} | dict(clusters)
    cluster_of.update((id, cluster) for id, cluster in members if cluster in wanted)
    found: dict[str, str] = {}
    for id, split in earlier:
        cluster = cluster_of.get(id)
        if cluster is not None and found.get(cluster) != VALIDATION:
            found[cluster] = split
    return found
