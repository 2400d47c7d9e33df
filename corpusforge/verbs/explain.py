"""What each stage of a recipe costs and drops on a sample of the input, and a cheaper order with the same result."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from corpusforge.inputs import InputError
from corpusforge.recipe import Recipe
from corpusforge.verbs.check import plan
from corpusforge.verbs.explain_proposal import Proposal, proposed
from corpusforge.verbs.explain_sample import Found, Passed, left_in, measured, sampled_of
from corpusforge.verbs.sample import NoSample

RECORDS = 400
WARM = 32
"""Documents that load models, tables and compiled code, and are not counted."""


@dataclass(frozen=True)
class StageRow:
    """One stage: ``ms`` of CPU for a document that comes in, ``ms_source`` for one of the source; shares of 1."""

    step: str
    stage: str
    documents: int
    dropped: int
    ms: float
    ms_source: float
    share: float
    left: float


@dataclass(frozen=True)
class Explanation:
    """What was measured: ``sampled`` of ``read`` documents of the source; ``remarks`` say where nothing is proposed."""

    corpus: str
    sampled: int
    read: int
    passed_over: dict[str, int]
    rows: tuple[StageRow, ...]
    proposals: tuple[Proposal, ...]
    remarks: tuple[str, ...]
    unmeasured: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def explain(
    recipe: str | Path | Recipe,
    inputs: Sequence[str],
    records: int = RECORDS,
    input_base: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Explanation:
    """Measure the map passes of a recipe on about ``records`` documents of its input, in this process.

    Nothing is written; ``tell`` is given a line now and then while many inputs are looked at. Raises
    ``InputError`` where no input is given, ``NoSample`` where it holds no record.
    """
    planned = plan(recipe, inputs, input_base=input_base, tell=tell)
    source = planned.source
    if not source or not source.inputs:
        raise InputError("no input was given. Say what is to be measured: --input my.warc.gz")
    found = sampled_of(source, records)
    if not found.batches:
        raise NoSample("a sample of the input holds no record")
    passes = planned.recipe.passes
    list(measured(passes, [found.batches[0].slice(0, WARM)]))
    runs = list(zip(*(measured(passes, found.batches) for _ in range(2)), strict=True))
    done = [replace(one, spent={k: min(one.spent[k], two.spent[k]) for k in one.spent}) for one, two in runs]
    sampled = sum(batch.num_rows for batch in found.batches)
    rows = _rows(done, found, sampled)
    remarks = [*planned.notes]
    total = sum(row.ms_source for row in rows)
    proposals = [made for passed in done if (made := proposed(passed, sampled, total, remarks))]
    unmeasured = [one.name for one in passes if one.name not in [passed.made.name for passed in done]]
    facts = (sampled, found.first["rows"] + found.later["rows"], dict(sorted(found.passed_over.items())))
    return Explanation(planned.recipe.corpus, *facts, rows, tuple(proposals), tuple(remarks), tuple(unmeasured))


def _rows(done: Sequence[Passed], found: Found, sampled: int) -> tuple[StageRow, ...]:
    """The source, then every stage and what writing takes; shares of time are of all that was measured."""
    reading = found.later if found.later["rows"] else found.first
    read = reading["ns"] * sampled / reading["rows"]
    steps = [(done[0].made.name, "source", sampled, left_in(done[0].given), read)]
    for passed in done:
        names = [f"{number:02d}.{type(stage).__name__}" for number, stage in enumerate(passed.made.stages)]
        kept = sum(batch.num_rows for batch in passed.kept)
        marked = kept if passed.made.sweep else left_in(passed.given)
        into = [*(passed.counts[f"into.{name}"] for name in names), marked, kept]
        for name, documents, after in zip((*names, "write"), into, into[1:], strict=False):
            steps.append((passed.made.name, name, documents, after, passed.spent.get(name, 0)))
    whole = sum(ns for *_, ns in steps)
    return tuple(
        StageRow(
            step,
            name.rpartition(".")[2],
            documents,
            documents - after,
            round(ns / max(documents, 1) / 1e6, 6),
            round(ns / sampled / 1e6, 6),
            round(ns / whole, 6),
            round(after / sampled, 6),
        )
        for step, name, documents, after, ns in steps
    )
