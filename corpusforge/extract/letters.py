"""What a character is, in any script: cheap classes for measures of text."""

import numpy as np

from corpusforge.extract.tags import Bytes
from corpusforge.kernels import kernel

SPACE, LETTER, DIGIT, CAPITAL, MARK, SENTENCE, WIDE = (1 << bit for bit in range(7))
"""``MARK`` is punctuation, ``SENTENCE`` what parts or ends sentences; a ``WIDE`` letter (kana, han, hangul) says as
much as two others."""


def _ascii() -> Bytes:
    classes = np.zeros(128, np.uint8)
    for code in range(128):
        letter = chr(code)
        found = SPACE if code <= 32 else LETTER if letter.isalnum() or letter == "_" else MARK
        found |= DIGIT if letter.isdigit() else 0
        found |= CAPITAL if letter.isupper() else 0
        found |= SENTENCE if letter in ".!?;:," else 0
        classes[code] = found
    return classes


ASCII = _ascii()


@kernel
def class_of(code: int, ascii_classes: Bytes) -> int:
    """The class of a code point."""
    if code < 128:
        return int(ascii_classes[code])
    if code < 0x590:
        return SPACE if code == 0xA0 else MARK if code < 0xC0 and code not in (0xAA, 0xB5, 0xBA) else LETTER
    if 0x3040 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0x20000 <= code <= 0x3FFFF:
        return LETTER | WIDE
    if 0xFF66 <= code <= 0xFFDC or 0xF900 <= code <= 0xFAFF or code in (0x3005, 0x3007):
        return LETTER | WIDE
    if code in (0x3001, 0x3002, 0xFF0C, 0xFF0E, 0xFF01, 0xFF1F, 0xFF1A, 0xFF1B, 0xFF61, 0xFF64):
        return MARK | SENTENCE
    if code in (0x589, 0x60C, 0x61B, 0x61F, 0x6D4, 0x964, 0x965, 0x104A, 0x104B, 0x1362, 0x17D4, 0x2026):
        return MARK | SENTENCE
    if code == 0x3000 or 0x2000 <= code <= 0x200A:
        return SPACE
    if 0x2000 <= code <= 0x2BFF or 0x3000 <= code <= 0x303F or 0xFF00 <= code <= 0xFF0F:
        return MARK
    return LETTER | DIGIT if 0xFF10 <= code <= 0xFF19 else LETTER


@kernel
def code_at(text: Bytes, at: int, end: int) -> tuple[int, int]:
    """The code point of UTF-8 at a place, and how many bytes it takes; what is no UTF-8 is a byte of its own."""
    first = int(text[at])
    size = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first < 128 or size == 1 or at + size > end:
        return (first if first < 128 else 0xFFFD), 1
    code = first & (0x7F >> size)
    for place in range(at + 1, at + size):
        code = (code << 6) | (int(text[place]) & 0x3F)
    return code, size
