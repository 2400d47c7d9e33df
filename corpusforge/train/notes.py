"""What became of a run's data, said and logged when it starts: nothing is left out without a word."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from corpusforge.tokens.stream import Source
from corpusforge.train.config import Config
from corpusforge.train.examples.reading import LISTED
from corpusforge.train.examples.source import ExampleSource

REASONS = {"too_long": "longer than a sample", "cut_before_response": "cut before anything that is learnt"}
"""Why examples are dropped, in words."""


def told(config: Config, opened: Mapping[str, Source], held_out: Mapping[str, Source]) -> list[str]:
    """What is to be said of the sources that are trained on, ``opened``, and of those that are held out."""
    sequence = config.data.sequence
    lines = [line for name, source in opened.items() for line in _of_source(name, source, sequence)]
    for name, source in held_out.items():
        lines += _of_source(f"held out of {name}", source, sequence)
        if not source.positions(sequence):
            lines.append(f"no held-out text of a whole sample in {name}: nothing of it is validated")
    return lines


def facts(config: Config, opened: Mapping[str, Source], held_out: Mapping[str, Source]) -> dict[str, Any]:
    """The same for programs: ``{"examples": {"train": {NAME: {…}}, "validation": {…}}}``, nothing without examples.

    Each has ``examples`` and ``rows`` that are read, ``tokens``, ``target_tokens``, the share ``fill`` of rows that is
    filled, ``cut`` and ``dropped`` by reason, lines by ``shapes``, ``bad`` lines, and the ``digest`` of what is learnt.
    """
    splits = {"train": opened, "validation": held_out}
    found = {
        split: {name: _counts(one, config.data.sequence) for name, one in its.items() if isinstance(one, ExampleSource)}
        for split, its in splits.items()
    }
    return {"examples": found} if any(found.values()) else {}


def _of_source(name: str, source: Source, sequence: int) -> Iterator[str]:
    if not isinstance(source, ExampleSource):
        return
    made = source.summary(sequence)
    rows = f"{made.examples:,} examples in {made.rows:,} rows of {sequence:,} tokens, {made.fill:.0%} full"
    dropped = [f"{count:,} dropped ({REASONS[reason]})" for reason, count in made.dropped.items() if count]
    cut = [f"{made.cut:,} cut at their end"] * bool(made.cut)
    bad = [f"{len(source.bad):,} bad lines passed over"] * bool(source.bad)
    yield f"{name}: {'; '.join([rows, *dropped, *cut, *bad])}"
    yield from (f"{name}: {line}" for line in source.bad[:LISTED])
    if len(source.bad) > LISTED:
        yield f"{name}: and {len(source.bad) - LISTED:,} more bad lines"


def _counts(source: ExampleSource, sequence: int) -> dict[str, Any]:
    return {
        **asdict(source.summary(sequence)),
        "shapes": source.shapes,
        "bad": len(source.bad),
        "digest": source.digest,
    }
