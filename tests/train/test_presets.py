"""Presets fill what a configuration leaves out, say where their numbers are from, and never win over the file."""

from pathlib import Path

import pytest

from corpusforge import api
from corpusforge.parts import RecipeError
from corpusforge.train.config import Config, as_json, from_json, read_config
from corpusforge.train.presets import presets
from corpusforge.train.schedules import Schedule

RUN = "run: r\ndata: {sources: {a: {corpus: out/a/dev}}}\nmodel: {config: {model_type: llama}}\n"


def read(folder: Path, text: str) -> Config:
    path = folder / "run.yaml"
    path.write_text(RUN + text)
    return read_config(path)


def test_the_file_goes_before_the_preset_and_the_rest_is_filled(tmp_path: Path) -> None:
    made = read(tmp_path, "preset: sarashina2\nschedule: {warmup_steps: 7}\noptimizer: {clip: 0.5}\n")
    assert (made.schedule.use, made.schedule.peak, made.schedule.warmup_steps) == ("cosine", 2.5e-4, 7)
    assert (made.optimizer.clip, made.optimizer.weight_decay) == (0.5, 0.1)
    assert from_json(as_json(made)) == made


def test_a_preset_holds_in_python_too(tmp_path: Path) -> None:
    file = read(tmp_path, "")
    made = Config("r", file.data, file.model, preset="bert", schedule=Schedule(peak=1.0))
    assert made.schedule.peak == 1.0
    assert made.optimizer.betas == (0.9, 0.999)


def test_an_unknown_preset_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no preset sarasina; take one of tiny, gpt3_125m, .*sarashina2"):
        read(tmp_path, "preset: sarasina\n")


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_a_configuration_with_a_source(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"preset: {name}\n").preset == name
    assert len(api.train_presets()[name]) > 20


def test_shares_of_a_run_are_steps_of_it() -> None:
    share = Schedule("wsd", peak=1.0, warmup_steps=0.1, decay_steps=0.2)
    steps = Schedule("wsd", peak=1.0, warmup_steps=20, decay_steps=40)
    assert [share.rate(step, 200) for step in range(200)] == [steps.rate(step, 200) for step in range(200)]
    with pytest.raises(ValueError, match="warmup_steps"):
        Schedule(warmup_steps=1.5)
