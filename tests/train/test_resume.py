"""A run that is killed, resized or split otherwise gives the losses of one that was not."""

from pathlib import Path

import numpy as np
import pytest

from corpusforge.train.state import complete
from tests.train.runs import config, events, finish, kill_at, losses, start

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture(scope="module")
def whole(tokens: Path) -> list[float]:
    """The losses of one worker that nothing happens to."""
    finish(start(config(tokens), tokens / "whole"))
    return losses(tokens / "whole" / "run")


def test_a_model_learns(whole: list[float]) -> None:
    assert len(whole) == 12
    assert whole[-1] < whole[0] - 0.1


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_workers_killed_at_a_random_step_change_no_loss(tokens: Path, tmp_path: Path, stage: int) -> None:
    made = config(tokens, stage=stage)
    finish(start(made, tmp_path / "whole", world=2))
    expected = losses(tmp_path / "whole" / "run")
    at = int(np.random.default_rng(stage).integers(5, 11))
    kill_at(start(made, tmp_path / "killed", world=2), tmp_path / "killed" / "run", at)
    finish(start(made, tmp_path / "killed", world=2))
    assert losses(tmp_path / "killed" / "run") == pytest.approx(expected, abs=1e-6, rel=0)
    (resumed,) = events(tmp_path / "killed" / "run", "resume")
    assert resumed["step"] in (4, 6, 8), "checkpoints, and the best of the validations"


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_other_numbers_of_workers_change_no_loss(tokens: Path, tmp_path: Path, whole: list[float], stage: int) -> None:
    for steps, world in ((4, 2), (8, 1), (12, 2)):
        made = config(tokens, stage=stage, steps=steps, schedule={"use": "constant", "peak": 3e-3, "warmup_steps": 2})
        finish(start(made, tmp_path, world))
    schedule = {"use": "constant", "peak": 3e-3, "warmup_steps": 2}
    finish(start(config(tokens, stage=stage, run="one", schedule=schedule), tmp_path))
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)


@pytest.mark.parametrize("micro", [1, 8, 3])
def test_other_micro_batches_change_no_loss(tokens: Path, tmp_path: Path, whole: list[float], micro: int) -> None:
    finish(start(config(tokens, batch={"samples": 8, "micro": micro}), tmp_path))
    assert losses(tmp_path / "run") == pytest.approx(whole, rel=1e-5)


def test_old_checkpoints_go_and_the_best_stays(tokens: Path, tmp_path: Path) -> None:
    finish(start(config(tokens, checkpoints={"every": 2, "keep": 1}), tmp_path))
    assert complete(tmp_path / "run") == [12]
    kept = config(tokens, run="milestones", checkpoints={"every": 2, "keep": 1, "milestones": 6})
    finish(start(kept, tmp_path))
    assert complete(tmp_path / "milestones") == [6, 12]
