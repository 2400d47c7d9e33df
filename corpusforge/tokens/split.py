"""Train or validation: decided by the duplicate cluster, never by shard, order or run.

All members of a cluster share one split, so that no near-copy of a validation text is trained on.
"""

import hashlib
from collections.abc import Iterable

TRAIN, VALIDATION = "train", "validation"
SPLITS = (TRAIN, VALIDATION)


def split_of(cluster: str, validation_share: float) -> str:
    """The split of a cluster, from the hash of its smallest document id (the document's own id without twins)."""
    return VALIDATION if hash_of(cluster, b"split") < int(validation_share * 2**64) else TRAIN


def hash_of(name: str, purpose: bytes) -> int:
    """An evenly spread 64-bit hash of an id; other purposes give independent hashes."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, person=purpose).digest(), "big")


def earlier_splits(
    members: Iterable[tuple[str, str]],
    documents: Iterable[tuple[str, str]],
    kept: Iterable[tuple[str, str]],
    swept: Iterable[tuple[str, str]],
) -> dict[str, str]:
    """Splits of clusters that have a member in an earlier version; validation wins where clusters joined.

    ``members`` gives (id, cluster) of every document of this version, kept or swept; of the earlier version
    ``documents`` gives (id, split), ``kept`` and ``swept`` (id, cluster). Each is read once.
    """
    of_id = dict(documents)
    of_cluster = {cluster: of_id[id] for id, cluster in kept if id in of_id}
    of_id.update((id, of_cluster[cluster]) for id, cluster in swept if cluster in of_cluster)
    found: dict[str, str] = {}
    for id, cluster in members:
        if id in of_id and found.get(cluster) != VALIDATION:
            found[cluster] = of_id[id]
    return found
