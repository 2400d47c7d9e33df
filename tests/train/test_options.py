"""What a configuration offers beside the plain run: each option does what it says, also in a run that was stopped."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpusforge import api
from corpusforge.train.config import Config
from corpusforge.train.log import Steps, steps_of, validations_of
from corpusforge.train.state import complete
from tests.train.runs import EOD, LLAMA, VOCABULARY, config, events, kill_at, shard, start

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

STEPS = 12
OFFLOADED = {"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}}
GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4}
"""A model that has dropout of a tenth."""
OTHER = {"a": 0.25, "b": 0.75}


def of(tokens: Path, run: str = "run", stage: int = 0, **changes: Any) -> Config:
    """A run whose rate does not hang on where it ends, so that one of fewer steps is its beginning."""
    given: dict[str, Any] = {
        "schedule": {"use": "constant", "peak": 3e-3},
        "checkpoints": {"every": 100},
        "validation": {"every": 100, "samples": 8},
        "steps": STEPS,
    }
    return config(tokens, run, stage, **{**given, **changes})


def train(made: Config, root: Path) -> Path:
    return api.train_run(made, root, ray=False, say=lambda line: None)


def steps(made: Config, root: Path) -> Steps:
    return steps_of(train(made, root))


def stopped(tokens: Path, root: Path, at: int, **changes: Any) -> Steps:
    """The steps of a run that ends after ``at`` steps and then goes on."""
    train(of(tokens, "stopped", **{**changes, "steps": at}), root)
    return steps(of(tokens, "stopped", **changes), root)


def assert_same(found: Steps, expected: Steps, within: float = 0) -> None:
    assert found.step.tolist() == expected.step.tolist()
    for name in ("first", "samples", "loss", "grad_norm"):
        np.testing.assert_allclose(found.columns[name], expected.columns[name], rtol=within, err_msg=name)


def sources_of(run: Path, wanted: range) -> list[str]:
    """The source of each sample that some steps read, in the order of samples."""
    rows = [row for step in wanted for row in api.trace_step(run, step)]
    by_sample = {row["sample"]: row["source"] for row in rows}
    return [by_sample[sample] for sample in sorted(by_sample)]


def places_of(run: Path, wanted: range) -> set[tuple[Any, ...]]:
    """Where each sample that some steps read begins in its source."""
    first: dict[int, tuple[Any, ...]] = {}
    for step in wanted:
        for row in api.trace_step(run, step):
            told = row["document"]
            first.setdefault(row["sample"], (told["shard"], told["document"], told["start"]))
    assert len(set(first.values())) == len(first)
    return set(first.values())


def weights(run: Path, to: Path, step: int | None = None) -> bytes:
    """The weights of an exported checkpoint."""
    return (api.train_export(run, to, step) / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture(scope="module")
def plain(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twelve steps in fp32 with a validation and a checkpoint after every fourth."""
    often: dict[str, Any] = {"validation": {"every": 4, "samples": 8}, "checkpoints": {"every": 4, "keep": 9}}
    made = of(tokens, "plain", **often)
    return train(made, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_bf16_learns_as_fp32_does_and_goes_on_where_it_stopped(
    tokens: Path, tmp_path: Path, plain: Path, stage: int
) -> None:
    found = steps(of(tokens, stage=stage, precision="bf16"), tmp_path)
    # Four digits of the loss: a first step of another size, or weights without a copy in fp32, would be seen.
    np.testing.assert_allclose(found.columns["loss"], steps_of(plain).columns["loss"], rtol=1e-3)
    assert (found.columns["loss"] != steps_of(plain).columns["loss"]).all()
    assert_same(stopped(tokens, tmp_path, 5, stage=stage, precision="bf16"), found)


@pytest.mark.parametrize("deepspeed", [OFFLOADED, "jobs/deepspeed/zero3_offload.json"], ids=["zero2", "zero3"])
def test_an_optimizer_on_the_host_gives_the_same_losses_and_compiles_nothing(
    tokens: Path, tmp_path: Path, plain: Path, deepspeed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no compiler and no ninja
    monkeypatch.delenv("CXX", raising=False)
    found = steps(of(tokens, deepspeed=deepspeed), tmp_path)
    assert_same(found, steps_of(plain), within=1e-5)
    assert_same(stopped(tokens, tmp_path, 5, deepspeed=deepspeed), found)


@pytest.mark.parametrize("stage", [0, 1, 3])
def test_activations_that_are_computed_again_change_no_loss(tokens: Path, tmp_path: Path, stage: int) -> None:
    kept, again = (
        steps(of(tokens, f"again_{recompute}", stage, model={"config": GPT2, "recompute": recompute}), tmp_path)
        for recompute in (False, True)
    )
    assert_same(again, kept, within=1e-5)


def test_a_compiled_model_gives_the_same_losses(tokens: Path, tmp_path: Path, plain: Path) -> None:
    accelerator = pytest.importorskip("deepspeed.accelerator").get_accelerator()
    usual = accelerator.get_compile_backend()
    accelerator.set_compile_backend("aot_eager")  # traced and split as always, and then not compiled: it takes minutes
    try:
        found = steps(of(tokens, model={"config": LLAMA, "compile": True}), tmp_path)
    finally:
        accelerator.set_compile_backend(usual)
    assert_same(found, steps_of(plain), within=1e-5)
    assert_same(steps(of(tokens, steps=14), tmp_path), steps(of(tokens, "longer", steps=14), tmp_path), within=1e-5)


def test_without_a_compiler_compiling_is_refused_before_the_first_step(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    compiled = {"config": LLAMA, "compile": True}
    with pytest.raises(api.NotTrained, match=r"model\.compile: .* finds no g\+\+; install one, name it in CXX, or"):
        train(of(tokens, model=compiled), tmp_path)
    assert len(steps(of(tokens, "sharded", 3, model=compiled, steps=2), tmp_path)) == 2, "ZeRO-3 compiles nothing"


@pytest.mark.parametrize("at", [5, 6, 7])
def test_batch_sizes_follow_their_schedule(tokens: Path, tmp_path: Path, at: int) -> None:
    batch: Any = {"samples": {0: 4, 6: 8}, "micro": 2}
    found = steps(of(tokens, batch=batch), tmp_path)
    assert found.columns["samples"].tolist() == [4] * 6 + [8] * 6
    assert found.columns["first"].tolist() == [0, 4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64]
    assert_same(stopped(tokens, tmp_path, at, batch=batch), found)


def test_another_batch_size_holds_from_where_the_run_goes_on(tokens: Path, tmp_path: Path) -> None:
    train(of(tokens, steps=5), tmp_path)
    found = steps(of(tokens, batch={"samples": 16, "micro": 4}), tmp_path)
    assert found.columns["samples"].tolist() == [8] * 5 + [16] * 7
    assert_same(found, steps(of(tokens, "planned", batch={"samples": {0: 8, 5: 16}}), tmp_path), within=1e-5)


def test_another_mixture_holds_from_where_the_run_goes_on(tokens: Path, tmp_path: Path, plain: Path) -> None:
    data = data_of(tokens)
    train(of(tokens, steps=5), tmp_path)
    run = train(of(tokens, data={**data, "mixture": OTHER}), tmp_path)
    assert steps_of(run).columns["loss"][:5].tolist() == steps_of(plain).columns["loss"][:5].tolist()
    assert sources_of(run, range(5)) == sources_of(plain, range(5))
    assert Counter(sources_of(run, range(5, 12))) == {"a": 14, "b": 42}
    planned = [{"from_sample": 0, "weights": data["mixture"]}, {"from_sample": 40, "weights": OTHER}]
    assert_same(steps_of(run), steps(of(tokens, "planned", data={**data, "mixture": planned}), tmp_path))


def test_a_source_may_come_and_another_be_heard_no_more(tokens: Path, tmp_path: Path) -> None:
    data = data_of(tokens)
    train(of(tokens, steps=5), tmp_path)
    more = {**data["sources"], "c": source(tokens, "c")}
    run = train(of(tokens, data={**data, "sources": more, "mixture": {"a": 1, "c": 1}}), tmp_path)
    assert Counter(sources_of(run, range(5))) == {"a": 30, "b": 10}
    assert Counter(sources_of(run, range(5, 12))) == {"a": 28, "c": 28}
    assert len(places_of(run, range(12))) == 96


def test_a_fork_goes_on_with_the_state_of_a_step_and_repeats_no_sample(
    tokens: Path, tmp_path: Path, plain: Path
) -> None:
    same = steps(of(tokens, "same", start={"run": str(plain), "step": 8}), tmp_path)
    assert same.step.tolist() == [8, 9, 10, 11]
    for name in ("first", "loss", "grad_norm"):
        assert same.columns[name].tolist() == steps_of(plain).columns[name][8:].tolist()
    decay = {"use": "wsd", "peak": 3e-3, "decay_steps": 4, "decay": "linear"}
    data = {**data_of(tokens), "mixture": OTHER}
    validation = {"every": 4, "samples": 8, "least_gain": 100.0}
    told: dict[str, Any] = {"schedule": decay, "data": data, "validation": validation}
    run = train(of(tokens, "decay", start={"run": str(plain), "step": 8}, **told), tmp_path)
    assert steps_of(run).columns["lr"].tolist() == pytest.approx([2.25e-3, 1.5e-3, 0.75e-3, 0])
    assert Counter(sources_of(run, range(8, 12))) == {"a": 8, "b": 24}
    assert not places_of(run, range(8, 12)) & places_of(plain, range(8))
    (begun,) = events(run, "start")
    assert begun["text"] == "goes on from step 8 of plain with 1 workers"
    assert [event["step"] for event in events(run, "best")] == [12], "the best of another run is not its best"
    assert complete(plain) == [4, 8, 12]


def test_a_fork_that_is_stopped_goes_on_with_itself(tokens: Path, tmp_path: Path, plain: Path) -> None:
    newest = {"run": str(plain)}
    whole = steps(of(tokens, "whole", start=newest, steps=18), tmp_path)
    assert whole.step.tolist() == [12, 13, 14, 15, 16, 17]
    train(of(tokens, "stopped", start=newest, steps=15), tmp_path)
    run = train(of(tokens, "stopped", start=newest, steps=18), tmp_path)
    assert_same(steps_of(run), whole)
    assert [event["step"] for event in events(run, "resume")] == [15]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 5}, r"start\.step: .*plain has no checkpoint of step 5; there are 4, 8, 12"),
        ({"run": "nowhere"}, r"start\.run: .*nowhere has no complete checkpoint"),
    ],
)
def test_a_start_that_is_not_there_is_told(
    tokens: Path, tmp_path: Path, plain: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(api.NotTrained, match=message):
        train(of(tokens, start={"run": str(plain), **changes}), tmp_path)


def test_a_checkpoint_of_another_precision_or_stage_is_refused(tokens: Path, tmp_path: Path, plain: Path) -> None:
    forked: dict[str, Any] = {"start": {"run": str(plain)}, "steps": 14}
    with pytest.raises(api.NotTrained, match="was trained with precision fp32 and this run says bf16"):
        train(of(tokens, "precision", precision="bf16", **forked), tmp_path)
    with pytest.raises(api.NotTrained, match="written with ZeRO stage 0 and cannot be read with stage 1; set"):
        train(of(tokens, "stage", 1, **forked), tmp_path)
    with pytest.raises(api.NotTrained, match=r"another model \(model.config.hidden_size was 32 and is now 16\)"):
        train(of(tokens, "model", model={"config": {**LLAMA, "hidden_size": 16}}, **forked), tmp_path)
    data = data_of(tokens)
    fewer = {**data, "sources": {"a": data["sources"]["a"]}, "mixture": {}}
    with pytest.raises(api.NotTrained, match="samples were read from b, which is not there any more; list it too"):
        train(of(tokens, "fewer", data=fewer, **forked), tmp_path)
    train(of(tokens, "sharded", 1, steps=5), tmp_path)
    assert_same(steps(of(tokens, "sharded", 2), tmp_path), steps_of(plain), within=1e-5)


def test_a_run_that_gets_no_better_stops_early_and_gives_its_best(tokens: Path, tmp_path: Path) -> None:
    # No validation is better than the first by a hundred nats.
    validation = {"every": 3, "samples": 8, "patience": 2, "least_gain": 100.0}
    run = train(of(tokens, steps=30, validation=validation, checkpoints={"every": 4, "keep": 1}), tmp_path)
    assert len(steps_of(run)) == 9
    (event,) = events(run, "early_stop")
    assert event["step"] == 9
    assert event["text"] == "2 validations brought nothing; the best is that of step 3"
    assert complete(run) == [3, 9]
    given, best, last = (weights(run, tmp_path / str(step), step) for step in (None, 3, 9))
    assert given == best != last
    train(of(tokens, steps=30, validation=validation, checkpoints={"every": 4, "keep": 1}), tmp_path)
    assert len(steps_of(run)) == 9
    validation["patience"] = 3
    train(of(tokens, steps=30, validation=validation, checkpoints={"every": 4, "keep": 1}), tmp_path)
    assert len(steps_of(run)) == 12


def test_a_run_that_gets_better_is_not_stopped_by_its_patience(tokens: Path, tmp_path: Path) -> None:
    validation = {"every": 3, "samples": 16, "patience": 1}
    run = train(of(tokens, validation=validation), tmp_path)
    assert len(steps_of(run)) == STEPS
    assert events(run, "early_stop") == []
    assert [event["step"] for event in events(run, "best")] == [3, 6, 9, 12]


ODD = 24
"""The step whose batch is noise; the loss before it falls by little a step."""
WATCH = {"sigmas": 6.0, "window": 8}
KINDS = [(0, "fp32"), (1, "fp32"), (3, "fp32"), (0, "bf16")]


def odd(tokens: Path, run: str, stage: int, batches: int = 1, **changes: Any) -> Config:
    """A run over one source whose batches from step ``ODD`` on are noise for a while."""
    data = data_of(tokens)
    sources = {"a": data["sources"]["a"], "noise": source(tokens, "noise")}
    file = tokens / "noise.bin"
    ids = np.fromfile(file, "<u2")
    ids[ids != EOD] = np.random.default_rng(9).integers(1, VOCABULARY, int((ids != EOD).sum()))
    file.write_bytes(ids.tobytes())
    mixture = [{"from_sample": 0, "weights": {"a": 1}}, {"from_sample": 8 * ODD, "weights": {"noise": 1}}]
    mixture += [{"from_sample": 8 * (ODD + batches), "weights": {"a": 1}}]
    made: dict[str, Any] = {"data": {**data, "sources": sources, "mixture": mixture if batches else {"a": 1}}}
    return of(tokens, run, stage, **{**made, "steps": 32, **changes})


@pytest.mark.parametrize(("stage", "precision"), KINDS)
def test_a_skipped_spike_leaves_the_model_as_it_was(tokens: Path, tmp_path: Path, stage: int, precision: str) -> None:
    kind: dict[str, Any] = {"stage": stage, "precision": precision}
    without = steps(odd(tokens, "without", batches=0, **kind), tmp_path).columns["loss"]
    run = train(odd(tokens, "skipped", spikes={**WATCH, "act": "skip"}, **kind), tmp_path)
    assert [event["step"] for event in events(run, "skip")] == [ODD]
    found = steps_of(run).columns["loss"]
    assert found[ODD] > found[ODD - 1] + 1
    assert np.delete(found, ODD).tolist() == without[:-1].tolist()
    named = steps(odd(tokens, "named", spikes={**WATCH, "act": "name"}, **kind), tmp_path).columns["loss"]
    assert named[ODD] == found[ODD]
    assert (np.abs(named - found)[ODD + 1 :] > 1e-3).all(), "the update would have shown"


@pytest.mark.parametrize("at", [ODD - 1, ODD + 1])
def test_a_run_that_skips_decides_alike_when_it_was_stopped(tokens: Path, tmp_path: Path, at: int) -> None:
    told: dict[str, Any] = {"stage": 1, "spikes": {**WATCH, "act": "skip"}}
    whole = steps(odd(tokens, "whole", **told), tmp_path)
    train(odd(tokens, "stopped", steps=at, **told), tmp_path)
    run = train(odd(tokens, "stopped", **told), tmp_path)
    assert_same(steps_of(run), whole)
    assert [event["step"] for event in events(run, "skip")] == [ODD]


def test_batches_that_spike_one_after_the_other_are_all_left_out(tokens: Path, tmp_path: Path) -> None:
    without = steps(odd(tokens, "without", 1, batches=0), tmp_path).columns["loss"]
    spikes = {**WATCH, "act": "rewind"}
    run = train(odd(tokens, "rewound", 1, batches=2, spikes=spikes, checkpoints={"every": 10}), tmp_path)
    assert [event["step"] for event in events(run, "rewind")] == [20, 20]
    found = steps_of(run)
    assert found.columns["loss"].tolist() == without.tolist()
    assert found.columns["first"].tolist() == [8 * step + 16 * (step >= ODD) for step in range(32)]


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_clipping_shortens_the_gradient_and_not_what_is_logged(tokens: Path, tmp_path: Path, stage: int) -> None:
    losses, norms = {}, {}
    for name, clip, peak in (("begun", 0.0, 1e-12), ("whole", 0.0, 1e-2), ("clipped", 0.1, 1e-2)):
        # Beside an epsilon of 1 AdamW's first step is the gradient itself.
        optimizer = {"clip": clip, "epsilon": 1.0, "weight_decay": 0.0}
        schedule = {"use": "constant", "peak": peak}
        run = train(of(tokens, name, stage, steps=1, optimizer=optimizer, schedule=schedule), tmp_path)
        losses[name] = validations_of(run).rows[0]["mean"]["loss"]
        norms[name] = float(steps_of(run).columns["grad_norm"][0])
    assert norms["clipped"] == pytest.approx(norms["whole"], rel=1e-5)
    share = (losses["begun"] - losses["clipped"]) / (losses["begun"] - losses["whole"])
    assert share == pytest.approx(0.1 / norms["whole"], rel=0.05)


def test_adapters_that_were_killed_go_on(tokens: Path, tmp_path: Path) -> None:
    model = {"config": LLAMA, "lora": {"rank": 2, "dropout": 0.1}}
    made = of(
        tokens, stage=1, model=model, steps=40, checkpoints={"every": 4}, schedule={"use": "constant", "peak": 1e-2}
    )
    whole = steps(made, tmp_path / "whole")
    assert whole.columns["loss"][-1] < whole.columns["loss"][0] - 0.1
    kill_at(start(made, tmp_path / "killed"), tmp_path / "killed" / "run", 6)
    assert_same(steps(made, tmp_path / "killed"), whole)
    (resumed,) = events(tmp_path / "killed" / "run", "resume")
    assert resumed["step"] % 4 == 0
    given = [weights(tmp_path / name / "run", tmp_path / name / "model") for name in ("whole", "killed")]
    assert given[0] == given[1]


def data_of(tokens: Path) -> dict[str, Any]:
    """The data of a run over the sources ``a`` and ``b``."""
    made = of(tokens)
    sources = {name: source(tokens, name) for name in ("a", "b")}
    return {
        "sources": sources,
        "mixture": made.data.mixture,
        "sequence": made.data.sequence,
        "seed": made.data.seed,
    }


def source(tokens: Path, name: str) -> dict[str, Any]:
    """A source of tokens, made where it is not there."""
    if not (tokens / name).with_suffix(".bin").exists():
        shard(tokens / name, 400, len(name) + ord(name[0]))
    held = [str(tokens / "held")]
    return {"megatron": [str(tokens / name)], "eod": EOD, "vocabulary": VOCABULARY, "validation": held}
