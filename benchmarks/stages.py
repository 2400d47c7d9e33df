"""CPU time of each stage a page, from the manifests of a finished build."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpusforge import api
from corpusforge.report.render import PassView

BAR_MS = 3.0
"""What no stage but extraction may take a page."""


@dataclass(frozen=True)
class StageCost:
    """One stage, or a whole pass where ``stage`` is empty."""

    step: str
    stage: str
    pages: int
    ms_per_page: float


def stage_costs(passes: Sequence[PassView]) -> Iterator[StageCost]:
    """The cost of each stage over the pages that came into it, dear ones first within a pass; then the whole pass.

    A pass that reads no documents of its own (the steps of dedup) is counted over those of the last one that did.
    """
    records = 0
    for made in passes:
        records = made.report.counts["records"] or records
        costs = []
        for name, micros in made.stages_us.items():
            pages = made.report.counts.get(f"into.{name}", 0) or records
            costs.append(StageCost(made.step, name.partition(".")[2] or name, pages, micros / 1000 / max(pages, 1)))
        yield from sorted(costs, key=lambda cost: -cost.ms_per_page)
        yield StageCost(made.step, "", records, made.cpu_seconds * 1000 / max(records, 1))


def table(passes: Sequence[PassView]) -> list[str]:
    """The costs as a table in Markdown; stages over the bar are named below it."""
    costs = list(stage_costs(passes))
    lines = ["| pass | stage | pages | CPU ms a page |", "|---|---|---:|---:|"]
    for cost in costs:
        name = cost.stage or "*whole pass, models loaded*"
        lines.append(f"| {cost.step} | {name} | {cost.pages:,} | {cost.ms_per_page:.3f} |")
    over = [c.stage for c in costs if c.stage not in ("", "MainText") and c.ms_per_page > BAR_MS]
    verdict = f"over it: {', '.join(over)}" if over else "none is over it"
    return [*lines, "", f"Bar for every stage but extraction: {BAR_MS:.0f} ms a page; {verdict}."]


def main() -> None:
    """Print the table of a build."""
    parser = argparse.ArgumentParser(description="CPU time of each stage a page.")
    parser.add_argument("address", metavar="ROOT/CORPUS/VERSION")
    print("\n".join(table(api.report(parser.parse_args().address))))


if __name__ == "__main__":
    main()
