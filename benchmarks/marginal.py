"""CPU time that one more page costs: [CPU(4 ×) − CPU(1 ×)] / (pages(4 ×) − pages(1 ×)), ours and datatrove's.

Each run is a whole process tree (the shared ``tree_cost.py``), in a folder of its own, from WARC files to tokens. Runs
take turns, so that a machine that gets slower does so for both; the median over rounds counts. What does not grow with
the pages is its own figure: CPU(1 ×) − marginal × pages(1 ×).
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engines import CorpusForge, Engine, engines, tokenizer_of
from benchmarks.places import CHECKOUT, MADE, RECIPE, TREE_COST, NotHere, needed
from benchmarks.wcxb_warc import SETS, Mix, mixes

RUNS = MADE / "runs"
Say = Callable[[str], None]


class RunFailed(RuntimeError):
    """A run that is measured ended with an error or was ended after its time."""


@dataclass(frozen=True)
class Cost:
    """What a process tree cost."""

    cpu_s: float
    wall_s: float
    peak_rss_mb: int
    processes: int
    counted_by: str
    exit: int


@dataclass
class Measured:
    """The runs of one engine: costs by size, and what the last run of each size made."""

    slug: str
    name: str
    extractor: str
    costs: dict[str, list[Cost]] = field(default_factory=lambda: {"1x": [], "4x": []})
    results: dict[str, dict[str, int]] = field(default_factory=dict)

    def cpu_seconds(self, size: str) -> float:
        return statistics.median(cost.cpu_s for cost in self.costs[size])


@dataclass(frozen=True)
class Marginal:
    """The result of one engine."""

    ms_per_page: float
    fixed_seconds: float


def cost_of(command: Sequence[str], surroundings: Mapping[str, str], log: Path) -> Cost:
    """Run a command under ``tree_cost.py``; one that fails is an error that shows the end of its log."""
    figures = log.with_suffix(".json")
    measure = [sys.executable, str(TREE_COST), "--json", str(figures), *command]
    with log.open("w") as output:
        code = subprocess.run(measure, cwd=CHECKOUT, env=surroundings, stdout=output, stderr=subprocess.STDOUT)
    if code.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise RunFailed(f"{' '.join(command)} ended with {code.returncode}; the end of {log}:\n{tail}")
    return Cost(**json.loads(figures.read_text()))


def fresh(name: str) -> Path:
    """A path under out/bench/runs where nothing is."""
    path = RUNS / name
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def train_tokenizer(mix: Mix, workers: int, say: Say) -> Path:
    """Build the recipe as it stands, unmeasured: it trains the tokenizer and fills the caches of compiled code."""
    say(f"building {RECIPE.name} on {mix.pages:,} pages, unmeasured, for its tokenizer ...")
    root = fresh("train")
    ours = CorpusForge(RECIPE)
    cost_of(ours.command(Path(mix.folder), root, workers), ours.surroundings, RUNS / "train.log")
    return tokenizer_of(root)


def measure(
    name: str, mixed: Mapping[str, Mix], in_turns: Sequence[Engine], rounds: int, workers: int, say: Say
) -> list[Measured]:
    """Run every engine on every mix of the set ``name``, in turns."""
    found = [Measured(engine.slug, engine.name, engine.extractor) for engine in in_turns]
    for number in range(rounds):
        for size, mix in mixed.items():
            for engine, its in zip(in_turns, found, strict=True):
                say(f"round {number + 1} of {rounds}: {its.slug} on {mix.pages:,} pages ...")
                out = fresh(f"{name}/{its.slug}-{size}")
                command = engine.command(Path(mix.folder), out, workers)
                cost = cost_of(command, engine.surroundings, out.with_suffix(".log"))
                its.costs[size].append(cost)
                its.results[size] = engine.results(out)
                say(f"  {cost.cpu_s:.1f} CPU seconds, {cost.wall_s:.1f} s, {cost.peak_rss_mb:,} MB")
    return found


def marginal(its: Measured, mixed: Mapping[str, Mix]) -> Marginal:
    """The formula, on medians."""
    added = mixed["4x"].pages - mixed["1x"].pages
    each = (its.cpu_seconds("4x") - its.cpu_seconds("1x")) / added
    return Marginal(each * 1000, its.cpu_seconds("1x") - each * mixed["1x"].pages)


def table(found: Sequence[Measured], mixed: Mapping[str, Mix]) -> list[str]:
    """The results as a table in Markdown, and the ratio of the marginal costs below it."""
    rows: dict[str, list[str]] = {"": [its.name for its in found], "main text by": [its.extractor for its in found]}
    for size, mix in mixed.items():
        each = f"{mix.pages:,} pages of {mix.payload_bytes / mix.pages / 1000:.0f} kB"
        rows[f"CPU seconds, {size[:-1]} × ({each})"] = [_spread(its, size) for its in found]
    results = [marginal(its, mixed) for its in found]
    rows["**marginal CPU, ms a page**"] = [f"**{result.ms_per_page:.1f}**" for result in results]
    rows["fixed CPU seconds"] = [f"{result.fixed_seconds:.1f}" for result in results]
    rows["pages a CPU second, 4 ×"] = [f"{mixed['4x'].pages / its.cpu_seconds('4x'):.0f}" for its in found]
    megabytes = mixed["4x"].payload_bytes / 1e6
    rows["MB of HTML a CPU second, 4 ×"] = [f"{megabytes / its.cpu_seconds('4x'):.1f}" for its in found]
    rows["wall seconds, 4 ×"] = [f"{statistics.median(c.wall_s for c in its.costs['4x']):.1f}" for its in found]
    rows["peak memory of the tree, 4 ×, MB"] = [f"{max(c.peak_rss_mb for c in its.costs['4x']):,}" for its in found]
    for key, says in RESULTS.items():
        rows[f"{says}, 4 ×"] = [f"{its.results['4x'][key]:,}" for its in found]
    lines = [f"| {title} | {' | '.join(cells)} |" for title, cells in rows.items()]
    lines.insert(1, "|---" + "|---:" * len(found) + "|")
    lines.append("")
    for its, result in zip(found[:-1], results[:-1], strict=True):
        if found[-1].slug == "datatrove":
            ratio = results[-1].ms_per_page / result.ms_per_page
            lines.append(f"An added page costs datatrove **{ratio:.1f} ×** what it costs {its.slug}.")
    return lines


RESULTS = {
    "pages": "pages extracted",
    "cleaned": "documents after the filters",
    "documents": "documents after dedup",
    "tokens": "tokens",
}


def _spread(its: Measured, size: str) -> str:
    seconds = [cost.cpu_s for cost in its.costs[size]]
    return f"{its.cpu_seconds(size):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


def arguments(about: str) -> argparse.ArgumentParser:
    """The options that this benchmark and ``run`` share."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each engine on each mix")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--files", type=int, nargs=2, default=(4, 4), help="WARC files of the 1x and the 4x mix")
    parser.add_argument("--pages", type=int, help="take so many pages in all, for trying things out")
    parser.add_argument(
        "--sets", nargs="+", choices=SETS, default=["wcxb", "bench"], help="which pages, one after another"
    )
    parser.add_argument("--alone", action="store_true", help="leave datatrove out")
    return parser


