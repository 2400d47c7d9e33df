"""What a run is begun with, goes on with and begins from is judged before anything of it is written."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpusforge.parts import RecipeError
from corpusforge.tokens.tokenizer import Train
from corpusforge.tokens.tokenizer import train as trained_tokenizer
from corpusforge.train.config import Config, as_json, from_json, read_config, resolved
from corpusforge.train.log import RunLog
from corpusforge.train.plan import read_plan
from corpusforge.train.state import FOLDER, STATE, State, name_of
from corpusforge.verbs.train import NotTrained, prepare, train_run
from tests.train.runs import LLAMA, config, shard

Say = Callable[[str], None]


def quiet(line: str) -> None:
    """Says nothing."""


def has_trained(run: Path, stage: int = 0) -> None:
    """Give a run a complete checkpoint, as far as those see it who do not read weights."""
    state = State(4, {0: 8}, segments=[{"from_sample": 0, "weights": {"a": 0.75, "b": 0.25}}], stage=stage)
    path = run / FOLDER / name_of(4) / STATE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(state.as_json()))


def changed(made: Config, change: Callable[[dict[str, Any]], None]) -> Config:
    told = as_json(made)
    change(told)
    return from_json(told)


def without_b(told: dict[str, Any]) -> None:
    del told["data"]["sources"]["b"]
    told["data"]["mixture"] = {}


def files_of(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}


def test_a_first_attempt_that_took_no_step_does_not_own_the_name(tmp_path: Path) -> None:
    refused = config(tmp_path, model={"config": {**LLAMA, "num_attention_heads": 5}})
    prepare(refused, tmp_path, quiet)
    made = config(tmp_path)
    run = prepare(made, tmp_path, quiet)
    assert json.loads((run / "config.json").read_bytes())["model"]["config"]["num_attention_heads"] == 4
    log = RunLog(run, 1)
    log.step(0, 0, 8, 256, 4.0, 1e-3, 1.0, 0.1, 0.0, None, None, {})
    log.close()
    with pytest.raises(
        NotTrained, match=r"was begun otherwise: config.model.config.num_attention_heads was 4 and is now"
    ):
        prepare(refused, tmp_path, quiet)


@pytest.mark.train
def test_a_configuration_that_was_refused_by_the_model_can_be_corrected(tmp_path: Path) -> None:
    pytest.importorskip("deepspeed")
    with pytest.raises(NotTrained, match=r"num_attention_heads|attention heads"):
        train_run(
            config(tmp_path, model={"config": {**LLAMA, "num_attention_heads": 5}}), tmp_path, ray=False, say=quiet
        )
    run = train_run(config(tmp_path, steps=2), tmp_path, ray=False, say=quiet)
    assert (run / FOLDER / name_of(2) / STATE).is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (without_b, "data.sources: samples were read from b, which is not there any more; list it too"),
        (
            lambda told: told.update(deepspeed={"zero_optimization": {"stage": 3}}),
            "written with ZeRO stage 0 and cannot be read with stage 3",
        ),
        (lambda told: told["data"].update(seed=8), "was begun otherwise: config.data.seed was 7 and is now 8"),
    ],
)
def test_a_run_that_cannot_go_on_stays_as_it_was(changes: Any, message: str, tmp_path: Path) -> None:
    made = config(tmp_path)
    run = prepare(made, tmp_path, quiet)
    has_trained(run)
    before = files_of(run)
    with pytest.raises(ValueError, match=message):
        prepare(changed(made, changes), tmp_path, quiet)
    assert files_of(run) == before
    said: list[str] = []
    prepare(replace(made, steps=20), tmp_path, said.append)
    assert said == ["changed: config.steps was 12 and is now 20"]


def test_a_tokenizer_is_kept_once_nothing_speaks_against_the_run(tmp_path: Path) -> None:
    texts = [f"日本の首都は東京です。 The capital {n} of {n * 7} is Tokyo." for n in range(900)]
    for name, size in (("one", 512), ("two", 520)):
        (tmp_path / f"{name}.json").write_bytes(trained_tokenizer(Train(vocab_size=size), texts, "<|endoftext|>"))

    def of(name: str, seed: int) -> Config:
        def change(told: dict[str, Any]) -> None:
            for source in told["data"]["sources"].values():
                source["tokenizer"] = str(tmp_path / f"{name}.json")
            told["data"]["seed"] = seed

        return changed(config(tmp_path), change)

    run = prepare(of("one", 7), tmp_path, quiet)
    has_trained(run)
    with pytest.raises(NotTrained, match=r"config.data.seed"):
        prepare(of("two", 8), tmp_path, quiet)
    assert (run / "tokenizer.json").read_bytes() == (tmp_path / "one.json").read_bytes()


def test_the_tokenizer_of_a_model_replaces_that_of_an_attempt_before(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    for name, files in (("one", ("tokenizer.json", "chat_template.jinja")), ("two", ("tokenizer.json",))):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_text(name)
    data = {"sources": {"chat": {"examples": [str(tmp_path / "x.jsonl")]}}, "sequence": 32}
    for name in ("one", "two"):
        tuned = config(tmp_path, data=data, objective={"use": "instruction"}, model={"path": str(tmp_path / name)})
        run = prepare(tuned, tmp_path, quiet)
    assert files_of(run / "tokenizer") == {"tokenizer.json": b"two"}
    with pytest.raises(ValueError, match=r"model.path: .*three is no folder; name that of a Hugging Face checkpoint"):
        prepare(replace(tuned, model=replace(tuned.model, path=str(tmp_path / "three"))), tmp_path, quiet)


@pytest.mark.parametrize("name", ["config.json", "plan.json"])
@pytest.mark.parametrize("torn", [b"", b'{"run": "run"', b"{}"])
def test_a_damaged_file_is_named_with_its_cure(name: str, torn: bytes, tmp_path: Path) -> None:
    made = config(tmp_path)
    run = prepare(made, tmp_path, quiet)
    (run / name).write_bytes(torn)
    prepare(made, tmp_path, quiet)  # nothing hangs on it yet
    has_trained(run)
    whole = (run / name).read_bytes()
    (run / name).write_bytes(torn)
    with pytest.raises(ValueError, match=rf"run/{name} cannot be read \(.*\): put a copy back, or remove it"):
        prepare(made, tmp_path, quiet)
    (run / name).unlink()
    prepare(made, tmp_path, quiet)
    assert (run / name).read_bytes() == whole


def relative(made: Config, folder: Path) -> Config:
    """The same configuration with paths as one in ``folder`` writes them."""
    return from_json(json.loads(json.dumps(as_json(made)).replace(f"{folder}/", "")))


def test_relative_paths_are_written_down_as_absolute_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    made = config(tmp_path, model={"path": str(tmp_path / "model")}, start={"run": str(tmp_path / "origin")})
    monkeypatch.chdir(tmp_path)
    given = relative(made, tmp_path)
    assert (given.model.path, given.data.sources["a"].megatron) == ("model", ("a",))  # type: ignore[union-attr]
    assert resolved(given) == made
    there = {"corpus": "s3://bucket/web/dev", "staging": "staged"}
    store = resolved(config(tmp_path, data={"sources": {"web": there}}))
    assert vars(store.data.sources["web"])["corpus"] == "s3://bucket/web/dev"
    assert vars(store.data.sources["web"])["staging"] == str(tmp_path / "staged")


def test_a_template_is_a_file_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.jinja").write_text("{{ messages }}")
    for template, expected in (("my.jinja", str(tmp_path / "my.jinja")), ("chatml", "chatml")):
        data = {"sources": {"chat": {"examples": ["x.jsonl"]}}}
        made = config(tmp_path, data=data, objective={"use": "instruction", "template": template})
        assert vars(resolved(made).objective)["template"] == expected


def test_a_run_that_was_begun_by_relative_paths_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tokenizer.json").write_text("{}")
    made = config(tmp_path, model={"path": str(tmp_path / "model")})
    run = prepare(made, tmp_path, quiet)
    has_trained(run)
    monkeypatch.chdir(tmp_path)
    (run / "config.json").write_text(json.dumps(as_json(relative(made, tmp_path))))
    said: list[str] = []
    prepare(relative(made, tmp_path), tmp_path, said.append)
    prepare(made, tmp_path, said.append)
    assert said == []


def test_a_source_that_another_run_knew_otherwise_is_refused(tmp_path: Path) -> None:
    origin = prepare(config(tmp_path, "origin"), tmp_path, quiet)
    has_trained(origin)
    forked = config(tmp_path, "forked", start={"run": str(origin)})
    assert read_plan(prepare(forked, tmp_path, quiet)).identities() == read_plan(origin).identities()
    shard(tmp_path / "other", 400, 99)

    def change(told: dict[str, Any]) -> None:
        told["data"]["sources"]["a"]["megatron"] = [str(tmp_path / "other")]

    with pytest.raises(
        ValueError, match=r"data.sources: a held something else in .*origin, which start.run begins from"
    ):
        prepare(changed(forked, change), tmp_path, quiet)

    def as_told(told: dict[str, Any]) -> None:
        told["data"]["sources"]["new"] = {**told["data"]["sources"]["a"], "megatron": [str(tmp_path / "other")]}
        told["data"]["mixture"] = {"new": 1.0, "b": 1.0}

    prepare(changed(forked, as_told), tmp_path, quiet)
    with pytest.raises(ValueError, match="samples were read from b"):
        prepare(changed(forked, without_b), tmp_path, quiet)


def test_patience_needs_held_out_text(tmp_path: Path) -> None:
    validation = {"every": 2, "samples": 8, "patience": 1}
    prepare(config(tmp_path, "fine", validation=validation), tmp_path, quiet)
    shard(tmp_path / "short", 1, 3)
    for held_out in ([], [str(tmp_path / "short")]):

        def change(told: dict[str, Any], held_out: list[str] = held_out) -> None:
            told["data"]["sequence"] = 128
            for source in told["data"]["sources"].values():
                source["validation"] = held_out

        made = changed(config(tmp_path, validation=validation), change)
        with pytest.raises(ValueError, match=r"validation.patience is 1 and nothing is validated: .* of 128 tokens"):
            prepare(made, tmp_path, quiet)
        prepare(replace(made, validation=replace(made.validation, patience=None)), tmp_path, quiet)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"workers": 0}, r"workers is 0; give a number from 1 on, or the least and the most, such as \[1, 8\]"),
        ({"workers": -1}, "workers is -1; give a number from 1 on"),
        ({"workers": [4, 2]}, r"workers is \[4, 2\]; give a number from 1 on"),
        ({"workers": [0, 2]}, r"workers is \[0, 2\]; give a number from 1 on"),
        ({"deepspeed.zero_optimization": 2}, r"zero_optimization is 2; write a mapping, such as \{stage: 2\}"),
        ({"deepspeed.zero_optimization": {"stage": 4}}, "zero_optimization.stage is 4; give 0, 1, 2 or 3"),
        ({"deepspeed.zero_optimization": {"stage": "two"}}, 'zero_optimization.stage is "two"; give 0, 1, 2 or 3'),
    ],
)
def test_what_can_never_run_is_refused_as_configuration(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(as_json(config(tmp_path))))  # JSON is YAML
    with pytest.raises(RecipeError, match=message):
        read_config(file, changes)


def test_settings_of_a_file_are_judged_alike(tmp_path: Path) -> None:
    file = tmp_path / "zero.json"
    file.write_text('{"zero_optimization": 2}')
    with pytest.raises(ValueError, match=r"^deepspeed: .*zero.json: zero_optimization is 2; write a mapping"):
        resolved(config(tmp_path, deepspeed=str(file)))
    file.write_text('{"zero_optimization": {"stage": 2}}')
    assert resolved(config(tmp_path, deepspeed=str(file))).zero_stage == 2
    assert config(tmp_path, workers=[1, 8]).workers == (1, 8)
