"""Interpolated modified Kneser-Ney n-gram model over ids (Chen and Goodman 1998), the yardstick of trained models.

Three discounts an order from counts of counts; below the highest order an n-gram counts the different ids seen before
it; at the bottom every id of the vocabulary is equally likely. A sequence stands after one begin id that is never
predicted; an n-gram that starts with it has nothing before it and keeps its plain count at every order.

The n-grams are a trie in one array: by length, then lexicographic, so that the children of a node lie together and a
node is named by its place. All sums are whole numbers and all of the rest is + − × ÷ in a fixed order, so equal
sequences in any order give equal bits on any machine.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import compiled
from corpusforge.text.canonical import canonical_json, sha256
from corpusforge.text.exact import natural_log

FORMAT = "corpusforge-ngram-1"
LIMIT = (1 << 31) - 1

Places = npt.NDArray[np.int32]
_ARRAYS = {"words": "<i4", "suffixes": "<i4", "chances": "<f4", "starts": "<i4", "weights": "<f4"}


@dataclass(frozen=True, eq=False)
class NGram:
    """``words``, ``suffixes`` (the n-gram without its first id; −1 is none) and ``chances`` of each n-gram; ``starts``
    (its children are ``starts[node]:starts[node + 1]``) and ``weights`` of each that is shorter than ``order``.

    The first nodes are the ids 0 … ``vocabulary`` − 1, seen or not, and the begin id. Chances and weights are float32:
    a cost is right to 1e-6 nats, and the chances of all ids after a context sum to one within 1e-6.
    """

    order: int
    vocabulary: int
    words: Places
    suffixes: Places
    chances: npt.NDArray[np.float32]
    starts: Places
    weights: npt.NDArray[np.float32]

    def nats(self, ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The cost in nats of each id of one sequence after the ``order`` − 1 before it, float64 of the same length.

        Sum with ``math.fsum`` where the last bit decides. Raises ``ValueError`` for an id outside the vocabulary.
        """
        given = checked(ids, self.vocabulary)
        begin = self.vocabulary if self.order > 1 else -1
        arrays = (self.words, self.suffixes, self.chances, self.starts, self.weights)
        costs: npt.NDArray[np.float64] = _costs(given, begin, *arrays)
        return costs

    def to_bytes(self) -> bytes:
        """The file of this model: a line of JSON, then the arrays, little-endian; equal models give equal bytes."""
        arrays = {name: np.ascontiguousarray(getattr(self, name), dtype) for name, dtype in _ARRAYS.items()}
        sizes = {name: len(array) for name, array in arrays.items()}
        body = b"".join(array.tobytes() for array in arrays.values())
        head = {"format": FORMAT, "order": self.order, "vocabulary": self.vocabulary, "sizes": sizes}
        return canonical_json({**head, "sha256": sha256(canonical_json(head) + body)}) + b"\n" + body

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hex; computed anew each time."""
        return sha256(self.to_bytes())


def from_bytes(data: bytes) -> NGram:
    """The model in a file; its arrays cannot be written to. Raises ``ValueError`` for a file that is none."""
    line, _, body = data.partition(b"\n")
    try:
        head = json.loads(line)
        order, vocabulary, sizes, expected = head["order"], head["vocabulary"], head["sizes"], head.pop("sha256")
        kind = head["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"this is not an n-gram model ({error!r}); fit one") from error
    if kind != FORMAT:
        raise ValueError(f"an n-gram model of the format {kind!r}, not {FORMAT!r}; fit it anew")
    found = sha256(canonical_json(head) + body)
    if found != expected:
        raise ValueError(f"the n-gram model is damaged: its SHA-256 is {found}, not {expected}; take another copy")
    arrays, at = {}, 0
    for name, dtype in _ARRAYS.items():
        arrays[name] = np.frombuffer(body, dtype, sizes[name], at)
        at += arrays[name].nbytes
    return NGram(order, vocabulary, **arrays)


def checked(ids: npt.ArrayLike, vocabulary: int) -> Places:
    """The ids as int32; ``ValueError`` for what is no sequence of ids below ``vocabulary``."""
    given = np.asarray(ids)
    if not given.size:
        return np.empty(0, np.int32)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise ValueError(f"a sequence is one row of whole numbers, not {given.dtype} of shape {given.shape}")
    least, most = int(given.min()), int(given.max())
    if least < 0 or most >= vocabulary:
        raise ValueError(f"id {least if least < 0 else most} lies outside the vocabulary of {vocabulary:,}")
    return np.ascontiguousarray(given, np.int32)


@compiled
def _costs(ids: Any, state: Any, words: Any, suffixes: Any, chances: Any, starts: Any, weights: Any) -> Any:
    """``state`` is the longest n-gram below the highest order that ends before the id, −1 for none."""
    costs = np.empty(len(ids), np.float64)
    for at in range(len(ids)):
        weight, node = 1.0, -1
        while state >= 0 and node < 0:
            node = _child(words, ids[at], starts[state], starts[state + 1])
            if node < 0:
                weight *= weights[state]
                state = suffixes[state]
        node = ids[at] if node < 0 else node
        costs[at] = 0.0 - natural_log(weight * chances[node])
        state = node if node < len(weights) else suffixes[node]
    return costs


@compiled
def _child(words: Any, word: Any, first: Any, end: Any) -> Any:
    last = end
    while first < last:
        middle = (first + last) >> 1
        if words[middle] < word:
            first = middle + 1
        else:
            last = middle
    return first if first < end and words[first] == word else -1
