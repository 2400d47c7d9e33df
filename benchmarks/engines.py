"""The two engines that are compared: how each is run on a folder of WARC files, and what it made of the pages."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import yaml

from benchmarks import peer
from benchmarks.places import MADE, RECIPE, NotHere
from corpusforge import api


class Engine(Protocol):
    """Something that makes tokens of pages."""

    @property
    def slug(self) -> str:
        """A name for files."""

    @property
    def name(self) -> str:
        """Name and version."""

    @property
    def extractor(self) -> str:
        """What finds the main text, with its version."""

    @property
    def surroundings(self) -> Mapping[str, str]:
        """Environment variables of a run."""

    def command(self, pages: Path, out: Path, workers: int) -> list[str]:
        """The command of a run from WARC files to tokens; ``out`` does not exist before it."""

    def results(self, out: Path) -> dict[str, int]:
        """Pages extracted, documents after the filters and after dedup, and tokens."""


@dataclass(frozen=True)
class CorpusForge:
    """A build of ``recipe``, which names ``engine`` for the main text."""

    recipe: Path
    engine: str = "trafilatura"

    @property
    def slug(self) -> str:
        return self.recipe.stem.replace("web_bench", "corpusforge")

    @property
    def name(self) -> str:
        return f"CorpusForge {version('corpusforge')}"

    @property
    def extractor(self) -> str:
        return "its own" if self.engine == "corpusforge" else f"{self.engine} {version(self.engine)}"

    @property
    def surroundings(self) -> Mapping[str, str]:
        return os.environ

    def command(self, pages: Path, out: Path, workers: int) -> list[str]:
        place = ["--input", str(pages), "--root", str(out)]
        build = [sys.executable, "-m", "corpusforge", "build", str(self.recipe), *place]
        # Quiet builds make no estimate: a cost of its own, and one that only inputs of 50 MB and more have.
        return [*build, "--workers", str(workers), "--quiet"]

    def checking(self, pages: Path, *more: str) -> list[str]:
        return [sys.executable, "-m", "corpusforge", "check", str(self.recipe), "--input", str(pages), *more]

    def results(self, out: Path) -> dict[str, int]:
        passes = {made.step: made.report.counts for made in api.report(address(out))}
        return {
            "pages": next(count for name, count in passes["extract"].items() if name.endswith(".MainText")),
            "cleaned": passes["clean"]["kept"],
            "documents": passes["corpus"]["kept"],
            "tokens": passes["tokens"]["tokens"],
        }


@dataclass(frozen=True)
class Datatrove:
    """The shared peer script in its own environment."""

    python: Path
    tokenizer: Path
    lang: str

    @property
    def slug(self) -> str:
        return "datatrove"

    @property
    def name(self) -> str:
        return f"datatrove {peer.version(self.python, 'datatrove')}"

    @property
    def extractor(self) -> str:
        return f"trafilatura {peer.version(self.python, 'trafilatura')}"

    @property
    def surroundings(self) -> Mapping[str, str]:
        return peer.surroundings()

    def command(self, pages: Path, out: Path, workers: int) -> list[str]:
        return peer.command(self.python, pages, out, self.tokenizer, workers, self.lang)

    def results(self, out: Path) -> dict[str, int]:
        return peer.results(out)


def address(root: Path) -> str:
    """The version that a build of the recipe made under ``root``."""
    return str(root / yaml.safe_load(RECIPE.read_text())["corpus"] / "dev")


def languages() -> str:
    """The languages that the recipe keeps, as the peer is told them."""
    stages = (stage for made in yaml.safe_load(RECIPE.read_text())["passes"] for stage in made.get("stages", ()))
    return ",".join(next(stage["keep"] for stage in stages if stage["use"] == "language.Language"))


def taking(tokenizer: Path, engine: str, keep: str = "", sniff: bool = False) -> Path:
    """The recipe with that tokenizer instead of one it trains and that engine for main text, under out/bench.

    ``keep`` is the one language kept; with ``sniff`` pages of others are dropped before their text is extracted.
    """
    recipe = yaml.safe_load(RECIPE.read_text())
    extract, clean, tokens = recipe["passes"][0], recipe["passes"][1], recipe["passes"][-1]
    tokens["tokenizer"] = {"path": str(tokenizer)}
    if engine != "trafilatura":
        extract["stages"][0] = {"use": "main_text.MainText", "engine": engine}
    if keep:
        clean["stages"][0]["keep"] = [keep]
    if sniff:
        extract["stages"].insert(0, {"use": "sniff.LanguageSniff", "keep": clean["stages"][0]["keep"]})
    made = MADE / f"web_bench-{engine}{keep and '-' + keep}{'-sniff' if sniff else ''}.yaml"
    made.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return made


def tokenizer_of(root: Path) -> Path:
    """The tokenizer that a build trained."""
    return next((root / "web_bench").glob("*/tokens/tokenizer/*.tokenizer.json"))


def engines(tokenizer: Path, alone: bool, say: Callable[[str], None]) -> tuple[Engine, ...]:
    """Us with our extractor and with trafilatura, and, unless we are to run alone or it cannot be had, datatrove; all
    with the same tokenizer."""
    ours = tuple(CorpusForge(taking(tokenizer, engine), engine) for engine in ("corpusforge", "trafilatura"))
    if alone:
        return ours
    try:
        return *ours, Datatrove(peer.python(say), tokenizer, languages())
    except NotHere as missing:
        say(f"CorpusForge runs alone: {missing}")
        return ours
