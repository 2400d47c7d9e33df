"""How much two texts have in common, whatever its order: F1 of multisets of their parts."""

import re
from collections import Counter

Parts = Counter[str]


def words(text: str) -> Parts:
    """Words (``\\w+``) in small letters, as WCXB's own script counts them."""
    return Counter(re.findall(r"\w+", text.lower()))


def grams(text: str) -> Parts:
    """Every 4 characters in a row, white space left out: for languages that put none between words."""
    bare = re.sub(r"\s+", "", text)
    return Counter(bare[at : at + 4] for at in range(len(bare) - 3))


def f1(found: Parts, wanted: Parts) -> float:
    """Where either is empty 1 if both are, else 0."""
    if not found.total() or not wanted.total():
        return float(found.total() == wanted.total())
    return 2 * (found & wanted).total() / (found.total() + wanted.total())
