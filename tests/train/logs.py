"""Made logs of runs."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpusforge.train.log import RunLog

FACTS: dict[str, Any] = {
    "samples": 8,
    "tokens": 8192,
    "lr": 3e-4,
    "grad_norm": 0.5,
    "seconds": 0.5,
    "wait": 0.01,
    "memory": 60_000_000_000,
    "mfu": 0.4,
}


def write_step(log: RunLog, step: int, loss: float, **changes: Any) -> None:
    facts = {**FACTS, "sources": {"books": loss}, **changes}
    log.step(step=step, first=step * 8, loss=loss, **facts)


def write_run(
    folder: Path, steps: int, loss: Callable[[int], float], validation: dict[int, dict[str, float]] | None = None
) -> Path:
    """A run of ``steps`` steps with these losses and validation losses."""
    with RunLog(folder, 1) as log:
        for step in range(steps):
            write_step(log, step, loss(step))
        for step, losses in (validation or {}).items():
            write_validation(log, step, losses)
    return folder


def write_validation(log: RunLog, step: int, losses: dict[str, float]) -> None:
    sources = {
        name: {"loss": loss, "bits_per_byte": loss / 3, "tokens": 9, "bytes": 30} for name, loss in losses.items()
    }
    mean = sum(losses.values()) / len(losses) if losses else math.nan
    log.validation(step, sources, {"loss": mean, "bits_per_byte": mean / 3})


def cut(path: Path, characters: int) -> None:
    """Take the end of a file away, as a writer that is killed leaves it."""
    os.truncate(path, path.stat().st_size - characters)
