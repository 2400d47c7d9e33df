"""Filters and MinHash on texts that were extracted already: CPU time of one more document, CorpusForge and data-juicer.

``python -m benchmarks.filters`` · the texts that our extractor takes from the pages of both sets, as JSON Lines; 1 × is
every fourth, 4 × all. data-juicer runs the shared ``peer_data_juicer.yaml`` (mappers, filters, MinHash), we run
``filters.yaml``, which also finds languages, masks phone numbers and verifies near-duplicates. Costs are those of whole
process trees; runs take turns.
"""

import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks import peer
from benchmarks.engines import CorpusForge, address, taking
from benchmarks.marginal import RUNS, Cost, RunFailed, Say, arguments, cost_of, fresh, train_tokenizer
from benchmarks.places import CHECKOUT, SCRIPTS, NotHere, needed
from benchmarks.wcxb_warc import mixes
from corpusforge import api

PACKAGES = ("py-data-juicer==1.6.1", "aiohttp")
Command = Callable[[Path, Path, int], list[str]]
RECIPE = CHECKOUT / "benchmarks" / "filters.yaml"


def texts(given: Any, say: Say) -> dict[str, tuple[Path, int]]:
    """The folders of the two sizes, each with the documents in it."""
    first, second = mixes(given.files, given.pages)
    ours = CorpusForge(taking(train_tokenizer(first, given.workers, say), "corpusforge"), "corpusforge")
    root = fresh("filters/texts")
    say(f"extracting the texts of {second.pages:,} pages, unmeasured ...")
    cost_of(ours.command(Path(second.folder), root, given.workers), ours.surroundings, RUNS / "filters" / "texts.log")
    rows = list(api.documents(f"{address(root)}/extract", ["id", "url", "text"]))
    sizes = {}
    for name, part in (("1x", rows[1::4]), ("4x", rows)):
        folder = fresh(f"filters/{name}")
        folder.mkdir()
        for number in range(4):
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in part[number::4])
            (folder / f"{number}.jsonl").write_text("".join(lines), "utf-8")
        sizes[name] = (folder, len(part))
    return sizes


def data_juicer(binaries: Path, folder: Path, out: Path, workers: int) -> list[str]:
    """The command of data-juicer's run on a folder of JSON Lines."""
    config = yaml.safe_load(needed(SCRIPTS / "peer_data_juicer.yaml", "CORPUSFORGE_BENCH").read_text())
    config |= {"dataset_path": str(folder), "export_path": str(out / "documents.jsonl"), "np": workers}
    made = out.with_suffix(".yaml")
    made.write_text(yaml.safe_dump(config, sort_keys=False))
    return [str(binaries / "dj-process"), "--config", str(made)]


def ours(folder: Path, out: Path, workers: int) -> list[str]:
    """The command of our build of the same."""
    return CorpusForge(RECIPE).command(folder, out, workers)


def measured(sizes: Mapping[str, tuple[Path, int]], given: Any, say: Say) -> dict[str, dict[str, list[Cost]]]:
    """The costs of both by size, in turns."""
    binaries = peer.environment("data-juicer", PACKAGES, say)
    surroundings = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    engines: dict[str, Command] = {"CorpusForge": ours, "data-juicer": partial(data_juicer, binaries)}
    say("running data-juicer once, unmeasured: its first run sets things up ...")
    first = fresh("filters/data-juicer-first")
    cost_of(engines["data-juicer"](sizes["1x"][0], first, given.workers), surroundings, first.with_suffix(".log"))
    costs: dict[str, dict[str, list[Cost]]] = {name: {size: [] for size in sizes} for name in engines}
    for number in range(given.rounds):
        for size, (folder, count) in sizes.items():
            for name, command in engines.items():
                say(f"round {number + 1} of {given.rounds}: {name} on {count:,} documents ...")
                out = fresh(f"filters/{name.lower()}-{size}")
                costs[name][size].append(
                    cost_of(command(folder, out, given.workers), surroundings, out.with_suffix(".log"))
                )
    return costs


def table(costs: Mapping[str, Mapping[str, list[Cost]]], sizes: Mapping[str, tuple[Path, int]]) -> list[str]:
    """Medians, and what an added document costs."""
    one, four = sizes["1x"][1], sizes["4x"][1]
    lines = [
        f"| | CPU s, {one:,} | CPU s, {four:,} | CPU ms an added document | peak MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, its in costs.items():
        small, large = (statistics.median(cost.cpu_s for cost in its[size]) for size in ("1x", "4x"))
        each, most = 1000 * (large - small) / (four - one), max(cost.peak_rss_mb for cost in its["4x"])
        lines.append(f"| {name} | {small:.1f} | {large:.1f} | {each:.2f} | {most:,} |")
    return lines


def main() -> None:
    """Measure and print the table."""
    given = arguments("Marginal CPU time of a document, CorpusForge and data-juicer.").parse_args()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        sizes = texts(given, say)
        print("\n".join(table(measured(sizes, given, say), sizes)))
    except (NotHere, RunFailed) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
