"""Bytes read in one encoding, and how much the result is like text.

That is the share of non-ASCII characters that are frequent in the languages of the encoding: right readings have
40-100 %, wrong ones 0-20 %.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpusforge.text.ascii import next_high
from corpusforge.text.encodings import BY_NAME, Encoding, decode

SAMPLE_BYTES = 1 << 13
"""Bytes of lines with non-ASCII bytes on which a declaration is tried first."""
LINE_BYTES = 1 << 12
SAMPLE_CHARACTERS = 4000
STEP = 1 << 15
BYTES_PER_BAD = 1000
CHARACTERS_PER_BAD = 100
"""One undecodable place in so many bytes, or in so many non-ASCII characters, becomes U+FFFD in a sound text."""
READS_WELL = 300
"""Permille of frequent characters from which bytes read like text."""
HALF_WIDTH = 300
"""Permille of half-width kana from which a Japanese reading is taken for a wrong one: authors use them for words."""

HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_HALF_WIDTH = rb"\xef(?:\xbd[\xa6-\xbf]|\xbe[\x80-\x9f])"
HALF_WIDTH_RUN = re.compile(_HALF_WIDTH + b"(?:" + _HALF_WIDTH + b"){9}")
"""Half-width kana in UTF-8; a pattern that begins with one byte is looked for five times as fast."""
BEYOND = 0x10000
"""No character beyond the basic plane is frequent in any encoding."""
UTF_8 = BY_NAME["utf-8"]

Points = NDArray[np.uint32]


@dataclass(frozen=True)
class Reading:
    """Bytes read in one encoding: undecodable places, non-ASCII characters, permille of those that are frequent."""

    encoding: Encoding
    text: str
    bad: int
    characters: int
    score: int
    sound: bool


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8 and nothing else; Arrow sees that in a fifth of the time that decoding takes."""
    ends = np.array((0, len(data)), np.int64)
    text = pa.LargeStringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(data))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def read(encoding: Encoding, data: bytes) -> Reading:
    """Read bytes in an encoding and measure how much the result is like text."""
    text = decode(encoding, data)
    bad = text.count("\ufffd") - (data.count(b"\xef\xbf\xbd") if encoding is UTF_8 else 0)
    strange = _first_foreign(text)
    sound = bad <= bad_allowed(data, len(strange)) and bad * 4 <= len(strange)
    frequent = np.count_nonzero(_is_frequent(encoding.frequent)[strange.clip(max=BEYOND)])
    score = 1000 * int(frequent) // len(strange) if len(strange) else 1000
    if encoding.family in ("latin", "single") and len(strange) and _runs_are_long(data) == (encoding.family == "latin"):
        score = 0
    if "ー" in encoding.frequent and _is_half_width(strange):
        score = 0
    return Reading(encoding, text, bad, len(strange), score, sound)


def bad_allowed(data: bytes, characters: int) -> int:
    """Undecodable places that a sound text of so many non-ASCII characters may have."""
    return max(1, len(data) // BYTES_PER_BAD, characters // CHARACTERS_PER_BAD)


def may_be(encoding: Encoding, sample: bytes) -> bool:
    """Whether a sample is readable enough to read the rest: decoding what is full of errors is slow."""
    reading = read(encoding, sample)
    return reading.bad * 4 <= reading.characters


def _first_foreign(text: str) -> Points:
    """Code points: most pages are ASCII for the most part, and NumPy finds the rest faster than a pattern does."""
    pieces, size = [np.empty(0, np.uint32)], 0
    for start in range(0, len(text), STEP):
        points = np.frombuffer(text[start : start + STEP].encode("utf-32-le", "surrogatepass"), "<u4")
        pieces.append(points[points >= 0x80])
        size += len(pieces[-1])
        if size >= SAMPLE_CHARACTERS:
            break
    return np.concatenate(pieces)[:SAMPLE_CHARACTERS]


@cache
def _is_frequent(characters: frozenset[str]) -> NDArray[np.bool_]:
    """Of each code point whether it is one of the characters; of all from ``BEYOND`` on it is said once."""
    found = np.zeros(BEYOND + 1, np.bool_)
    found[[ord(character) for character in characters]] = True
    return found


def _is_half_width(strange: Points) -> bool:
    half = np.count_nonzero((strange >= 0xFF66) & (strange <= 0xFF9F))
    return int(half) * 1000 > len(strange) * HALF_WIDTH


def _runs_are_long(data: bytes) -> bool:
    """Whether most non-ASCII bytes stand in runs of three or more, as in no Latin script."""
    runs = [len(run) for run in _first_runs(data)]
    return 2 * sum(run for run in runs if run > 2) > sum(runs)


def _first_runs(data: bytes) -> Iterator[bytes]:
    for count, match in enumerate(HIGH_RUN.finditer(data)):
        if count >= SAMPLE_CHARACTERS:
            return
        yield match[0]


def sample_of(payload: bytes) -> bytes:
    """The rests of lines from their first non-ASCII byte on, as many as are needed to compare encodings.

    No character of any encoding here goes on over a line end, so no piece begins inside one.
    """
    data, pieces = np.frombuffer(payload, np.uint8), list[bytes]()
    size = position = 0
    while size < SAMPLE_BYTES and (high := next_high(data, position)) < len(data):
        end = payload.find(b"\n", high)
        position = len(payload) if end < 0 else end
        pieces.append(payload[high : min(position, high + LINE_BYTES)])
        size += len(pieces[-1])
    return b"\n".join(pieces)
