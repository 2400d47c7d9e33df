"""How much of each block is main text, from the text that a person took from the page."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import LCSseq

Floats = npt.NDArray[np.float32]

GRAM = 4
"""Words in a row that are looked for in the truth."""
SHORT = 8
"""Words below which a block is judged by its place in the truth, not by its grams alone."""
NEAR = 2
"""Blocks on each side whose match supports that of a short one."""

_WIDE = "぀-ヿ㐀-鿿가-힯豈-﫿𠀀-𯿿々〇"
_WORD = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]+")


def words_of(text: str) -> list[str]:
    """Words in small letters; each letter of a script without spaces is one."""
    return _WORD.findall(text.lower())


def labels(texts: Sequence[str], truth: str) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The share of each block's words that belong to the truth, and how many words it has.

    The longest common subsequence puts both beside each other; grams of words say what is there at all. A short block
    counts by the first where its words cross its border as a gram, its neighbours match, or all of it does.
    """
    parts = [words_of(text) for text in texts]
    counts = np.array([len(part) for part in parts], np.int64)
    known = words_of(truth)
    if not known or not counts.sum():
        return np.zeros(len(texts), np.float32), counts
    numbers: dict[str, int] = {}
    page = [numbers.setdefault(word, len(numbers)) for part in parts for word in part]
    wanted = [numbers.setdefault(word, len(numbers)) for word in known]
    owner = np.repeat(np.arange(len(parts)), counts)
    size = np.maximum(counts, 1)
    in_order = np.bincount(owner, _aligned(page, wanted), len(parts)) / size
    in_grams = np.bincount(owner, _covered(page, wanted), len(parts)) / size
    weight = np.minimum(counts, 20)
    support = _window(np.where(counts >= GRAM, in_grams, in_order) * weight) / np.maximum(_window(weight), 1)
    whole = (counts >= 3) & (in_order >= 0.99)
    believed = (in_grams >= 0.5) | (support >= 0.5) | whole
    found = np.where(counts >= SHORT, in_grams, np.where(believed, in_order, 0.0))
    return found.astype(np.float32), counts


def _aligned(page: Sequence[int], wanted: Sequence[int]) -> npt.NDArray[np.bool_]:
    matched = np.zeros(len(page), np.bool_)
    for step in LCSseq.opcodes(page, wanted):
        if step.tag == "equal":
            matched[step.src_start : step.src_end] = True
    return matched


def _covered(page: Sequence[int], wanted: Sequence[int]) -> npt.NDArray[np.bool_]:
    grams = {tuple(wanted[at : at + GRAM]) for at in range(len(wanted) - GRAM + 1)}
    matched = np.zeros(len(page), np.bool_)
    for at in range(len(page) - GRAM + 1):
        if tuple(page[at : at + GRAM]) in grams:
            matched[at : at + GRAM] = True
    return matched


def _window(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sums over each block and its neighbours."""
    return np.convolve(values, np.ones(2 * NEAR + 1), "full")[NEAR : NEAR + len(values)]
