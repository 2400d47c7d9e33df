"""The report of a run, or of some runs beside each other: one HTML page that needs nothing else.

Everything comes from the run's folder: ``config.json``, ``baseline.json`` and ``log/``; but for the log, each may be
missing.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.train.charts import COLOURS, Level, Mark, Series, chart, number, trend
from corpusforge.train.log import Column, Rows, Steps, events_of, steps_of, validations_of
from corpusforge.train.page import document, figure, heading, sentence, table, tiles
from corpusforge.train.progress import lasting
from corpusforge.train.verdict import verdict

__all__ = ["Run", "render_run", "verdict"]

WIDE = 1160
SETTLED = 0.1
"""Share of the steps after which a loss must lie inside its chart."""
ROWS = 200
"""Rows of a table at most: the newest, and of validations the best."""
BASELINES = {"bytes_5gram": "5-gram of bytes", "tokens_5gram": "5-gram of tokens", "unigram": "unigram of tokens"}
"""Names of ``baseline.json`` in words; its values are bits a byte."""
OBJECTIVES = {
    "causal": "causal pretraining",
    "masked": "masked-language pretraining",
    "next_sentence": "masked-language and next-sentence pretraining",
    "instruction": "instruction tuning",
}
MEASURES = (
    ("Learning rate", "learning rate", "lr"),
    ("Tokens a second", "tokens a second", "rate"),
    ("Model FLOP/s utilisation (MFU)", "%", "mfu"),
    ("Waiting for data", "% of the time", "wait"),
    ("Peak memory of a device", "GB", "memory"),
)
"""Title, unit and name of the charts below the losses."""

Folder = str | os.PathLike[str]
Fact = tuple[str, str, str]


@dataclass(frozen=True)
class Run:
    """What lies in a run's folder."""

    name: str
    config: dict[str, Any]
    baseline: dict[str, Any]
    steps: Steps
    validations: Rows
    events: Rows

    @classmethod
    def read(cls, folder: Folder) -> "Run":
        path = Path(folder)
        if not (path / "log").is_dir():
            raise FileNotFoundError(f"{folder} holds no run: it has no folder log; name the folder ROOT/RUN of a run")
        config, baseline = _json(path / "config.json"), _json(path / "baseline.json")
        return cls(path.resolve().name, config, baseline, steps_of(path), validations_of(path), events_of(path))

    def measure(self, name: str) -> Column:
        """A column, in the unit that its chart has."""
        columns = self.steps.columns
        with np.errstate(divide="ignore", invalid="ignore"):
            if name == "rate":
                return columns["tokens"] / columns["seconds"]
            if name == "wait":
                return 100 * columns["wait"] / columns["seconds"]
        return columns[name] * {"mfu": 100, "memory": 1e-9}.get(name, 1)

    def total(self, name: str) -> float:
        return float(np.nansum(self.steps.columns[name]))

    def mean(self, name: str) -> tuple[npt.NDArray[np.int64], Column]:
        """A value over all sources at each validation."""
        rows = self.validations.rows
        at = np.array([row["step"] for row in rows], np.int64)
        return at, np.array([_number(row.get("mean"), name) for row in rows], np.float64)

    @cached_property
    def sources(self) -> list[str]:
        """Sources of training and validation; a source has its place, and so its colour, in every chart."""
        validated = {name for row in self.validations.rows for name in row["sources"]}
        return sorted(validated | set(self.steps.sources))

    @cached_property
    def best(self) -> int | None:
        """Number of the validation with the lowest mean loss."""
        _, losses = self.mean("loss")
        return int(np.nanargmin(losses)) if np.isfinite(losses).any() else None


def render_run(folder: Folder | Sequence[Folder]) -> str:
    """The page for the run in ``folder``, or for some runs with their curves over each other."""
    if isinstance(folder, str | os.PathLike):
        run = Run.read(folder)
        return document(run.name, _one(run))
    runs = [Run.read(each) for each in folder]
    if not 1 <= len(runs) <= COLOURS:
        raise ValueError(f"{len(runs)} runs cannot be compared on one page; name 1 to {COLOURS}")
    return document(", ".join(run.name for run in runs), _several(runs))


