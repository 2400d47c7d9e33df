"""Marks of noise in lines: one compiled pass says which lines are worth a closer look, and which lists they touch.

Most lines of a page hold no word of any list; what the pass calls quiet is no noise by itself (``text/noise.py``), for
each condition here asks for less than the rule behind it.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel
from corpusforge.text.words import Codes, codes, hash_of

Bits = NDArray[np.int32]
Classes = NDArray[np.uint16]

SHORT = 120
"""Characters of the longest line that can be noise by its words; half as many where words are not spaced."""
AD = 600
"""Characters of the longest line that can be an ad."""

ADS, LABEL, CATEGORY, END, INSIDE, ACCOUNT, VISITOR, SITE, COOKIE, CALL, COUNTED, RIGHTS = (
    1 << bit for bit in range(12)
)
"""Lists of phrases of which a line holds one: ``ADS``, ``LABEL`` and ``CATEGORY`` at its start, ``END`` at its end."""
SALE_SIGN, CJK, DIGIT, PIECES, HEAD_SIGN, SPACE, EDGE, ENDED, CLOSING, ARROW, STOP, DASH, OWNED = (
    1 << bit for bit in range(13)
)
"""Classes of characters. The first five of a line's characters are among its marks, 12 bits up."""
MARKED, UP = SALE_SIGN | CJK | DIGIT | PIECES | HEAD_SIGN, 12
HAS_SALE_SIGN, HAS_CJK, HAS_DIGIT, HAS_PIECES, HAS_HEAD_SIGN = (
    bit << UP for bit in (SALE_SIGN, CJK, DIGIT, PIECES, HEAD_SIGN)
)
_ENOUGH = ADS | LABEL | CATEGORY | END | RIGHTS | HAS_PIECES

_SALE_SIGNS = "¥$€£₩%円元원₽【★☆◆◇♪♥✨🎉🔥"
_PIECES = "|｜│┃¦/›»>→·•・\t"
ARROWS = "«»‹›<>←→…"
ENDS = '。.!?:;,、」』”"…'
CLOSERS = "'\")）」』’"
_CJK_RANGES = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3))
_CODES = 0x20000
_BUCKETS, _SLOTS = 1 << 13, 1 << 14


class Index(NamedTuple):
    """Phrases by the hash of their first two characters, and the hashes of the words that known lines are made of, and
    of those that begin a row of page numbers.

    Phrase ``i`` is ``points[starts[i]:starts[i + 1]]`` and belongs to ``lists[i]``; those of bucket ``b`` are
    ``buckets[b]`` to ``buckets[b + 1]``.
    """

    buckets: Bits
    starts: Bits
    points: Codes
    lists: Bits
    words: NDArray[np.uint64]
    pages: NDArray[np.uint64]
    classes: Classes


class Marks(NamedTuple):
    """Of each line: whether it is worth a look, its marks, characters of the longest phrase of notices in it."""

    loud: NDArray[np.bool_]
    bits: Bits
    inside: Bits


def index_of(phrases: Mapping[int, Iterable[str]], words: Iterable[str], pages: Iterable[str], edges: str) -> Index:
    """The index of phrases (two characters or more) by list, of ``words`` and ``pages``; ``edges`` end no word."""
    every = [(phrase, bit) for bit, members in phrases.items() for phrase in members]
    keyed = sorted((_bucket(*codes(phrase[:2]).tolist()), phrase, bit) for phrase, bit in every)
    numbers = [number for number, _, _ in keyed]
    buckets = np.searchsorted(numbers, np.arange(_BUCKETS + 1)).astype(np.int32)
    starts = np.cumsum([0, *(len(phrase) for _, phrase, _ in keyed)]).astype(np.int32)
    points = codes("".join(phrase for _, phrase, _ in keyed))
    lists = np.array([bit for _, _, bit in keyed], np.int32)
    return Index(buckets, starts, points, lists, _slots(_hashes(words)), _slots(_hashes(pages)), _classes(edges))


