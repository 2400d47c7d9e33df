"""Perils through the real command line: true causes, neighbours that complete, and a printed command that resumes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from corpusforge.demo.records import member, record, record_id, response

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
RECIPE = """\
corpus: perilous
passes:
  - name: extract
    source: {{use: warc.Warc}}
    memory: 600000000
    stages:
      - {{use: "tests.crash.stages:Peril", cured: {cured}}}
      - {{use: main_text.MainText}}
  - name: clean
    stages:
      - {{use: language.Language}}
"""


def warc(folder: Path, name: str, perils: list[str]) -> None:
    """A file with one page for each peril."""
    records = []
    for number, peril in enumerate(perils):
        body = "".join(f"<p>This is paragraph {n} of page {number} of {name}, about nothing.</p>" for n in range(9))
        block = response(f"<html><body><article>{body}</article></body></html>".encode(), "text/html", 200)
        url = {"WARC-Target-URI": f"https://{name}.example/{number}?peril={peril}", "Content-Type": "application/http"}
        records.append(member(record("response", record_id(name, number), number, block, url)))
    (folder / f"{name}.warc.gz").write_bytes(b"".join(records))


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """``corpusforge build`` as a user starts it."""
    command = [sys.executable, "-m", "corpusforge", "build", "recipe.yaml", "--input", "in", "--root", "out"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([*command, "--workers", "2", *more], cwd=folder, env=env, capture_output=True, text=True)


def verified(folder: Path, version: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "corpusforge", "verify", f"out/perilous/{version}", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("perils")
    (made / "in").mkdir()
    for peril in ("segfault", "numpy", "rust", "lxml", "raise"):
        warc(made / "in", peril, ["none", peril, "none"])
    warc(made / "in", "none", ["none"] * 3)
    (made / "recipe.yaml").write_text(RECIPE.format(cured="false"))
    return made


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder)


def test_each_failed_unit_is_named_with_its_true_cause(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 1
    causes = dict(re.findall(r"^extract/\d+ \((\w+)\.warc\.gz bytes \d+-\d+\): (.*)$", first.stderr, re.MULTILINE))
    assert set(causes) == {"numpy", "rust", "lxml", "raise"}, first.stderr
    assert "Unable to allocate" in causes["numpy"]
    assert "stage Peril" in causes["numpy"]
    assert "out of memory" in causes["rust"]
    assert re.search("memory|MemoryError", causes["lxml"], re.IGNORECASE)
    assert "the kana are out of order" in causes["raise"]
    assert re.search(r"document [0-9a-f]{32} \(https://raise\.example/1\?peril=raise\)", causes["raise"])


def test_the_others_complete_and_the_killer_is_dropped(folder: Path, first: subprocess.CompletedProcess[str]) -> None:
    found = verified(folder, "dev-1")
    extract = next(p for p in found["passes"] if p["pass"] == "extract")
    assert (extract["units"], extract["documents"], extract["guarded"]) == (2, 5, 1)
    assert len([u for u in found["undone"] if u.startswith("extract/")]) == 4
    assert "clean: not planned yet" in found["undone"]


def test_the_printed_command_resumes(folder: Path, first: subprocess.CompletedProcess[str]) -> None:
    command = re.search(r"with:\n  \S*corpusforge build (.*)$", first.stderr, re.MULTILINE)
    assert command
    assert command[1].startswith("recipe.yaml --input in --root out")
    again = run(folder)
    assert "2 done before" in again.stdout
    assert again.returncode == 1


def test_allow_failed_goes_on_without_them(folder: Path, first: subprocess.CompletedProcess[str]) -> None:
    done = run(folder, "--allow-failed", "4")
    assert done.returncode == 0, done.stderr
    found = verified(folder, "dev-2")
    assert found["documents"] == 5
    assert not found["wrong"]
    card = (folder / "out" / "perilous" / "dev-2" / "card.md").read_text()
    assert card.count("the kana are out of order") == 1


def test_cured_perils_leave_nothing_out(folder: Path, first: subprocess.CompletedProcess[str]) -> None:
    (folder / "recipe.yaml").write_text(RECIPE.format(cured="true"))
    done = run(folder, "--version", "cured")
    assert done.returncode == 0, done.stderr
    assert verified(folder, "cured")["documents"] == 18
