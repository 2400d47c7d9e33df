"""From a step to the documents it read, and from a document to the steps that read it: computed, never recorded.

Which samples a step took stands in its line of the log. What they were is computed from what the attempt that did the
step told when it began: its mixture, and the documents that were forgotten by then.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.shards import Shard, Span
from corpusforge.train import sources
from corpusforge.train.batches import Batches
from corpusforge.train.config import Config, from_json
from corpusforge.train.log import Steps, events_of, losses_of, steps_of
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.objectives.micro_batch import Material
from corpusforge.train.plan import Plan, TokensPlan, read_plan
from corpusforge.train.state import State, complete, state_of

COLUMNS = ("id", "url", "licence", "lang", "source_file", "source_offset")
"""What is told of a document, from the sidecar of its shard."""
BEGINNINGS = ("start", "resume", "rewind")
"""Kinds of events that tell by what the steps behind them are read."""

Numbers = npt.NDArray[np.int64]
Forgotten = frozenset[tuple[str, str]]
"""Sources and ids of documents that were forgotten by then."""


@dataclass(frozen=True)
class Part:
    """Steps, ascending, that were read from one ``material``: step n took ``samples[n]`` samples from ``first[n]``."""

    material: Material
    step: Numbers
    first: Numbers
    samples: Numbers

    def steps_of(self, samples: list[int]) -> list[tuple[int, int]]:
        """(step, sample) for each of these samples that one of the steps took."""
        at = np.searchsorted(self.first, samples, "right") - 1
        pairs = zip(samples, at.tolist(), strict=True)
        return [(int(self.step[n]), s) for s, n in pairs if n >= 0 and s < self.first[n] + self.samples[n]]


@dataclass(frozen=True)
class Seen:
    """A run as its log tells it; the steps of ``before`` were done by the run that it began from."""

    run: Path
    config: Config
    plan: Plan
    step: Numbers
    parts: list[Part]
    before: Part | None


@dataclass(frozen=True)
class Reading:
    """One document, or example, of one sample: ``loss`` is the sample's, in nats a predicted token."""

    sample: int
    source: str
    loss: float | None
    tokens: int | None
    document: dict[str, Any]

    def words(self) -> str:
        """The sample and where its document lies, in one line: ``sample 57: web ja-000000/12 e775fe0c``."""
        told = self.document
        place = f"{told['file']}:{told['line']}" if "line" in told else f"{told['shard']}/{told['document']}"
        return f"sample {self.sample}: {self.source} {place} {told.get('id', '')}".rstrip()


def seen(run: Path) -> Seen:
    """What a run has read, from its configuration, its plan and its log.

    A run whose events do not tell it, one of an earlier version, is taken by its newest checkpoint.
    """
    config, plan = from_json(json.loads((run / "config.json").read_bytes())), read_plan(run)
    log, told = steps_of(run), _told_by_attempt(run)
    newest = told[max(told)] if told else _of_checkpoint(run, config)
    forgotten = _forgotten_by_attempt(told, log)
    steps: dict[tuple[str, Forgotten], list[int]] = {}
    for attempt in np.unique(log.attempt).tolist():
        order = json.dumps(told.get(attempt, newest)["segments"])
        steps.setdefault((order, forgotten[attempt]), []).append(attempt)
    parts = [
        _part(_material(config, plan, run, json.loads(order), gone), log, attempts)
        for (order, gone), attempts in steps.items()
    ]
    return Seen(run, config, plan, log.step, parts, _before(config, plan, run, log, newest))


def of_step(run: Path, step: int) -> list[Reading]:
    """The documents of a step's batch, those of the dearest samples first.

    Raises ``ValueError`` for a step that the log does not hold.
    """
    known = seen(run)
    for part in known.parts:
        for place in np.flatnonzero(part.step == step).tolist():
            first, size = int(part.first[place]), int(part.samples[place])
            losses = [None if loss != loss else float(loss) for loss in losses_of(run, first, size)]
            found = [r for n, loss in enumerate(losses) for r in readings(known.config, part.material, first + n, loss)]
            return sorted(found, key=lambda reading: (-(reading.loss or 0), reading.sample))
    raise ValueError(f"{run} has taken {_ranges(known.step)}, not {step:,}{_origin(known, step)}")


