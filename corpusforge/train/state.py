"""Where a run stands: a few numbers, from which all that follows is computed. A checkpoint is they and the weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpusforge.tokens.mixture import Segment
from corpusforge.train.batches import Batches

FOLDER, STATE = "checkpoints", "state.json"
"""Where checkpoints lie in a run, and the file of each that is written last."""


@dataclass
class State:
    """``step`` steps are done. ``sizes`` and ``skips`` say which samples each step took, ``segments`` from which
    sources; ``tokens`` were predicted. ``best`` is the step and loss of the best validation, ``waited`` how many came
    since; ``spikes`` are what the detectors remember, ``rewinds`` how often the run went back."""

    step: int = 0
    sizes: dict[int, int] = field(default_factory=dict)
    skips: list[tuple[int, int]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    best_step: int | None = None
    best_loss: float | None = None
    waited: int = 0
    spikes: dict[str, list[float]] = field(default_factory=dict)
    rewinds: int = 0
    world: int = 1
    stage: int = 0

    @property
    def batches(self) -> Batches:
        return Batches(self.sizes, tuple(self.skips))

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "sizes": {str(step): size for step, size in self.sizes.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "State":
        sizes = {int(step): size for step, size in data["sizes"].items()}
        return cls(**{**data, "sizes": sizes, "skips": [tuple(skip) for skip in data["skips"]]})


def sizes_from(before: Mapping[int, int], step: int, wanted: Mapping[int, int]) -> dict[int, int]:
    """Batch sizes that keep what the steps before ``step`` took and follow ``wanted`` from there on."""
    if not step:
        return dict(wanted)
    kept = {begin: size for begin, size in before.items() if begin < step}
    now = wanted[max(begin for begin in wanted if begin <= step)]
    if now != kept[max(kept)]:
        kept[step] = now
    return {**kept, **{begin: size for begin, size in wanted.items() if begin > step}}


def segments_from(before: Sequence[Segment], sample: int, wanted: Sequence[Segment]) -> list[Segment]:
    """Segments that keep what the samples before ``sample`` were drawn by and follow ``wanted`` from there on."""
    if not sample:
        return list(wanted)
    kept = [segment for segment in before if segment.from_sample < sample]
    now = [segment for segment in wanted if segment.from_sample <= sample][-1]
    if dict(now.weights) != dict(kept[-1].weights):
        kept.append(Segment(sample, now.weights))
    return [*kept, *(segment for segment in wanted if segment.from_sample > sample)]


def name_of(step: int) -> str:
    """The folder of a checkpoint in ``RUN/checkpoints``."""
    return f"step_{step:08d}"


def complete(run: Path) -> list[int]:
    """The steps of the complete checkpoints of a run, ascending."""
    found = run.joinpath(FOLDER).glob(f"step_{'[0-9]' * 8}/{STATE}")
    return sorted(int(path.parent.name.removeprefix("step_")) for path in found)


def state_of(run: Path, step: int) -> State:
    """The state of a checkpoint."""
    return State.from_json(json.loads(run.joinpath(FOLDER, name_of(step), STATE).read_bytes()))
