"""What the command line, jobs and ``import corpusforge`` call: one function a verb."""

import dataclasses
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from corpusforge import job, versions
from corpusforge.engine.attempt import Place, Resources
from corpusforge.engine.run import Listener, Outcome, PlanChanged, Pool, leave_out, manifests, run, units_left_out
from corpusforge.engine.serial_pool import SerialPool
from corpusforge.engine.tables import read_rows
from corpusforge.engine.unit import Failed, Manifest
from corpusforge.job import NoCluster
from corpusforge.parts import GIVEN, RecipeError
from corpusforge.passes.map import Map
from corpusforge.passes.specs import default_of, fields_of, use_of
from corpusforge.passes.verify import verify_version
from corpusforge.recipe import Recipe, read_recipe
from corpusforge.report.add import Report, end_to_end
from corpusforge.report.progress import counted
from corpusforge.report.render import Address, PassView, view
from corpusforge.schemas import write_schemas
from corpusforge.sources import Input
from corpusforge.inputs import InputError
from corpusforge.inputs import resolve as resolve_inputs
from corpusforge.storage import Store, StoreError, joined, parted
from corpusforge.text.canonical import identity_of
from corpusforge.versions import Making, VersionError

__all__ = [
    "BuildFailed",
    "NoCluster",
    "Plan",
    "PlanChanged",
    "Run",
    "VersionError",
    "build",
    "describe",
    "documents",
    "dropped",
]
__all__ += ["next_commands", "plan", "read_recipe", "report", "step_names", "verified", "verify", "write_schemas"]
__all__ += ["StoreError"]

PoolName = Literal["ray", "serial"]


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


@dataclass(frozen=True)
class Plan:
    """What a build would do: the recipe with its inputs bound, and what its version is made from."""

    recipe: Recipe
    making: Making
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> Map | None:
        return next((p for p in self.recipe.passes if isinstance(p, Map) and p.source), None)


@dataclass
class _Pools:
    """Makes the pool of a pass when its first unit is left, and keeps Ray's workers from pass to pass."""

    name: PoolName
    workers: int | None
    address: str | None
    say: Callable[[str], None]
    made: Any = None
    shape: Resources | None = None
    serial: SerialPool = field(default_factory=SerialPool)

    def __call__(self, resources: Resources, units: int, careful: bool) -> Pool:
        if self.name == "serial" or (units == 1 and not careful and self.made is None):
            return self.serial
        if self.made is not None and self.shape != resources:
            self.made.release()
        if self.made is None or self.shape != resources:
            self.made, self.shape = self._ray(resources), resources
        pool: Pool = self.made
        return pool

    def _ray(self, resources: Resources) -> Any:
        from corpusforge.ray_pool import RayPool  # noqa: PLC0415  (Ray is imported only when a Ray pool is asked for)

        return RayPool(self.workers, resources, self.address, self.say)

    def close(self) -> None:
        if self.made is not None:
            self.made.close()


