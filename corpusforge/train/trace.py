"""From a step to the documents it read, and from a document to the steps that read it: computed, never recorded."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from corpusforge.tokens.shards import Shard, Span
from corpusforge.train import sources
from corpusforge.train.batches import Batches
from corpusforge.train.config import Config, from_json
from corpusforge.train.log import losses_of, steps_of
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.objectives.micro_batch import Material
from corpusforge.train.plan import read_plan
from corpusforge.train.state import State, complete, state_of

COLUMNS = ("id", "url", "licence", "lang", "source_file", "source_offset")
"""What is told of a document, from the sidecar of its shard."""


@dataclass(frozen=True)
class Seen:
    """A run as it was trained so far: ``steps`` are done."""

    run: Path
    config: Config
    material: Material
    batches: Batches
    steps: int


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
    """What a run has read, from its configuration, its plan and its newest checkpoint."""
    config, plan = from_json(json.loads((run / "config.json").read_bytes())), read_plan(run)
    found = complete(run)
    opened = sources.opened(config, plan, run, "train")
    state = state_of(run, found[-1]) if found else State(sizes=config.batch.sizes)
    mixed = sources.mixed_of(state, sources.segments(config, opened))
    made = sources.material(opened, mixed, sources.symbols(plan, run), config.data.seed, config.data.sequence)
    logged = steps_of(run).step
    return Seen(run, config, made, state.batches, int(logged[-1]) + 1 if len(logged) else 0)


def of_step(run: Path, step: int) -> list[Reading]:
    """The documents of a step's batch, those of the dearest samples first.

    Raises ``ValueError`` for a step that the run has not taken.
    """
    known = seen(run)
    if not 0 <= step < known.steps:
        raise ValueError(f"{run} has taken the steps 0 to {known.steps - 1:,}, not {step:,}")
    first, size = known.batches.first(step), known.batches.size(step)
    losses = [None if loss != loss else float(loss) for loss in losses_of(run, first, size)]
    found = [r for n, loss in enumerate(losses) for r in readings(known.config, known.material, first + n, loss)]
    return sorted(found, key=lambda reading: (-(reading.loss or 0), reading.sample))


def of_document(run: Path, id: str) -> dict[str, Any]:
    """The steps and samples that read a document, and the checkpoints that have it in them.

    Raises ``ValueError`` where no source of the run holds it.
    """
    known = seen(run)
    until = known.batches.first(known.steps)
    samples = sorted(set(_samples(known, id, until)))
    steps = sorted({step for s in samples if (step := known.batches.step_of(s, known.steps)) is not None})
    kept = [step for step in complete(run) if steps and step > steps[0]]
    return {"id": id, "samples": samples, "steps": steps, "checkpoints": kept, "of_steps": known.steps}


def readings(config: Config, material: Material, sample: int, loss: float | None) -> Iterator[Reading]:
    """The documents, or examples, of a sample."""
    located = material.stream.locate(sample, 1)
    name = located.names[int(located.sources[0])]
    if isinstance(config.objective, Instruction):
        source: Any = material.stream.sources[int(located.sources[0])]
        for number, file, line in source.examples(int(located.positions[0]), material.sequence):
            yield Reading(sample, name, loss, None, {"example": number, "file": file, "line": line})
        return
    for span in config.objective.documents(material, sample):
        yield Reading(sample, name, loss, span.count, _told(span))


def _told(span: Span) -> dict[str, Any]:
    place = {"shard": span.shard.name, "document": span.document, "start": span.start}
    if span.shard.docs is None:
        return place
    rows = _sidecar(span.shard)
    return {**place, **{name: rows[name][span.document].as_py() for name in COLUMNS}}


@lru_cache(maxsize=8)
def _sidecar(shard: Shard) -> Any:
    return shard.column(*COLUMNS)


def _samples(known: Seen, id: str, until: int) -> Iterator[int]:
    stream, held = known.material.stream, False
    for number, name in enumerate(stream.mixture.names):
        for place, shard in enumerate(stream.line(number).shards):
            if shard.docs is None:
                continue
            for document, found in enumerate(shard.column("id")["id"].to_pylist()):
                if found == id:
                    held = True
                    yield from _of(known, name, place, shard, document, until)
    if not held:
        raise ValueError(f"no source of {known.run} holds the document {id}; its shards have no such id")


def _of(known: Seen, name: str, place: int, shard: Shard, document: int, until: int) -> Iterator[int]:
    objective, material = known.config.objective, known.material
    if objective.use != "next_sentence":
        yield from material.stream.samples_of(name, place, document, until)
        return
    for sample in range(until):  # a second part may come from anywhere: every pair is looked at
        parts = objective.documents(material, sample)
        if any(part.shard is shard and part.document == document for part in parts):
            yield sample
