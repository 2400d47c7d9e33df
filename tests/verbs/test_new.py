"""`new stage` writes what passes as it is, and never over a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpusforge import api
from corpusforge.recipe import parse_recipe

ROOT = Path(__file__).parents[2]


def run(folder: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["kana_share", "x2"])
def test_what_is_written_passes_as_it_is(name: str, tmp_path: Path) -> None:
    stage, test = api.new_stage(name, tmp_path / "lab")
    run(tmp_path / "lab", "pytest", "-q", "-p", "no:cacheprovider", test.name)
    settings = ["--config", str(ROOT / "pyproject.toml")]
    run(tmp_path / "lab", "ruff", "check", "--no-cache", *settings, ".")
    run(tmp_path / "lab", "ruff", "format", "--no-cache", "--check", *settings, ".")
    run(ROOT, "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), str(stage))


def test_a_recipe_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.new_stage("dot_share", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    part = '{use: "dot_share:DotShare", at_least: 0.2}'
    made = parse_recipe(f"corpus: c\npasses: [{{name: read, source: plain.PlainText, stages: [{part}]}}]")
    assert made.passes[0].stages[0].at_least == 0.2


def test_it_never_writes_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "test_kana_share.py").write_text("mine")
    with pytest.raises(api.NotNew, match=r"there is a .*test_kana_share\.py already"):
        api.new_stage("kana_share", tmp_path)
    assert os.listdir(tmp_path) == ["test_kana_share.py"]


@pytest.mark.parametrize("name", ["KanaShare", "kana-share", "class", "", "../x", "1a", "a__b"])
def test_a_name_that_is_none_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(api.NotNew, match="cannot be the name of a stage"):
        api.new_stage(name, tmp_path)
