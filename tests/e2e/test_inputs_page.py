"""Every recipe and build command of docs/inputs.md that reads from disk is run as it stands there, for every source."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
import zstandard

import corpusforge as cf
from corpusforge.cli import main
from corpusforge.parts import parts_in
from corpusforge.recipe import read_recipe, shipped
from tests.sources.samples import aozora, arc, arrow, conversations, corpus, jsonl, pages, parquet, plain, warc, wat

from tests.sources.samples import wet, wiki  # isort: skip

PAGE = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
RECIPES = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text.startswith("corpus:")]
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if re.match(r"corpusforge (check|build) (text|\w+\.yaml) ", line)
]
FOLDERS = {
    "data": (wet, corpus, jsonl, parquet, arrow, wiki, plain),
    "crawls": (warc, arc),
    "wet": (wet,),
    "wat": (wat,),
    "pages": (pages,),
    "tables": (parquet, arrow),
    "dumps": (wiki,),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works: the recipes of the page, and what its commands read."""
    made = tmp_path_factory.mktemp("reader")
    for text in RECIPES:
        (made / f"{yaml.safe_load(text)['corpus']}.yaml").write_text(text, encoding="utf-8")
    for name, samples in FOLDERS.items():
        (made / name).mkdir()
        for sample in samples:
            sample.sample(made / name)
    (made / "data" / "picture.pdf").write_bytes(b"%PDF")
    lines = [json.dumps({"body": {"ja": f"{n} 一行目。\n\n{n} 二行目。"}, "score": n}) for n in range(9)]
    (made / "data.jsonl.zst").write_bytes(zstandard.compress("\n".join(lines).encode()))
    (made / "notes.txt").write_text("One note, all of the file.\n")
    conversations.sample(made).rename(made / "talk.jsonl")
    aozora.sample(made).rename(made / "works.zip")
    return made


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, str]:
    """Every command, run in the order of the page, with the corpus it made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            words = shlex.split(command)[1:]
            with pytest.raises(SystemExit) as ended:
                main([*words, "--pool", "serial"] if words[0] == "build" else words)
            assert not ended.value.code, command
    return {command: Path(shlex.split(command)[2]).stem for command in COMMANDS if " build " in command}


def test_every_command_gives_documents(folder: Path, said: dict[str, str]) -> None:
    assert len(said) == len(RECIPES) + 1
    for command, name in said.items():
        first = "extract" if (folder / "out" / name / "dev-1" / "extract").exists() else "read"
        assert list(cf.documents(f"{folder}/out/{name}/dev/{first}")), command


def test_the_text_recipe_reads_every_kind_of_file_in_one_folder(folder: Path, said: dict[str, str]) -> None:
    rows = cf.documents(f"{folder}/out/text/dev/extract", ["source_file"])
    assert {row["source_file"] for row in rows} == {p.name for p in (folder / "data").iterdir() if p.suffix != ".pdf"}


def test_the_web_recipes_read_crawls_and_pages_in_one_folder(folder: Path, tmp_path: Path) -> None:
    inputs = [str(folder / "crawls"), str(folder / "pages")]
    run = cf.build("web_multi", inputs=inputs, root=tmp_path, pool="serial")
    files = {row["source_file"] for row in cf.documents(f"{run.address}/extract", ["source_file"])}
    assert {name.partition(".")[2] for name in files} == {"warc.gz", "warc", "arc.gz", "zip"}


def test_pieces_lead_back_to_their_documents(folder: Path, said: dict[str, str]) -> None:
    parents = {row["id"]: row for row in cf.documents(f"{folder}/out/mine/dev")}
    pieces = list(cf.documents(f"{folder}/out/pieces/dev"))
    assert len(pieces) == 2 * len(parents)
    for piece in pieces:
        parent = parents[piece["parent"]]
        assert parent["text"][piece["parent_start"] :].startswith(piece["text"])
        assert (piece["source_file"], piece["source_offset"]) == (parent["source_file"], parent["source_offset"])


def test_the_page_has_every_source_and_a_command_for_it(folder: Path) -> None:
    used = {type(s) for text in RECIPES for p in read_recipe(_path(folder, text)).passes for s in p.source}
    assert used == set(parts_in("corpusforge.sources").values())
    for name, part in parts_in("corpusforge.sources").items():
        assert f"`{name}`" in PAGE, name
        assert any(suffix in PAGE for suffix in part.suffixes), name


def test_the_page_says_which_shipped_recipe_reads_what() -> None:
    (section,) = [part for part in PAGE.split("\n## ") if part.startswith("Sources, and")]
    rows = re.findall(r"^\| (`\w+\.\w+`.*?) \|.*\| (.*?) \|$", section, re.MULTILINE)
    told = {
        source: set(re.findall(r"`(\w+)`", recipes))
        for sources, recipes in rows
        for source in re.findall(r"`(\w+\.\w+)`", sources)
    }
    for name, part in parts_in("corpusforge.sources").items():
        reads = {recipe for recipe in shipped() if part in map(type, read_recipe(recipe).passes[0].source)}
        assert told[name] == reads, name


def _path(folder: Path, text: str) -> Path:
    return folder / f"{yaml.safe_load(text)['corpus']}.yaml"
