"""Training runs: what they read is resolved, written down and handed to the workers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpusforge.text.canonical import canonical_json, differences
from corpusforge.train.config import Config, absolute, as_json, from_json, read_config, resolved
from corpusforge.train.lock import check_free
from corpusforge.train.log import steps_of
from corpusforge.train.plan import (
    PLAN,
    ExamplesPlan,
    Plan,
    check_patience,
    read_plan,
    unreadable,
    write_plan,
    write_whole,
)
from corpusforge.train.presets import presets
from corpusforge.train.report import render_run
from corpusforge.train.state import check_sources, check_stage, checkpoint_of, complete, state_of
from corpusforge.train.trace import of_document, of_step
from corpusforge.verbs.run_plan import keep, plan_of

CONFIG = "config.json"
FIXED = ("objective", "model", "precision", "data")
"""What a run keeps from its first step; everything else may be another when it goes on."""
FREE = {"model": ("recompute", "compile", "attention"), "data": ("mixture", "sources", "verify")}
"""Fields of those that may be others all the same; what a source holds is compared by digest."""


class NotTrained(ValueError):
    """A run cannot be trained, or not be shown, as it was asked for; the message says why and what helps."""


def train_run(
    config: str | Path | Config,
    root: str | Path,
    changes: Mapping[str, Any] | None = None,
    address: str | None = None,
    ray: bool = True,
    say: Callable[[str], None] = print,
) -> Path:
    """Train a run from a YAML file or a ``Config``, or go on with it; give its folder ``ROOT/RUN``.

    ``changes`` set single fields, ``{"batch.micro": 4}``. Workers are Ray Train's, on an embedded local Ray or the
    cluster at ``address``; without ``ray`` this process is the only one.
    """
    made = config if isinstance(config, Config) else read_config(config, changes)
    with one_message():
        made = resolved(made)
        folder = prepare(made, Path(root).absolute(), say)
        if ray:
            from corpusforge.train.launch import launch  # noqa: PLC0415  (Ray and torch only where a run needs them)

            launch(made, folder, address, say)
        else:
            from corpusforge.train.loop import train as alone  # noqa: PLC0415

            alone(made, folder, say=say)
    return folder


def train_presets() -> dict[str, str]:
    """The presets that a configuration may name, each with where its numbers are from."""
    return {name: preset["source"] for name, preset in presets().items()}


def train_report(runs: Sequence[str | Path]) -> Path:
    """Draw one run, or several beside each other, into ``report.html`` of the first; give that page."""
    page = Path(runs[0]) / "report.html"
    _known(*runs)
    page.write_text(render_run([Path(run) for run in runs] if len(runs) > 1 else Path(runs[0])), encoding="utf-8")
    return page


def train_export(run: str | Path, to: str | Path, step: int | None = None) -> Path:
    """Write the model of a run in the format of Hugging Face to the new folder ``to``."""
    _known(run)
    with one_message():
        from corpusforge.train.export import export  # noqa: PLC0415  (torch only where it is needed)

        return export(Path(run), Path(to), step)


def train_sample(
    run: str | Path, prompt: str, step: int | None = None, tokens: int = 64, count: int = 1, temperature: float = 0.8
) -> list[str]:
    """Continuations of ``prompt`` by the model of a run, or by an exported one."""
    with one_message():
        from corpusforge.train.sampling import sample  # noqa: PLC0415

        return sample(Path(run), prompt, step, tokens, count, temperature)


def trace_step(run: str | Path, step: int) -> list[dict[str, Any]]:
    """The documents of a step's batch with the loss of their sample, the dearest first."""
    _known(run)
    with one_message():
        return [asdict(reading) for reading in of_step(Path(run), step)]


def trace_document(run: str | Path, id: str) -> dict[str, Any]:
    """The samples and steps of a run that read a document, and the checkpoints that have learnt it."""
    _known(run)
    with one_message():
        return of_document(Path(run), id)


