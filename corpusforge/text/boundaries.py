"""Where the words of a text end: a dictionary decides in Japanese, white space and kinds of characters elsewhere.

Every character belongs to a word. White space goes with the word behind it, so that `` the`` is one; a run of white
space that holds line breaks ends a word behind the last of them. A mark of punctuation is a word of its own, a run of
equal ones (``----``) is one. No word ends inside a character with its marks, a joined emoji or a flag.

Spaced scripts: a run of letters, marks and digits with an apostrophe between letters, ``.`` or ``,`` between digits or
``_`` inside. Unspaced scripts other than Japanese (Chinese, Thai, Khmer …): one letter with its marks, as everywhere
here (see ``corpusforge.text.words``). Japanese: SudachiPy in mode A, its shortest units, on each run without white
space that holds Han or kana.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel
from corpusforge.text.words import DIGIT, HAN, HIRAGANA, KATAKANA, LETTER, MARK, SPACE, UNSPACED, WORD, Codes, kinds
from corpusforge.text.words import codes as codes_of

try:
    import sudachipy
except ImportError:
    sudachipy = None

Places = NDArray[np.int32]
Flags = NDArray[np.bool_]

LIBRARIES = ("sudachipy", "sudachidict_small")
"""What Japanese words hang on; their versions belong to the identity of what is made from the words."""
JAPANESE = HAN | HIRAGANA | KATAKANA
KANA_OF = 20
"""A text is Japanese if one in 20 of its Han and kana is kana: in Japanese prose half and more are, in Chinese a stray
の or none."""
PIECE = 1024
"""Characters of one call of SudachiPy, at most: it takes 49 149 bytes, and it normalises compatibility characters, of
which one (ﷺ) becomes 33 bytes."""

_BREAKS = (0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)
_JOINER, _NON_JOINER = 0x200D, 0x200C


def word_ends(text: str, lang: str | None = None) -> Places:
    """Code points of the text up to the end of each word, ascending; the last is the length of the text.

    ``lang`` is its language where known: a Japanese text may be without kana. Raises ``ValueError`` if the text is
    Japanese and SudachiPy is not installed.
    """
    points, table = codes_of(text), kinds()
    ends = _plain_ends(points, table)
    if lang == "ja" or _is_japanese(points, table):
        for start, end in _japanese_runs(points, table, PIECE).tolist():
            found = [morpheme.end() for morpheme in _analyser().tokenize(text[start:end])]
            ends[start + 1 : end] = False
            ends[start + np.array(found, np.int64)] = True
    _join(points, table, ends)
    return np.flatnonzero(ends).astype(np.int32)


def need_dictionary() -> None:
    """Raise ``ValueError`` that says the cure if SudachiPy or its dictionary is not installed."""
    _analyser()


@cache
def _analyser() -> Any:
    try:
        dictionary = sudachipy.Dictionary(dict="small")
    except (AttributeError, ImportError) as error:
        raise ValueError(
            "boundaries of Japanese words need SudachiPy and its small dictionary: pip install 'corpusforge[words]', "
            "or leave words out of boundaries"
        ) from error
    # Before 0.7 it is called create, since then that warns.
    make = getattr(dictionary, "tokenizer", None) or dictionary.create
    return make(mode=sudachipy.SplitMode.A)


@kernel
def _is_japanese(points: Codes, table: NDArray[np.uint8]) -> bool:
    kana = both = 0
    for point in points:
        kind = table[point] if point < len(table) else 0
        if kind & LETTER and kind & JAPANESE:
            both += 1
            kana += kind & HAN == 0
    return both > 0 and kana * KANA_OF >= both


@compiled
def _plain_ends(points: Codes, table: NDArray[np.uint8]) -> Flags:
    """Whether a word ends before each code point, and at the end of the text; without a dictionary."""
    size = len(points)
    ends = np.zeros(size + 1, np.bool_)
    at = 0
    while at < size:
        kind = table[points[at]] if points[at] < len(table) else 0
        if kind & SPACE or points[at] == 0x85:
            at = _space_end(points, table, at, ends)
            continue
        if kind & WORD and not kind & UNSPACED:
            at = _run_end(points, table, at + 1)
        elif kind & WORD:
            at += 1
        else:
            at += 1
            while at < size and points[at] == points[at - 1]:
                at += 1
        ends[at] = True
    ends[size] = size > 0
    ends[0] = False
    return ends


@kernel
def _space_end(points: Codes, table: NDArray[np.uint8], at: int, ends: Flags) -> int:
    """Where the white space from ``at`` on ends; its last line break ends a word."""
    last = -1
    while at < len(points) and ((points[at] < len(table) and table[points[at]] & SPACE) or points[at] == 0x85):
        if points[at] in _BREAKS:
            last = at + 1
        at += 1
    if last >= 0:
        ends[last] = True
    return at


@kernel
def _run_end(points: Codes, table: NDArray[np.uint8], at: int) -> int:
    """Where the word of a spaced script that holds ``at - 1`` ends."""
    size = len(points)
    while at < size:
        kind = table[points[at]] if points[at] < len(table) else 0
        if kind & WORD and not kind & UNSPACED:
            at += 1
            continue
        after = table[points[at + 1]] if at + 1 < size and points[at + 1] < len(table) else 0
        if after & UNSPACED or not _links(points[at], table[points[at - 1]], after):
            break
        at += 2
    return at


@kernel
def _links(point: int, before: int, after: int) -> bool:
    """Whether a character between two others keeps them in one word."""
    if point == 0x27 or point == 0x2019:
        return after & LETTER > 0
    if point == 0x2C or point == 0x2E:
        return before & DIGIT > 0 and after & DIGIT > 0
    return point == 0x5F and after & WORD > 0


@compiled
def _japanese_runs(points: Codes, table: NDArray[np.uint8], most: int) -> NDArray[np.int64]:
    """``[runs, 2]`` start and end of each run without white space that holds Han or kana.

    One of more than ``most`` characters is cut behind the last mark of punctuation in its second half, else anywhere.
    """
    runs = []
    start, cut, japanese = 0, 0, False
    for at in range(len(points) + 1):
        kind = SPACE if at == len(points) else table[points[at]] if points[at] < len(table) else 0
        is_space = kind & SPACE > 0 or (at < len(points) and points[at] == 0x85)
        if is_space or at - start == most:
            end = at if is_space or cut <= start + most // 2 else cut
            if japanese:
                runs.append((start, end))
            start = at + 1 if is_space else end
            # What a cut left behind is taken for Japanese, as the run is.
            japanese = japanese and not is_space
        if kind & JAPANESE:
            japanese = True
        elif not kind & WORD:
            cut = at + 1
    result = np.empty((len(runs), 2), np.int64)
    for number, (first, last) in enumerate(runs):
        result[number, 0], result[number, 1] = first, last
    return result


@kernel
def _join(points: Codes, table: NDArray[np.uint8], ends: Flags) -> None:
    """Take away the ends inside what is read as one character."""
    flag = False
    for at in range(1, len(points)):
        before, point = points[at - 1], points[at]
        # Regional indicators make a flag two by two.
        flag = 0x1F1E6 <= before <= 0x1F1FF and 0x1F1E6 <= point <= 0x1F1FF and not flag
        kind = table[point] if point < len(table) else 0
        if before in _BREAKS:
            joined = before == 0x0D and point == 0x0A
        else:
            joined = flag or _extends(point, kind) or (before == _JOINER and not kind & (WORD | SPACE))
        if joined:
            ends[at] = False


@kernel
def _extends(point: int, kind: int) -> bool:
    """Whether a character stands with the one before: marks, half-width voicing, skin tones, tags, variations."""
    if kind & WORD == MARK or point in (_JOINER, _NON_JOINER, 0xFF9E, 0xFF9F):
        return True
    return 0x1F3FB <= point <= 0x1F3FF or 0xE0000 <= point <= 0xE0FFF