@dataclass(frozen=True)
class Compared:
    """The runs of all engines on one set of pages."""

    name: str
    mixes: Mapping[str, Mix]
    engines: Sequence[Measured]

    @property
    def folder(self) -> Path:
        """The folder of all its pages."""
        return Path(self.mixes["4x"].folder)

    def root(self, slug: str) -> Path:
        """What the last run of an engine on all pages made."""
        return RUNS / self.name / f"{slug}-4x"


def compare(given: Any, say: Say) -> list[Compared]:
    """Measure each set; the figures of every run go to out/bench/marginal.json."""
    needed(TREE_COST, "CORPUSFORGE_BENCH")
    say("writing the pages as WARC files ...")
    sets = {name: mixes(given.files, given.pages, name) for name in given.sets}
    tokenizer = train_tokenizer(next(iter(sets.values()))[0], given.workers, say)
    in_turns = engines(tokenizer, given.alone, say)
    compared = []
    for name, pair in sets.items():
        mixed = dict(zip(("1x", "4x"), pair, strict=True))
        say(f"{name}: {mixed['4x'].pages:,} pages")
        compared.append(Compared(name, mixed, measure(name, mixed, in_turns, given.rounds, given.workers, say)))
    (MADE / "marginal.json").write_text(json.dumps([_figures(one, given.workers) for one in compared], indent=1))
    say(f"figures of every run: {MADE / 'marginal.json'}")
    return compared


def _figures(one: Compared, workers: int) -> dict[str, Any]:
    engines = [{**asdict(its), "marginal": asdict(marginal(its, one.mixes))} for its in one.engines]
    return {
        "set": one.name,
        "workers": workers,
        "mixes": {k: asdict(m) for k, m in one.mixes.items()},
        "engines": engines,
    }


def main() -> None:
    """Measure and print a table for each set."""
    given = arguments("Marginal CPU time of a page, CorpusForge and datatrove.").parse_args()
    try:
        compared = compare(given, lambda line: print(line, file=sys.stderr, flush=True))
    except (NotHere, RunFailed) as error:
        sys.exit(f"error: {error}")
    for one in compared:
        print("\n".join([f"### {one.name}", "", *table(one.engines, one.mixes)]))


if __name__ == "__main__":
    main()