def _hashes(words: Iterable[str]) -> NDArray[np.uint64]:
    return np.array([hash_of(codes(word), 0, len(word)) for word in words], np.uint64)


@cache
def _classes(edges: str) -> Classes:
    table = np.zeros(_CODES, np.uint16)
    members = {
        SALE_SIGN: _SALE_SIGNS,
        PIECES: _PIECES,
        HEAD_SIGN: ":】]",
        EDGE: edges,
        ENDED: ENDS,
        CLOSING: CLOSERS,
        ARROW: ARROWS,
        STOP: ".。",
        DIGIT: [c for c in map(chr, range(_CODES)) if c.isdecimal()],
        SPACE: [c for c in map(chr, range(_CODES)) if c.isspace()],
        DASH: "-–—",
        OWNED: "©",
    }
    for bit, characters in members.items():
        table[[ord(character) for character in characters]] |= bit
    for first, last in _CJK_RANGES:
        table[first : last + 1] |= CJK
    return table


@kernel
def _bucket(first: int, second: int) -> int:
    return int(np.uint32(np.uint32(first) * np.uint32(0x9E3779B1) + np.uint32(second) * np.uint32(0x85EBCA6B)) >> 19)


@compiled
def _slots(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """An open table of the hashes; 0 is an empty slot."""
    slots = np.zeros(_SLOTS, np.uint64)
    for value in hashes:
        at = np.int64(value & np.uint64(_SLOTS - 1))
        while slots[at] != 0 and slots[at] != value:
            at = (at + 1) % _SLOTS
        slots[at] = value
    return slots


def line_marks(text: str, count: int, index: Index) -> Marks:
    """The marks of the ``count`` lines of a folded text; space around a line is no part of it, unless it is too long
    to be noise."""
    marks = Marks(np.zeros(count, np.bool_), np.zeros(count, np.int32), np.zeros(count, np.int32))
    _mark(codes(text), *index, *marks)
    return marks


@kernel
def _mark(
    points: Codes,
    buckets: Bits,
    starts: Bits,
    phrases: Codes,
    lists: Bits,
    words: NDArray[np.uint64],
    pages: NDArray[np.uint64],
    classes: Classes,
    loud: NDArray[np.bool_],
    bits: Bits,
    inside: Bits,
) -> None:
    size = len(points)
    line = first = 0
    while line < len(loud):
        end = first
        while end < size and points[end] != 10:
            end += 1
        left, right = first, end
        while left < right and _class(classes, points[left]) & SPACE:
            left += 1
        while right > left and _class(classes, points[right - 1]) & SPACE:
            right -= 1
        if left < right and right - left <= AD and end - first <= AD and points[left] != 0x7C:
            # A long line that ends a sentence can be noise by its beginning alone.
            stopped = right - left > 2 * SHORT and _class(classes, points[right - 1]) & STOP > 0
            searched = 1 if stopped else right - left
            marks, longest = _lists(points[left:right], searched, buckets, starts, phrases, lists, classes)
            bits[line], inside[line] = marks, longest
            loud[line] = _is_loud(points[left:right], marks, longest, words, pages, classes)
        line, first = line + 1, end + 1


@kernel
def _class(classes: Classes, point: int) -> int:
    return int(classes[point]) if point < len(classes) else 0


@kernel
def _lists(
    line: Codes, searched: int, buckets: Bits, starts: Bits, phrases: Codes, lists: Bits, classes: Classes
) -> tuple[int, int]:
    """The marks of a line by its first ``searched`` characters, and the longest phrase of notices that begins there."""
    marks = longest = 0
    size = len(line)
    before = 0
    for at in range(searched):
        kind = _class(classes, line[at])
        marks |= (kind & MARKED) << UP
        after = _class(classes, line[at + 1]) if at + 1 < size else 0
        if (kind & SPACE and before & SPACE) or (kind & DASH and before & SPACE and after & SPACE):
            marks |= PIECES << UP
        if kind & OWNED:
            marks |= RIGHTS
        before = kind
        if at + 1 == size:
            break
        bucket = _bucket(line[at], line[at + 1])
        for which in range(buckets[bucket], buckets[bucket + 1]):
            first, length = starts[which], starts[which + 1] - starts[which]
            if at + length > size:
                continue
            same = 0
            while same < length and line[at + same] == phrases[first + same]:
                same += 1
            bit = lists[which]
            if same < length or (bit & (ADS | LABEL | CATEGORY) and at) or (bit & END and at + length < size):
                continue
            marks |= bit
            if bit & INSIDE:
                longest = max(longest, length)
    return marks, longest


@kernel
def _is_loud(
    line: Codes, marks: int, longest: int, words: NDArray[np.uint64], pages: NDArray[np.uint64], classes: Classes
) -> bool:
    """Whether a line may be noise by itself, but for its links."""
    size = len(line)
    last = _class(classes, line[size - 1])
    if marks & ADS or (size > 20 and marks & (SALE_SIGN << UP | CALL) and not last & STOP):
        return True
    if size <= 2 * SHORT and (longest or (marks & SITE and marks & COOKIE) or (marks & ACCOUNT and marks & VISITOR)):
        return True
    cjk = marks & CJK << UP
    if size > (SHORT // 2 if cjk and size > SHORT // 4 else SHORT):
        return False
    if size > SHORT // 2 and _is_ended(line, classes):
        return False
    if marks & _ENOUGH or (marks & DIGIT << UP and (cjk or marks & COUNTED)):
        return True
    opening = _class(classes, line[0])
    if opening & (DIGIT | ARROW) or line[0] == 0x23 or line[size - 1] == 0x29 or line[size - 1] == 0x5D:
        return True
    if marks & HEAD_SIGN << UP and (cjk or _begins_with(line, words, classes)):
        return True
    return bool(_begins_with(line, pages, classes) or _is_of_words(line, words, classes))


@kernel
def _is_ended(line: Codes, classes: Classes) -> bool:
    at = len(line) - 1
    if _class(classes, line[at]) & ENDED:
        return True
    while at >= 0 and _class(classes, line[at]) & CLOSING:
        at -= 1
    return at >= 0 and _class(classes, line[at]) & ENDED > 0


@kernel
def _begins_with(line: Codes, words: NDArray[np.uint64], classes: Classes) -> bool:
    """Whether the first word of a line, up to a space or the sign behind a head, is one of the known ones."""
    size, at = len(line), 0
    while at < size and _class(classes, line[at]) & EDGE:
        at += 1
    end = at
    while end < size and not _class(classes, line[end]) & (SPACE | HEAD_SIGN):
        end += 1
    return bool(_is_word(line, at, end, words, classes))


@kernel
def _is_of_words(line: Codes, words: NDArray[np.uint64], classes: Classes) -> bool:
    """Whether three in four of the words of a line are known ones; they stand between spaces."""
    size = len(line)
    at = count = known = 0
    while at < size:
        end = at
        while end < size and not _class(classes, line[end]) & SPACE:
            end += 1
        if end > at:
            count += 1
            known += _is_word(line, at, end, words, classes)
        at = end + 1
    return 4 * known >= 3 * count


@kernel
def _is_word(line: Codes, start: int, end: int, words: NDArray[np.uint64], classes: Classes) -> bool:
    """Whether a word, without signs at its ends, is one of the known ones; nothing but signs counts as one."""
    while start < end and _class(classes, line[start]) & EDGE:
        start += 1
    while end > start and _class(classes, line[end - 1]) & EDGE:
        end -= 1
    if start == end:
        return True
    value = hash_of(line, start, end)
    at = np.int64(value & np.uint64(len(words) - 1))
    while words[at] != 0:
        if words[at] == value:
            return True
        at = (at + 1) % len(words)
    return False
