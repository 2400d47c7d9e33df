"""What README.md shows is run as printed on demo pages; README.ja.md shows the same; the pages name what there is."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pytest

import corpusforge as cf
from corpusforge import schema
from corpusforge.cli import app
from corpusforge.demo.write import write
from corpusforge.parts import GIVEN, parts_in
from corpusforge.recipe import PASSES, shipped
from corpusforge.tokens.tokenizer import Take, Train

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = ("README.md", "README.ja.md", "docs/recipes.md", "docs/layout.md", "docs/inputs.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")
"""A block that begins with such a line is a file of the user's; every other block is run or shows output."""
SEPARATE = ("make",)
"""Commands that set up whole environments; CI runs them by themselves."""


@dataclass(frozen=True)
class Block:
    """One code block of a page."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        named = FILE.match(self.text)
        return named[1] if named else None

    def without_comments(self) -> str:
        lines = [re.sub(r"(^|\s+)# .*", "", line) for line in self.text.splitlines()]
        return "\n".join([self.language, self.file or "", *filter(None, lines)])


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text("utf-8"))]


def lines_to_run(block: Block) -> list[str]:
    """The commands of a block that are run here."""
    lines = [line.split(" #")[0].strip() for line in block.text.splitlines()]
    return [line for line in lines if line and line.split()[0] not in SEPARATE]


def run(command: str, folder: Path) -> str:
    """Run a command line as a user would; the environment is the one of these tests."""
    # Ray shall see as much of the machine as the other tests use; PYTHONPATH is the reader's business alone.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works: an archive of their own, the files that the page has them write, and the environment."""
    made = tmp_path_factory.mktemp("reader")
    write(made / "demo", pages=80)
    (made / "demo" / "demo-00000.warc.gz").rename(made / "my.warc.gz")
    (made / ".venv").symlink_to(sys.prefix)
    for block in blocks(README):
        if block.file:
            path = made / block.file
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, "utf-8")
    return made


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, str]:
    """Every command and every piece of Python of README.md, run in order, with what it printed."""
    found = {}
    for block in blocks(README):
        if block.language == "sh":
            found.update({line: run(line, folder) for line in lines_to_run(block)})
        elif block.language == "python" and not block.file:
            (folder / "piece.py").write_text(block.text, "utf-8")
            found[block.text] = run(".venv/bin/python piece.py", folder)
    return found


@pytest.mark.ray
def test_every_command_and_every_piece_of_python_runs_as_printed(printed: dict[str, str]) -> None:
    assert len(printed) >= 10
    for command, output in printed.items():
        assert output.strip(), f"{command} printed nothing"


@pytest.mark.ray
def test_the_first_lines_of_python_show_reasons_and_documents(printed: dict[str, str]) -> None:
    piece = next(text for text in printed if "run.documents()" in text)
    assert len([line for line in piece.splitlines() if line]) == 5
    reasons, *documents = printed[piece].splitlines()
    assert "'source.not_content'" in reasons
    assert documents
    assert all(re.fullmatch(r"ja https?://\S+ \d+", line) for line in documents)


@pytest.mark.ray
def test_the_readers_own_stage_measures_and_drops(folder: Path, printed: dict[str, str]) -> None:
    address = str(folder / "out" / "my_ja" / "dev")
    kept, dropped = list(cf.documents(address)), list(cf.dropped(f"{address}/clean"))
    assert kept
    assert all(row["kana_share"] >= 0.6 for row in kept)
    small = [row for row in dropped if row["drop"] == "KanaShare.little_kana"]
    assert all(row["kana_share"] < 0.6 for row in small)
    assert "KanaShare" in printed[".venv/bin/corpusforge report out/my_ja/dev"]


def test_a_report_is_shown_as_it_is_printed() -> None:
    shown = next(b.text for b in blocks(README) if b.text.lstrip().startswith("pass"))
    stages = {part.partition(".")[2] for part in parts_in("corpusforge.stages")}
    rows = [line.split()[:2] for line in shown.splitlines() if re.match(r" (extract|clean|corpus) ", line)]
    assert rows
    assert {stage for _, stage in rows} <= stages | {"source", "duplicates"}


def test_both_languages_show_the_same_code() -> None:
    here, there = blocks(README), blocks(ROOT / "README.ja.md")
    assert [b.without_comments() for b in here] == [b.without_comments() for b in there]


def test_both_languages_have_the_same_sections_tables_and_links() -> None:
    here, there = (FENCE.sub("", (ROOT / name).read_text("utf-8")) for name in PAGES[:2])
    for shape in (r"^#+ ", r"^\|.*\|$", r"^- "):
        assert len(re.findall(shape, here, re.MULTILINE)) == len(re.findall(shape, there, re.MULTILINE)), shape
    links = [sorted(set(re.findall(r"\]\(([^)]+)\)", text)) - set(PAGES[:2])) for text in (here, there)]
    assert links[0] == links[1]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_exists(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
        assert target.startswith("https://") or (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", PAGES[:2])
def test_recipes_verbs_and_make_targets_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    verbs |= {group.name for group in app.registered_groups if group.name}
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(shipped()) == set(re.findall(r"`(web_\w+|text)`", text))
    used = set(re.findall(r"(?:bin/|`)corpusforge (\w+)", text))
    assert {"build", "check", "report", "verify", "recipes", "stages"} <= used <= verbs
    named = set(re.findall(r"^make (\w+)", text, re.MULTILINE))
    assert named == {"demo", "test", "setup"}
    assert named <= targets


def test_every_option_named_exists() -> None:
    texts = "".join((ROOT / page).read_text("utf-8") for page in PAGES[:4])
    named = set(re.findall(r"(?<=[` ])--[a-z][a-z-]+", texts))
    known = "".join(run(f"{sys.executable} -m corpusforge {verb} --help", ROOT) for verb in ("build", "check", "try"))
    assert "--allow-failed" in named
    assert {option for option in named if option not in known} == set()


def parts() -> dict[str, type]:
    found = {**parts_in("corpusforge.sources"), **parts_in("corpusforge.stages")}
    return {**PASSES, **found, "Train": Train, "Take": Take}


@pytest.mark.parametrize("name", sorted(parts()))
def test_every_field_of_passes_and_stages_is_explained(name: str) -> None:
    page = "inputs.md" if name in parts_in("corpusforge.sources") else "recipes.md"
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert f"`{name}`" in text or name in ("Train", "Take")
    for field in fields(parts()[name]):
        if field.name not in (*GIVEN, "name", "reads"):
            assert f"`{field.name}`" in text, f"{name}: explain the field {field.name} in docs/{page}"


def test_every_column_of_the_contracts_is_explained() -> None:
    text = (ROOT / "docs" / "layout.md").read_text("utf-8")
    columns: list[pa.Schema] = [schema.SOURCE, schema.DOCUMENT, schema.TOKEN_DOCUMENT]
    named = {name for one in columns for name in one.names} - {"html"}
    assert {name for name in named if f"`{name}`" not in text} == set()
