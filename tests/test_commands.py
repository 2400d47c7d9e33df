"""docs/commands.md: every command in it is run as it stands, every verb, status and variable of ours is in it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from corpusforge.cli import app
from corpusforge.demo.write import write

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]
BIN = Path(sys.executable).parent


def run(folder: Path, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CORPUSFORGE_") and k != "PYTHONPATH"}
    environment = {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", **more}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("commands")
    write(made / "crawl", pages=40)
    text = "本文の段落です。日本語の文章が続きます。今日は天気がよいので、川まで歩いて帰りました。" * 8
    (made / "page.html").write_text(
        f"<html><body><nav>案内</nav><article><p>{text}</p></article></body></html>", "utf-8"
    )
    return made


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, str]:
    """What every command of the page prints, in its order."""
    found = {}
    for command in COMMANDS:
        done = run(folder, command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        found[command] = done.stdout
    return found


def test_every_command_of_the_page_runs_as_it_stands(told: dict[str, str]) -> None:
    for command, output in told.items():
        assert bool(output.strip()) != ("--quiet" in command), command
    assert "estimate: about " in told["corpusforge check web_ja --input crawl --estimate"]
    assert "nothing was left to do" in told["CORPUSFORGE_ROOT=out corpusforge build web_ja --input crawl --pool serial"]
    assert "web_multi/dev-1/extract/000000: " in next(text for line, text in told.items() if "--verbose" in line)
    assert "removed 0 files" in told["corpusforge gc out/web_ja --keep 3 --older-than 30d"]
    forgotten = [text for line, text in told.items() if line.startswith("corpusforge forget")]
    assert forgotten == [f"out/web_ja/dev has tokens of {n} of 1; they are forgotten\n" for n in (1, 0)]


def test_every_verb_has_a_command() -> None:
    groups = {name for command in app.registered_groups if (name := command.name)}
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    used = {match[1] for command in COMMANDS if (match := re.match(r"(?:\w+=\S+ )*corpusforge (\w+)", command))}
    assert verbs | groups == used


def test_every_variable_of_ours_is_explained() -> None:
    files = [
        *(ROOT / "corpusforge").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
        *(ROOT / "benchmarks").rglob("*.py"),
    ]
    named = {name for file in files for name in re.findall(r"\bCORPUSFORGE_[A-Z]+\b", file.read_text("utf-8"))}
    assert named == set(re.findall(r"^\| `(CORPUSFORGE_[A-Z]+)` ", PAGE, re.MULTILINE))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", PAGE))))
def test_what_the_page_links_to_exists(target: str) -> None:
    assert (ROOT / "docs" / target).exists()


STATUSES = [
    (0, "corpusforge recipes"),
    (0, "corpusforge --help"),
    (1, "corpusforge build nothing --input crawl --root out"),
    (1, "corpusforge verify out/web_ja/nowhere"),
    (1, "corpusforge doctor --root page.html/out"),
    (1, "corpusforge try web_ja page.html --record 7"),
    (1, "corpusforge gc nowhere"),
    (1, "corpusforge forget out/web_ja/dev unknown --reason x"),
    (1, "corpusforge new stage Bad-Name"),
    (1, "corpusforge check web_ja --estimate"),
    (2, "corpusforge"),
    (2, "corpusforge bild"),
    (2, "corpusforge build web_ja --input crawl"),
    (2, "corpusforge build web_ja --input crawl --root out --wrokers 2"),
    (2, "corpusforge build web_ja --input crawl --root out --workers 0"),
    (2, "corpusforge build web_ja --input crawl --root out --quiet --verbose"),
    (2, "corpusforge gc out/web_ja --older-than tomorrow"),
    (2, "corpusforge forget out/web_ja/dev unknown"),
    (2, "corpusforge forget out/web_ja/dev unknown --reason x --date yesterday"),
    (2, "corpusforge forget out/web_ja/dev @nowhere.txt --reason x"),
    (2, "corpusforge forget out/web_ja/dev @/dev/null --reason x"),
    (2, "corpusforge new"),
]


@pytest.mark.parametrize(("status", "command"), STATUSES, ids=[command for _, command in STATUSES])
def test_the_exit_status_says_what_kind_of_end_it_was(folder: Path, status: int, command: str) -> None:
    done = run(folder, command)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    if status:
        assert done.stderr.strip() or "Usage" in done.stdout or "\nerror    " in done.stdout


def test_a_damaged_file_is_status_1_of_verify(folder: Path, told: dict[str, str]) -> None:
    shard = next((folder / "out" / "web_multi" / "dev-1" / "clean").glob("*.kept.parquet"))
    data = shard.read_bytes()
    shard.write_bytes(data[:-1] + b"?")
    try:
        assert run(folder, "corpusforge verify out/web_multi/dev").returncode == 1
    finally:
        shard.write_bytes(data)


def test_failed_units_are_status_1_and_named_in_full(folder: Path) -> None:
    (folder / "broken.py").write_text(
        "from typing import ClassVar\nfrom pydantic.dataclasses import dataclass\n\n"
        "@dataclass(frozen=True)\nclass Broken:\n    revision: ClassVar[int] = 1\n"
        "    reads: ClassVar[tuple] = ()\n    writes: ClassVar[dict] = {}\n"
        "    def __call__(self, batch):\n        raise ValueError('too odd')\n"
    )
    (folder / "broken.yaml").write_text('corpus: b\npasses: [{name: x, source: warc.Warc, stages: ["broken:Broken"]}]')
    command = "corpusforge build broken.yaml --input crawl/demo-00000.warc.gz --root out --pool serial --quiet"
    done = run(folder, command, PYTHONPATH=".")
    assert done.returncode == 1
    assert done.stdout.startswith("FAILED b/dev-1/x/000000 (demo-00000.warc.gz bytes 0-")
    assert "ValueError: too odd (stage Broken, document " in done.stdout
    assert "Try these again with:" in done.stderr


def test_workers_and_address_come_from_the_environment(folder: Path) -> None:
    command = "corpusforge build web_ja --input crawl --root out"
    assert run(folder, command, CORPUSFORGE_WORKERS="none").returncode == 2
    done = run(folder, command, CORPUSFORGE_ADDRESS="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "no Ray cluster takes jobs at http://127.0.0.1:9" in done.stderr
    assert run(folder, f"{command} --pool serial", CORPUSFORGE_ADDRESS="http://127.0.0.1:9").returncode == 0


def test_completion_is_installed_and_completes(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    done = run(folder, "corpusforge --install-completion; true", HOME=str(home))
    assert "completion installed" in done.stdout
    assert "corpusforge" in (home / ".bash_completions" / "corpusforge.sh").read_text()
    asked = {"_CORPUSFORGE_COMPLETE": "complete_bash", "COMP_CWORD": "2", "COMP_WORDS": "corpusforge build web"}
    assert run(folder, "corpusforge", **asked).stdout.split() == ["web_en", "web_ja", "web_multi"]
