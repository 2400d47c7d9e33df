"""Every configuration that is shipped trains, made small in its sizes alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from corpusforge import api
from corpusforge.train.config import Config, read_config
from corpusforge.train.log import steps_of
from corpusforge.train.state import state_of
from tests.train.pairs import train_by_two
from tests.train.runs import config, corpus_of_words

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

JOBS = Path(__file__).parents[2] / "jobs"
CONFIGS = sorted(path.stem for path in (JOBS / "configs").glob("*.yaml"))
DEEPSPEED = sorted(path.stem for path in (JOBS / "deepspeed").glob("*.json"))
SMALL = {"steps": 2, "data.sequence": 32, "batch": {"samples": 8, "micro": 2}}
"""Sizes of every run; how many workers train is not looked at without Ray."""
LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
OF_MODEL = {f"model.config.{name}": size for name, size in LAYERS.items()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A corpus with the ends of words and sentences."""
    return corpus_of_words(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def base(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of Hugging Face with a tokenizer, to go on from."""
    root = tmp_path_factory.mktemp("base")
    changes = {**SMALL, **OF_MODEL, "data.sources.web.corpus": corpus, "trackers": []}
    changes["model.config.max_position_embeddings"] = 512
    run = trained("demo", root, changes)
    return api.train_export(run, root / "model")


@pytest.fixture
def changes(request: pytest.FixtureRequest, corpus: str, base: Path, tmp_path: Path) -> dict[str, Any]:
    """The sizes and places of a configuration that is shipped."""
    for name in ("train", "held"):
        turns = [{"role": "user", "content": "問い"}, {"role": "assistant", "content": f"はい、{name}。"}]
        (tmp_path / f"{name}.jsonl").write_text(f"{json.dumps({'messages': turns}, ensure_ascii=False)}\n" * 20)
    files = {"data.sources.chats.examples": [str(tmp_path / "train.jsonl")]}
    files["data.sources.chats.validation"] = [str(tmp_path / "held.jsonl")]
    places: dict[str, dict[str, Any]] = {
        "demo": {"data.sources.web.corpus": corpus, **OF_MODEL},
        "llama_1b": {"data.sources.web.corpus": corpus, **OF_MODEL},
        "bert": {"data.sources.web.corpus": corpus, **OF_MODEL},
        "continue": {f"data.sources.{name}.corpus": corpus for name in ("field", "general")}
        | {"model.path": str(base)},
        "sft": {**files, "model.path": str(base), "data.sequence": 256},
    }
    return {**SMALL, **places[request.param]}


def trained(name: str, root: Path, changes: dict[str, Any]) -> Path:
    return api.train_run(JOBS / "configs" / f"{name}.yaml", root, changes, ray=False, say=lambda line: None)


@pytest.mark.parametrize(("name", "changes"), [(name, name) for name in CONFIGS], indirect=["changes"])
def test_a_configuration_that_is_shipped_trains_and_is_exported(
    name: str, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(JOBS.parent)  # they name DeepSpeed's settings from there
    run = trained(name, tmp_path, changes)
    told = steps_of(run)
    assert len(told) == 2
    assert (told.columns["loss"] > 0).all()
    given = read_config(JOBS / "configs" / f"{name}.yaml")
    assert told.columns["lr"][0] == given.schedule.rate(0, 2)
    assert state_of(run, 2).best_step == 2, "held-out text was looked at"
    assert (api.train_export(run, tmp_path / "model") / "model.safetensors").stat().st_size > 10_000


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two workers with each of DeepSpeed's settings that are shipped."""
    root = tmp_path_factory.mktemp("sharded")
    train_by_two([of(root, name, precision) for name in DEEPSPEED for precision in ("fp32", "bf16")], root)
    return root


def of(root: Path, name: str, precision: str) -> Config:
    settings = str(JOBS / "deepspeed" / f"{name}.json")
    return config(root, f"{name}_{precision}", steps=2, deepspeed=settings, precision=precision)


@pytest.mark.parametrize("name", DEEPSPEED)
def test_settings_of_deepspeed_that_are_shipped_give_the_same_losses(
    name: str, sharded: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("plain")
    plain = steps_of(api.train_run(config(sharded, steps=2), root, ray=False, say=lambda line: None))
    for precision, within in (("fp32", 1e-5), ("bf16", 5e-3)):
        found = steps_of(sharded / f"{name}_{precision}")
        for column in ("loss", "grad_norm"):
            assert found.columns[column] == pytest.approx(plain.columns[column], rel=within)
        state = state_of(sharded / f"{name}_{precision}", 2)
        assert (state.world, state.stage) == (2, int(name.removeprefix("zero")[0]))
