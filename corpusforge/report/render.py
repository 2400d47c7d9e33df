"""Reports for people: the waterfall from records to tokens, drops by stage and reason, languages and costs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpusforge import versions
from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests
from corpusforge.report.add import Report, total
from corpusforge.storage import Store, joined, parted
from corpusforge.versions import VersionError

LANGUAGES = 12
PLAIN_WIDTH = 160
"""Columns of a report that is written to a file or pipe."""


@dataclass(frozen=True)
class Address:
    """The parts of ``ROOT/CORPUS/VERSION[/PASS[/UNIT]]``; a pass may be nested, as in ``duplicates/match``."""

    root: str
    corpus: str
    version: str
    step: str | None = None
    unit: str | None = None

    @classmethod
    def locate(cls, address: str) -> "tuple[Place, Address]":
        """Find the version an address is in: the nearest folder above that holds a recipe."""
        within: list[str] = []
        above, last = parted(address)
        while last:
            store = Store(above)
            name = versions.resolve(store, "dev") if last == "dev" and store.folders("") else last
            if store.exists(f"{name}/recipe.json"):
                place = Place(store, name)
                step, unit = cls._within(place, within)
                return place, cls(*parted(above), name, step, unit)
            within.insert(0, last)
            above, last = parted(above)
        raise VersionError(f"there is no corpus at {address}{_near(address)}. {ADDRESS}")

    @staticmethod
    def _within(place: Place, parts: Sequence[str]) -> tuple[str | None, str | None]:
        if not parts:
            return None, None
        for cut in range(len(parts), 0, -1):
            step = "/".join(parts[:cut])
            if place.store.exists(place.name(step, "plan.json")):
                unit = "/".join(parts[cut:]) or None
                if unit and not place.store.exists(place.name(step, f"{unit}.json")):
                    raise VersionError(f"pass {step} has no committed unit {unit!r}")
                return step, unit
        known = ", ".join(place.store.folders(place.version))
        raise VersionError(f"there is no pass {parts[0]!r} in {place.version}; there are: {known}")


def _near(address: str) -> str:
    """What there is at an address that misses its version."""
    corpora = [joined(address, name) for name in Store(address).folders("")]
    for folder in (address, *corpora, parted(address)[0]):
        store = Store(folder)
        there = [name for name in store.folders("") if store.exists(f"{name}/recipe.json")]
        if there:
            return f"; {folder} has {', '.join(there)}: try {joined(folder, there[-1])}"
    return ""


ADDRESS = "An address is ROOT/CORPUS/VERSION[/PASS[/UNIT]]"


@dataclass(frozen=True)
class PassView:
    """A pass as a report shows it: the exact sum of its units, and what they cost."""

    step: str
    units: int
    report: Report
    cpu_seconds: float
    stages_us: dict[str, int]
    guarded: int

    def to_json(self) -> dict[str, Any]:
        cost = {"cpu_seconds": round(self.cpu_seconds, 3), "stages_us": self.stages_us, "guarded": self.guarded}
        return {"pass": self.step, "units": self.units, "report": self.report.to_json(), "cost": cost}


def view(place: Place, parts: Address) -> list[PassView]:
    """Every pass of the version, or the one the address names, or one unit of it."""
    recipe = versions.making_of(place).recipe
    steps = [step["name"] for p in recipe["passes"] for step in p["steps"]]
    wanted = [s for s in steps if parts.step in (None, s)]
    return [_view(place, s, parts.unit) for s in wanted if place.store.exists(place.name(s, "plan.json"))]


def _view(place: Place, step: str, unit: str | None) -> PassView:
    done = [m for m in manifests(place, step) if unit in (None, m.unit)]
    spent: Counter[str] = Counter()
    for manifest in done:
        spent.update(manifest.cost.get("stages_us", {}))
    return PassView(
        step,
        len(done),
        total(place.report(m) for m in done),
        sum(m.cost.get("cpu_seconds", 0.0) for m in done),
        dict(sorted(spent.items())),
        sum(m.cost.get("guarded", 0) for m in done),
    )


def console(stderr: bool = False) -> Console:
    """A console for people; one that nobody watches is wide, so that nothing is cut."""
    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH)


def show(console: Console, title: str, passes: Sequence[PassView]) -> None:
    """Print a report: one waterfall, then what was dropped and why, languages and costs."""
    console.print(Text(title, style="bold"))
    for part in _parts(passes):
        console.print(part)


def _parts(passes: Sequence[PassView]) -> Iterator[RenderableType]:
    yield _heading("From records to tokens")
    yield _waterfall(passes)
    yield from _tokens(passes)
    drops = [p for p in passes if p.report.drops()]
    if drops:
        yield _heading("What was dropped, and a sample of each")
        yield _drops(drops)
    last = next((p for p in reversed(passes) if _by_language(p.report)), None)
    if last:
        yield _heading(f"Languages after {last.step}, from about {last.report.distinct('hosts'):,} hosts")
        yield _languages(last)
    yield _heading("Cost")
    yield _costs(passes)


def _waterfall(passes: Sequence[PassView]) -> RenderableType:
    table = _table()
    for name in ("pass", "stage", "in", "dropped", "left", "of the first"):
        table.add_column(name, justify="left" if name in ("pass", "stage") else "right")
    first = next((p.report.counts["records"] for p in passes if p.report.counts["records"]), 0)
    for made in passes:
        for stage, entered, dropped in _steps(made):
            left = entered - dropped
            share = f"{100 * left / first:.1f} %" if first else ""
            table.add_row(made.step, stage, f"{entered:,}", f"{dropped:,}" if dropped else "", f"{left:,}", share)
    return table


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _table() -> Table:
    return Table(box=box.SIMPLE, pad_edge=False)


def _tokens(passes: Sequence[PassView]) -> Iterator[Text]:
    for made in passes:
        counts = made.report.counts
        if counts["tokens"]:
            shares = f"{counts['train.tokens']:,} for training, {counts['validation.tokens']:,} for validation"
            yield Text(f" {made.step}: {counts['tokens']:,} tokens of {counts['documents']:,} documents ({shares})\n")


def _steps(made: PassView) -> Iterator[tuple[str, int, int]]:
    """Name of each stage of a pass, documents in, documents dropped; what no stage dropped comes first."""
    counts, drops = made.report.counts, made.report.drops()
    entered = counts["records"]
    if not entered or counts["tokens"]:
        return
    into = sorted((k.removeprefix("into."), v) for k, v in counts.items() if k.startswith("into."))
    if not into:
        from_source = any(reason.startswith("source.") for reason in drops)
        yield "source" if from_source else "duplicates", entered, sum(drops.values())
        return
    if entered > into[0][1]:
        yield "source", entered, entered - into[0][1]
    left = [documents for _, documents in into[1:]] + [counts["kept"]]
    for (name, documents), after in zip(into, left, strict=True):
        yield name.partition(".")[2], documents, documents - after


def _drops(passes: Sequence[PassView]) -> RenderableType:
    table = _table()
    table.add_column("documents", justify="right", no_wrap=True, min_width=9)
    table.add_column("pass", no_wrap=True, min_width=max(len(made.step) for made in passes))
    table.add_column("reason, and the sample with the smallest hash", overflow="ellipsis", no_wrap=True)
    for made in passes:
        for reason, documents in sorted(made.report.drops().items(), key=lambda item: (-item[1], item[0])):
            sample = _sample(made.report.samples.get(f"drop.{reason}", []))
            told = Text(reason) + (Text(f"\n  {sample}", style="dim") if sample else Text(""))
            table.add_row(f"{documents:,}", made.step, told)
    return table


def _sample(samples: Sequence[dict[str, Any]]) -> str:
    if not samples:
        return ""
    first = samples[0]
    text = " ".join((first.get("text") or "").split())
    if "records" in first:
        return f"{first['records']:,} in {first['source_file']}, from byte {first['source_offset']:,} on"
    place = first["url"] or f"{first['source_file']}:{first['source_offset']}"
    return f"{first['id'][:8]} {place} {text}"


def _languages(last: PassView) -> RenderableType:
    found = _by_language(last.report)
    table = _table()
    for name in ("language", "documents", "text bytes"):
        table.add_column(name, justify="left" if name == "language" else "right")
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    for lang, (documents, size) in ordered[:LANGUAGES]:
        table.add_row(lang, f"{documents:,}", f"{size:,}")
    if len(ordered) > LANGUAGES:
        rest = ordered[LANGUAGES:]
        table.add_row(f"{len(rest)} others", f"{sum(d for _, (d, _) in rest):,}", f"{sum(s for _, (_, s) in rest):,}")
    return table


def _by_language(report: Report) -> dict[str, tuple[int, int]]:
    counts = report.counts
    names = [k.split(".")[2] for k in counts if k.startswith("by.lang.") and k.endswith(".documents")]
    return {n: (counts[f"by.lang.{n}.documents"], counts[f"by.lang.{n}.text_bytes"]) for n in names}


def _costs(passes: Sequence[PassView]) -> RenderableType:
    table = _table()
    for name in ("pass", "units", "CPU s", "dearest stages, ms a document"):
        table.add_column(name, justify="right" if name in ("units", "CPU s") else "left")
    for made in passes:
        table.add_row(made.step, f"{made.units:,}", f"{made.cpu_seconds:,.1f}", _dearest(made))
    guarded = sum(p.guarded for p in passes)
    note = Text(f"{guarded} records were left out because they killed their workers", style="bold") if guarded else ""
    return Group(table, note) if note else table


def _dearest(made: PassView) -> str:
    counts = made.report.counts
    costs = []
    for name, micros in made.stages_us.items():
        entered = counts.get(f"into.{name}", 0) or counts["records"]
        costs.append((micros / 1000 / entered if entered else 0.0, name.partition(".")[2] or name))
    return ", ".join(f"{name} {cost:.2f}" for cost, name in sorted(costs, reverse=True)[:4])
