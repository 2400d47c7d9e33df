"""Text folded for keys: compatibility forms unified and composed (NFKC), then case folded; batch-wise.

Most characters fold by themselves, whatever stands beside them: those are looked up. A text with one that may join or
move among its neighbours (combining marks, jamo, half-width voicing marks) goes through ``unicodedata`` as a whole.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled
from corpusforge.text.words import Codes
from corpusforge.text.words import codes as codes_of

Starts = NDArray[np.int64]

CODES = 0x110000
CHANGING = (
    (0, 0x3400),
    (0xA000, 0xD800),
    (0xF900, 0x17000),
    (0x1B000, 0x20000),
    (0x2F800, 0x2FA20),
    (0xE0000, 0xE1000),
)
"""Ranges of characters that fold or join; Han, Tangut, private and empty ranges, left out, do neither (tested)."""


@dataclass(frozen=True)
class Folds:
    """Code point ``c`` folds to ``codes[starts[c]:starts[c + 1]]``, unless it is ``joining``."""

    codes: Codes
    starts: NDArray[np.int32]
    joining: NDArray[np.bool_]


def normalise(text: str) -> str:
    """The text for keys only; voicing marks and accents stay."""
    return unicodedata.normalize("NFKC", text).casefold()


def folded(texts: Sequence[str]) -> tuple[Codes, Starts]:
    """The code points of ``normalise(text)`` for each text: text ``i`` is ``codes[starts[i]:starts[i + 1]]``."""
    folds = folds_of_characters()
    parts = [codes_of(text) for text in texts]
    codes, starts = _joined(parts)
    whole = _joining(codes, starts, folds.joining)
    if whole.any():
        for number in np.flatnonzero(whole).tolist():
            parts[number] = codes_of(normalise(texts[number]))
        codes, starts = _joined(parts)
    result: tuple[Codes, Starts] = _folded(codes, starts, whole, folds.codes, folds.starts)
    return result


@cache
def folds_of_characters() -> Folds:
    """The folds of all characters, by this Python's Unicode tables."""
    # A line break joins nothing, so that one call folds every character by itself.
    characters = [c for first, last in CHANGING for c in map(chr, range(first, last)) if c != "\n"]
    line = "\n".join(characters)
    alone = dict(zip(map(ord, characters), normalise(line).split("\n"), strict=True))
    tails = {c for part in unicodedata.normalize("NFD", line).split("\n") for c in part[1:]}
    joiners = tails | {c for c in characters if unicodedata.combining(c)}
    joining = np.zeros(CODES, np.bool_)
    joining[[code for code, fold in alone.items() if chr(code) in joiners or fold[:1] in joiners]] = True
    lengths = np.ones(CODES, np.int32)
    lengths[list(alone)] = [len(fold) for fold in alone.values()]
    starts = np.concatenate((np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)))
    codes = np.empty(starts[-1], np.uint32)
    codes[starts[:-1][lengths == 1]] = np.flatnonzero(lengths == 1)
    changed = {code: fold for code, fold in alone.items() if fold != chr(code)}
    places = chain.from_iterable(range(starts[code], starts[code + 1]) for code in changed)
    codes[list(places)] = [ord(c) for c in chain.from_iterable(changed.values())]
    return Folds(codes, starts, joining)


def _joined(parts: Sequence[Codes]) -> tuple[Codes, Starts]:
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return np.concatenate(parts) if parts else np.empty(0, np.uint32), starts


@compiled
def _joining(codes: Any, starts: Any, joining: Any) -> Any:
    """Which texts have a character that may join its neighbour."""
    result = np.zeros(len(starts) - 1, np.bool_)
    for i in range(len(result)):
        for code in codes[starts[i] : starts[i + 1]]:
            if joining[code]:
                result[i] = True
                break
    return result


@compiled
def _folded(codes: Any, starts: Any, done: Any, fold_codes: Any, fold_starts: Any) -> Any:
    """Fold every character by itself; texts that are ``done`` are copied."""
    room = 0
    for code in codes:
        room += max(1, fold_starts[code + 1] - fold_starts[code])
    result, borders = np.empty(room, np.uint32), np.zeros(len(starts), np.int64)
    place = 0
    for i in range(len(done)):
        for code in codes[starts[i] : starts[i + 1]]:
            if done[i]:
                result[place] = code
                place += 1
                continue
            for k in range(fold_starts[code], fold_starts[code + 1]):
                result[place] = fold_codes[k]
                place += 1
        borders[i + 1] = place
    return result[:place].copy(), borders
