"""The form of stored text: NFC, full-width kana, one kind of line end, no control characters, no trailing spaces.

Nothing more: NFKC and case folding belong to keys and shingles, never to stored text. Invisible layout hints (byte
order mark, zero-width space, soft hyphen, word joiner) are taken out, because they split words for tokenisers and for
duplicate search and show nothing; joiners (U+200C, U+200D), bidirectional marks and variation selectors carry meaning
and stay.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled
from corpusforge.text.folding import CHANGING
from corpusforge.text.words import Codes, codes

Offsets = NDArray[np.int64]

HALF = "｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ"
FULL = (
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソ"
    "タチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
)
MARKS = {"ﾞ": ("\u3099", "゛"), "ﾟ": ("\u309a", "゜")}
"""Half-width voicing marks: the combining mark that composes with a kana, and the mark that stands alone."""

_WIDE = str.maketrans(HALF, FULL)
_VOICED = re.compile("([^\nﾞﾟ]?)([ﾞﾟ])")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_GONE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff]")
_SPACES = " \t\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DIRTY = re.compile(
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u2028\u2029\u2060\ufeff\ufffe\uffff\uff61-\uff9f]|[{_SPACES}](?:\n|\\Z)"
)


_DIRTY_CODE, _SPACE_CODE = 1, 2
_CODES = 0x20000
"""Characters above these stand for themselves, but for Han compatibility forms and tags; they are judged by hand."""


def is_normal(text: str) -> bool:
    """Whether ``normalise`` would give the text as it is."""
    return not _DIRTY.search(text) and unicodedata.is_normalized("NFC", text)


def normalise(text: str) -> str:
    """The text in its stored form; a text in that form is given back as it is."""
    if is_normal(text):
        return text
    text = _GONE.sub("", _LINE_ENDS.sub("\n", text))
    text = _VOICED.sub(_voiced, text).translate(_WIDE)
    text = unicodedata.normalize("NFC", text)
    # Line by line, not by an expression: one that looks for spaces before a line end is quadratic in long runs of them.
    return "\n".join([line.rstrip(_SPACES) for line in text.split("\n")])


def _voiced(found: re.Match[str]) -> str:
    """A kana with a half-width voicing mark: composed where Unicode has the kana, else the mark stands alone."""
    base = found[1].translate(_WIDE)
    combining, alone = MARKS[found[2]]
    composed = unicodedata.normalize("NFC", base + combining)
    return composed if len(composed) == 1 and base else base + alone


def normalise_with(text: str, offsets: Sequence[int]) -> tuple[str, list[int]]:
    """The text in its stored form, and where the given code-point offsets come to lie in it.

    Lines are independent of each other, so an offset moves by what changed in the lines before it and in its own line
    up to it.
    """
    text, moved = normalise_and_move(text, np.array(offsets, np.int64))
    return text, moved.tolist()


def normalise_and_move(text: str, offsets: Offsets) -> tuple[str, Offsets]:
    """As ``normalise_with``; a text that is normal and its offsets are given back as they are."""
    points = codes(text)
    spans = [(start, end) for start, end in _doubtful(points, _table()).tolist() if not is_normal(text[start:end])]
    if not spans:
        return text, offsets
    ready = [normalise(text[start:end]) for start, end in spans]
    pieces, position = [], 0
    for (start, end), line in zip(spans, ready, strict=True):
        pieces += [text[position:start], line]
        position = end
    pieces.append(text[position:])
    return "".join(pieces), _moved(text, points, spans, ready, offsets)


def _moved(text: str, points: Codes, spans: list[tuple[int, int]], ready: list[str], offsets: Offsets) -> Offsets:
    """Where offsets come to lie when each of the lines ``spans`` becomes the one in ``ready``."""
    starts, ends = np.array(spans).T
    shifts = np.concatenate(([0], np.cumsum([len(line) for line in ready] - (ends - starts))))
    # The line that holds an offset, or the last one before it; an offset at the text's end is in its last line.
    line = np.searchsorted(starts, offsets, "right") - 1
    last = text[-1] != "\n"
    inside = (line >= 0) & ((offsets < ends[line]) | (last & (offsets == len(text)) & (ends[line] == len(text))))
    moved = offsets + shifts[line + 1]
    before = points[np.maximum(offsets, 1) - 1]
    spaces = (offsets > 0) & ~inside & (_table()[np.minimum(before, _CODES)] & _SPACE_CODE > 0)
    # Spaces before an offset count as if the text ended there.
    for at in np.flatnonzero(spaces).tolist():
        start = text.rfind("\n", 0, int(offsets[at])) + 1
        cut = text[start : int(offsets[at])]
        moved[at] -= len(cut) - len(cut.rstrip(_SPACES))
    for at in np.flatnonzero(inside).tolist():
        number = int(line[at])
        cut = normalise(text[int(starts[number]) : int(offsets[at])])
        moved[at] = starts[number] + shifts[number] + min(len(cut), len(ready[number]))
    return moved


@cache
def _table() -> NDArray[np.uint8]:
    """Of each code point: whether it may have to change, whether it is a space that goes at the end of a line.

    Characters that do not compose with any other and are composed themselves need no look; the others may.
    """
    # A line break joins nothing, so that one call composes every character by itself.
    characters = [c for first, last in CHANGING for c in map(chr, range(first, min(last, _CODES))) if c != "\n"]
    line = "\n".join(characters)
    composed = unicodedata.normalize("NFC", line).split("\n")
    joining = {tail for part in unicodedata.normalize("NFD", line).split("\n") for tail in part[1:]}
    joining |= {character for character in characters if unicodedata.combining(character)}
    changed = {character for character, new in zip(characters, composed, strict=True) if character != new}
    table = np.zeros(_CODES + 1, np.uint8)
    dirty = set(_DIRTY.findall(line.replace("\n", ".") + "."))
    table[[ord(character) for character in joining | changed | dirty]] = _DIRTY_CODE
    table[0xD800:0xE000] = table[_CODES] = _DIRTY_CODE
    table[[ord(space) for space in _SPACES]] |= _SPACE_CODE
    return table


@compiled
def _doubtful(points: Codes, table: NDArray[np.uint8]) -> NDArray[np.int32]:
    """``[lines, 2]`` ranges of the lines, line feeds included, that may not be in stored form."""
    size = len(points)
    spans = np.empty((size + 1, 2), np.int32)
    found = start = 0
    doubtful = False
    before = 0
    for at in range(size + 1):
        ended = at == size or points[at] == 10
        if ended:
            if doubtful or before & 2:
                spans[found, 0], spans[found, 1] = start, min(at + 1, size)
                found += 1
            start, doubtful, before = at + 1, False, 0
            continue
        before = table[min(points[at], np.uint32(len(table) - 1))]
        doubtful |= before & 1 > 0
    return spans[:found].copy()