def of_document(run: Path, id: str) -> dict[str, Any]:
    """The steps and samples that read a document, and the checkpoints that have it in them.

    ``before`` are steps of the run that this one began from, computed from this one's sources; what was forgotten then
    is not known here and counts as read. Raises ``ValueError`` where no source of the run holds the document.
    """
    known = seen(run)
    places = _places(known, id)
    read = sorted({pair for part in known.parts for pair in _readers(known, part, id, places)})
    earlier = sorted(_readers(known, known.before, id, places)) if known.before else []
    steps, before = (sorted({step for step, _ in pairs}) for pairs in (read, earlier))
    kept = [step for step in complete(run) if any(step > first for first in (before + steps)[:1])]
    taken = int(known.step[-1]) + 1 if len(known.step) else 0
    samples = sorted({sample for _, sample in read})
    return {"id": id, "samples": samples, "steps": steps, "before": before, "checkpoints": kept, "of_steps": taken}


def readings(config: Config, material: Material, sample: int, loss: float | None) -> Iterator[Reading]:
    """The documents, or examples, of a sample; none that is forgotten."""
    located = material.stream.locate(sample, 1)
    number = int(located.sources[0])
    name = located.names[number]
    if isinstance(config.objective, Instruction):
        source: Any = material.stream.sources[number]
        for example, file, line in source.examples(int(located.positions[0]), material.sequence):
            yield Reading(sample, name, loss, None, {"example": example, "file": file, "line": line})
        return
    erased = material.stream.line(number).erased
    for span in config.objective.documents(material, sample):
        told = _told(span)
        if told.get("id") not in erased:
            yield Reading(sample, name, loss, span.count, told)


def _told(span: Span) -> dict[str, Any]:
    place = {"shard": span.shard.name, "document": span.document, "start": span.start}
    if span.shard.docs is None:
        return place
    rows = _sidecar(span.shard)
    return {**place, **{name: rows[name][span.document].as_py() for name in COLUMNS}}


@lru_cache(maxsize=8)
def _sidecar(shard: Shard) -> Any:
    return shard.column(*COLUMNS)


def _told_by_attempt(run: Path) -> dict[int, dict[str, Any]]:
    """What each attempt told last of the order in which it reads; of what it forgets, all that it told."""
    found: dict[int, dict[str, Any]] = {}
    for row in events_of(run).rows:
        facts = row["facts"]
        if row["kind"] in BEGINNINGS and "segments" in facts:
            erased = facts.get("erased") or found.get(row["attempt"], {}).get("erased", {})
            found[row["attempt"]] = {**facts, "erased": erased}
    return found


def _of_checkpoint(run: Path, config: Config) -> dict[str, Any]:
    found = complete(run)
    return (state_of(run, found[-1]) if found else State(sizes=config.batch.sizes)).as_json()


def _forgotten_by_attempt(told: Mapping[int, Mapping[str, Any]], log: Steps) -> dict[int, Forgotten]:
    """What was forgotten when each attempt that has steps read them; each tells only what it is the first to know."""
    found = {}
    for attempt in np.unique(log.attempt).tolist():
        until = [facts["erased"] for number, facts in told.items() if number <= attempt]
        found[attempt] = frozenset((name, id) for erased in until for name, ids in erased.items() for id in ids)
    return found


