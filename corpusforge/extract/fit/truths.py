"""Pages with their main text, read and labelled; folds that keep a host together."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corpusforge.extract.fit.labels import labels, words_of
from corpusforge.extract.page import Page, read_page
from corpusforge.text.canonical import sha256

FOLDS = 5
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Truth:
    """A page as it came, what of it is main text, and its group: pages of one ``host`` are never parted.

    ``source`` names the set that it is from, ``lang`` its language, ``kind`` its type of page where that is known.
    """

    id: str
    html: bytes
    text: str
    host: str
    source: str = ""
    lang: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Labelled:
    """A page that was read: the share of each block that is main text, its words, and counts for its score.

    ``hits`` lists for each block the words that the truth has too, ``wanted`` how often the truth has each.
    """

    truth: Truth
    page: Page
    share: Floats
    words: npt.NDArray[np.int64]
    hits: list[npt.NDArray[np.int64]] = field(repr=False)
    wanted: npt.NDArray[np.int64] = field(repr=False)


def labelled(truth: Truth) -> Labelled:
    """Read a page and label its blocks."""
    page = read_page(truth.html)
    texts = page.texts()
    share, words = labels(texts, truth.text)
    counts = Counter(words_of(truth.text))
    numbers = {word: number for number, word in enumerate(counts)}
    hits = [np.array([numbers[word] for word in words_of(text) if word in numbers], np.int64) for text in texts]
    return Labelled(truth, page, share, words, hits, np.array(list(counts.values()), np.int64))


def f1(page: Labelled, chosen: npt.NDArray[np.bool_]) -> float:
    """F1 of the words of chosen blocks, as multisets; a page without main text is right if nothing is chosen."""
    size, wanted = int(page.words[chosen].sum()), int(page.wanted.sum())
    if not wanted or not size:
        return float(size == wanted)
    found = [page.hits[number] for number in np.flatnonzero(chosen)]
    counts = np.bincount(np.concatenate(found), minlength=len(page.wanted))
    return 2 * int(np.minimum(counts, page.wanted).sum()) / (size + wanted)


def folds(hosts: Iterable[str], seed: int = 0) -> npt.NDArray[np.int64]:
    """The fold of each page, by its host alone."""
    return np.array([int(sha256(f"{seed} {site(host)}".encode())[:8], 16) % FOLDS for host in hosts])


_SECOND = re.compile(r"^(co|com|or|org|ne|net|ac|go|gov|edu|gr|ed|lg|ad|gob|nom)$")


def site(host: str) -> str:
    """The part of a host that one owner has: its last two labels, or three below ``co.jp`` and its like."""
    names = host.lower().split(":")[0].removeprefix("www.").split(".")
    depth = 3 if len(names) > 2 and len(names[-1]) == 2 and _SECOND.match(names[-2]) else 2
    return ".".join(names[-depth:])
