"""Shingles: hashes of short runs of a text, the set by which near-duplicates are found.

Keys are made from normalised text (NFKC, casefold), which is never stored. Voicing marks stay: が is not か (stripping
combining marks makes them one, data_engines.md R2). Digits stay: two statutes or prices are not the same page. White
space and invisible characters go; punctuation and symbols end a word and are in no shingle, so that 、 and ， or a
line break change nothing.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel
from corpusforge.text.folding import CODES, Starts, folded
from corpusforge.text.mixing import mixed64
from corpusforge.text.words import Codes

INVISIBLE, SPACE, MARK, LETTER, UNSPACED = range(5)
"""Classes of characters: in no key; ends a word; ends a word, counts for exact keys; part of a word; a word alone."""

UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x19E0, 0x19FF),  # Khmer symbols
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),  # 々〆〇
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3040, 0x312F),  # kana, bopomofo
    (0x31A0, 0x31BF),  # bopomofo
    (0x31F0, 0x31FF),  # kana for Ainu
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0x1AFF0, 0x1B16F),  # kana
    (0x20000, 0x3FFFF),  # Han
)
"""Scripts written without spaces between words: Han, kana, Thai, Lao, Khmer, Myanmar."""

_SELECTORS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_START, _ALONE = np.uint64(0xCBF29CE484222325), np.uint64(0x6A09E667F3BCC908)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_LEFT, _RIGHT = np.uint64(29), np.uint64(35)


@dataclass(frozen=True)
class Keys:
    """What a batch of texts is compared by; text ``i`` has ``hashes[hash_starts[i]:hash_starts[i + 1]]``.

    ``hashes``: its shingles, 32 bits each, none if it is shorter than one shingle. ``kept``: the code points that an
    exact duplicate shares, all but white space and invisible ones.
    """

    hashes: Codes
    hash_starts: Starts
    kept: Codes
    kept_starts: Starts

    def digests(self) -> list[bytes]:
        """16 bytes a text, equal for exact duplicates."""
        data, starts = self.kept.tobytes(), (self.kept_starts * 4).tolist()
        return [digest(data[first:last]) for first, last in pairwise(starts)]

    def shingles(self) -> Starts:
        """Number of shingles of each text, repeated ones counted again."""
        return np.diff(self.hash_starts)

    def characters(self) -> Starts:
        """Length of each text in characters that are no space."""
        return np.diff(self.kept_starts)


def keys_of(texts: Sequence[str], words: int, characters: int) -> Keys:
    """Keys of a batch; ``words`` and ``characters`` are the lengths of a shingle.

    A word is a run of letters, marks and digits, or one character of a script without spaces. A text whose words are
    for the larger part such characters gets shingles of ``characters``, any other of ``words``.
    """
    codes, starts = folded(texts)
    hashes, hash_starts, kept, kept_starts = _keys(codes, starts, character_classes(), words, characters)
    return Keys(hashes, hash_starts, kept, kept_starts)


def digest(data: bytes) -> bytes:
    """16 bytes of BLAKE2b."""
    return hashlib.blake2b(data, digest_size=16).digest()


def is_unspaced(codes: Codes) -> NDArray[np.bool_]:
    """Which code points are letters of a script written without spaces between words."""
    result: NDArray[np.bool_] = character_classes()[codes] == UNSPACED
    return result


@cache
def character_classes() -> NDArray[np.uint8]:
    """The class of every code point; which are letters follows this Python's Unicode tables."""
    # Planes 4 to 13 are empty, 15 and 16 private: letters, so that nobody's text disappears.
    classes = np.full(CODES, LETTER, np.uint8)
    for first, last in ((0, 0x40000), (0xE0000, 0xF0000)):
        classes[first:last] = [_KINDS[unicodedata.category(chr(code))] for code in range(first, last)]
    for first, last in UNSPACED_RANGES:
        part = classes[first : last + 1]
        part[part == LETTER] = UNSPACED
    for first, last in _SELECTORS:
        classes[first : last + 1] = INVISIBLE
    return classes


_KINDS = {
    **dict.fromkeys(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Co", "Cn", "Cs"), LETTER),
    **dict.fromkeys(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"), MARK),
    **dict.fromkeys(("Zs", "Zl", "Zp", "Cc"), SPACE),
    "Cf": INVISIBLE,
}


@compiled
def _keys(codes: Any, starts: Any, classes: Any, words: int, characters: int) -> Any:
    texts = len(starts) - 1
    hashes, kept = np.empty(len(codes), np.uint32), np.empty(len(codes), np.uint32)
    hash_starts, kept_starts = np.zeros(texts + 1, np.int64), np.zeros(texts + 1, np.int64)
    tokens = np.empty(_longest(starts), np.uint64)
    for i in range(texts):
        text = codes[starts[i] : starts[i + 1]]
        count, unspaced, letters = _tokens(text, classes, tokens, kept[kept_starts[i] :])
        kept_starts[i + 1] = kept_starts[i] + letters
        length = characters if 2 * unspaced >= count else words
        hash_starts[i + 1] = hash_starts[i] + _shingles(tokens[:count], length, hashes[hash_starts[i] :])
    return hashes[: hash_starts[-1]].copy(), hash_starts, kept[: kept_starts[-1]].copy(), kept_starts


@kernel
def _longest(starts: Any) -> int:
    longest = 0
    for i in range(len(starts) - 1):
        longest = max(longest, starts[i + 1] - starts[i])
    return longest


@compiled
def _tokens(text: Any, classes: Any, tokens: Any, kept: Any) -> Any:
    """Write the hash of every word and the code points that are no space; count words, lone ones, code points."""
    count, unspaced, letters = 0, 0, 0
    word, inside = _START, False
    for code in text:
        kind = classes[code]
        if kind == INVISIBLE:
            continue
        if kind >= MARK:
            kept[letters] = code
            letters += 1
        if kind == LETTER:
            word, inside = (word ^ np.uint64(code)) * _PRIME, True
            continue
        if inside:
            tokens[count] = mixed64(word)
            count += 1
            word, inside = _START, False
        if kind == UNSPACED:
            tokens[count] = mixed64(_ALONE ^ np.uint64(code))
            count += 1
            unspaced += 1
    if inside:
        tokens[count] = mixed64(word)
        count += 1
    return count, unspaced, letters


@kernel
def _shingles(tokens: Any, length: int, hashes: Any) -> int:
    """Write the hash of every ``length`` words in a row; give their number."""
    count = max(0, len(tokens) - length + 1)
    for i in range(count):
        shingle = _START
        for j in range(i, i + length):
            shingle = (((shingle << _LEFT) | (shingle >> _RIGHT)) ^ tokens[j]) * _PRIME
        hashes[i] = np.uint32(mixed64(shingle))
    return count
