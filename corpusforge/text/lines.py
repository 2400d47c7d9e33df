"""Lines and paragraphs of a text as code-point ranges."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled
from corpusforge.text.words import SPACE, WORD, Codes, Kinds

Spans = NDArray[np.int32]


def line_ranges(lines: Sequence[str]) -> NDArray[np.int64]:
    """``[lines, 2]`` start and end of the lines of a text, split at line feeds; the end is where the line feed stands,
    or the text's end."""
    lengths = np.fromiter(map(len, lines), np.int64, len(lines))
    ends = np.cumsum(lengths + 1) - 1
    return np.stack((ends - lengths, ends), axis=1)


@compiled
def line_spans(points: Codes, table: Kinds, paragraphs: bool = False, least: int = 1) -> Spans:
    """``[lines, 2]`` ranges of the lines that hold ``least`` letters or digits, without the space around them.

    With ``paragraphs``: what stands between blank lines, as one range. Rules of signs (``* * *``) are neither.
    """
    size = len(points)
    spans = np.empty((size // 2 + 1, 2), np.int32)
    found = 0
    first = last = -1
    feeds = wordy = 0
    for at in range(size + 1):
        if at == size or points[at] == 10:
            feeds += 1
            if first >= 0 and (at == size or feeds == 2 or not paragraphs):
                spans[found, 0], spans[found, 1] = first, last + 1
                found += wordy >= least
                first, wordy = -1, 0
        elif not (points[at] < len(table) and table[points[at]] & SPACE):
            first = at if first < 0 else first
            last = at
            wordy += points[at] < len(table) and table[points[at]] & WORD > 0
            feeds = 0
    return spans[:found]
