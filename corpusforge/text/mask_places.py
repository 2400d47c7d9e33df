"""Where personal contact data may stand: one compiled pass over a text, so that expressions read only those places.

Nothing is missed: each rule asks for less than the expression behind it (``text/masks.py``) does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled, kernel
from corpusforge.text.words import Codes

Classes = NDArray[np.uint8]
Places = NDArray[np.int32]

NUMBER = "0123456789０１２３４５６７８９"
SIGNS = " 　.．()（）‐‑‒–—―−ーｰ─－-"
"""What may stand between the digits of a phone number."""
OPENERS, CLOSERS = "[(（［【<＜{", "])）］】>＞}"
"""Brackets around an ``at``."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDE_LETTERS = "".join(chr(ord(letter) + 0xFEE0) for letter in LETTERS)

DIGIT, RUN, LABEL, EDGE, OPEN, CLOSE, SPACE, HEX = (1 << bit for bit in range(8))
FEWEST_DIGITS, FEWEST_ABROAD = 10, 8
"""Digits of the shortest phone number, and of the shortest one behind a ``+``."""
LEAST_RUN = 8
LONGEST_LABEL = 63


class MaskPlaces(NamedTuple):
    """Offsets in code points: ``ats`` of each @ or `` at `` with something like a domain behind it, ``fours`` of four
    numbers with dots, ``runs`` (start, end) of digits that may be a phone number; whether an ``at`` stands in brackets
    and whether something like an IPv6 address begins."""

    ats: Places
    fours: Places
    runs: Places
    bracketed: bool
    sixes: bool


def _classes() -> Classes:
    table = np.zeros(1 << 16, np.uint8)
    members = {
        DIGIT: NUMBER,
        RUN: NUMBER + SIGNS,
        LABEL: NUMBER + LETTERS + WIDE_LETTERS,
        EDGE: NUMBER[:10] + LETTERS + "_.-",
        OPEN: OPENERS,
        CLOSE: CLOSERS,
        SPACE: " \u3000",
        HEX: "0123456789abcdefABCDEF",
    }
    for bit, characters in members.items():
        table[[ord(character) for character in characters]] |= bit
    return table


CLASSES = _classes()


def mask_places(points: Codes) -> MaskPlaces:
    """The places of one text."""
    return MaskPlaces(*_places(points, CLASSES))


