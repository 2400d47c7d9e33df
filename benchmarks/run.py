"""What ``make bench`` runs: marginal cost against datatrove, with two workers and with one, cost of each stage, the
cost in larger inputs, a finished build run again.

Prints tables in Markdown on standard output, for ``docs/benchmarks.md``; what is being done goes to standard error.
"""

import os
import platform
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from benchmarks import finished, scaling, stages
from benchmarks.engines import CorpusForge, address, engines, tokenizer_of
from benchmarks.marginal import RUNS, Compared, RunFailed, arguments, compare, cost_of, measure, table
from benchmarks.places import MADE, NotHere
from corpusforge import api

STARTED = time.monotonic()
TRAINED = RUNS / "train"
"""The build whose tokenizer all engines take."""


def say(line: str) -> None:
    """Say what is being done, with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:6.0f} s] {line}", file=sys.stderr, flush=True)


def machine() -> str:
    """The machine in one line."""
    cpus, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    return f"{cpus} CPUs ({_processor()}), Python {platform.python_version()}, load {load:.1f} at the start"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def by_one_worker(one: Compared, alone: bool) -> list[str]:
    """The table of a set with one worker, a run each."""
    in_turns = engines(tokenizer_of(TRAINED), alone, say)
    return table(measure(f"{one.name}-one-worker", one.mixes, in_turns, 1, 1, say), one.mixes)


def again(mix: Path, root: Path, workers: int) -> str:
    """Run the command of a finished build once more; it must find everything done."""
    ours = CorpusForge(MADE / "web_bench-corpusforge.yaml")
    cost = cost_of(ours.command(mix, root, workers), ours.surroundings, RUNS / "again.log")
    return f"A finished build run again: {cost.wall_s:.1f} s, {cost.cpu_s:.1f} CPU seconds (bar: under 3 s in total)."


def estimating(mix: Path) -> str:
    """What the estimate takes with which a build of 50 MB and more begins."""
    ours = CorpusForge(MADE / "web_bench-corpusforge.yaml")
    without, with_it = (
        cost_of(ours.checking(mix, *more), ours.surroundings, RUNS / "estimate.log") for more in ((), ("--estimate",))
    )
    wall, cpu = with_it.wall_s - without.wall_s, with_it.cpu_s - without.cpu_s
    return f"The estimate takes {wall:.1f} s and {cpu:.1f} CPU seconds, once in a build; `--quiet` leaves it out."


def everything(given: Namespace) -> None:
    """Run everything and print one section after another."""
    host = machine()
    compared = compare(given, say)
    print(f"{host}, {given.workers} workers, {given.rounds} rounds\n\n## Marginal cost")
    for one in compared:
        _section(one.name, table(one.engines, one.mixes), "###")
        if one.name == "wcxb":
            print("\n".join(["", *finished.table({its.slug: one.root(its.slug) for its in one.engines})]))
    last = compared[-1]
    for its in last.engines[:2]:
        _section(f"Cost of each stage, {its.slug}", stages.table(api.report(address(last.root(its.slug)))))
    _section("One worker", by_one_worker(last, given.alone))
    scaled = scaling.scaled(given.pages, tokenizer_of(TRAINED), given.workers, say)
    _section("Scaling", scaling.table(scaled))
    say("estimating ...")
    _section("The estimate of a build", [estimating(last.folder)])
    say("running the finished build again ...")
    _section("A finished build", [again(last.folder, last.root(last.engines[0].slug), given.workers)])


def _section(title: str, lines: Sequence[str], marks: str = "##") -> None:
    print("\n".join(["", f"{marks} {title}", "", *lines]), flush=True)


def main() -> None:
    """Run everything, or say what is missing."""
    given = arguments("All benchmarks; needs the real data and the shared scripts beside the checkout.").parse_args()
    try:
        everything(given)
    except (NotHere, RunFailed) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
