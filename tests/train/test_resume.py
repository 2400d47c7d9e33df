"""A run that is killed, resized or split otherwise gives the losses of one that was not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpusforge import api
from corpusforge.train.config import Config
from corpusforge.train.log import Steps, steps_of
from corpusforge.train.state import complete
from tests.train.pairs import train_by_two
from tests.train.runs import config, events, kill_at, losses, start

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

LONG = 50
"""Steps over which runs are compared. Rounding grows while a model learns: AdamW divides by gradients that are nearly
nothing. Here it stays below 1e-7 (measured) at a rate at which the loss falls from 4.2 to 1.4, so no rate was made
small for these tests; each step is clipped, as the norms lie between 0.6 and 1."""


def of_long(tokens: Path, run: str, stage: int = 0, steps: int = LONG, **changes: Any) -> Config:
    """A run whose rate does not hang on where it ends."""
    given: dict[str, Any] = {
        "schedule": {"use": "constant", "peak": 3e-3, "warmup_steps": 2},
        "optimizer": {"clip": 0.5},
        "checkpoints": {"every": 100},
        "validation": {"every": 100, "samples": 8},
    }
    return config(tokens, run, stage, **{**given, "steps": steps, **changes})


def alone(made: Config, root: Path) -> Path:
    return api.train_run(made, root, ray=False, say=lambda line: None)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture(scope="module")
def whole(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """The steps of one worker that nothing happens to."""
    return steps_of(alone(of_long(tokens, "whole"), tmp_path_factory.mktemp("whole")))


def assert_equal(found: Steps, expected: Steps) -> None:
    """Losses and norms of the gradient are equal to rounding."""
    assert found.step.tolist() == expected.step.tolist()
    for name in ("loss", "grad_norm"):
        np.testing.assert_allclose(found.columns[name], expected.columns[name], rtol=1e-5, err_msg=name)


def test_a_model_learns(whole: Steps) -> None:
    loss = whole.columns["loss"]
    assert len(loss) == LONG
    assert loss[-1] < loss[0] / 2
    assert (whole.columns["grad_norm"] > 0.5).all(), "every step is clipped"


@pytest.fixture(scope="module")
def resized(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of every stage that two workers begin, one goes on with and two end."""
    root = tmp_path_factory.mktemp("resized")
    train_by_two([of_long(tokens, f"stage{stage}", stage, steps=17) for stage in range(4)], root)
    for stage in range(4):
        alone(of_long(tokens, f"stage{stage}", stage, steps=34), root)
    train_by_two([of_long(tokens, f"stage{stage}", stage) for stage in range(4)], root)
    return root


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_other_numbers_of_workers_change_no_loss(resized: Path, whole: Steps, stage: int) -> None:
    assert_equal(steps_of(resized / f"stage{stage}"), whole)
    told = [event["text"] for event in events(resized / f"stage{stage}", "resume")]
    assert [text.split(" with ")[1] for text in told] == ["1 workers", "2 workers"]


@pytest.mark.parametrize("micro", [1, 8, 3])
def test_other_micro_batches_change_no_loss(tokens: Path, tmp_path: Path, whole: Steps, micro: int) -> None:
    run = alone(of_long(tokens, "run", batch={"samples": 8, "micro": micro}), tmp_path)
    assert_equal(steps_of(run), whole)


def test_workers_killed_at_a_random_step_change_no_loss(tokens: Path, tmp_path: Path) -> None:
    stages = (1, 2, 3)
    # Steps are short, and a busy machine may look late: many are left when a worker is to be killed.
    runs = [config(tokens, f"stage{stage}", stage, steps=40) for stage in stages]
    for stage, made in zip(stages, runs, strict=True):
        at = int(np.random.default_rng(stage).integers(5, 11))
        kill_at(start(made, tmp_path / "killed", world=2), tmp_path / "killed" / made.run, at)
    expected = losses(alone(config(tokens, steps=40), tmp_path / "whole"))
    for folder in train_by_two(runs, tmp_path / "killed"):
        assert losses(folder) == pytest.approx(expected, abs=1e-6, rel=0)
        (resumed,) = events(folder, "resume")
        assert resumed["step"] > 0
        assert resumed["step"] % 4 == 0 or resumed["step"] % 6 == 0, "checkpoints, and the best of the validations"


def test_old_checkpoints_go_and_the_best_stays(tokens: Path, tmp_path: Path) -> None:
    run = alone(config(tokens, checkpoints={"every": 2, "keep": 1}), tmp_path)
    assert complete(run) == [12]
    kept = config(tokens, run="milestones", checkpoints={"every": 2, "keep": 1, "milestones": 6})
    assert complete(alone(kept, tmp_path)) == [6, 12]
