"""Which tokens are hidden, and what stands in their place: drawn from a key, so that a replay hides the same."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import compiled
from corpusforge.text.mixing import mixed64
from corpusforge.tokens.packing import IGNORED

_STEP = np.uint64(0x9E3779B97F4A7C15)
_HUNDRED = np.uint64(100)


def key_of(seed: int, purpose: str, sample: int) -> np.uint64:
    """An evenly spread 64-bit key; other purposes and samples give independent ones."""
    told = hashlib.blake2b(f"{purpose}\0{seed}\0{sample}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(told, "little"))


@compiled
def drawn(key: Any, number: Any) -> Any:
    """The ``number``-th 64-bit draw of a key."""
    return mixed64(key ^ mixed64(np.uint64(number) * _STEP + _STEP))


def hidden(
    ids: npt.NDArray[np.int64],
    ends: npt.NDArray[np.bool_],
    open_: npt.NDArray[np.bool_],
    share: float,
    key: np.uint64,
    symbols: tuple[int, int, int],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Inputs and labels of one row with ``share`` of its ``open_`` tokens hidden, whole words at a time.

    ``ends`` says where a word ends. Of the hidden tokens 80 % are shown as the mask, 10 % as a random token and 10 % as
    they are (Devlin et al. 2019). ``symbols`` are mask, vocabulary and end of document. A word with a token that is not
    open is not hidden, and none that would go beyond the share, unless it is the first.
    """
    return _hidden(ids, ends, open_, share, key, *symbols)  # type: ignore[no-any-return]


@compiled
def _hidden(ids: Any, ends: Any, open_: Any, share: Any, key: Any, mask: Any, vocabulary: Any, eod: Any) -> Any:
    inputs, labels = ids.copy(), np.full(len(ids), IGNORED, np.int64)
    begins, lengths = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
    words, begin, whole, available = 0, 0, True, 0
    for n in range(len(ids)):
        whole = whole and open_[n]
        if not (ends[n] or n + 1 == len(ids) or open_[n] != open_[n + 1]):
            continue
        if whole:
            begins[words], lengths[words] = begin, n + 1 - begin
            words, available = words + 1, available + n + 1 - begin
        begin, whole = n + 1, True
    order = np.argsort(np.array([drawn(key, begins[word]) for word in range(words)], dtype=np.uint64))
    budget, taken = max(1, int(available * share + 0.5)), 0
    for word in order:
        if taken and taken + lengths[word] > budget:
            continue
        taken += lengths[word]
        for n in range(begins[word], begins[word] + lengths[word]):
            labels[n] = ids[n]
            inputs[n] = _shown(ids[n], drawn(key, len(ids) + n), mask, vocabulary, eod)
        if taken >= budget:
            break
    return inputs, labels


@compiled
def _shown(token: Any, draw: Any, mask: Any, vocabulary: Any, eod: Any) -> Any:
    turn = draw % _HUNDRED
    if turn < 80:
        return mask
    if turn >= 90:
        return token
    other = np.int64((draw // _HUNDRED) % np.uint64(vocabulary))
    return other if other != eod else (other + 1) % vocabulary
