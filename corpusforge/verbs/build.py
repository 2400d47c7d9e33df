"""Make a corpus, or go on with it where an earlier run stopped."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusforge import versions
from corpusforge.engine.attempt import Place, Resources
from corpusforge.engine.run import Listener, Outcome, Pool, leave_out, manifests, run, units_left_out
from corpusforge.engine.unit import Failed, Manifest, Unit
from corpusforge.inputs import InputError
from corpusforge.passes.map import Map
from corpusforge.recipe import Recipe
from corpusforge.report.add import Report, end_to_end
from corpusforge.report.render import Address, view
from corpusforge.storage import Store, joined
from corpusforge.text.canonical import identity_of
from corpusforge.verbs.check import Plan, plan
from corpusforge.verbs.estimate import NoSample
from corpusforge.verbs.estimate import estimate as estimated
from corpusforge.verbs.pools import PoolName, Pools, workers_in_words
from corpusforge.verbs.read import documents
from corpusforge.versions import VersionError

LARGE_BYTES = 50_000_000
"""Bytes of input that are left from which on an estimate is worth the seconds that it takes."""


class BuildFailed(RuntimeError):
    """Some units could not be done; the rest of their pass is committed, and the run can go on from there."""

    def __init__(self, failed: Sequence[Failed]) -> None:
        self.failed = tuple(failed)
        lines = [f"{f.step}/{f.unit} ({f.reads}): {f.causes[-1]} (after {len(f.causes)} attempts)" for f in failed]
        super().__init__("\n".join([f"{len(failed)} units failed:", *lines]))


@dataclass(frozen=True)
class Run:
    """A version of a corpus that a build made or went on with."""

    root: str
    corpus: str
    version: str
    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    @property
    def place(self) -> Place:
        return Place(Store(joined(self.root, self.corpus)), self.version)

    @property
    def address(self) -> str:
        return joined(self.root, self.corpus, self.version)

    @property
    def report(self) -> Report:
        """From the records read to the documents kept: every drop of every pass, and the final shards' own counts."""
        passes = [p.report for p in view(self.place, Address(self.root, self.corpus, self.version))]
        return end_to_end(passes)

    def documents(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The rows of the final shards, streamed."""
        return documents(self.address, columns)

    @property
    def left_out(self) -> int:
        return sum(outcome.left_out for outcome in self.outcomes)

    @property
    def worked(self) -> int:
        return sum(outcome.worked for outcome in self.outcomes)


def build(
    recipe: str | Path | Recipe,
    inputs: Sequence[str] = (),
    root: str | Path = "",
    name: str | None = None,
    version: str | None = None,
    base: str | None = None,
    pool: PoolName = "ray",
    workers: int | None = None,
    address: str | None = None,
    limit: int | None = None,
    allow_failed: int = 0,
    listen: Listener = lambda event, facts: None,
    input_base: str | None = None,
    estimate: bool = False,
) -> Run:
    """Make a corpus at ``ROOT/CORPUS/VERSION``, or go on with it where an earlier run stopped.

    ``base`` is a version whose equal units are adopted; ``input_base`` completes the relative lines of lists of inputs.
    ``estimate`` measures a sample first where over 50 MB of input are left, and tells ``listen`` what it says.
    Raises ``BuildFailed`` after a pass with failed units, ``RecipeError``, ``InputError``, ``StoreError`` and
    ``VersionError`` before any work.
    """
    started = time.monotonic()
    if not str(root):
        raise VersionError("no root was given. Say where corpora are kept: --root out")
    note = _noting(listen)
    planned = plan(recipe, inputs, limit, name, allow_failed, base, input_base, note)
    if planned.source and not planned.source.inputs:
        raise InputError("no input was given. Say which files to read: --input my.warc.gz")
    store = Store(joined(str(root), planned.recipe.corpus))
    store.prove()
    if base == "dev" or (base and base == version):
        raise VersionError(f"--from {base}: name an earlier version, such as dev-1; what dev means changes")
    if base:
        versions.resolve(store, base)
    place = versions.choose(store, planned.making, version)
    listen("start", {"plan": planned, "place": place, "worker": workers_in_words(pool, workers, address)})
    pools = Pools(pool, workers, address, note, _foretelling(planned.recipe, note) if estimate else None)
    try:
        outcomes = _run_passes(planned.recipe, place, pools, base, allow_failed, listen)
    finally:
        pools.close()
    _write_card(place, planned)
    done = Run(str(root), planned.recipe.corpus, place.version, tuple(outcomes), time.monotonic() - started)
    listen("end", {"run": done})
    return done


def _noting(listen: Listener) -> Callable[[str], None]:
    return lambda line: listen("note", {"line": line})


def _foretelling(recipe: Recipe, note: Callable[[str], None]) -> Callable[[Sequence[Unit], int], None]:
    """Says what is to come, if that is much."""

    def foretell(units: Sequence[Unit], workers: int) -> None:
        if sum(unit.bytes for unit in units) < LARGE_BYTES:
            return
        try:
            note(estimated(recipe, units, workers).line())
        except NoSample as error:
            note(f"no estimate: {error}")

    return foretell


def _run_passes(
    recipe: Recipe,
    place: Place,
    pools: Pools,
    base: str | None,
    allow_failed: int,
    listen: Listener,
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    earlier = versions.finder(place, base)
    made: dict[str, Sequence[Manifest]] = {}
    for step in (step for made_pass in recipe.passes for step in made_pass.steps()):
        careful = isinstance(step, Map) and bool(step.source)

        def chosen(resources: Resources, units: int, careful: bool = careful) -> Pool:
            return pools(resources, units, careful)

        reads = {name: made[name] for name in step.reads}
        for name in getattr(step, "earlier", ()) if base else ():
            reads[f"earlier/{name}"] = manifests(Place(place.store, str(base)), name)
        outcome = run(step, reads, place, chosen, earlier, listen)
        outcomes.append(outcome)
        if len(outcome.failed) > allow_failed:
            raise BuildFailed(outcome.failed)
        if outcome.failed:
            left_out = leave_out(place, step.name, outcome.failed)
            if any(f.unit not in left_out for f in outcome.failed):
                raise BuildFailed(outcome.failed)
            outcome.manifests = [m for m in outcome.manifests if m.unit not in left_out]
        made[step.name] = outcome.manifests
    return outcomes


def _write_card(place: Place, planned: Plan) -> None:
    """A short card beside the passes: what the version was made from and whether anything was left out."""
    steps = [step.name for made in planned.recipe.passes for step in made.steps()]
    failed = [
        f"- {step}/{unit} ({told['reads']}): {told['cause']}"
        for step in steps
        for unit, told in units_left_out(place, step).items()
    ]
    masks = [type(s).__name__ for p in planned.recipe.passes if isinstance(p, Map) for s in p.stages if _masks(s)]
    lines = [
        f"# {planned.recipe.corpus} {place.version}",
        "",
        planned.recipe.description.strip(),
        "",
        f"- identity: {identity_of([planned.making.recipe, planned.making.inputs])}",
        f"- inputs: {len(planned.making.inputs)} files, {sum(i['bytes'] for i in planned.making.inputs):,} bytes",
        f"- records read from each input at most: {planned.making.recipe['limit'] or 'all'}",
        f"- personal data masked by: {', '.join(masks) or 'nothing (mask: none)'}",
        f"- units left out: {'none' if not failed else ''}",
        *failed,
        "",
    ]
    place.store.put_if_absent(place.name("card.md"), "\n".join(lines).encode())


def _masks(stage: Any) -> bool:
    return bool(getattr(stage, "masks", False))
