"""The recipes and commands of docs/inputs.md that read archives and pages are run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources.samples import arc, pages, warc, wet

TEXT = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
RECIPES = {
    name: text
    for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    for name in re.findall("^corpus: (.*)", text)
}
COMMANDS = [c for c in re.findall(r"```sh\n(corpusforge build .*?)\n```", TEXT) if "stores" not in c]


@pytest.mark.parametrize("name", ["crawls", "wet", "pages"])
def test_a_documented_recipe_reads_its_input(tmp_path: Path, name: str) -> None:
    (command,) = [c for c in COMMANDS if f" {name}.yaml " in c]
    (tmp_path / f"{name}.yaml").write_text(RECIPES[name], encoding="utf-8")
    folder = tmp_path / name
    folder.mkdir()
    samples = {"crawls": (warc.sample, arc.sample), "wet": (wet.sample,), "pages": (pages.sample,)}
    for sample in samples[name]:
        sample(folder)
    words = [sys.executable, "-m", *shlex.split(command), "--pool", "serial"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out" / name).rglob("*.kept.parquet"))