def _one(run: Run) -> Iterator[str]:
    yield f"<h1>{escape(run.name)}</h1>"
    yield f'<p class="lead">{sentence(_trained(run.config))}</p>'
    yield tiles(_facts(run))
    yield f'<p class="verdict">{sentence(verdict(run.steps, run.validations.rows))}.</p>'
    yield from (f'<p class="note">{sentence(note)}.</p>' for note in _notes(run))
    yield heading("Losses", "nats a predicted token; faint: each step, strong: running median")
    yield figure(
        "Training loss",
        chart(_with_trend(run, "loss"), "nats", WIDE, marks=_marks(run), settled=SETTLED),
        _legend_of_marks(run),
    )
    yield '<div class="charts">'
    yield figure("Validation loss", chart(_validated(run, "loss"), "nats"))
    levels = [Level(BASELINES.get(n, n), v) for n, v in run.baseline.items() if isinstance(v, int | float)]
    drawn = chart(_validated(run, "bits_per_byte"), "bits a byte", levels=levels)
    yield figure("Validation, bits a byte", drawn, "dashed: n-gram models" if levels else "")
    if run.steps.sources:
        yield figure("Training loss by source", chart(_by_source(run), "nats", settled=SETTLED), "running median")
    yield figure("Gradient norm", chart(_with_trend(run, "grad_norm"), "norm", from_zero=True, marks=_marks(run)))
    yield "</div>" + heading("Rate, speed and memory") + '<div class="charts">'
    for title, unit, name in MEASURES:
        lines = _with_trend(run, name) if name != "lr" else [Series(title, run.steps.step, run.measure(name), 0)]
        yield figure(title, chart(lines, unit, from_zero=True))
    yield "</div>"
    yield from _validation_table(run)
    yield from _event_table(run)
    if run.config:
        told = json.dumps(run.config, indent=2, ensure_ascii=False, sort_keys=True)
        yield f"<details><summary>Configuration</summary><pre>{escape(told)}</pre></details>"


def _several(runs: Sequence[Run]) -> Iterator[str]:
    yield f"<h1>{escape(', '.join(run.name for run in runs))}</h1>"
    yield f'<p class="lead">{len(runs)} runs beside each other</p>'
    facts = [{name: value for name, value, _ in _facts(run)} for run in runs]
    names = list(dict.fromkeys(name for each in facts for name in each))
    yield table(
        ["run", *names], ([run.name, *(each.get(n, "") for n in names)] for run, each in zip(runs, facts, strict=True))
    )
    for run in runs:
        yield f'<p class="verdict"><b>{escape(run.name)}</b>: {sentence(verdict(run.steps, run.validations.rows))}.</p>'
    yield heading("Losses", "nats a predicted token; running median")
    yield figure("Training loss", chart(_over(runs, "loss"), "nats", WIDE, settled=SETTLED))
    yield '<div class="charts">'
    for title, unit, name in (
        ("Mean validation loss", "nats", "loss"),
        ("Mean, bits a byte", "bits a byte", "bits_per_byte"),
    ):
        lines = [Series(run.name, *run.mean(name), n) for n, run in enumerate(runs)]
        yield figure(title, chart(lines, unit))
    yield figure("Gradient norm", chart(_over(runs, "grad_norm"), "norm", from_zero=True))
    for title, unit, name in MEASURES:
        yield figure(title, chart(_over(runs, name), unit, from_zero=True))
    yield "</div>"


def _trained(config: Mapping[str, Any]) -> str:
    """What was trained, in words, as far as the configuration tells."""
    objective = _part(config, "objective").get("use", "")
    model, sources = _part(config, "model"), list(_part(_part(config, "data"), "sources"))
    made = _part(model, "config")
    parts = [OBJECTIVES.get(str(objective), str(objective)) or "a run"]
    if model.get("path"):
        parts.append(f"of {model['path']}" + (" with LoRA" if model.get("lora") else ""))
    elif made.get("model_type"):
        shape = [f"{made[key]:,} {word}" for key, word in SHAPE if isinstance(made.get(key), int)]
        parts.append(f"of a new {made['model_type']}" + (f" ({', '.join(shape)})" if shape else ""))
    if sources:
        more = f" and {len(sources) - 6} more" if len(sources) > 6 else ""
        parts.append(f"on {', '.join(map(str, sources[:6]))}{more}")
    return " ".join(parts)


SHAPE = (("num_hidden_layers", "layers"), ("hidden_size", "hidden"), ("num_attention_heads", "heads"))


def _facts(run: Run) -> Iterator[Fact]:
    """What matters most, as name, value and note."""
    steps = run.steps
    if not len(steps):
        return
    wanted = run.config.get("steps")
    share = f"of {wanted:,}" if isinstance(wanted, int) and wanted else ""
    yield "Steps", f"{int(steps.step[-1]) + 1:,}", share
    yield "Tokens", number(run.total("tokens")), f"{run.total('samples'):,.0f} samples"
    yield (
        "Time in steps",
        lasting(run.total("seconds")),
        f"{100 * run.total('wait') / max(run.total('seconds'), 1e-9):.1f} % waiting",
    )
    _, recent = trend(steps.step, run.measure("loss"))
    if len(recent):
        yield "Training loss", f"{recent[-1]:.3f}", "median of the last steps"
    if run.best is not None:
        row = run.validations.rows[run.best]
        yield "Best validation loss", f"{_number(row['mean'], 'loss'):.3f}", f"at step {row['step']:,}"
        bits = _number(row["mean"], "bits_per_byte")
        if math.isfinite(bits):
            yield "Bits a byte", f"{bits:.3f}", f"at step {row['step']:,}"
    yield "Tokens a second", number(run.total("tokens") / max(run.total("seconds"), 1e-9)), "over all devices"
    used = run.measure("mfu")
    if np.isfinite(used).any():
        yield "MFU", f"{np.nanmedian(used):.1f} %", "median"
    held = run.measure("memory")
    if np.isfinite(held).any():
        yield "Peak memory", f"{np.nanmax(held):.1f} GB", "of a device"


