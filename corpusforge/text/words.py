"""The one segmentation into words: runs in scripts that space their words, characters in those that do not.

Everything works on code points (``codes``) and two tables, so that offsets agree with Python's ``str``. The tables come
from ``unicodedata``: their content follows the Unicode version of the Python that runs.
"""

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel

Codes = NDArray[np.uint32]
Kinds = NDArray[np.uint8]

LETTER, DIGIT, MARK, UNSPACED, HIRAGANA, KATAKANA, HAN, SPACE = (1 << bit for bit in range(8))
WORD = LETTER | DIGIT | MARK

TABLE_SIZE = 0x33480
"""Code points with an entry of their own; above them stand only tags, variation selectors and private use."""

_HAN = ((0x2E80, 0x2FD5), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF))
_HAN_MORE = ((0xF900, 0xFAFF), (0x20000, 0x3347F))
_HIRAGANA = ((0x3041, 0x309F),)
_KATAKANA = ((0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F))
_OTHERS = ((0x0E01, 0x0E4E), (0x0E81, 0x0EDF), (0x0F40, 0x0FBC), (0x1000, 0x109F), (0x1780, 0x17D3), (0x19E0, 0x19FF))
_OTHERS_MORE = ((0xA9E0, 0xA9FE), (0xAA60, 0xAA7F), (0x3105, 0x312F), (0xA000, 0xA48C))


@cache
def kinds() -> Kinds:
    """Bits of each code point: letter, digit, mark, of an unspaced script, hiragana, katakana, Han, space."""
    of = {"L": LETTER, "N": DIGIT, "M": MARK, "Z": SPACE}
    table = np.array([of.get(unicodedata.category(chr(c))[0], 0) for c in range(TABLE_SIZE)], np.uint8)
    table[[0x09, 0x0A, 0x0B, 0x0C, 0x0D]] = SPACE
    scripts = ((_HAN + _HAN_MORE, HAN), (_HIRAGANA, HIRAGANA), (_KATAKANA, KATAKANA), (_OTHERS + _OTHERS_MORE, 0))
    for ranges, bit in scripts:
        for first, last in ranges:
            place = table[first : last + 1]
            place[(place & (LETTER | DIGIT | MARK)) > 0] |= UNSPACED | bit
    return table


@cache
def lowered() -> Codes:
    """The lower-case code point of each, where that is one code point."""
    lower = (chr(c).lower() for c in range(TABLE_SIZE))
    return np.array([ord(new) if len(new) == 1 else c for c, new in enumerate(lower)], np.uint32)


def codes(text: str) -> Codes:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def is_unspaced(text: str) -> bool:
    """Whether most words belong to scripts that put no spaces between them (Han, kana, Thai, Lao, Khmer, Myanmar).

    See ``units_per_word``; a text without letters is spaced.
    """
    return bool(units_per_word(codes(text), kinds()) > 1)


def words(text: str) -> list[str]:
    """The words of a text, in order: see ``word_spans``."""
    points = codes(text)
    spans = word_spans(points, kinds(), is_unspaced(text))
    return [text[start:end] for start, end in spans.tolist()]


@kernel
def units_per_word(points: Codes, table: Kinds) -> int:
    """How many units (see ``word_spans``) stand for one word: 1 where most words are spaced.

    Else 2 for Han and kana: dictionary words of Japanese and Chinese are 1.6 to 1.9 characters long on average, and
    limits made for word n-grams fit real Japanese text at twice the length in characters; 3 for the other unspaced
    scripts, where a unit is a letter with its marks. Words are reckoned as 2 unspaced or 5 spaced letters, so that a
    Japanese page about programs stays Japanese though most of its letters are Latin.
    """
    letters = unspaced = ideographs = 0
    for point in points:
        kind = table[point] if point < len(table) else 0
        if kind & LETTER:
            letters += 1
            if kind & UNSPACED:
                unspaced += 1
            if kind & (HAN | HIRAGANA | KATAKANA):
                ideographs += 1
    if 5 * unspaced <= 2 * (letters - unspaced):
        return 1
    return 2 if 2 * ideographs > unspaced else 3


@compiled
def word_spans(points: Codes, table: Kinds, unspaced: bool) -> NDArray[np.int32]:
    """``[words, 2]`` start and end of each word, in code points.

    Spaced text: a run of letters, digits and marks, an apostrophe between two letters inside it; a character of an
    unspaced script is a word of its own. Unspaced text: every letter and digit is a word of its own.
    """
    size = len(points)
    spans = np.empty((size, 2), np.int32)
    found, start, alone = 0, -1, False
    for at in range(size):
        point = points[at]
        kind = table[point] if point < len(table) else 0
        if start >= 0:
            if kind & WORD == MARK if alone else kind & WORD and not kind & UNSPACED:
                continue
            if not alone and (point == 0x27 or point == 0x2019) and _is_spaced_letter(points, table, at + 1):
                continue
            spans[found, 0], spans[found, 1] = start, at
            found, start = found + 1, -1
        if kind & WORD:
            start, alone = at, unspaced or kind & UNSPACED > 0
    if start >= 0:
        spans[found, 0], spans[found, 1] = start, size
        found += 1
    return spans[:found]


@kernel
def _is_spaced_letter(points: Codes, table: Kinds, at: int) -> bool:
    """Whether a letter of a script with spaces stands at a place."""
    if at >= len(points) or points[at] >= len(table):
        return False
    kind = table[points[at]]
    return bool(kind & LETTER and not kind & UNSPACED)


@kernel
def hash_of(points: Codes, start: int, end: int) -> np.uint64:
    """64-bit hash of a range of code points (FNV-1a over code points, then the finaliser of MurmurHash3)."""
    value = np.uint64(0xCBF29CE484222325)
    for at in range(start, end):
        value = (value ^ np.uint64(points[at])) * np.uint64(0x100000001B3)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


@compiled
def hashes_of(points: Codes, spans: NDArray[np.int32]) -> NDArray[np.uint64]:
    """The hash of each span."""
    result = np.empty(len(spans), np.uint64)
    for at in range(len(spans)):
        result[at] = hash_of(points, spans[at, 0], spans[at, 1])
    return result