def plan(
    recipe: str | Path | Recipe,
    inputs: Sequence[str] = (),
    limit: int | None = None,
    name: str | None = None,
    allow_failed: int = 0,
    base: str | None = None,
    input_base: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Plan:
    """Read a recipe and bind it to its inputs; nothing is written and no model is loaded.

    ``tell`` is given a line now and then while many inputs are looked at.
    """
    made = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    notes: list[str] = []
    found = partial(resolve_inputs, inputs, say=notes.append, base=input_base, tell=tell) if inputs else None
    bound = tuple(_bind(p, found, limit) if isinstance(p, Map) and p.source else p for p in made.passes)
    made = replace(made, corpus=name or made.corpus, passes=bound)
    versions.check_name("corpus", made.corpus)
    given = [i for p in bound if isinstance(p, Map) for i in p.inputs]
    making = Making(
        {
            "recipe": made.corpus,
            "passes": [{"name": p.name, "reads": list(p.reads), "steps": _specs(p)} for p in bound],
            "limit": limit,
            "allow_failed": allow_failed,
            "from": base,
        },
        [{"name": i.name, "bytes": i.bytes, "fingerprint": i.fingerprint} for i in given],
    )
    return Plan(made, making, tuple(notes))


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
) -> Run:
    """Make a corpus at ``ROOT/CORPUS/VERSION``, or go on with it where an earlier run stopped.

    ``base`` is a version whose equal units are adopted; ``input_base`` completes the relative lines of lists of inputs.
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
    listen("start", {"plan": planned, "place": place, "worker": _worker(pool, workers, address)})
    pools = _Pools(pool, workers, address, note)
    try:
        outcomes = _run_passes(planned.recipe, place, pools, base, allow_failed, listen)
    finally:
        pools.close()
    _write_card(place, planned)
    done = Run(str(root), planned.recipe.corpus, place.version, tuple(outcomes), time.monotonic() - started)
    listen("end", {"run": done})
    return done


def submit(
    recipe: str, inputs: Sequence[str], root: str, options: Sequence[str], address: str, say: Callable[[str], None]
) -> int:
    """Build on the cluster whose dashboard is at ``address`` (http://…), as a Ray job; its exit status.

    ``options`` are those of the command line's ``build``. Paths must be such that all nodes see them.
    """
    from corpusforge.ray_pool import submit  # noqa: PLC0415  (as in _Pools)

    with tempfile.TemporaryDirectory(prefix="corpusforge-job-") as folder:
        there = job.pack(recipe, Path(folder))
        return submit(address, folder, job.command(there, inputs, root, options), say)


def _noting(listen: Listener) -> Callable[[str], None]:
    return lambda line: listen("note", {"line": line})


def _worker(pool: PoolName, workers: int | None, address: str | None) -> str:
    """Who will do the work, in words."""
    if pool == "serial":
        return "this process"
    if not workers and address:
        return f"as many Ray workers as the cluster at {address} has room for"
    return f"up to {counted(workers or len(os.sched_getaffinity(0)), 'Ray worker')}"


def _run_passes(
    recipe: Recipe,
    place: Place,
    pools: _Pools,
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


def _bind(made: Map, found: Callable[[Sequence[str]], tuple[Input, ...]] | None, limit: int | None) -> Map:
    if found is None:
        return replace(made, limit=limit)
    return replace(made, inputs=found(tuple(e for source in made.source for e in source.suffixes)), limit=limit)


def _specs(made: Any) -> list[dict[str, Any]]:
    try:
        return [{"name": step.name, **step.spec()} for step in made.steps()]
    except (OSError, ValueError) as error:
        raise RecipeError(f"pass {made.name}: {error}") from None


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


def documents(address: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of the final shards of ``ROOT/CORPUS/VERSION``, or of one pass or unit, streamed."""
    place, parts = Address.locate(address)
    yield from _rows(place, parts.step or final_pass(place), parts.unit, "kept.parquet", columns)


def dropped(address: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows that were dropped, with ``drop`` saying why, of every pass of a version or of one pass or unit, streamed."""
    place, parts = Address.locate(address)
    for step in [parts.step] if parts.step else passes_with_documents(place):
        yield from _rows(place, step, parts.unit, "swept.parquet", columns)


def _rows(
    place: Place, step: str, unit: str | None, role: str, columns: Sequence[str] | None
) -> Iterator[dict[str, Any]]:
    for manifest in manifests(place, step):
        if role not in (f.role for f in manifest.files):
            raise VersionError(f"pass {step} holds no documents; those that do: {passes_with_documents(place)}")
        if unit in (None, manifest.unit):
            with place.store.open(manifest.file(role).path) as file:
                for batch in read_rows(file, columns=columns):
                    yield from batch.to_pylist()


def passes_with_documents(place: Place) -> list[str]:
    """The passes whose units hold documents, in the order in which they run."""
    recipe = versions.making_of(place).recipe
    return [p["name"] for p in recipe["passes"] if p["steps"][-1]["pass"] in ("map", "corpus")]


def final_pass(place: Place) -> str:
    """The pass that wrote the final shards: the last one whose units hold documents."""
    names = passes_with_documents(place)
    if not names:
        raise VersionError(f"{place.version} has no pass with documents")
    return names[-1]


def report(address: str) -> list[PassView]:
    """What each pass of a version read, kept, dropped and cost."""
    place, parts = Address.locate(address)
    return view(place, parts)


def verify(address: str) -> dict[str, Any]:
    """Recompute every file a manifest names; see ``corpusforge.passes.verify``."""
    place, _ = Address.locate(address)
    return verify_version(place, step_names(place))


def step_names(place: Place) -> list[str]:
    """The engine's passes of a version, in the order in which they run."""
    recipe: Mapping[str, Any] = versions.making_of(place).recipe
    return [step["name"] for p in recipe["passes"] for step in p["steps"]]


def describe(planned: Plan) -> Iterator[str]:
    """The plan of a build in lines: passes, their parts with the fields that differ from the default, inputs."""
    yield f"{planned.recipe.corpus}: {planned.recipe.description.strip()}"
    for made in planned.recipe.passes:
        yield f"pass {made.name}" + (f", reads {', '.join(made.reads)}" if made.reads else "")
        if isinstance(made, Map):
            yield from (f"  {_said(part)}" for part in (*made.source, *made.stages))
        else:
            yield f"  {_said(made)}"
    source = planned.source
    if source and source.inputs:
        slices = source.plan({})
        size = sum(i.bytes for i in source.inputs)
        files, pieces = counted(len(source.inputs), "file"), counted(len(slices), "slice")
        yield f"inputs: {files}, {size:,} bytes, in {pieces}"
    yield from planned.notes


def _said(part: Any) -> str:
    """A part as a recipe would name it, with the fields that differ from its defaults."""
    module, _, name = use_of(part).partition(":")
    short = f"{module.rpartition('.')[2]}.{name}" if module.startswith("corpusforge.") else use_of(part)
    defaults = {f.name: default_of(f) for f in dataclasses.fields(part)}
    given = {k: v for k, v in fields_of(part).items() if k not in (*GIVEN, "name", "reads") and v != defaults[k]}
    return short + (f" ({', '.join(f'{k}: {v}' for k, v in given.items())})" if given else "")


def verified(found: Mapping[str, Any]) -> Iterator[str]:
    """The result of ``verify`` in lines."""
    for made in found["passes"]:
        counts = [f"{made[k]:,} {k}" for k in ("units", "documents", "tokens") if made[k] is not None]
        yield f"{made['pass']:24} {(made['digest'] or 'not planned')[:16]}  {', '.join(counts)}"
    yield f"{'version':24} {found['digest'][:16]}  {found['documents']:,} documents, {found['tokens']:,} tokens"
    for kind in ("wrong", "undone", "left_out", "orphans"):
        for name in found[kind]:
            yield f"{kind.replace('_', ' ')}: {name}"


def program() -> str:
    """How this command line is called: its bare name where the shell finds it, else the path of its file."""
    beside = Path(sys.executable).with_name("corpusforge")
    return "corpusforge" if shutil.which("corpusforge") or not beside.exists() else os.path.relpath(beside)


def next_commands(run: Run) -> Iterator[str]:
    """What to paste after a build: open the report, show drops, find the tokens."""
    yield f"report:  {program()} report {run.address}"
    first = run.outcomes[0].step if run.outcomes else "extract"
    yield f"drops:   {program()} report {run.address}/{first}"
    files = [f.path for o in run.outcomes for m in o.manifests for f in m.files if f.role.endswith(".bin")]
    if files:
        yield f"tokens:  {parted(joined(run.root, run.corpus, files[0]))[0]}/"
