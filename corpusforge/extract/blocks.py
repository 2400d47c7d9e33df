"""The text of a page in blocks, as its elements break it, with measures of what a reader sees of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from corpusforge.extract.letters import (
    ASCII,
    CAPITAL,
    DIGIT,
    LETTER,
    MARK,
    SENTENCE,
    SPACE,
    WIDE,
    class_of,
    code_at,
)
from corpusforge.extract.markup import ELEMENT, END, KIND, NOTHING, OPEN, START, Markup, Tags
from corpusforge.extract.tags import BLOCK, KINDS, NUMBERS, Bytes
from corpusforge.extract.tree import IN_EMPHASIS, IN_LINK, IN_PREFORMATTED, IN_SILENT, Places, Tree

MEASURES = (
    "width", "in_links", "words", "marks", "sentences", "digits", "capitals", "wide", "emphasised", "links", "breaks",
    "last", "first", "images",
)  # fmt: skip
"""Of each block. Characters count by width, a wide letter twice; ``sentences`` are marks that part or end sentences;
``first`` and ``last`` are code points."""
WIDTH, IN_LINKS, WORDS, MARKS, SENTENCES, DIGITS, CAPITALS = range(7)
WIDES, EMPHASISED, LINKS, BREAKS, LAST, FIRST, IMAGES = range(7, 14)
LONGEST_REFERENCE = 32
"""Bytes of a character reference such as ``&nbsp;``; the longest name in HTML has 31."""

_BR, _IMG, _A = (NUMBERS[name] for name in ("br", "img", "a"))


@dataclass(frozen=True)
class Blocks:
    """``text`` holds the text of all blocks, white space collapsed, character references as they stand in the page.

    Block ``n`` is ``text[start[n]:end[n]]``, begins in ``element[n]`` and has the ``measures[n]``, int32 of
    (blocks, ``len(MEASURES)``).
    """

    text: Bytes
    element: Places
    start: Places
    end: Places
    measures: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.element)


def read_blocks(markup: Markup, tree: Tree) -> Blocks:
    """Cut the text of a page into blocks."""
    most = len(markup.tags) + 1
    text = np.empty(len(markup.html) + most, np.uint8)
    element, start, end = (np.empty(most, np.int32) for _ in range(3))
    measures = np.zeros((most, len(MEASURES)), np.int32)
    arrays = (tree.inside, tree.inherited, KINDS, ASCII)
    count, size = _read(markup.html, markup.tags, *arrays, text, element, start, end, measures)
    return Blocks(text[:size], element[:count], start[:count], end[:count], measures[:count])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _read(
    html: Bytes,
    tags: Tags,
    inside: Places,
    inherited: Bytes,
    kinds: Bytes,
    ascii_classes: Bytes,
    text: Bytes,
    element: Places,
    start: Places,
    end: Places,
    measures: npt.NDArray[np.int32],
) -> tuple[int, int]:
    count, put, images, around_space = 0, 0, 0, 0
    opened, space, in_word = False, False, False
    last = len(tags) - 1
    for row in range(-1, len(tags)):
        at = 0 if row < 0 else tags[row, END]
        stop = tags[row + 1, START] if row < last else len(html)
        if row >= 0 and tags[row, KIND] != NOTHING:
            what = tags[row, ELEMENT]
            if opened and kinds[what] & BLOCK:
                put = end[count]
                count, opened = count + 1, False
            elif opened and what == _BR:
                text[put] = 10
                put += 1
                measures[count, BREAKS] += 1
                space, in_word = False, False
            elif what == _IMG:
                images += 1
            elif opened and what == _A and tags[row, KIND] == OPEN:
                measures[count, LINKS] += 1
        here = 0 if row < 0 else inside[row]
        given = inherited[here]
        if given & IN_SILENT:
            continue
        while at < stop:
            code, size = _character(html, at, stop)
            kind = class_of(code, ascii_classes)
            if kind & SPACE:
                if opened and (given & IN_PREFORMATTED or size == 3):
                    for place in range(at, at + size):
                        text[put] = html[place]
                        put += 1
                elif not space:
                    space, around_space = opened, given
                at, in_word = at + size, False
                continue
            if not opened:
                opened, space, in_word = True, False, False
                element[count], start[count] = here, put
                measures[count, FIRST], measures[count, IMAGES], images = code, images, 0
                measures[count, LINKS] = 1 if given & IN_LINK else 0
            elif space:
                text[put] = 32
                put, space = put + 1, False
                _add(measures[count], 1, around_space & given)
            for place in range(at, at + size):
                text[put] = html[place]
                put += 1
            in_word = _measure(measures[count], code, kind, given, in_word)
            end[count] = put
            at += size
    if opened:
        put = end[count]
        count += 1
    return count, put


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _add(measures: npt.NDArray[np.int32], width: int, given: int) -> None:
    measures[WIDTH] += width
    if given & IN_LINK:
        measures[IN_LINKS] += width
    if given & IN_EMPHASIS:
        measures[EMPHASISED] += width


@njit(cache=True)  # type: ignore[untyped-decorator]
def _measure(measures: npt.NDArray[np.int32], code: int, kind: int, given: int, in_word: bool) -> bool:
    """Count a character; say whether a word goes on behind it. Two wide letters are a word."""
    wide = (kind & WIDE) != 0
    _add(measures, 2 if wide else 1, given)
    measures[LAST] = code
    if kind & MARK:
        measures[MARKS] += 1
        if kind & SENTENCE:
            measures[SENTENCES] += 1
        return False
    if wide:
        measures[WIDES] += 1
        measures[WORDS] += measures[WIDES] & 1
        return False
    if not in_word:
        measures[WORDS] += 1
    if kind & DIGIT:
        measures[DIGITS] += 1
    if kind & CAPITAL:
        measures[CAPITALS] += 1
    return (kind & LETTER) != 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _character(html: Bytes, at: int, stop: int) -> tuple[int, int]:
    """The character at a place, written out or as a reference, and the bytes it takes."""
    if html[at] != 38:  # &
        return code_at(html, at, stop)  # type: ignore[no-any-return]
    limit = min(stop, at + LONGEST_REFERENCE)
    end = at + 1
    while end < limit and html[end] != 59:  # ;
        if html[end] <= 32 or html[end] == 38 or html[end] >= 128:
            return 38, 1
        end += 1
    if end >= limit or end == at + 1:
        return 38, 1
    if html[at + 1] == 35:  # #
        return _numbered(html, at + 2, end), end + 1 - at
    return _named(html, at + 1, end), end + 1 - at


@njit(cache=True)  # type: ignore[untyped-decorator]
def _numbered(html: Bytes, at: int, end: int) -> int:
    """The code point of a reference by number, decimal or hexadecimal; the replacement character if it is none."""
    base = 10
    if at < end and html[at] | 32 == 120:  # x
        base, at = 16, at + 1
    code = 0
    for place in range(at, end):
        byte = html[place]
        digit = byte - 48 if 48 <= byte <= 57 else (byte | 32) - 87 if 97 <= (byte | 32) <= 102 else 99
        if digit >= base:
            return 0xFFFD
        code = min(code * base + digit, 0x110000)
    return code if 0 < code < 0x110000 else 0xFFFD


@njit(cache=True)  # type: ignore[untyped-decorator]
def _named(html: Bytes, at: int, end: int) -> int:
    """What a reference by name counts as: a space, one of the five signs of XML, else a letter."""
    size = end - at
    if size == 4 and html[at] == 110 and html[at + 1] == 98 and html[at + 2] == 115 and html[at + 3] == 112:
        return 0xA0
    if size <= 4 and html[at] in (97, 108, 103, 113) and html[end - 1] in (112, 116, 115):  # amp lt gt quot apos
        return 38
    return 0xE9
