"""Runs that something spoils: gradients that are not finite, two processes at once, saves that were killed, settings
that change."""

import os
import signal
import weakref
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("deepspeed")

import torch

from corpusforge import api
from corpusforge.train import lock, loop
from corpusforge.train import losses as losses_module
from corpusforge.train.config import Config
from corpusforge.train.log import steps_of
from corpusforge.train.state import complete, name_of
from tests.train.runs import config, events, finish, start

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]
ODD = 5


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


def of(tokens: Path, run: str, stage: int, **changes: Any) -> Config:
    given: dict[str, Any] = {
        "validation": {"every": 100},
        "steps": 10,
        "checkpoints": {"every": 2},
        "batch": {"samples": 8, "micro": 8},
    }
    return config(tokens, run, stage, **{**given, **changes})


def train(made: Config, root: Path) -> Path:
    return api.train_run(made, root, ray=False, say=lambda line: None)


class Spoilt(torch.autograd.Function):  # type: ignore[misc]
    """Passes on what it is given, and a gradient that is no number."""

    @staticmethod
    def forward(context: Any, value: Any) -> Any:
        return value.clone()

    @staticmethod
    def backward(context: Any, gradient: Any) -> Any:
        return gradient * float("nan")


@pytest.fixture
def odd_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch of step ``ODD``, by its first sample, has a finite loss and no finite gradient."""
    taken = loop.Run._taken

    def remembered(run: loop.Run, step: int) -> Any:
        run.odd = run.state.batches.first(step) == 8 * ODD  # type: ignore[attr-defined]
        current.append(run)
        return taken(run, step)

    def spoilt(*given: Any) -> Any:
        found = losses_module.costs(*given)
        return Spoilt.apply(found) if current[-1].odd else found

    current: list[Any] = []
    monkeypatch.setattr(loop.Run, "_taken", remembered)
    monkeypatch.setattr(loop, "costs", spoilt)


@pytest.mark.parametrize("stage", [0, 1, 3])
@pytest.mark.parametrize("act", ["name", "skip"])
def test_an_update_without_a_finite_gradient_is_left_out_and_told(
    tokens: Path, tmp_path: Path, odd_gradient: None, stage: int, act: str
) -> None:
    run = train(of(tokens, "odd", stage, spikes={"act": act}), tmp_path)
    steps = steps_of(run)
    assert len(steps) == 10
    assert torch.isfinite(torch.tensor(steps.columns["loss"])).all()
    (spike,), (skip,) = events(run, "spike"), events(run, "skip")
    assert spike["step"] == skip["step"] == ODD
    assert "grad_norm at step 5 is not finite" in spike["text"]


@pytest.mark.parametrize("stage", [0, 1])
def test_a_rewind_leaves_out_the_batch_whose_gradient_is_not_finite(
    tokens: Path, tmp_path: Path, odd_gradient: None, stage: int
) -> None:
    run = train(of(tokens, "odd", stage, spikes={"act": "rewind"}), tmp_path)
    (rewind,) = events(run, "rewind")
    assert rewind["text"] == "back to step 4; samples 40 to 47 are left out"
    assert rewind["facts"]["skips"] == [[ODD, 8]]
    assert len(events(run, "spike")) == 1
    assert 40 not in steps_of(run).columns["first"].tolist()


@pytest.mark.parametrize("stage", [0, 1])
def test_a_rewind_makes_no_second_model(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd_gradient: None, stage: int
) -> None:
    build, made = loop.models.build, []

    def counted(*given: Any) -> Any:
        model = build(*given)
        made.append(weakref.ref(model))
        return model

    monkeypatch.setattr(loop.models, "build", counted)
    assert events(train(of(tokens, "odd", stage, spikes={"act": "rewind"}), tmp_path), "rewind")
    assert len(made) == 1


def test_a_run_that_cannot_go_back_says_so(tokens: Path, tmp_path: Path, odd_gradient: None) -> None:
    made = of(tokens, "odd", 0, spikes={"act": "rewind"}, checkpoints={"every": 100})
    (failed,) = events(train(made, tmp_path), "failed")
    assert failed["text"] == "the run cannot go back from step 5: there is no checkpoint before. It goes on"


def test_a_run_that_is_being_trained_is_not_trained_twice(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = of(tokens, "long", 0, steps=5000)
    (first,) = start(made, tmp_path)
    log = tmp_path / "long" / "log" / "steps.jsonl"
    while not log.exists():
        assert first.poll() is None
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(api.NotTrained, match=rf"long is being trained by process {first.pid} on .*: let it end"):
        train(made, tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert train(of(tokens, "long", 0, steps=1), tmp_path)


def test_what_a_killed_save_of_more_workers_left_is_no_part_of_a_checkpoint(tokens: Path, tmp_path: Path) -> None:
    schedule = {"use": "constant", "peak": 1e-3}
    finish(start(of(tokens, "run", 1, steps=4, schedule=schedule), tmp_path, world=2))
    (tmp_path / "run" / "checkpoints" / name_of(4) / "state.json").unlink()
    finish(start(of(tokens, "run", 1, steps=6, schedule=schedule), tmp_path))
    assert complete(tmp_path / "run") == [4, 6]
    assert api.train_export(tmp_path / "run", tmp_path / "model", 4)
    finish(start(of(tokens, "run", 1, steps=8, schedule=schedule), tmp_path, world=2))


@pytest.mark.parametrize("stage", [0, 1, 3])
def test_optimizer_settings_that_change_hold_from_there(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: int
) -> None:
    train(of(tokens, "run", stage, steps=2), tmp_path)
    groups: list[Any] = []
    close = loop.Run.close
    monkeypatch.setattr(loop.Run, "close", lambda run: (groups.extend(run.engine.optimizer.param_groups), close(run)))
    train(of(tokens, "run", stage, steps=4, optimizer={"weight_decay": 0.5, "betas": [0.8, 0.9]}), tmp_path)
    assert {tuple(group["betas"]) for group in groups} == {(0.8, 0.9)}
    assert {group["weight_decay"] for group in groups} == {0.0, 0.5}
