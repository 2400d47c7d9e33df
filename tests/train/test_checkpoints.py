"""Checkpoints that are written while the training goes on are those that stop it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("deepspeed")

from corpusforge import api
from corpusforge.train import checkpoints
from corpusforge.train.state import complete, state_of
from tests.train.runs import config, events, finish, kill_at, losses, start

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]
BEHIND = {"every": 4, "keep": 3, "behind": True}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    write = checkpoints.write_whole

    def slowly(path: Path, data: Any) -> None:
        time.sleep(1.0 if path.suffix == ".pt" else 0)
        write(path, data)

    monkeypatch.setattr(checkpoints, "write_whole", slowly)


def test_steps_go_on_while_a_checkpoint_is_written_and_it_holds_its_own_step(
    tokens: Path, tmp_path: Path, slow_disk: None
) -> None:
    whole = api.train_run(config(tokens, stage=1, checkpoints={"every": 100}), tmp_path / "whole", ray=False)
    run = api.train_run(config(tokens, stage=1, checkpoints=BEHIND), tmp_path, ray=False)
    told = {row["text"]: row["step"] for row in events(run, "checkpoint")}
    assert list(told) == [f"checkpoint step_{step:08d}" for step in (4, 6, 8, 12)]
    assert told["checkpoint step_00000004"] > 4
    assert complete(run) == [6, 8, 12]
    assert [state_of(run, step).step for step in complete(run)] == [6, 8, 12]
    for step in (8, 12):
        (run / "checkpoints" / f"step_{step:08d}" / "state.json").unlink()
    api.train_run(config(tokens, stage=1, checkpoints=BEHIND), tmp_path, ray=False)
    assert events(run, "resume")[-1]["step"] == 6
    assert losses(run) == losses(whole)


@pytest.mark.parametrize("stage", [1, 3])
def test_killed_workers_go_on_from_a_checkpoint_written_behind(tokens: Path, tmp_path: Path, stage: int) -> None:
    made = config(tokens, stage=stage, checkpoints={"every": 2, "behind": True})
    finish(start(made, tmp_path / "whole", world=2))
    kill_at(start(made, tmp_path, world=2), tmp_path / "run", 9)
    finish(start(made, tmp_path, world=2))
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole" / "run"), abs=1e-6, rel=0)
    (resumed,) = events(tmp_path / "run", "resume")
    assert resumed["step"] in (2, 4, 6, 8)


def test_a_checkpoint_that_cannot_be_written_ends_the_run_and_is_none(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = checkpoints.write_whole

    def full(path: Path, data: Any) -> None:
        if "step_00000008" in str(path):
            raise OSError(28, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(checkpoints, "write_whole", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*step_00000008/.*\.pt'"):
        api.train_run(config(tokens, stage=1, checkpoints=BEHIND), tmp_path, ray=False)
    assert complete(tmp_path / "run") == [4, 6]
    assert json.loads((tmp_path / "run/log/events.jsonl").read_text().splitlines()[-1])["kind"] == "checkpoint"