def _material(config: Config, plan: Plan, run: Path, segments: list[Any], forgotten: Forgotten) -> Material:
    """What an attempt read from: the sources of the plan without what was forgotten by then."""
    then = {name: _as_then(source, forgotten) for name, source in plan.sources.items()}
    opened = sources.opened(config, replace(plan, sources=then), run, "train")
    mixed = [Segment(one["from_sample"], one["weights"]) for one in segments] or sources.segments(config, opened)
    return sources.material(opened, mixed, sources.symbols(plan, run), config.data.seed, config.data.sequence)


def _as_then(source: Any, forgotten: Forgotten) -> Any:
    if not isinstance(source, TokensPlan):
        return source
    return replace(source, erased=tuple(id for id in source.erased if (source.name, id) in forgotten))


def _part(material: Material, log: Steps, attempts: list[int]) -> Part:
    its = np.isin(log.attempt, attempts)
    first, samples = (log.columns[name][its].astype(np.int64) for name in ("first", "samples"))
    return Part(material, log.step[its], first, samples)


def _before(config: Config, plan: Plan, run: Path, log: Steps, newest: Mapping[str, Any]) -> Part | None:
    """The steps that the log does not begin with, those of the run in ``start.run``."""
    if config.start is None or not len(log) or not log.step[0]:
        return None
    sizes = {int(step): size for step, size in newest["sizes"].items()}
    batches = Batches(sizes, tuple((step, samples) for step, samples in newest["skips"]))
    step = np.arange(int(log.step[0]))
    first = np.array([batches.first(n) for n in step.tolist()], np.int64)
    samples = np.array([batches.size(n) for n in step.tolist()], np.int64)
    return Part(_material(config, plan, run, newest["segments"], frozenset()), step, first, samples)


def _ranges(step: Numbers) -> str:
    """Steps in words: ``the steps 0 to 7 and 12 to 19``."""
    if not len(step):
        return "no step yet"
    gaps = np.flatnonzero(np.diff(step) > 1) + 1
    edges = [0, *gaps.tolist(), len(step)]
    return "the steps " + " and ".join(f"{step[begin]:,} to {step[end - 1]:,}" for begin, end in pairwise(edges))


def _origin(known: Seen, step: int) -> str:
    """Where a step is to be looked for that is none of this run's."""
    start = known.config.start
    return (
        f"; the steps before are those of {start.run}" if start and known.before and step in known.before.step else ""
    )


def _places(known: Seen, id: str) -> list[tuple[str, int, int]]:
    """(source, number of the shard, document) of each document of an id."""
    found = []
    for name, source in known.plan.sources.items():
        for number, shard in enumerate(source.train if isinstance(source, TokensPlan) else ()):
            if shard.docs is not None:
                rows = pc.equal(shard.column("id")["id"], id).to_numpy()
                found += [(name, number, document) for document in np.flatnonzero(rows).tolist()]
    if not found:
        raise ValueError(f"no source of {known.run} holds the document {id}; its shards have no such id")
    return found


def _readers(known: Seen, part: Part, id: str, places: list[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    """(step, sample) of the steps of a part that read a document, which may lie at several places."""
    stream = part.material.stream
    lines = {name: stream.line(number) for number, name in enumerate(stream.mixture.names)}
    there = [place for place in places if place[0] in lines and id not in lines[place[0]].erased]
    if known.config.objective.use == "next_sentence":
        yield from _of_pairs(known.config, part, {(lines[name].shards[n], document) for name, n, document in there})
        return
    for place in there:
        yield from part.steps_of(stream.samples_of(*place, int(part.first[-1] + part.samples[-1])))


def _of_pairs(config: Config, part: Part, wanted: set[tuple[Shard, int]]) -> Iterator[tuple[int, int]]:
    """A second part may come from anywhere: every pair is looked at."""
    for step, first, samples in zip(part.step.tolist(), part.first.tolist(), part.samples.tolist(), strict=True):
        for sample in range(first, first + samples if wanted else first):
            spans = config.objective.documents(part.material, sample)
            if any((span.shard, span.document) in wanted for span in spans):
                yield step, sample
