"""The command line as a person meets it: what it prints, and what it says when something is wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from corpusforge.demo.write import write

SHORT = """\
corpus: short
passes:
  - name: extract
    source: {use: warc.Warc}
    stages:
      - {use: main_text.MainText}
  - name: clean
    stages:
      - {use: language.Language}
"""


def corpusforge(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "corpusforge", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cli")
    write(made / "in", pages=40)
    (made / "short.yaml").write_text(SHORT)
    done = corpusforge(made, "build", "short.yaml", "--input", "in", "--root", "out", "--pool", "serial")
    assert done.returncode == 0, done.stderr
    (made / "said.txt").write_text(done.stdout)
    return made


def test_build_says_what_comes_what_happened_and_what_is_next(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    assert "building short/dev-1: 4 files" in said
    assert "extract: 4 units" in said
    assert "records kept" in said or "record kept" in said
    assert "report out/short/dev-1" in said
    assert "Traceback" not in said


def test_report_prints_the_waterfall_of_a_version_a_pass_and_a_unit(folder: Path) -> None:
    for where in ("out/short/dev", "out/short/dev-1/extract", "out/short/dev-1/extract/000000"):
        done = corpusforge(folder, "report", where)
        assert done.returncode == 0, done.stderr
        assert "MainText" in done.stdout
        assert "source.not_content" in done.stdout
        found = json.loads(corpusforge(folder, "report", where, "--json").stdout)
        assert found[0]["report"]["counts"]["records"] > 0


def test_verify_gives_one_digest_a_pass(folder: Path) -> None:
    found = json.loads(corpusforge(folder, "verify", "out/short/dev-1", "--json").stdout)
    assert [p["pass"] for p in found["passes"]] == ["extract", "clean"]
    assert {"digest", "documents", "tokens"} <= set(found)
    assert found["documents"] == found["passes"][1]["documents"]


def test_a_finished_build_says_that_nothing_is_left(folder: Path) -> None:
    started = time.monotonic()
    done = corpusforge(folder, "build", "short.yaml", "--input", "in", "--root", "out")
    assert "nothing was left to do" in done.stdout
    assert time.monotonic() - started < 30


def test_build_prints_json_and_nothing_else_on_standard_output(folder: Path) -> None:
    done = corpusforge(folder, "build", "short.yaml", "--input", "in", "--root", "out", "--json")
    assert json.loads(done.stdout)["worked"] == 0


def test_check_prints_the_plan(folder: Path) -> None:
    said = corpusforge(folder, "check", "web_ja", "--input", "in").stdout
    assert "pass duplicates, reads clean" in said
    assert "sniff.LanguageSniff (keep: ['ja'])" in said
    assert "inputs: 4 files" in said


def test_listings_name_what_recipes_can_use(folder: Path) -> None:
    assert "web_multi" in corpusforge(folder, "recipes").stdout
    stages = corpusforge(folder, "stages").stdout
    for name in ("warc.Warc", "main_text.MainText", "noise.NoiseLines", "quality.GopherQuality"):
        assert name in stages


WRONG = [
    (["build", "web_jp", "--input", "in", "--root", "out"], "Did you mean 'web_ja'"),
    (["build", "web_ja", "--input", "nowhere.warc.gz", "--root", "out"], "no input nowhere.warc.gz"),
    (["build", "short.yaml", "--input", "in", "--root", "out", "--name", "a/b"], "cannot be the name of a corpus"),
    (["build", "short.yaml", "--input", "in", "--root", "out", "--version", "../x"], "cannot be the name of a version"),
    (["build", "short.yaml", "--input", "in", "--root", "out", "--from", "nope"], "there is no version 'nope'"),
    (["report", "out/short"], "try out/short/dev-1"),
    (["report", "out/short/dev-1/cleen"], "there is no pass 'cleen'"),
    (["report", "nowhere"], "An address is ROOT/CORPUS/VERSION[/PASS[/UNIT]]"),
    (["build", "short.yaml", "--input", "in"], "Missing option '--root'"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[" ".join(words)[:50] for words, _ in WRONG])
def test_a_mistake_is_one_message(folder: Path, words: list[str], message: str) -> None:
    done = corpusforge(folder, *words)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_two_inputs_of_one_name_that_differ_end_the_build(folder: Path) -> None:
    for number in (1, 2):
        write(folder / f"more{number}", pages=8, seed=number)
    files = [f"more{number}/demo-00000.warc.gz" for number in (1, 2)]
    done = corpusforge(folder, "build", "short.yaml", "-i", files[0], "-i", files[1], "--root", "out")
    assert done.returncode == 1
    assert "two inputs are named demo-00000.warc.gz and differ" in done.stderr


def test_control_c_prints_how_to_go_on(folder: Path) -> None:
    command = ["build", "web_multi", "--input", "in", "--root", "stopped", "--pool", "serial"]
    process = subprocess.Popen(
        [sys.executable, "-m", "corpusforge", *command],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        # Shells have what runs in their background pass over Ctrl-C, and it is handed down to here.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(600):
        if list((folder / "stopped").rglob("plan.json")):
            break
        time.sleep(0.1)
    said = ""
    for _ in range(20):
        # A library that compiles or loads just then may swallow the first one: then people press again.
        os.kill(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            _, said = process.communicate(timeout=6)
            break
    assert process.returncode == 130, said
    assert "Go on with:" in said
    assert "build web_multi --input in --root stopped --pool serial" in said


def test_a_build_that_keeps_nothing_says_why_even_when_quiet(folder: Path) -> None:
    (folder / "noise.jsonl").write_bytes(bytes(range(128, 256)) * 30)
    words = ("--input", "noise.jsonl", "--root", "nothing", "--pool", "serial", "--quiet")
    done = corpusforge(folder, "build", "text", *words)
    assert (done.returncode, "warning: nothing was kept: source.not_utf8 1" in done.stdout) == (0, True), done.stdout
    told = corpusforge(folder, "report", "nothing/text/dev").stdout
    assert re.search(r"extract +source +1 +1 +0", told)


def test_a_build_from_a_file_that_is_cut_off_says_so_even_when_quiet(folder: Path) -> None:
    whole = (folder / "in" / "demo-00000.warc.gz").read_bytes()
    (folder / "cut.warc.gz").write_bytes(whole[: len(whole) * 2 // 3])
    words = ("--input", "cut.warc.gz", "--root", "cut", "--pool", "serial", "--quiet")
    done = corpusforge(folder, "build", "short.yaml", *words)
    told = (
        "warning: input is damaged: source.broken_record 1; `corpusforge report cut/short/dev-1` says in which files\n"
    )
    assert (done.returncode, done.stdout) == (0, told), done.stderr
    assert "damaged" not in (folder / "said.txt").read_text()


def test_a_binary_recipe_is_one_message(folder: Path) -> None:
    (folder / "bin.yaml").write_bytes(b"\xa9")
    done = corpusforge(folder, "check", "bin.yaml")
    assert (done.returncode, done.stderr) == (
        1,
        "error: bin.yaml: byte 0 is no UTF-8. A recipe is a YAML file in UTF-8\n",
    )


def test_a_report_of_a_root_names_an_address_that_works(folder: Path) -> None:
    done = corpusforge(folder, "report", "out")
    assert (done.returncode, "out/short has dev-1: try out/short/dev-1" in done.stderr) == (1, True), done.stderr


def test_a_misspelt_stage_of_ones_own_is_suggested(folder: Path) -> None:
    made = corpusforge(folder, "new", "stage", "peril", "--folder", "lab_of_mine")
    assert made.returncode == 0, made.stderr
    (folder / "lab.yaml").write_text(SHORT.replace("language.Language", '"lab_of_mine.peril:Perl"'))
    done = corpusforge(folder, "check", "lab.yaml")
    assert (done.returncode, "Did you mean 'Peril'?" in done.stderr) == (1, True), done.stderr