@compiled
def _places(points: Codes, table: Classes) -> tuple[Places, Places, Places, bool, bool]:
    size = len(points)
    ats, fours = np.empty(size, np.int32), np.empty(size // 7 + 1, np.int32)
    runs = np.empty((size // LEAST_RUN + 1, 2), np.int32)
    at_count = four_count = run_count = free = digits = 0
    first = last = -1
    bracketed = sixes = False
    for at in range(size):
        point = points[at]
        kind = _kind(points, table, at)
        if kind & RUN:
            if kind & DIGIT:
                first, last, digits = at if first < 0 else first, at, digits + 1
                if _is_four(points, table, at):
                    fours[four_count] = at
                    four_count += 1
            elif point == 0x20 and at >= free and _is_spelt(points, at):
                free = at + 4
                if _is_domain(points, table, free):
                    ats[at_count] = at
                    at_count += 1
            elif kind & OPEN:
                bracketed |= _is_bracketed(points, table, at)
            continue
        if first >= 0:
            if _may_be_phone(points, first, last, digits):
                runs[run_count, 0], runs[run_count, 1] = _run_start(points, first), last + 1
                run_count += 1
            first, digits = -1, 0
        if point == 0x40 or point == 0xFF20:
            if _is_domain(points, table, at + 1):
                ats[at_count] = at
                at_count += 1
        elif point == 0x3A:
            sixes |= _is_six(points, table, at)
        elif kind & OPEN:
            bracketed |= _is_bracketed(points, table, at)
    if first >= 0 and _may_be_phone(points, first, last, digits):
        runs[run_count, 0], runs[run_count, 1] = _run_start(points, first), last + 1
        run_count += 1
    return ats[:at_count].copy(), fours[:four_count].copy(), runs[:run_count].copy(), bracketed, sixes


@kernel
def _kind(points: Codes, table: Classes, at: int) -> int:
    """The classes of the code point at a place, none outside the text."""
    if at < 0 or at >= len(points) or points[at] >= len(table):
        return 0
    return int(table[points[at]])


@kernel
def _point(points: Codes, at: int) -> int:
    return int(points[at]) if 0 <= at < len(points) else 0


@kernel
def _is_spelt(points: Codes, at: int) -> bool:
    """Whether `` at `` stands here."""
    return bool(_point(points, at + 1) == 0x61 and _point(points, at + 2) == 0x74 and _point(points, at + 3) == 0x20)


@kernel
def _is_domain(points: Codes, table: Classes, at: int) -> bool:
    """Whether a label, a dot and the beginning of another label stand here."""
    if not _kind(points, table, at) & LABEL:
        return False
    for end in range(at + 1, at + LONGEST_LABEL + 2):
        point = _point(points, end)
        if point == 0x2E or point == 0xFF0E:
            return bool(_kind(points, table, end + 1) & LABEL > 0)
        if not (_kind(points, table, end) & LABEL or point == 0x2D or point == 0xFF0D):
            return False
    return False


@kernel
def _is_bracketed(points: Codes, table: Classes, at: int) -> bool:
    """Whether an ``at`` in brackets begins here; アット and あっと count with or without the closing one."""
    at += 2 if _kind(points, table, at + 1) & SPACE else 1
    first, second, third = _point(points, at), _point(points, at + 1), _point(points, at + 2)
    if (first == 0x30A2 and second == 0x30C3 and third == 0x30C8) or (
        first == 0x3042 and second == 0x3063 and third == 0x3068
    ):
        return True
    if first == 0x40 or first == 0xFF20:
        at += 1
    elif (first == 0x61 and second == 0x74) or (first == 0x41 and second == 0x54):
        at += 2
    else:
        return False
    return bool(_kind(points, table, at + (_kind(points, table, at) & SPACE > 0)) & CLOSE > 0)


@kernel
def _is_four(points: Codes, table: Classes, at: int) -> bool:
    """Whether four runs of digits with dots between them begin here, each but the last of one to three."""
    if points[at] > 0x39 or _kind(points, table, at - 1) & EDGE:
        return False
    for _ in range(3):
        start = at
        while at - start < 4 and 0x30 <= _point(points, at) <= 0x39:
            at += 1
        if not 0 < at - start < 4 or _point(points, at) != 0x2E:
            return False
        at += 1
    return bool(0x30 <= _point(points, at) <= 0x39)


@kernel
def _is_six(points: Codes, table: Classes, colon: int) -> bool:
    """Whether four hexadecimal digits, the first of them 2 or 3, stand before a colon."""
    for at in range(colon - 4, colon):
        if not _kind(points, table, at) & HEX:
            return False
    return bool(points[colon - 4] == 0x32 or points[colon - 4] == 0x33)


@kernel
def _may_be_phone(points: Codes, first: int, last: int, digits: int) -> bool:
    if last - first + 1 < LEAST_RUN:
        return False
    before = _point(points, first - 1)
    return digits >= (FEWEST_ABROAD if before == 0x2B or before == 0xFF0B else FEWEST_DIGITS)


@kernel
def _run_start(points: Codes, first: int) -> int:
    """The first digit with what may stand before it: bracket, plus, bracket."""
    at = first
    at -= _is_round(_point(points, at - 1))
    if _point(points, at - 1) == 0x2B or _point(points, at - 1) == 0xFF0B:
        at -= 1
        return int(at - int(_is_round(_point(points, at - 1))))
    return int(at - int(at < first and _is_round(_point(points, at - 1))))


@kernel
def _is_round(point: int) -> bool:
    return point == 0x28 or point == 0xFF08
