"""The log of a run survives its writers: torn lines, steps that come again, numbers that are not finite."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.train.log import KINDS, RunLog, events_of, losses_of, steps_of, validations_of
from corpusforge.train.trackers import open_trackers
from tests.train.logs import cut, write_step, write_validation


def test_readers_give_what_was_written(tmp_path: Path) -> None:
    with RunLog(tmp_path, 3) as log:
        write_step(log, 1, 2.5, sources={"books": 2.25, "web": 2.75})
        write_step(log, 2, 0.1 + 0.2, sources={"web": 2.0}, mfu=None)
        write_validation(log, 2, {"books": 1.5})
        log.event("spike", 2, "loss 9 is far above", documents=["a"])
    steps = steps_of(tmp_path)
    assert steps.step.tolist() == [1, 2]
    assert steps.columns["loss"].tolist() == [2.5, 0.1 + 0.2]
    assert steps.columns["first"].tolist() == [8, 16]
    assert steps.sources["web"].tolist() == [2.75, 2.0]
    np.testing.assert_array_equal(steps.sources["books"], [2.25, math.nan])
    np.testing.assert_array_equal(steps.columns["mfu"], [0.4, math.nan])
    (row,) = validations_of(tmp_path).rows
    assert row["sources"]["books"] == {"loss": 1.5, "bits_per_byte": 0.5, "tokens": 9, "bytes": 30}
    (event,) = events_of(tmp_path).rows
    assert (event["kind"], event["step"], event["attempt"], event["facts"]) == ("spike", 2, 3, {"documents": ["a"]})


@pytest.mark.parametrize("characters", [2, 10, 60])
def test_a_torn_last_line_is_healed_skipped_and_counted(tmp_path: Path, characters: int) -> None:
    with RunLog(tmp_path, 1) as log:
        for step in (1, 2, 3):
            write_step(log, step, float(step))
    cut(tmp_path / "log" / "steps.jsonl", characters)
    assert (steps_of(tmp_path).step.tolist(), steps_of(tmp_path).torn) == ([1, 2], 1)
    with RunLog(tmp_path, 2) as log:
        write_step(log, 3, 3.5)
    steps = steps_of(tmp_path)
    assert (steps.step.tolist(), steps.columns["loss"].tolist(), steps.torn) == ([1, 2, 3], [1.0, 2.0, 3.5], 1)


def test_a_line_that_lacks_only_its_end_is_whole(tmp_path: Path) -> None:
    with RunLog(tmp_path, 1) as log:
        write_step(log, 1, 1.0)
    cut(tmp_path / "log" / "steps.jsonl", 1)
    with RunLog(tmp_path, 2) as log:
        write_step(log, 2, 2.0)
    assert (steps_of(tmp_path).step.tolist(), steps_of(tmp_path).torn) == ([1, 2], 0)


def test_steps_done_again_take_the_place_of_all_that_came_after(tmp_path: Path) -> None:
    with RunLog(tmp_path, 1) as log:
        for step in range(1, 8):
            write_step(log, step, 1.0)
    with RunLog(tmp_path, 2) as log:
        for step in (5, 6):
            write_step(log, step, 2.0)
        write_validation(log, 5, {"books": 1.0})
        write_validation(log, 5, {"books": 2.0})
    steps = steps_of(tmp_path)
    # Step 7 of the dead attempt is no part of the run: the second has not come there yet.
    assert steps.step.tolist() == [1, 2, 3, 4, 5, 6]
    assert steps.columns["loss"].tolist() == [1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    assert steps.repeated == 3
    assert [row["mean"]["loss"] for row in validations_of(tmp_path).rows] == [2.0]
    assert validations_of(tmp_path).repeated == 1


@given(st.lists(st.integers(1, 30), max_size=60))
def test_each_step_stands_once_ascending_with_its_last_line(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with RunLog(folder, 1) as log:
        for place, step in enumerate(order):
            write_step(log, step, float(place))
    steps = steps_of(folder)
    assert steps.step.tolist() == sorted(set(steps.step.tolist()))
    assert len(steps) + steps.repeated == len(order)
    last = {step: float(place) for place, step in enumerate(order)}
    assert steps.columns["loss"].tolist() == [last[step] for step in steps.step.tolist()]
    assert not order or order[-1] == steps.step[-1]


def test_numbers_that_are_not_finite_are_null_and_named(tmp_path: Path) -> None:
    with RunLog(tmp_path, 1) as log:
        write_step(log, 1, math.nan, grad_norm=math.inf, sources={"web": math.nan, "books": 1.0})
    line = json.loads((tmp_path / "log" / "steps.jsonl").read_text(), parse_constant=pytest.fail)
    assert (line["loss"], line["grad_norm"], line["sources"]) == (None, None, {"web": None, "books": 1.0})
    assert line["not_finite"] == {"loss": "nan", "grad_norm": "inf", "sources.web": "nan"}
    assert math.isnan(steps_of(tmp_path).columns["loss"][0])


def test_losses_of_samples_lie_at_their_place(tmp_path: Path) -> None:
    with RunLog(tmp_path, 1) as log:
        log.losses(4, [1.5, math.nan, 0.0])
        log.losses(1_000_000, np.array([2.5]))
    np.testing.assert_array_equal(
        losses_of(tmp_path, 2, 6), np.float32([math.nan, math.nan, 1.5, math.nan, 0, math.nan])
    )
    np.testing.assert_array_equal(losses_of(tmp_path, 999_999, 4), np.float32([math.nan, 2.5, math.nan, math.nan]))
    whole = np.fromfile(tmp_path / "log" / "losses.f32", "<f4")
    assert (len(whole), whole[4], whole[1_000_000]) == (1_000_001, 1.5, 2.5)
    with RunLog(tmp_path, 2) as log:
        log.losses(4, [7.0])
    assert losses_of(tmp_path, 4, 1).tolist() == [7.0]


def test_losses_of_a_run_without_any_are_none(tmp_path: Path) -> None:
    assert np.isnan(losses_of(tmp_path, 0, 3)).all()
    assert len(steps_of(tmp_path)) == 0


def test_an_event_of_an_unknown_kind_is_refused_and_one_of_any_fact_is_not(tmp_path: Path) -> None:
    with RunLog(tmp_path, 1) as log:
        with pytest.raises(ValueError, match="'crash' is not known; use one of start"):
            log.event("crash", 1, "x")
        for kind in KINDS:
            log.event(kind, 1, "x", folder=Path("a"), several={1: float("nan")})
    rows = events_of(tmp_path).rows
    assert [row["kind"] for row in rows] == list(KINDS)
    assert rows[0]["facts"] == {"folder": "a", "several": {"1": None}}


def test_tensorboard_gets_every_number_and_forgets_what_comes_again(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first, value in ((1, 5.0), (3, 7.0)):
        (tracker,) = open_trackers(["tensorboard"], tmp_path, "run", {})
        for step in range(first, first + 3):
            tracker.scalars(step, {"loss": value, "loss/books": value + 1})
        tracker.close()
    found = accumulator.EventAccumulator(str(tmp_path / "log" / "tensorboard"))
    found.Reload()
    scalars = [(scalar.step, scalar.value) for scalar in found.Scalars("loss")]
    assert scalars == [(1, 5.0), (2, 5.0), (3, 7.0), (4, 7.0), (5, 7.0)]
    assert [scalar.value for scalar in found.Scalars("loss/books")][-1] == 8.0


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_tracker_that_is_not_installed_names_its_cure(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, name, None)  # an import of it then fails
    with pytest.raises(ModuleNotFoundError, match=f"pip install {name}, or take it out of trackers"):
        open_trackers([name], tmp_path, "run", {})


def test_an_unknown_tracker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'comet' is not known; use one of tensorboard, wandb, mlflow"):
        open_trackers(["comet"], tmp_path, "run", {})
