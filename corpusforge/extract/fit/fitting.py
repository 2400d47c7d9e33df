"""Fit an extractor to pages with truth: judge models on hosts that they have not seen, train the last on all."""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from corpusforge.extract.extractor import THRESHOLD
from corpusforge.extract.fit.names import name_counts, name_scores, scores_by_fold
from corpusforge.extract.fit.reading import read_truths
from corpusforge.extract.fit.training import Course, Example, train
from corpusforge.extract.fit.truths import FOLDS, Labelled, Truth, f1, folds, labelled, site
from corpusforge.extract.network import TYPES, Network

Floats = npt.NDArray[np.float32]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Score:
    """Word F1 of a group of pages as a mean over ``sites``, each a mean over its pages."""

    group: str
    pages: int
    sites: int
    f1: float
    most: float
    """What choosing exactly the blocks that are mostly main text would give."""


@dataclass(frozen=True)
class Fitted:
    """A model trained on all pages, and what models of its kind score on pages of hosts that they were not shown."""

    network: Network
    scores: tuple[Score, ...]
    pages: int


def fit_extractor(folder: Path, course: Course, workers: int, say: Say) -> Fitted:
    """Fit to the truths in a folder; raises ``ValueError`` where they cannot be read or are too few."""
    truths = list(read_truths(folder))
    sites = len({site(truth.host) for truth in truths})
    if sites < 2 * FOLDS:
        raise ValueError(f"{folder} has pages of {sites} sites; {2 * FOLDS} are the least to judge a model on others")
    say(f"{len(truths):,} pages of {sites:,} sites: labelling")
    pages = labelled_all(truths, workers)
    fold = folds(page.truth.host for page in pages)
    found = np.zeros(len(pages))
    for one, network in enumerate(by_folds(pages, fold, course, say)):
        for number in np.flatnonzero(fold == one).tolist():
            page = pages[number]
            found[number] = f1(page, network(page.page.features(network.words))[0] >= THRESHOLD)
    say(f"word F1 on other sites: {found.mean():.3f}; training on all pages")
    network = _trained(pages, name_scores(name_counts(pages)), course)
    return Fitted(network, scores_of(pages, found.tolist()), len(pages))


def by_folds(pages: Sequence[Labelled], fold: npt.NDArray[np.int64], course: Course, say: Say) -> list[Network]:
    """For each fold the network that was trained on the others."""
    networks = []
    for one, names in enumerate(scores_by_fold(pages, fold)):
        others = [page for page, its in zip(pages, fold, strict=True) if its != one]
        networks.append(_trained(others, names, course))
        say(f"fold {one + 1} of {FOLDS} is trained")
    return networks


def _trained(pages: Sequence[Labelled], names: Floats, course: Course) -> Network:
    """A network that is shown scores of names which were learnt without the page, as those of a new page are."""
    features = _features(pages)
    weights = weights_of(pages)
    examples = [
        Example(its, page.share, page.words, _kind(page), weight)
        for its, page, weight in zip(features, pages, weights, strict=True)
    ]
    return train(examples, names, course)


def weights_of(pages: Sequence[Labelled]) -> list[float]:
    """What each page counts: a site with many pages no more than ``sqrt`` of their number."""
    count: dict[str, int] = defaultdict(int)
    for page in pages:
        count[site(page.truth.host)] += 1
    return [1 / count[site(page.truth.host)] ** 0.5 for page in pages]


def scores_of(pages: Sequence[Labelled], found: Sequence[float]) -> tuple[Score, ...]:
    """The score of each group: source and language, and kinds of page within a source."""
    groups: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for page, value in zip(pages, found, strict=True):
        truth = page.truth
        pair = (float(value), f1(page, page.share >= 0.5))
        for group in dict.fromkeys((f"{truth.source} {truth.lang}".strip(), f"{truth.source} {truth.kind}".strip())):
            groups[group][site(truth.host)].append(pair)
    return tuple(_score(group, sites) for group, sites in sorted(groups.items()))


def _score(group: str, sites: dict[str, list[tuple[float, float]]]) -> Score:
    means = [(fmean(f for f, _ in pairs), fmean(most for _, most in pairs)) for pairs in sites.values()]
    count = sum(len(pairs) for pairs in sites.values())
    return Score(group, count, len(sites), fmean(f for f, _ in means), fmean(most for _, most in means))


def labelled_all(truths: Sequence[Truth], workers: int) -> list[Labelled]:
    """Read and label pages, in so many processes."""
    if workers < 2:
        return [labelled(truth) for truth in truths]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with get_context("forkserver").Pool(workers) as pool:
        return pool.map(labelled, truths, chunksize=16)


def _features(pages: Sequence[Labelled]) -> list[Floats]:
    """Features of pages, each with scores of names from the other folds of these pages."""
    fold = folds((page.truth.host for page in pages), seed=1)
    names = scores_by_fold(pages, fold)
    return [page.page.features(names[its]) for page, its in zip(pages, fold, strict=True)]


def _kind(page: Labelled) -> int:
    return TYPES.index(page.truth.kind) if page.truth.kind in TYPES else -1
