"""How much of each short block is said in the page's title, and which heading says it best."""

import numpy as np
import numpy.typing as npt

from corpusforge.extract.blocks import WIDTH, Blocks
from corpusforge.extract.letters import ASCII, LETTER, WIDE, class_of, code_at
from corpusforge.extract.tags import BASIS, Bytes, Hashes, hashed
from corpusforge.extract.tree import Places
from corpusforge.kernels import kernel

LONGEST = 250
"""Width from which on a block is no title."""
SLOTS, MOST_WORDS = 256, 120

Floats = npt.NDArray[np.float32]


def title_overlap(blocks: Blocks, level: Places, title: Bytes) -> tuple[Floats, int]:
    """The share of each block's words that are in the title, less where they are few, and the heading that has most of
    it, −1 if none does. ``level`` is that of each block's heading, 0 for others.

    A wide letter and the next are a word, as two letters of a text without spaces say most of what a word does.
    """
    overlap = np.zeros(len(blocks), np.float32)
    words = np.zeros(SLOTS, np.uint32)
    if not _learn(title, ASCII, words):
        return overlap, -1
    best = _score(blocks.text, blocks.start, blocks.end, blocks.measures, level, ASCII, words, overlap)
    return overlap, best


@kernel
def _next_word(text: Bytes, at: int, end: int, ascii_classes: Bytes) -> tuple[int, np.uint32]:
    """Where the search goes on, and the hash of the next word; 0 where there is none."""
    value, length = np.uint32(BASIS), 0
    while at < end:
        code, size = code_at(text, at, end)
        kind = class_of(code, ascii_classes)
        if kind & WIDE and length == 0:
            pair_end = at + size
            other, size_of_other = code_at(text, pair_end, end) if pair_end < end else (0, 0)
            if size_of_other and class_of(other, ascii_classes) & WIDE:
                return pair_end, _hash(text, at, pair_end + size_of_other)
            at = pair_end
            continue
        if not kind & LETTER or kind & WIDE:
            if length:
                return at, value
        else:
            for place in range(at, at + size):
                byte = text[place]
                value = hashed(value, byte | 32 if 65 <= byte <= 90 else byte)
            length += 1
        at += size
    return at, value if length else np.uint32(0)


@kernel
def _hash(text: Bytes, at: int, end: int) -> np.uint32:
    value = np.uint32(BASIS)
    for place in range(at, end):
        value = hashed(value, text[place])
    return value


@kernel
def _learn(title: Bytes, ascii_classes: Bytes, words: Hashes) -> int:
    at, count = 0, 0
    while at < len(title) and count < MOST_WORDS:
        at, word = _next_word(title, at, len(title), ascii_classes)
        if word == 0:
            continue
        slot = np.int64(word) % SLOTS
        while words[slot] != 0 and words[slot] != word:
            slot = (slot + 1) % SLOTS
        count += words[slot] == 0
        words[slot] = word
    return count


@kernel
def _knows(words: Hashes, word: np.uint32) -> bool:
    slot = np.int64(word) % SLOTS
    while words[slot] != 0:
        if words[slot] == word:
            return True
        slot = (slot + 1) % SLOTS
    return False


@kernel
def _score(
    text: Bytes,
    start: Places,
    end: Places,
    measures: npt.NDArray[np.int32],
    level: Places,
    ascii_classes: Bytes,
    words: Hashes,
    overlap: Floats,
) -> int:
    best, most = -1, 0.0
    for number in range(len(start)):
        if measures[number, WIDTH] > LONGEST:
            continue
        at, count, known = start[number], 0, 0
        while at < end[number]:
            at, word = _next_word(text, at, end[number], ascii_classes)
            if word != 0:
                count += 1
                known += _knows(words, word)
        if count:
            overlap[number] = known / count * min(1.0, (known + 1) / 4)
        if level[number] > 0:
            value = overlap[number] * (1.5 if level[number] == 1 else 1.0) + (0.2 if level[number] == 1 else 0.0)
            if value > most:
                best, most = number, value
    return best
