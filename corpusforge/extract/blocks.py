"""The text of a page in blocks, as its elements break it, with measures of what a reader sees of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
from corpusforge.kernels import kernel

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
    (blocks, ``len(MEASURES)``). ``tag_at`` says for each tag where in the text it stands, before the white space that
    is still to follow.
    """

    text: Bytes
    element: Places
    start: Places
    end: Places
    measures: npt.NDArray[np.int32]
    tag_at: Places

    def __len__(self) -> int:
        return len(self.element)


def read_blocks(markup: Markup, tree: Tree) -> Blocks:
    """Cut the text of a page into blocks."""
    most = len(markup.tags) + 1
    text = np.empty(len(markup.html) + most, np.uint8)
    element, start, end, tag_at = (np.empty(most, np.int32) for _ in range(4))
    measures = np.zeros((most, len(MEASURES)), np.int32)
    arrays = (tree.inside, tree.inherited, KINDS, ASCII)
    count, size = _read(markup.html, markup.tags, *arrays, text, element, start, end, measures, tag_at)
    text = text[:size]
    text[text == 0] = ord(" ")  # Only what is no UTF-8 leaves any; texts are parted by them.
    return Blocks(text, element[:count], start[:count], end[:count], measures[:count], tag_at[: most - 1])


@kernel
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
    tag_at: Places,
) -> tuple[int, int]:
    count, put, images = 0, 0, 0
    opened, space, around_space, in_word = False, False, 0, False
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
        if row >= 0:
            tag_at[row] = put
        here = 0 if row < 0 else inside[row]
        given = inherited[here]
        if given & IN_SILENT:
            continue
        begun = at
        if not opened:
            at, code = _behind_space(html, at, stop, ascii_classes)
        if at >= stop:
            continue
        if not opened:
            opened, space, in_word = True, False, False
            element[count], start[count] = here, put
            if given & IN_PREFORMATTED:
                put = _indented(html, begun, at, text, put)
            measures[count, FIRST], measures[count, IMAGES], images = code, images, 0
            measures[count, LINKS] = 1 if given & IN_LINK else 0
        before = put
        put, shown, space, around_space, in_word = _copied(
            html, at, stop, given, ascii_classes, text, put, measures[count], space, around_space, in_word
        )
        if shown > before:
            end[count] = shown
    if opened:
        put = end[count]
        count += 1
    return count, put


@kernel
def _behind_space(html: Bytes, at: int, stop: int, ascii_classes: Bytes) -> tuple[int, int]:
    """The place of the first character that is no space, and that character."""
    while at < stop:
        if html[at] <= 32:
            at += 1
            continue
        code, size = _character(html, at, stop)
        if not class_of(code, ascii_classes) & SPACE:
            return at, code
        at += size
    return stop, 0


@kernel
def _indented(html: Bytes, begun: int, at: int, text: Bytes, put: int) -> int:
    """Copy the blanks of the line before a place; give where the text now ends."""
    line = at
    while line > begun and (html[line - 1] == 32 or html[line - 1] == 9):
        line -= 1
    for place in range(line, at):
        text[put] = html[place]
        put += 1
    return put


@kernel
def _copied(
    html: Bytes,
    at: int,
    stop: int,
    given: int,
    ascii_classes: Bytes,
    text: Bytes,
    put: int,
    measured: npt.NDArray[np.int32],
    space: bool,
    around_space: int,
    in_word: bool,
) -> tuple[int, int, bool, int, bool]:
    """Copy what stands between two tags into the block's text and count it.

    Gives where the text and where what is shown of it now end; whether white space is still to be put, and what it
    stands in; and whether a word goes on behind it. Two wide letters are a word. The counts are kept in registers.
    """
    width, gaps, in_links, emphasised, shown = 0, 0, 0, 0, put
    words, marks, sentences, digits, capitals, wides = 0, 0, 0, 0, 0, measured[WIDES]
    last = measured[LAST]
    while at < stop:
        byte = html[at]
        if byte < 9 or 14 <= byte < 32:  # controls, which nobody sees
            at += 1
            continue
        if byte < 128 and byte != 38:  # &
            code, size, kind = int(byte), 1, int(ascii_classes[byte])
        else:
            code, size = _character(html, at, stop)
            kind = class_of(code, ascii_classes)
        if kind & SPACE:
            if given & IN_PREFORMATTED or size == 3:
                for place in range(at, at + size):
                    text[put] = html[place]
                    put += 1
            elif not space:
                space, around_space = True, given
            at, in_word = at + size, False
            continue
        if space:
            text[put] = 32
            put, space, gaps = put + 1, False, gaps + 1
            in_links += 1 if around_space & given & IN_LINK else 0
            emphasised += 1 if around_space & given & IN_EMPHASIS else 0
        for place in range(at, at + size):
            text[put] = html[place]
            put += 1
        at, shown, last, width = at + size, put, code, width + 1
        if kind & MARK:
            marks += 1
            sentences += 1 if kind & SENTENCE else 0
            in_word = False
        elif kind & WIDE:
            width, wides = width + 1, wides + 1
            words += wides & 1
            in_word = False
        else:
            words += 0 if in_word else 1
            digits += 1 if kind & DIGIT else 0
            capitals += 1 if kind & CAPITAL else 0
            in_word = (kind & LETTER) != 0
    measured[WIDTH] += width + gaps
    measured[IN_LINKS] += in_links + (width if given & IN_LINK else 0)
    measured[EMPHASISED] += emphasised + (width if given & IN_EMPHASIS else 0)
    measured[WORDS] += words
    measured[MARKS] += marks
    measured[SENTENCES] += sentences
    measured[DIGITS] += digits
    measured[CAPITALS] += capitals
    measured[WIDES], measured[LAST] = wides, last
    return put, shown, space, around_space, in_word


@kernel
def _character(html: Bytes, at: int, stop: int) -> tuple[int, int]:
    """The character at a place, written out or as a reference, and the bytes it takes."""
    if html[at] != 38:  # &
        return code_at(html, at, stop)
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


@kernel
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


@kernel
def _named(html: Bytes, at: int, end: int) -> int:
    """What a reference by name counts as: a space, one of the five signs of XML, else a letter."""
    size = end - at
    if size == 4 and html[at] == 110 and html[at + 1] == 98 and html[at + 2] == 115 and html[at + 3] == 112:
        return 0xA0
    if size <= 4 and html[at] in (97, 108, 103, 113) and html[end - 1] in (112, 116, 115):  # amp lt gt quot apos
        return 38
    return 0xE9