def _known(*runs: str | Path) -> None:
    for run in runs:
        if not Path(run, CONFIG).is_file():
            raise NotTrained(f"{run} is no training run: it holds no {CONFIG}; name ROOT/RUN")


@contextmanager
def one_message() -> Iterator[None]:
    """A wrong value or a missing package as one message."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotTrained(f"{error}; training needs pip install torch, then pip install 'corpusforge[train]'") from error
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise NotTrained(f"{error.filename} cannot be read ({error.strerror}); name one that can") from error
    except ValueError as error:
        raise NotTrained(str(error)) from error


def prepare(config: Config, root: Path, say: Callable[[str], None]) -> Path:
    """Resolve and write down what a run reads, once nothing speaks against it.

    Raises ``NotTrained`` where a run of that name has trained otherwise, and ``ValueError`` where it cannot go on, or
    begin from another one, with these sources and settings: then everything stays as it was.
    """
    config, folder = resolved(config), root / config.run
    check_free(folder)
    plan, tokenizer = plan_of(config)
    if not any(isinstance(source, ExamplesPlan) for source in plan.sources.values()):  # workers alone can pack examples
        check_patience(config, plan.held_out())
    told, changed = as_json(config), []
    if complete(folder) or len(steps_of(folder)):
        changed = _check_before(told, plan, folder)
    _check_origin(config, plan, folder)
    for line in changed:
        say(f"changed: {line}")
    folder.mkdir(parents=True, exist_ok=True)
    if tokenizer is not None:
        keep(tokenizer, folder)
    write_plan(plan, folder)
    write_whole(folder / CONFIG, canonical_json(told))
    return folder


def _check_before(told: Mapping[str, Any], plan: Plan, folder: Path) -> list[str]:
    """What is otherwise than before in a run that has trained; raises ``NotTrained`` where that may not be."""
    before = _config_of(folder) if (folder / CONFIG).is_file() else told
    _compare(_fixed(before), _fixed(told), folder)
    if (folder / PLAN).is_file():
        known, now = read_plan(folder).identities(), plan.identities()
        both = known.keys() & now.keys()
        _compare({name: known[name] for name in both}, {name: now[name] for name in both}, folder)
    return list(differences(before, told, "config"))


def _config_of(folder: Path) -> dict[str, Any]:
    """The configuration that a run has, with its paths as they are meant here."""
    path = folder / CONFIG
    try:
        return as_json(absolute(from_json(json.loads(path.read_bytes()))))
    except ValueError as error:
        raise ValueError(unreadable(path, error)) from error


def _check_origin(config: Config, plan: Plan, folder: Path) -> None:
    """Raise ``ValueError`` where the checkpoint that a run is to go on from does not fit sources and ZeRO stage."""
    own = complete(folder)
    if own:
        before = state_of(folder, own[-1])
    elif config.start is not None:
        origin = Path(config.start.run)
        before = state_of(origin, checkpoint_of(origin, config.start.step, config.precision, config.model.config))
        _check_contents(plan, origin)
    else:
        return
    check_stage(before.stage, config.zero_stage)
    check_sources(before, [name for name, source in plan.sources.items() if source.train])


def _check_contents(plan: Plan, origin: Path) -> None:
    """Raise ``ValueError`` where a source has the name of another one of the run that is begun from."""
    known, now = read_plan(origin).identities(), plan.identities()
    others = sorted(name for name in known.keys() & now.keys() if known[name] != now[name])
    if others:
        raise ValueError(
            f"data.sources: {', '.join(others)} held something else in {origin}, which start.run begins from; list "
            "that as it was there, and what is new by another name. data.mixture may leave the old one out from here on"
        )


def _fixed(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in told[name].items() if k not in FREE.get(name, ())}
        if isinstance(told[name], dict)
        else told[name]
        for name in FIXED
    }


def _compare(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    changed = list(differences(before, now, "config"))
    if changed:
        raise NotTrained(
            f"the run {folder} was begun otherwise: {'; '.join(changed)}. Give the changed one another name (run: …), "
            "or begin it from this one's checkpoint with start: {run: …}"
        )
