"""Progress of a run, in words: one line every some steps or seconds."""

from collections import deque
from dataclasses import dataclass

RECENT = 50
"""Steps whose time the rate and the estimate come from."""


def progress_line(
    step: int, steps: int, loss: float, tokens_per_second: float, wait: float, seconds_left: float | None
) -> str:
    """``step 120/2,000, loss 3.412, 12,300 tokens/s, data wait 1 %, ETA 3 min``; ``wait`` is a share of 1."""
    parts = [f"step {step:,}/{steps:,}", f"loss {loss:.3f}", f"{tokens_per_second:,.0f} tokens/s"]
    parts.append(f"data wait {100 * wait:.0f} %")
    if seconds_left is not None and step < steps:
        parts.append(f"ETA {lasting(seconds_left)}")
    return ", ".join(parts)


def lasting(seconds: float) -> str:
    """A time in words: ``40 s``, ``3 min``, ``2 h 5 min``, ``4 d 3 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


@dataclass(frozen=True)
class Pace:
    """What a step took: seconds in all, those that waited for data, and its tokens."""

    seconds: float
    wait: float
    tokens: int


class Progress:
    """Says a line each ``every_steps`` steps or ``every_seconds`` seconds of steps, and at the end."""

    def __init__(self, steps: int, every_steps: int = 100, every_seconds: float = 30.0) -> None:
        self._steps, self._every_steps, self._every_seconds = steps, every_steps, every_seconds
        self._recent: deque[Pace] = deque(maxlen=RECENT)
        self._said_steps, self._said_seconds = 0, 0.0

    def feed(self, step: int, loss: float, tokens: int, seconds: float, wait: float) -> str | None:
        """Take a step in; the line to say now, or None."""
        self._recent.append(Pace(seconds, wait, tokens))
        self._said_steps += 1
        self._said_seconds += seconds
        due = self._said_steps >= self._every_steps or self._said_seconds >= self._every_seconds
        if not due and step < self._steps:
            return None
        self._said_steps, self._said_seconds = 0, 0.0
        spent = max(sum(pace.seconds for pace in self._recent), 1e-9)
        rate = sum(pace.tokens for pace in self._recent) / spent
        waited = sum(pace.wait for pace in self._recent) / spent
        left = spent / len(self._recent) * (self._steps - step)
        return progress_line(step, self._steps, loss, rate, waited, left)
