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


def pair(found: Parts, wanted: Parts) -> tuple[int, int]:
    """Two numbers of which F1 is the first by the second: 1 if both texts are empty, 0 if only one is."""
    if not found.total() or not wanted.total():
        return int(found.total() == wanted.total()), 1
    return 2 * (found & wanted).total(), found.total() + wanted.total()


def f1(found: Parts, wanted: Parts) -> float:
    """F1 of two multisets."""
    right, total = pair(found, wanted)
    return right / total
