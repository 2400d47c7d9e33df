"""Traces are what was read: held against the tokens that training took, wherever a run was stopped, changed or rewound,
and against documents that were forgotten on the way."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.tokens.stream import Stream
from corpusforge.train.config import Config, as_json, from_json
from corpusforge.train.log import RunLog, steps_of
from corpusforge.train.trackers import open_trackers
from corpusforge.verbs.train import prepare
from tests.train.logs import write_step
from tests.train.runs import LLAMA, config, corpus_of_words, events, finish, start

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

SELDOM: dict[str, Any] = {"checkpoints": {"every": 100}, "validation": {"every": 100, "samples": 8}}
BERT = {"model_type": "bert", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
BERT |= {"num_attention_heads": 2}


class Killed(Exception):
    """Stands for whatever ends a run between two steps."""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[int]]:
    """The tokens of each sample as training read them last."""
    found: dict[int, list[int]] = {}
    original = Stream.read

    def recorded(self: Stream, first: int, count: int) -> Any:
        ids = original(self, first, count)
        if threading.current_thread() is not threading.main_thread():  # which reads held-out text
            found.update({first + row: ids[row].tolist() for row in range(count)})
        return ids

    monkeypatch.setattr(Stream, "read", recorded)
    return found


def train(made: Config, root: Path) -> Path:
    return api.train_run(made, root, ray=False, say=lambda line: None)


def killed(made: Config, root: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that ends before it takes a step, whenever its last checkpoint was."""
    loop = pytest.importorskip("corpusforge.train.loop")
    original = loop.Run._step

    def until(run: Any) -> Any:
        if run.state.step >= step:
            raise Killed
        return original(run)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Run, "_step", until)
        with pytest.raises(Killed):
            train(made, root)
    return root / made.run


def with_mixture(made: Config, mixture: Any) -> dict[str, Any]:
    """The data of a configuration with another mixture."""
    return {**as_json(made)["data"], "mixture": mixture}


def tokens_of(tokens: Path, rows: list[dict[str, Any]]) -> dict[int, list[int]]:
    """The tokens that a trace says were in each sample of a step."""
    found: dict[int, list[int]] = {}
    for row in rows:
        place = row["document"]
        ids = np.fromfile(tokens / f"{row['source']}.bin", "<u2")
        starts = np.concatenate([[0], np.flatnonzero(ids == 0) + 1])
        begin = int(starts[place["document"]]) + place["start"]
        found.setdefault(row["sample"], []).extend(ids[begin : begin + row["tokens"]].tolist())
    return found


def assert_traced(run: Path, tokens: Path, read: dict[int, list[int]]) -> None:
    """Every step of the log is traced to the samples that it took and to the tokens that were in them."""
    steps = steps_of(run)
    for step, first, samples in zip(steps.step, steps.columns["first"], steps.columns["samples"], strict=True):
        told = tokens_of(tokens, api.trace_step(run, int(step)))
        assert told == {n: read[n] for n in range(int(first), int(first + samples))}, step


