"""Which scripts a text is written in, counted over UTF-8 bytes by a compiled loop."""

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import kernel
from corpusforge.text.ascii import BLOCK, Bytes, is_plain


@dataclass(frozen=True)
class Scripts:
    """Characters of each script; ``other`` is letters of any other script, marks and symbols are not counted."""

    latin: int
    han: int
    hiragana: int
    katakana: int
    hangul: int
    cyrillic: int
    arabic: int
    thai: int
    greek: int
    hebrew: int
    devanagari: int
    other: int

    @property
    def letters(self) -> int:
        return sum(self.of(name) for name in NAMES)

    def of(self, name: str) -> int:
        """Characters of the named script."""
        count: int = getattr(self, name)
        return count

    @property
    def kana(self) -> int:
        return self.hiragana + self.katakana

    def share(self, *names: str) -> float:
        """Share of all letters that the named scripts have; 0 where there is no letter."""
        return sum(self.of(name) for name in names) / (self.letters or 1)


NAMES = tuple(field.name for field in fields(Scripts))

# Unicode blocks, letters only where a block mixes; U+FF66-FF9F are the half-width kana, ー (U+30FC) is katakana.
RANGES = {
    "latin": (
        *((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF)),
        *((0xFF21, 0xFF3A), (0xFF41, 0xFF5A)),
    ),
    "han": ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
    "hiragana": ((0x3041, 0x3096), (0x309D, 0x309F)),
    "katakana": ((0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "hangul": ((0x1100, 0x11FF), (0x3131, 0x318E), (0xAC00, 0xD7A3)),
    "cyrillic": ((0x400, 0x52F),),
    "arabic": ((0x620, 0x64A), (0x66E, 0x6D3), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    "thai": ((0xE01, 0xE3A), (0xE40, 0xE4E)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "hebrew": ((0x5D0, 0x5EA),),
    "devanagari": ((0x904, 0x963),),
    "other": ((0x531, 0x587), (0x710, 0x74F), (0x780, 0x7B1), (0x980, 0xDFF), (0xE80, 0x10FF), (0x1200, 0x17FF)),
}


def _table() -> NDArray[np.uint8]:
    """Class of every code point below U+40000: 0 = not counted, else 1 + the place of its script in ``NAMES``."""
    table = np.zeros(0x40000, np.uint8)
    for name, ranges in RANGES.items():
        for first, last in ranges:
            table[first : last + 1] = 1 + NAMES.index(name)
    return table


TABLE = _table()


@kernel
def _count(data: NDArray[np.uint8], table: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
    at, size = 0, len(data)
    while at < size:
        lead = data[at]
        more = 0 if lead < 0x80 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
        if at + more >= size:
            break
        point = int(lead) if more == 0 else int(lead) & (0x3F >> more)
        for k in range(1, more + 1):
            point = (point << 6) | (int(data[at + k]) & 0x3F)
        if point < len(table):
            out[table[point]] += 1
        at += 1 + more


def scripts_of_bytes(data: bytes) -> Scripts:
    """Count the scripts of UTF-8 bytes; a broken sequence counts as whatever its bits say."""
    out = np.zeros(1 + len(NAMES), np.int64)
    _count(np.frombuffer(data, np.uint8), TABLE, out)
    return Scripts(*(int(n) for n in out[1:]))


def scripts(text: str) -> Scripts:
    """Count the scripts of a text."""
    return scripts_of_bytes(text.encode("utf-8", "surrogatepass"))


@kernel
def _number(data: Bytes, at: int, base: int, most: int) -> int:
    """The number of at most ``most`` digits that begins at a place; zeros before it do not count."""
    while at + 1 < len(data) and data[at] == 48 and data[at + 1] == 48:
        at += 1
    number = 0
    for place in range(at, min(at + most, len(data))):
        letter = data[place] | 0x20
        digit = int(data[place]) - 48 if 48 <= data[place] <= 57 else int(letter) - 87 if 97 <= letter <= 102 else 16
        if digit >= base:
            break
        number = number * base + digit
    return number


@kernel
def _escaped(data: Bytes, at: int) -> int:
    """The code point that ``&#12354``, ``&#x3042``, ``\\u3042`` or ``\\u{3042}`` at a place stands for, the first two
    also where JSON has ``\\u0026`` for ``&``; 0 where nothing is escaped."""
    size = len(data)
    if data[at] == 92:  # a backslash, of scripts and JSON
        if at + 6 > size or data[at + 1] != 117:  # u
            return 0
        if data[at + 2] == 123:  # {
            return _number(data, at + 3, 16, 8)
        point = 0
        for place in range(at + 2, at + 6):
            point = point * 16 + _number(data, place, 16, 1)
        if point != 38:  # &
            return point
        at += 5
    if at + 2 >= size or data[at + 1] != 35:  # #
        return 0
    is_hexadecimal = data[at + 2] | 0x20 == 120
    return _number(data, at + 3, 16, 8) if is_hexadecimal else _number(data, at + 2, 10, 8)


@kernel
def _point(data: Bytes, at: int) -> int:
    """The code point whose UTF-8 begins at a byte that is not ASCII; 0 where none does."""
    lead = int(data[at])
    more = 0 if lead < 0xC0 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
    if not more or at + more >= len(data):
        return 0
    point = lead & (0x3F >> more)
    for k in range(1, more + 1):
        point = (point << 6) | (int(data[at + k]) & 0x3F)
    return point


@cache
def _wanted(names: tuple[str, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each class of ``TABLE`` whether it is wanted; of each byte whether a wanted letter or an escape may begin."""
    classes, begins = np.zeros(1 + len(NAMES), np.bool_), np.zeros(256, np.bool_)
    begins[list(b"&\\")] = True
    for name in names:
        classes[1 + NAMES.index(name)] = True
        for first, last in RANGES[name]:
            begins[chr(first).encode()[0] : chr(last).encode()[0] + 1] = True
    return classes, begins


@kernel
def _holds(data: Bytes, table: Bytes, classes: NDArray[np.bool_], begins: NDArray[np.bool_]) -> bool:
    last = len(data) - 1
    for begin in range(0, last, BLOCK):
        end = min(begin + BLOCK, last)
        if is_plain(data[begin : end + 1]):
            continue
        for at in range(begin, end):
            if not begins[data[at]]:
                continue
            point = _escaped(data, at) if data[at] < 0x80 else _point(data, at)
            if 0x80 <= point < len(table) and classes[table[point]]:
                return True
    return False


def holds(html: bytes | memoryview, names: tuple[str, ...]) -> bool:
    """Whether a letter of the named scripts, none of them Latin, stands anywhere in the bytes of a page.

    Tags, scripts and attributes are read as well, and characters escaped by number (``&#12354;``, ``\\u3042``); not
    those escaped by name (``&alpha;``) or as in addresses (``%E3%81%82``).
    """
    return bool(_holds(np.frombuffer(html, np.uint8), TABLE, *_wanted(names)))
