"""An explanation for people: a table of the stages, and what to paste into the recipe."""

from collections.abc import Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from corpusforge.verbs.explain import Explanation
from corpusforge.verbs.explain_proposal import Proposal

MOVES = (
    "Kept documents and their columns stay; what may move is the reason of a document that several stages drop, what "
    "is measured of dropped ones, and the order of columns, so digests change and the pass is built anew."
)


def show_explanation(console: Console, told: Explanation) -> None:
    """Print an explanation."""
    for line in _lines(told):
        console.print(line, soft_wrap=not isinstance(line, Table))


def _lines(told: Explanation) -> Iterator[RenderableType]:
    yield Text(f"{told.corpus}: a sample of {told.sampled:,} documents ({told.read:,} were read)", style="bold")
    if told.passed_over:
        yield Text("passed over: " + ", ".join(f"{count:,} {reason}" for reason, count in told.passed_over.items()))
    yield _table(told)
    if told.unmeasured:
        yield Text(f"not measured: {', '.join(told.unmeasured)} (they look at many documents, or none came to them)")
    yield from map(Text, told.remarks)
    for proposal in told.proposals:
        yield from _proposal(proposal)
    if told.proposals:
        yield Text(MOVES)
    else:
        yield Text("no order of the stages that surely gives the same documents is cheaper")


def _table(told: Explanation) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("pass", "stage"):
        table.add_column(name, no_wrap=True)
    for name in ("in", "dropped", "share", "ms a document", "ms a source document", "of the time", "left"):
        table.add_column(name, justify="right")
    for row in told.rows:
        share = f"{100 * row.dropped / row.documents:.1f} %" if row.dropped else ""
        counts = (f"{row.documents:,}", f"{row.dropped:,}" if row.dropped else "", share)
        each = "" if row.stage == "write" else f"{row.ms:.3f}"
        times = (each, f"{row.ms_source:.3f}", f"{100 * row.share:.1f} %", f"{100 * row.left:.1f} %")
        table.add_row(row.step, row.stage, *counts, *times)
    whole = sum(row.ms_source for row in told.rows)
    table.add_row("", "all", "", "", "", "", f"{whole:.3f}", "100.0 %", "")
    return table


def _proposal(proposal: Proposal) -> Iterator[Text]:
    yield Text(
        f"pass {proposal.step} in another order saves {proposal.saved:.3f} ms of CPU a source document "
        f"(noise {proposal.noise:.3f} ms), {100 * proposal.share:.1f} % of the time",
        style="bold",
    )
    yield Text("tried on the sample: it keeps the same documents. To have it, write in the recipe:")
    yield from (Text(f"    {line}") for line in proposal.stages.splitlines())
