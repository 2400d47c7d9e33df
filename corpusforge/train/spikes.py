"""Spikes of loss or gradient norm: a value far above the last accepted ones. Decisions hang on the values alone.

The rule is OLMo's: above mean + 6 standard deviations of the last 128 steps, once half of them are there.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

ROUNDING = 1e-6
"""Least standard deviation, as a share of the mean; a series that stands still would call its own rounding a spike."""


@dataclass(frozen=True)
class Spike:
    """A value that spiked, and the accepted ones it was compared with; both are NaN while there were too few."""

    step: int
    value: float
    mean: float
    deviation: float

    def words(self, name: str) -> str:
        """What spiked, in words: ``loss 9.31 at step 420 is 14.2 standard deviations above the mean 3.12``."""
        if not math.isfinite(self.value):
            return f"{name} at step {self.step:,} is not finite ({self.value})"
        above = (self.value - self.mean) / self.deviation
        return (
            f"{name} {self.value:.4g} at step {self.step:,} is {above:,.1f} standard deviations "
            f"above the mean {self.mean:.4g}"
        )


class SpikeDetector:
    """Watches one series; a value that spikes does not enter the window.

    Where a series has moved for good (another mixture, say) everything would spike for ever: as many finite spikes in
    a row as a judgement needs become the new window.
    """

    def __init__(self, sigmas: float = 6.0, window: int = 128) -> None:
        if sigmas <= 0 or window < 4:
            raise ValueError(f"sigmas = {sigmas} and window = {window}: give sigmas above 0 and a window of at least 4")
        self.sigmas, self.window = sigmas, window
        self.at_least = window // 2
        self._accepted: deque[float] = deque(maxlen=window)
        self._refused: list[float] = []

    def feed(self, step: int, value: float) -> Spike | None:
        """Judge the value of a step against those before it, and take it in if it is no spike."""
        value = float(value)
        if not math.isfinite(value):
            return Spike(step, value, *self._shape())
        mean, deviation = self._shape()
        if not value > mean + self.sigmas * deviation:  # false also while mean is NaN
            self._accepted.append(value)
            self._refused.clear()
            return None
        self._refused.append(value)
        if len(self._refused) >= self.at_least:
            self._accepted.clear()
            self._accepted.extend(self._refused)
            self._refused.clear()
        return Spike(step, value, mean, deviation)

    def judged(self, step: int, value: float) -> Spike | None:
        """What ``feed`` will say of a value, without taking it in."""
        mean, deviation = self._shape()
        usual = math.isfinite(value) and not value > mean + self.sigmas * deviation
        return None if usual else Spike(step, value, mean, deviation)

    def state(self) -> list[float]:
        """Numbers for a checkpoint: how many spikes stand in a row, those, then the window."""
        return [float(len(self._refused)), *self._refused, *self._accepted]

    def load(self, state: Sequence[float]) -> None:
        """Go on from a checkpoint; all later decisions are those of a detector that never stopped."""
        refused = int(state[0])
        self._refused = [float(value) for value in state[1 : 1 + refused]]
        self._accepted = deque((float(value) for value in state[1 + refused :]), maxlen=self.window)

    def _shape(self) -> tuple[float, float]:
        """Mean and standard deviation of the window, summed anew each time: running sums would drift from a resume."""
        if len(self._accepted) < self.at_least:
            return math.nan, math.nan
        mean = fmean(self._accepted)
        squares = math.fsum((value - mean) ** 2 for value in self._accepted)
        return mean, max(math.sqrt(squares / (len(self._accepted) - 1)), ROUNDING * abs(mean))


def spikes_of(series: Iterable[tuple[int, float]], sigmas: float = 6.0, window: int = 128) -> Iterator[Spike]:
    """The spikes of a whole series of (step, value), as a run that was never interrupted finds them."""
    detector = SpikeDetector(sigmas, window)
    for step, value in series:
        spike = detector.feed(step, value)
        if spike:
            yield spike
