"""Checkpoints of a run: written by every worker, complete when their state is there, kept by a stated policy.

``RUN/checkpoints/step_00000200/`` holds what DeepSpeed writes; ``state.json`` in it is written last.
"""

import io
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from corpusforge.train.accelerator import deepspeed
from corpusforge.train.config import Checkpoints
from corpusforge.train.plan import write_whole
from corpusforge.train.state import FOLDER, STATE, State, complete, name_of
from corpusforge.train.workers import Workers

UNIVERSAL = "_universal"
SETTINGS = ("weight_decay", "betas", "eps")
"""Of the optimizer; they are those of the configuration, not of the checkpoint."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint whose files are written, or being written: complete once ``state`` is put beside them."""

    step: int
    folder: Path
    state: bytes
    loss: float


def save(engine: Any, run: Path, state: State, loss: float, workers: Workers) -> Saved:
    """Write the files of a checkpoint, or begin to, where the engine writes behind. Every worker calls this."""
    folder = run / FOLDER / name_of(state.step)
    if workers.first:
        folder.joinpath(STATE).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)  # a save that was killed, perhaps of another number of workers
    workers.wait()
    engine.save_checkpoint(str(run / FOLDER), tag=folder.name, save_latest=False)
    return Saved(state.step, folder, json.dumps(state.as_json(), indent=1).encode(), loss)


def written(engine: Any) -> bool:
    """Whether this worker's files are all there, or have failed to get there."""
    return not isinstance(engine.checkpoint_engine, Behind) or engine.checkpoint_engine.written


def complete_with(saved: Saved, engine: Any, workers: Workers) -> None:
    """Wait for every worker's files, then let the first one make the checkpoint complete. Every worker calls this."""
    if isinstance(engine.checkpoint_engine, Behind):
        engine.checkpoint_engine.settle()
    workers.wait()
    if workers.first:
        write_whole(saved.folder / STATE, saved.state)
    workers.wait()


class Behind(deepspeed.runtime.checkpoint_engine.TorchCheckpointEngine):  # type: ignore[misc]
    """Takes a copy of what is to be saved, which stops the training, and writes it while the training goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._pool, self._writing = ThreadPoolExecutor(1), list[Future[None]]()

    def save(self, state_dict: Any, path: str) -> None:
        copy = io.BytesIO()
        torch.save(state_dict, copy)
        self._writing.append(self._pool.submit(write_whole, Path(path), copy.getbuffer()))

    @property
    def written(self) -> bool:
        """Whether everything is on disk, or has failed to get there."""
        return all(one.done() for one in self._writing)

    def settle(self) -> None:
        """Wait until everything is on disk; raises what a write raised."""
        for one in self._writing:
            one.result()
        self._writing.clear()


def load(engine: Any, run: Path, step: int, universal: bool) -> None:
    """Load weights and optimizer of a checkpoint into an engine that was made for its form, or has trained in it."""
    tag = name_of(step) + (UNIVERSAL if universal else "")
    wanted = [{name: group[name] for name in SETTINGS} for group in engine.optimizer.param_groups]
    path, _ = engine.load_checkpoint(
        str(run / FOLDER), tag=tag, load_lr_scheduler_states=False, load_optimizer_states=True
    )
    if path is None:
        raise RuntimeError(f"DeepSpeed could not load the checkpoint {run / FOLDER / tag}; take an earlier one")
    for group, settings in zip(engine.optimizer.param_groups, wanted, strict=True):
        group.update(settings)
    if universal:
        _set_apart(engine)


def _set_apart(engine: Any) -> None:
    """Give each weight its own step again: from the universal form of stage 3 DeepSpeed (0.19) takes one counter for
    all, which each group then advances."""
    for kept in engine.own_optimizer.state.values():
        if torch.is_tensor(kept.get("step")):
            kept["step"] = kept["step"].clone()


def convert(run: Path, step: int, stage: int, workers: Workers) -> None:
    """Let the first worker turn a checkpoint into DeepSpeed's universal form, which any number of workers reads."""
    source, target = run / FOLDER / name_of(step), run / FOLDER / (name_of(step) + UNIVERSAL)
    if workers.first:
        shutil.rmtree(target, ignore_errors=True)
        command = [sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal"]
        command += ["--input_folder", str(source), "--output_folder", str(target)]
        command += ["--inject_missing_state"] if stage < 3 else []
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "WORLD_SIZE": "1"})
        if done.returncode:
            raise RuntimeError(
                f"the checkpoint {source} cannot be converted for {workers.world} workers: {done.stderr[-2000:]}"
            )
    workers.wait()


def forget_converted(run: Path, step: int, workers: Workers) -> None:
    """Remove the universal form once every worker has read it."""
    workers.wait()
    if workers.first:
        shutil.rmtree(run / FOLDER / (name_of(step) + UNIVERSAL), ignore_errors=True)


def tidy(run: Path, policy: Checkpoints, best: int | None) -> list[int]:
    """Remove the checkpoints that the policy does not keep; give their steps."""
    steps = complete(run)
    kept = {*steps[-policy.keep :], best}
    if policy.milestones:
        kept |= {step for step in steps if step % policy.milestones == 0}
    gone = [step for step in steps if step not in kept]
    for step in gone:
        folder = run / FOLDER / name_of(step)
        folder.joinpath(STATE).unlink()  # from here on it is no checkpoint, whatever else is left of it
        shutil.rmtree(folder, ignore_errors=True)
    return gone
