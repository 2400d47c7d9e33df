"""Samples as a model is given them: concatenated and cut, with document boundaries, or whole examples packed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import compiled, kernel
from corpusforge.tokens.shards import ERASED

IGNORED = -100
"""The label of a token that is not predicted; torch and transformers leave it out of every loss."""


@dataclass(frozen=True)
class Rows:
    """What a model is given: int64 arrays of (rows, tokens).

    ``labels`` is the token that follows each input, ``IGNORED`` where it is not predicted; ``positions`` start anew
    with every document and ``documents`` number those of a row from 0, or both take a row as one document.
    """

    inputs: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]


def cut(ids: npt.NDArray[np.int32], eod: int, boundaries: bool = True) -> Rows:
    """Rows of a stream, int32 of (rows, tokens + 1), as inputs and the tokens that follow them.

    With ``boundaries`` a document sees no other: the end-of-document token before it is its first input, so that its
    first token is predicted from that alone, and its last input predicts the end. Erased tokens are given as ``eod``
    and never predicted.
    """
    shape = (len(ids), ids.shape[1] - 1)
    rows = Rows(*(np.empty(shape, np.int64) for _ in range(4)))
    _cut(ids, eod, boundaries, rows.inputs, rows.labels, rows.positions, rows.documents)
    return rows


@kernel
def _cut(ids: Any, eod: Any, boundaries: Any, inputs: Any, labels: Any, positions: Any, documents: Any) -> None:
    for row in range(len(ids)):
        position, document = 0, 0
        for n in range(ids.shape[1] - 1):
            token, label = ids[row, n], ids[row, n + 1]
            # What follows an erased document has lost the end-of-document token that it began with.
            begins = token == eod or (token == ERASED and label != ERASED)
            if boundaries and begins and n:
                position, document = 0, document + 1
            inputs[row, n] = eod if token == ERASED else token
            labels[row, n] = IGNORED if label == ERASED else label
            positions[row, n], documents[row, n] = position, document
            position += 1


def best_fit(lengths: npt.NDArray[np.int64], capacity: int) -> npt.NDArray[np.int64]:
    """The row that each example goes to: the longest first, each to the fullest row that still takes it.

    Best-fit decreasing needs at most 11/9 of the fewest rows and 6/9 more (Dósa 2007). Equal lengths keep their order
    and equal rows are filled first come, first served, so that the answer is one. Raises ``ValueError`` for an example
    that is longer than ``capacity`` tokens.
    """
    if len(lengths) and int(lengths.max()) > capacity:
        longest = int(lengths.argmax())
        raise ValueError(f"example {longest} has {int(lengths[longest]):,} tokens, more than {capacity:,} in a row")
    rows: npt.NDArray[np.int64] = _best_fit(lengths, np.argsort(-lengths, kind="stable"), capacity)
    return rows


@compiled
def _best_fit(lengths: Any, order: Any, capacity: Any) -> Any:
    rows = np.empty(len(lengths), np.int64)
    # The rows with so much space left are a queue: the first of each, the last of each, and who stands behind whom.
    first, last = np.full(capacity + 1, -1, np.int64), np.full(capacity + 1, -1, np.int64)
    behind = np.full(len(lengths), -1, np.int64)
    made = 0
    for example in order:
        length = lengths[example]
        space = length
        while space <= capacity and first[space] < 0:
            space += 1
        if space > capacity:
            row, space = made, capacity
            made += 1
        else:
            row = first[space]
            first[space] = behind[row]
        rows[example] = row
        left = space - length
        behind[row] = -1
        if first[left] < 0:
            first[left] = row
        else:
            behind[last[left]] = row
        last[left] = row
    return rows
