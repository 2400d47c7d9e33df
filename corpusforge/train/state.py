"""Where a run stands: a few numbers, from which all that follows is computed. A checkpoint is they and the weights."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from corpusforge.text.canonical import differences
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
        sizes = dict(sorted((int(step), size) for step, size in data["sizes"].items()))
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


def checkpoint_of(run: Path, step: int | None, precision: str, model: Mapping[str, Any]) -> int:
    """The step of the checkpoint that another run begins from, the newest by default.

    Raises ``ValueError`` where there is none, or where it was trained in another precision or is of another model.
    """
    found = complete(run)
    if not found:
        raise ValueError(f"start.run: {run} has no complete checkpoint; name the folder of a run that has one")
    if step is not None and step not in found:
        there = ", ".join(map(str, found))
        raise ValueError(f"start.step: {run} has no checkpoint of step {step:,}; there are {there}")
    before = json.loads(run.joinpath("config.json").read_bytes())
    if before["precision"] != precision:
        raise ValueError(
            f"start.run: {run} was trained with precision {before['precision']} and this run says {precision}; say "
            f"{before['precision']}, or export that run and name the model in model.path"
        )
    others = list(differences(before["model"]["config"], dict(model), "model.config"))
    if others and before["model"]["config"] and model:
        raise ValueError(f"start.run: {run} is of another model ({'; '.join(others)}); give this run the same model")
    return found[-1] if step is None else step


def check_sources(before: State, names: Collection[str]) -> None:
    """Raise ``ValueError`` where samples before came from a source that is no longer there."""
    gone = {name for segment in before.segments for name in segment["weights"]} - set(names)
    if gone:
        named = ", ".join(sorted(gone))
        raise ValueError(
            f"data.sources: samples were read from {named}, which is not there any more; list it too. data.mixture may "
            "leave it out from here on"
        )


def of_new_run(before: State) -> State:
    """The state of another run's checkpoint as a new run begins from it: it has validated nothing yet."""
    return replace(before, best_step=None, best_loss=None, waited=0, rewinds=0)


def check_stage(before: int, now: int) -> None:
    """Raise ``ValueError`` where a checkpoint of one ZeRO stage cannot be read by another: 1 and 2 write the same, 0
    and 3 each its own."""
    same = ({0}, {1, 2}, {3})
    if not any({before, now} <= stages for stages in same):
        raise ValueError(
            f"deepspeed: the checkpoint was written with ZeRO stage {before} and cannot be read with stage {now}; "
            f"set zero_optimization.stage to {before}"
        )
