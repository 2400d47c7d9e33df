"""The form of stored text: NFC, full-width kana, one kind of line end, no control characters, no trailing spaces.

Nothing more: NFKC and case folding belong to keys and shingles, never to stored text. Invisible layout hints (byte
order mark, zero-width space, soft hyphen, word joiner) are taken out, because they split words for tokenisers and for
duplicate search and show nothing; joiners (U+200C, U+200D), bidirectional marks and variation selectors carry meaning
and stay.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

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
    if is_normal(text):
        return text, list(offsets)
    lines = re.split("(?<=\n)", text)
    ready = [normalise(line) for line in lines]
    starts = [0, *accumulate(map(len, lines))]
    new_starts = [0, *accumulate(map(len, ready))]
    moved = []
    for offset in offsets:
        line = min(bisect_right(starts, offset) - 1, len(lines) - 1)
        before = normalise(lines[line][: offset - starts[line]])
        moved.append(new_starts[line] + min(len(before), len(ready[line])))
    return "".join(ready), moved
