"""Fit models to data of one's own."""

from collections.abc import Callable
from pathlib import Path

from corpusforge.extract.fit.files import files_of


class NotFitted(ValueError):
    """A model cannot be fitted to what was given; the message says why and what helps."""


def fit_extractor(
    data: str | Path,
    to: str | Path,
    seed: int = 0,
    workers: int = 1,
    note: str = "",
    say: Callable[[str], None] = print,
) -> Path:
    """Fit an extractor of main text to the pages with truth in a folder; write it to ``to`` (``….npz``) with its score
    card beside it (``….md``); give the model's path.

    ``note`` goes into the card: where the pages are from, and their licence.
    """
    path = Path(to)
    if path.suffix != ".npz":
        raise NotFitted(f"{path} is no name for a model; end it with .npz")
    try:
        files_of(Path(data))
    except ValueError as error:
        raise NotFitted(str(error)) from error
    try:
        from corpusforge.extract.fit.card import card  # noqa: PLC0415  (torch and rapidfuzz only where a fit needs them)
        from corpusforge.extract.fit.fitting import fit_extractor as fitted  # noqa: PLC0415
        from corpusforge.extract.fit.training import Course  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise NotFitted(f"{error}; fitting needs pip install torch, then pip install 'corpusforge[fit]'") from error
    try:
        found = fitted(Path(data), Course(seed=seed), workers, say)
    except ValueError as error:
        raise NotFitted(str(error)) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found.network.to_bytes())
    network = found.network
    size, names = sum(array.size for array in network.weights.values()), int((network.words != 0).sum())
    path.with_suffix(".md").write_text(card(found.scores, size, names, found.pages, note), "utf-8")
    return path
