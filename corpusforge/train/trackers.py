"""Trackers: a run's numbers for TensorBoard, Weights & Biases or MLflow, beside our own log.

Their packages are loaded by name where a run asks for them: two of them take seconds, and one that is broken must not
stop a run without it.
"""

import importlib
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Takes numbers by step; the first step it is given after a resume may be one that it had before."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None: ...
    def close(self) -> None: ...


class TensorBoard:
    """Event files in ``RUN/log/tensorboard/``, by the package's own writer, without torch or TensorFlow."""

    def __init__(self, folder: Path, name: str, config: Mapping[str, Any]) -> None:
        writer = _package("tensorboard.summary.writer.event_file_writer", "tensorboard")
        self._event = _package("tensorboard.compat.proto.event_pb2", "tensorboard")
        self._summary = _package("tensorboard.compat.proto.summary_pb2", "tensorboard")
        self._writer = writer.EventFileWriter(str(folder / "log" / "tensorboard"))
        self._step: int | None = None
        self._names: set[str] = set()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        if self._comes_again(step, values):
            # TensorBoard then forgets what was written from this step on, by an earlier attempt or before a rewind.
            log = self._event.SessionLog(status=self._event.SessionLog.START)
            self._writer.add_event(self._event.Event(wall_time=time.time(), step=step, session_log=log))
        self._names = {*values, *(self._names if step == self._step else ())}
        self._step = step
        made = [self._summary.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        summary = self._summary.Summary(value=made)
        self._writer.add_event(self._event.Event(wall_time=time.time(), step=step, summary=summary))

    def _comes_again(self, step: int, values: Mapping[str, float]) -> bool:
        """Whether this may have been written before; a validation and a step may share a number."""
        if self._step is None or step < self._step:
            return True
        return step == self._step and not self._names.isdisjoint(values)

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases with the run's name as its id, so that a resumed run goes on in it."""

    def __init__(self, folder: Path, name: str, config: Mapping[str, Any]) -> None:
        wandb = _package("wandb", "wandb")
        (folder / "log").mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(id=name, name=name, config=dict(config), dir=str(folder / "log"), resume="allow")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


class MLflow:
    """A run of MLflow; its id lies in ``RUN/log/mlflow.txt``, so that a resumed run goes on in it."""

    def __init__(self, folder: Path, name: str, config: Mapping[str, Any]) -> None:
        client = _package("mlflow", "mlflow")
        kept = folder / "log" / "mlflow.txt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        known = kept.read_text(encoding="utf-8").strip() if kept.exists() else None
        self._mlflow = client
        self._id = client.start_run(run_id=known, run_name=None if known else name).info.run_id
        kept.write_text(self._id, encoding="utf-8")
        if not known:
            client.log_dict(dict(config), "config.json")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._mlflow.log_metrics(dict(values), step=step, run_id=self._id)

    def close(self) -> None:
        self._mlflow.end_run()


TRACKERS: dict[str, type[TensorBoard] | type[WeightsAndBiases] | type[MLflow]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
}
"""Trackers by the name that a config uses."""


def open_trackers(names: Sequence[str], folder: Path, name: str, config: Mapping[str, Any]) -> list[Tracker]:
    """The trackers of a run, at its start; what is wrong with one ends the run here and not at its first step."""
    opened: list[Tracker] = []
    try:
        for wanted in names:
            if wanted not in TRACKERS:
                raise ValueError(f"the tracker {wanted!r} is not known; use one of {', '.join(TRACKERS)}")
            opened.append(TRACKERS[wanted](folder, name, config))
    except BaseException:
        for tracker in opened:
            with suppress(Exception):  # the first error is the one to show
                tracker.close()
        raise
    return opened


def _package(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the tracker {package} is not installed ({error}): pip install {package}, or take it out of trackers"
        ) from error
