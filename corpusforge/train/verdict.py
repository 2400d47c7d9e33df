"""Whether a run over-fits, in words: what its validations say beside its training loss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.train.log import Column, Steps

EVALUATIONS = 3
"""Evaluations after the best one before anything is said of a rise; fewer may be chance."""
RISE = 0.005
"""A rise below this share of the best loss is a standstill: held-out sets of some hundred samples swing as much."""


@dataclass(frozen=True)
class Rise:
    """A validation loss that rose: since which step, over how many evaluations, from and to how many nats a token.

    ``before`` and ``after`` are the training loss around the best and the last evaluation.
    """

    name: str
    since: int
    evaluations: int
    best: float
    last: float
    before: float
    after: float

    def words(self) -> str:
        told = (
            f"validation loss of `{self.name}` has risen for {self.evaluations} evaluations since step {self.since:,} "
            f"({self.best:.3f} → {self.last:.3f})"
        )
        if math.isnan(self.before + self.after):
            return told
        course = "fell" if self.after < self.before else "did not fall"
        return f"{told} while training loss {course} ({self.before:.3f} → {self.after:.3f})"


def verdict(steps: Steps, validations: Sequence[Mapping[str, Any]]) -> str:
    """One sentence on over-fitting; ``validations`` are rows of ``validations_of``.

    A loss has risen when it stands ``RISE`` above its best, which was ``EVALUATIONS`` or more evaluations ago, and
    above the evaluation that followed the best. With training loss falling meanwhile the model over-fits; without it
    something else is wrong.
    """
    series = _series(validations)
    broken = [name for name, (_, losses) in series.items() if not np.isfinite(losses[-1:]).all()]
    if broken:
        return f"validation loss of {_listed(broken)} is not finite at the last evaluation: the run has diverged"
    if not series or max(len(losses) for _, losses in series.values()) <= EVALUATIONS:
        return f"too few evaluations to say: {len(validations)} so far, {EVALUATIONS + 1} are needed"
    rises = [rise for name, (at, losses) in series.items() if (rise := _rise(steps, name, at, losses))]
    best_step, best_loss, last_step = _best(validations)
    if not rises:
        if best_step == last_step:
            return f"no sign of over-fitting: the last evaluation, step {last_step:,}, is the best ({best_loss:.3f})"
        return (
            f"no sign of over-fitting: validation loss has been level since its best at step {best_step:,} "
            f"({best_loss:.3f})"
        )
    told = "; ".join(rise.words() for rise in rises)
    if all(rise.after >= rise.before for rise in rises):
        return f"{told}: this is no over-fitting; look at the learning rate, the mixture and the spikes"
    if best_step == last_step:
        names = _listed([rise.name for rise in rises])
        return f"{told}: the model is over-fitting {names}, though the mean over all sources is best now"
    return f"{told}: the model is over-fitting; the best checkpoint is step {best_step:,}"


def _series(validations: Sequence[Mapping[str, Any]]) -> dict[str, tuple[npt.NDArray[np.int64], Column]]:
    """Steps and losses of each source, those evaluations that have it; null is NaN."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in validations:
        for name, told in row["sources"].items():
            found.setdefault(name, []).append((row["step"], _loss(told)))
    return {
        name: (np.array([at for at, _ in pairs], np.int64), np.array([loss for _, loss in pairs], np.float64))
        for name, pairs in sorted(found.items())
    }


def _loss(told: Mapping[str, Any]) -> float:
    value = told.get("loss")
    return math.nan if value is None else float(value)


def _rise(steps: Steps, name: str, at: npt.NDArray[np.int64], losses: Column) -> Rise | None:
    if not np.isfinite(losses).any():
        return None
    place = int(np.nanargmin(losses))
    after = len(losses) - 1 - place
    if after < EVALUATIONS or losses[-1] < losses[place] * (1 + RISE) or losses[-1] <= losses[place + 1]:
        return None
    reach = int(np.median(np.diff(at)))
    before, now = (_training(steps, name, step, reach) for step in (int(at[place]), int(at[-1])))
    return Rise(name, int(at[place]), after, float(losses[place]), float(losses[-1]), before, now)


def _training(steps: Steps, name: str, step: int, reach: int) -> float:
    """Median training loss of the ``reach`` steps before an evaluation: that of the source where it is logged."""
    losses = steps.sources.get(name, steps.columns["loss"])
    inside = losses[(steps.step >= step - reach) & (steps.step < step)]
    inside = inside[np.isfinite(inside)]
    return float(np.median(inside)) if len(inside) else math.nan


def _best(validations: Sequence[Mapping[str, Any]]) -> tuple[int, float, int]:
    """Step and loss of the evaluation with the lowest mean, and the step of the last one."""
    means = [(_loss(row["mean"]), row["step"]) for row in validations]
    loss, step = min((pair for pair in means if math.isfinite(pair[0])), default=(math.nan, validations[-1]["step"]))
    return step, loss, validations[-1]["step"]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