def test_steps_since_the_newest_checkpoint_are_traced_by_what_they_were_read_by(
    tmp_path: Path, read: dict[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config(tmp_path, steps=4)
    train(made, tmp_path)
    data = with_mixture(made, {"b": 1})
    other = config(tmp_path, steps=30, batch={"samples": 4, "micro": 2}, data=data, **SELDOM)
    run = killed(other, tmp_path, 10, monkeypatch)
    assert steps_of(run).columns["samples"].tolist() == [8] * 4 + [4] * 6
    assert {row["source"] for row in api.trace_step(run, 8)} == {"b"}
    assert_traced(run, tmp_path, read)
    with pytest.raises(api.NotTrained, match="has taken the steps 0 to 9, not 10"):
        api.trace_step(run, 10)
    second = dict(read)
    third = config(tmp_path, steps=30, data=with_mixture(made, {"a": 1}), **SELDOM)
    killed(third, tmp_path, 4, monkeypatch)
    assert len(steps_of(run)) == 10, "the third attempt has taken no step"
    assert_traced(run, tmp_path, second)
    killed(third, tmp_path, 5, monkeypatch)
    assert_traced(run, tmp_path, read)


def test_steps_since_a_rewind_are_traced_behind_what_was_left_out(
    tmp_path: Path, read: dict[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = pytest.importorskip("corpusforge.train.loop")
    original = loop.Run._stepped

    def dear(run: Any, everyone: Any) -> Any:
        stepped = original(run, everyone)
        if run.state.step == 12 and not run.state.rewinds:
            stepped.costs[:] *= 100
        return stepped

    monkeypatch.setattr(loop.Run, "_stepped", dear)
    spikes = {"act": "rewind", "window": 8, "sigmas": 50}
    schedule = {"use": "constant", "peak": 1e-4}
    often = {**SELDOM, "checkpoints": {"every": 9}}
    run = killed(config(tmp_path, steps=30, spikes=spikes, schedule=schedule, **often), tmp_path, 15, monkeypatch)
    assert [event["step"] for event in events(run, "rewind")] == [9]
    assert steps_of(run).columns["first"].tolist() == [8 * step + 8 * (step >= 12) for step in range(15)]
    assert_traced(run, tmp_path, read)


def test_a_fork_is_traced_from_where_it_began(tmp_path: Path, read: dict[int, list[int]]) -> None:
    origin = train(config(tmp_path, "origin", steps=8), tmp_path)
    data = with_mixture(config(tmp_path), {"b": 0.5, "a": 0.5})
    run = train(config(tmp_path, "fork", start={"run": str(origin), "step": 6}, data=data), tmp_path)
    with pytest.raises(api.NotTrained, match=r"has taken the steps 6 to 11, not 1; the steps before are .*origin$"):
        api.trace_step(run, 1)
    assert_traced(run, tmp_path, read)


def test_the_order_of_a_file_changes_nothing_and_torchrun_takes_what_this_process_takes(tmp_path: Path) -> None:
    batch = {"samples": {10: 8, 0: 8, 2: 4}, "micro": 2}
    first, second = (
        config(tmp_path, run, batch=batch, data=with_mixture(config(tmp_path), mixture))
        for run, mixture in (("alone", {"b": 0.5, "a": 0.5}), ("torchrun", {"a": 0.5, "b": 0.5}))
    )
    expected = steps_of(train(first, tmp_path))
    finish(start(second, tmp_path))
    found = steps_of(tmp_path / "torchrun")
    assert found.columns["samples"].tolist() == [8] * 2 + [4] * 8 + [8] * 2
    np.testing.assert_allclose(found.columns["loss"], expected.columns["loss"], rtol=1e-5)
    for run in ("alone", "torchrun"):
        rows = api.trace_step(tmp_path / run, 2)
        assert [{r["sample"]: r["source"] for r in rows}[n] for n in range(16, 20)] == ["a", "b", "a", "b"], run


def of_words(corpus: str, run: str, steps: int, **changes: Any) -> Config:
    given: dict[str, Any] = {
        "run": run,
        "data": {"sources": {"web": {"corpus": corpus}}, "sequence": 64, "seed": 5},
        "model": {"config": {**LLAMA, "max_position_embeddings": 64}},
        "precision": "fp32",
        "steps": steps,
        "batch": {"samples": 16, "micro": 8},
        "trackers": [],
        **SELDOM,
        "checkpoints": {"every": 5},
    }
    return from_json({**given, **changes})


PAIRS = {"model": {"config": {**BERT, "max_position_embeddings": 64}}, "objective": {"use": "next_sentence"}}


@pytest.mark.parametrize("changes", [{}, PAIRS], ids=["causal", "next_sentence"])
def test_a_document_was_read_until_it_was_forgotten(
    tmp_path: Path, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "words").mkdir()
    corpus = corpus_of_words(tmp_path / "words")
    whole = train(of_words(corpus, "whole", 20, **changes), tmp_path)
    run = killed(of_words(corpus, "run", 20, **changes), tmp_path, 13, monkeypatch)
    id, after = most_read(whole, range(10, 20))
    earlier = [step for step in api.trace_document(whole, id)["steps"] if step < 10]
    assert earlier, "otherwise there is nothing to tell apart"
    cf.tombstone(corpus, [id], "asked for")
    prepare(of_words(corpus, "run", 20, **changes), tmp_path, lambda line: None)
    until = [step for step in api.trace_document(whole, id)["steps"] if step < 13]
    assert api.trace_document(run, id)["steps"] == until, "no attempt has forgotten it yet"
    train(of_words(corpus, "run", 20, **changes), tmp_path)
    told = api.trace_document(run, id)
    assert told["steps"] == earlier
    assert told["samples"] == [n for n in api.trace_document(whole, id)["samples"] if n < 16 * 10]
    assert told["checkpoints"] == [step for step in (15, 20) if step > earlier[0]]
    assert [step for step in range(20) if id in ids_of(run, step)] == earlier
    assert id in ids_of(whole, after)
    others = {row["sample"] for row in api.trace_step(whole, after) if row["document"]["id"] != id}
    assert {row["sample"] for row in api.trace_step(run, after)} >= others - holding(whole, after, id)
    never = train(of_words(corpus, "never", 5, **changes), tmp_path)
    assert api.trace_document(never, id)["steps"] == []
    fork = of_words(corpus, "fork", 18, start={"run": str(whole), "step": 15}, **changes)
    told = api.trace_document(train(fork, tmp_path), id)
    assert (told["steps"], told["checkpoints"]) == ([], [18])
    assert told["before"] == [step for step in api.trace_document(whole, id)["steps"] if step < 15]


def ids_of(run: Path, step: int) -> set[str]:
    return {row["document"]["id"] for row in api.trace_step(run, step)}


def holding(run: Path, step: int, id: str) -> set[int]:
    return {row["sample"] for row in api.trace_step(run, step) if row["document"]["id"] == id}


def most_read(run: Path, steps: range) -> tuple[str, int]:
    """The document that most of these steps read, and the first of them that did."""
    read = {step: ids_of(run, step) for step in steps}
    by_id = {id: [step for step in steps if id in read[step]] for id in set[str]().union(*read.values())}
    id = max(sorted(by_id), key=lambda one: len(by_id[one]))
    return id, by_id[id][0]


def test_a_run_whose_events_do_not_tell_its_order_is_traced_by_its_checkpoint(
    tmp_path: Path, read: dict[int, list[int]]
) -> None:
    run = train(config(tmp_path), tmp_path)
    log = run / "log" / "events.jsonl"
    log.write_text("".join(f"{json.dumps({**row, 'facts': {}})}\n" for row in map(json.loads, log.open())))
    assert_traced(run, tmp_path, read)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": {"samples": {6: 4}}}, r"batch\.samples begins at step 6; say what holds from step 0 on too"),
        ({"batch": {"samples": {}}}, r"batch\.samples begins at step NUMBER"),
        ({"batch": {"samples": {0: 8, 3: 0}}}, r"a step takes at least one sample; these take \{3: 0\}"),
        ({"mixture": [40]}, r"data\.mixture holds from the samples \[40\] on; list what holds from 0 on first"),
        ({"mixture": [0, 80, 40]}, r"data\.mixture holds from the samples \[0, 80, 40\] on"),
    ],
)
def test_what_a_run_goes_on_with_says_what_it_began_with(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    begins = changes.pop("mixture", None)
    if begins:
        mixture = [{"from_sample": begin, "weights": {"a": 1}} for begin in begins]
        changes = {"data": with_mixture(config(tmp_path), mixture)}
    with pytest.raises(ValueError, match=message):
        config(tmp_path, **changes)


@pytest.mark.parametrize(
    ("begins", "cure"), [(12, r"steps \(12\) is where the run ends"), (5, "set it to 0, or go on from a checkpoint")]
)
def test_a_schedule_that_begins_behind_a_step_is_told(tmp_path: Path, begins: int, cure: str) -> None:
    schedule = {"use": "cosine", "peak": 1e-3, "begins": begins}
    with pytest.raises(api.NotTrained, match=f"schedule.begins is {begins}, and step 0 comes before it; {cure}"):
        train(config(tmp_path, schedule=schedule), tmp_path)


def test_steps_know_the_attempt_that_did_them(tmp_path: Path) -> None:
    for attempt, steps in ((1, range(6)), (2, range(4, 8))):
        with RunLog(tmp_path, attempt) as log:
            for step in steps:
                write_step(log, step, 1.0)
    assert steps_of(tmp_path).attempt.tolist() == [1] * 4 + [2] * 4


def test_tensorboard_forgets_what_a_rewind_does_again_and_keeps_what_shares_a_step(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    (tracker,) = open_trackers(["tensorboard"], tmp_path, "run", {})
    for step, value in ((0, 5.0), (1, 5.0), (2, 5.0), (3, 5.0), (2, 7.0), (3, 7.0), (3, 8.0)):
        if (step, value) == (1, 5.0):
            tracker.scalars(step, {"validation/loss": 4.0})
        tracker.scalars(step, {"loss": value})
    tracker.close()
    found = accumulator.EventAccumulator(str(tmp_path / "log" / "tensorboard"))
    found.Reload()
    assert [(scalar.step, scalar.value) for scalar in found.Scalars("loss")] == [(0, 5), (1, 5), (2, 7), (3, 8)]
    assert [(scalar.step, scalar.value) for scalar in found.Scalars("validation/loss")] == [(1, 4)]
