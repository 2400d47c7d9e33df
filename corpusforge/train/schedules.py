"""Learning rates as a pure function of the step, so that a resumed, forked or resized run needs no state of it."""

import math
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")
Decay = Literal["linear", "cosine", "sqrt"]
Steps = Annotated[int, Field(ge=0)] | Annotated[float, Field(gt=0, lt=1)]
"""A number of steps, or a share of those of the run."""


@dataclass(frozen=True, config=STRICT)
class Schedule:
    """The learning rate of each step: a warm-up, a stable phase and a decay.

    ``constant`` stays at ``peak``; ``linear`` and ``cosine`` fall from the end of the warm-up to the last step;
    ``wsd`` (warm-up, stable, decay: Hu et al. 2024, MiniCPM) stays at ``peak`` and falls over the last
    ``decay_steps`` by the curve ``decay``. Numbers of steps below 1 are shares of the run. ``floor`` is the rate at
    the end as a share of ``peak``. ``from_rate`` is where the warm-up begins, as a share of ``peak``: continued
    pretraining re-warms from what the earlier run ended with. ``begins`` is the step from which warm-up and decay
    are counted: a run that goes on from another one's checkpoint counts from there.
    """

    use: Literal["constant", "linear", "cosine", "wsd"] = "wsd"
    peak: float = Field(default=3e-4, gt=0)
    warmup_steps: Steps = 0
    decay_steps: Steps = 0
    decay: Decay = "sqrt"
    floor: float = Field(default=0.0, ge=0, le=1)
    from_rate: float = Field(default=0.0, ge=0, le=1)
    begins: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _phases_fit(self) -> "Schedule":
        if self.use != "wsd" and self.decay_steps:
            raise ValueError(
                f"decay_steps belongs to wsd; {self.use} {_LASTS[self.use]}: leave it out, or set use: wsd"
            )
        return self

    def rate(self, step: int, steps: int) -> float:
        """The rate at ``step`` (from 0) of a run that ends after ``steps``.

        Raises ``ValueError`` for a step before ``begins``, which is in no phase.
        """
        if step < self.begins:
            raise ValueError(self._too_early(step, steps))
        step, steps = step - self.begins, steps - self.begins
        warmup, decay = _of(self.warmup_steps, steps), _of(self.decay_steps, steps)
        if step < warmup:
            return self.peak * _between(self.from_rate, 1.0, (step + 1) / warmup)
        start = max({"constant": steps, "wsd": steps - decay}.get(self.use, warmup), warmup)
        if step < start:
            return self.peak
        done = min(1.0, (step + 1 - start) / max(1, steps - start))
        curve = self.decay if self.use == "wsd" else self.use
        return self.peak * _between(1.0, self.floor, _CURVES[curve](done))

    def _too_early(self, step: int, steps: int) -> str:
        cure = f"set it to {step}, or go on from a checkpoint of step {self.begins:,}"
        if self.begins >= steps:
            cure = f"steps ({steps:,}) is where the run ends, counted from 0: set it above {self.begins:,}"
        return f"schedule.begins is {self.begins:,}, and step {step:,} comes before it; {cure}"


def _of(part: int | float, steps: int) -> int:
    return part if isinstance(part, int) else math.ceil(part * steps)


def _between(first: float, last: float, share: float) -> float:
    return first + (last - first) * share


_LASTS = {"constant": "never falls", "linear": "falls to the last step", "cosine": "falls to the last step"}
_CURVES = {
    "linear": lambda done: done,
    "cosine": lambda done: (1 - math.cos(math.pi * done)) / 2,
    "sqrt": math.sqrt,
}
"""Share of the fall by share of the decay; ``sqrt`` is 1 - √ of Hägele et al. 2024, which lost least of those tried."""