def _notes(run: Run) -> Iterator[str]:
    """What a reader must know of the log itself."""
    lost = int((~np.isfinite(run.steps.columns["loss"])).sum())
    if lost:
        yield f"the loss was not finite in {lost:,} of {len(run.steps):,} logged steps"
    if run.steps.repeated:
        yield f"{run.steps.repeated:,} logged steps were done again after a crash or a rewind; the later ones are shown"
    torn = run.steps.torn + run.validations.torn + run.events.torn
    if torn:
        yield f"lines of the log that a killed writer left torn, and that are left out here: {torn:,}"


def _with_trend(run: Run, name: str) -> list[Series]:
    x, y = run.steps.step, run.measure(name)
    return [Series(name, x, y, 0, "faint"), Series(name, *trend(x, y), 0)]


def _over(runs: Sequence[Run], name: str) -> list[Series]:
    return [Series(run.name, *trend(run.steps.step, run.measure(name)), n) for n, run in enumerate(runs)]


def _validated(run: Run, name: str) -> list[Series]:
    """A value of each source by validation; sources past the colours are in the table only."""
    rows = run.validations.rows
    at = np.array([row["step"] for row in rows], np.int64)
    return [
        Series(source, at, np.array([_number(row["sources"].get(source), name) for row in rows], np.float64), n)
        for n, source in enumerate(run.sources[:COLOURS])
    ]


def _by_source(run: Run) -> list[Series]:
    losses = run.steps.sources
    return [
        Series(source, *trend(run.steps.step, losses[source]), n)
        for n, source in enumerate(run.sources[:COLOURS])
        if source in losses
    ]


def _marks(run: Run) -> list[Mark]:
    kinds = {"spike": "spike", "skip": "spike", "rewind": "spike", "resume": "resume"}
    rows = (row for row in run.events.rows if row.get("kind") in kinds)
    return [Mark(row["step"], kinds[row["kind"]], str(row.get("text", ""))) for row in rows]


def _legend_of_marks(run: Run) -> str:
    kinds = {mark.kind for mark in _marks(run)}
    words = {"spike": "triangles: spikes", "resume": "dotted: resumed"}
    return ", ".join(word for kind, word in words.items() if kind in kinds)


def _validation_table(run: Run) -> Iterator[str]:
    rows = run.validations.rows
    if not rows:
        return
    shown = sorted({*range(max(len(rows) - ROWS, 0), len(rows)), *([] if run.best is None else [run.best])})
    note = (
        f"the newest {ROWS} of {len(rows):,} and the best" if len(shown) < len(rows) else "bold: the lowest mean loss"
    )
    yield heading("Validations", f"nats a token / bits a byte; {note}")
    cells = (
        [f"{rows[n]['step']:,}", _pair(rows[n]["mean"]), *(_pair(rows[n]["sources"].get(s)) for s in run.sources)]
        for n in shown
    )
    marked = frozenset(place for place, n in enumerate(shown) if n == run.best)
    yield table(["step", "mean", *run.sources], cells, "numbers", marked)


def _event_table(run: Run) -> Iterator[str]:
    rows = run.events.rows
    if not rows:
        return
    kinds = Counter(str(row.get("kind")) for row in rows)
    told = [row for row in rows if row.get("kind") != "checkpoint"]
    kept = [row for row in rows if row.get("kind") == "checkpoint"]
    counted = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    yield heading("Events", f"{counted}{f'; the newest {ROWS} are shown' if len(told) > ROWS else ''}")
    if kept:
        first, last = kept[0]["step"], kept[-1]["step"]
        yield f'<p class="note">Checkpoints from step {first:,} to step {last:,}.</p>'
    yield table(["step", "kind", "time (UTC)", "what", "facts"], map(_happened, told[-ROWS:]), "events")


def _happened(row: Mapping[str, Any]) -> list[str]:
    """An event as a row of the table."""
    time = str(row.get("time", ""))[:19].replace("T", " ")
    return [f"{row['step']:,}", str(row.get("kind")), time, str(row.get("text", "")), _told(row)]


def _told(row: Mapping[str, Any]) -> str:
    """The facts of an event, in one line."""
    facts = row.get("facts") or {}
    text = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items())
    return text if len(text) <= 600 else f"{text[:599]}…"


def _pair(told: Mapping[str, Any] | None) -> str:
    loss, bits = _number(told, "loss"), _number(told, "bits_per_byte")
    return " / ".join(f"{value:.3f}" for value in (loss, bits) if math.isfinite(value))


def _number(told: Mapping[str, Any] | None, name: str) -> float:
    """A number of a row, or NaN where it has none."""
    value = (told or {}).get(name)
    return float(value) if isinstance(value, int | float) else math.nan


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, or nothing where the file is missing or torn."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
