"""What each word of classes and ids says of the text inside: its log odds to be main, learnt from labelled pages."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from corpusforge.extract.fit.truths import Labelled
from corpusforge.extract.surroundings import SLOTS, Floats
from corpusforge.extract.tree import Places
from corpusforge.kernels import kernel

LEAST_PAGES = 3
"""Pages that a word must stand on to be believed."""
BOUND = 4.0
SATURATED = 20
"""A word whose elements hold a twentieth of the page counts in full."""


def name_counts(pages: Iterable[Labelled]) -> npt.NDArray[np.float64]:
    """Of each word (hashed to ``SLOTS``): weight of main text inside, of other text, and pages; counts may be added."""
    counts = np.zeros((3, SLOTS))
    for page in pages:
        if not page.wanted.sum() or not len(page.words):
            continue
        weight = np.sqrt(page.words)
        weight = weight / max(weight.sum(), 1)
        main, other = np.zeros(len(page.page.tree)), np.zeros(len(page.page.tree))
        np.add.at(main, page.page.blocks.element, weight * page.share)
        np.add.at(other, page.page.blocks.element, weight * (1 - page.share))
        _upwards(page.page.tree.parent, main, other)
        attributes = page.page.attributes
        owner = np.repeat(np.arange(len(page.page.tree)), np.diff(attributes.first))
        words, inverse = np.unique(attributes.words.astype(np.int64) & (SLOTS - 1), return_inverse=True)
        inside, outside = np.bincount(inverse, main[owner]), np.bincount(inverse, other[owner])
        both = inside + outside
        seen = both > 0
        share, certain = inside[seen] / both[seen], np.minimum(1, both[seen] * SATURATED)
        counts[:, words[seen]] += np.stack([share * certain, (1 - share) * certain, np.ones(seen.sum())])
    return counts


def name_scores(counts: npt.NDArray[np.float64]) -> Floats:
    """Smoothed log odds of each word against those of all."""
    main, other, pages = counts
    usual = main.sum() / max(main.sum() + other.sum(), 1e-9)
    scores = np.log((main + usual) / (other + 1 - usual)) - np.log(usual / (1 - usual))
    scores[pages < LEAST_PAGES] = 0
    rounded: Floats = np.clip(scores, -BOUND, BOUND).astype(np.float16).astype(np.float32)
    return rounded


def scores_by_fold(pages: Sequence[Labelled], fold: npt.NDArray[np.int64]) -> list[Floats]:
    """For each fold the scores that were learnt on the others, so that no page says of itself what it is."""
    counts = [
        name_counts(page for page, its in zip(pages, fold, strict=True) if its == one) for one in range(max(fold) + 1)
    ]
    whole = np.sum(counts, axis=0)
    return [name_scores(whole - own) for own in counts]


@kernel
def _upwards(parent: Places, main: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> None:
    for one in range(len(parent) - 1, 0, -1):
        main[parent[one]] += main[one]
        other[parent[one]] += other[one]
