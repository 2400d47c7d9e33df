"""How long a build will take and what it will write, from a measured sample of its input."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from corpusforge.engine.unit import Unit
from corpusforge.inputs import InputError
from corpusforge.passes.corpus import Corpus
from corpusforge.passes.map import Map, slices_of
from corpusforge.passes.tokenize import Tokenize
from corpusforge.recipe import Recipe
from corpusforge.report.progress import counted
from corpusforge.verbs.check import Plan
from corpusforge.verbs.sample import NoSample, Sample, measured

__all__ = ["Estimate", "NoSample", "estimate", "estimate_of"]

TOKENS = 0.45
"""Bytes of token shards for a byte of text: two a token, of about four and a half bytes in English and Japanese."""
OTHERS = 1.1
"""CPU time of all passes for one of the map passes (docs/benchmarks.md)."""
LEAST, UNSPREAD = 0.25, 0.5
"""The share by which a time is stated to be uncertain, at least, and where the sample comes from under three slices."""


@dataclass(frozen=True)
class Estimate:
    """What a build reads, takes and writes; ``uncertain`` is a share of ``seconds``, ``sampled`` the records seen."""

    what: str
    records: int
    seconds: float
    uncertain: float
    written: int
    workers: int
    sampled: int
    passes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"passes": list(self.passes)}

    def line(self) -> str:
        """The estimate in one line: ``about 8,400 pages, 9 min (7 to 12 min), 120 MB, 2 workers``."""
        low, high = (_time(self.seconds * (1 + sign * self.uncertain)) for sign in (-1, 1))
        size = f"{self.written / 1e9:,.1f} GB" if self.written >= 1e9 else f"{_rounded(self.written / 1e6):,} MB"
        between = f" ({low} to {high})" if low != high else ""
        return (
            f"about {_rounded(self.records):,} {self.what}, {_time(self.seconds)}{between}, {size}, "
            f"{counted(self.workers, 'worker')} (from a sample of {self.sampled:,} {self.what})"
        )


def estimate(recipe: Recipe, units: Sequence[Unit], workers: int) -> Estimate:
    """Estimate what is to be done for ``units`` of the first pass and all passes after it.

    The sample goes through the first pass and the map passes that follow on it; the others together take a tenth of
    that, by docs/benchmarks.md. Raises ``NoSample``.
    """
    chain = _chain(recipe)
    sample = measured(chain, units)
    size, weight = sum(unit.bytes for unit in units), sum(piece.whole for piece in sample.pieces)
    # Slices count by their bytes: large pages and small ones may lie in different files.
    records = size * sum(piece.whole * piece.rows / piece.bytes for piece in sample.pieces) / weight
    cpu = size * sum(piece.whole * piece.cost for piece in sample.pieces) / weight
    most = sum(piece.limit or 0 for unit in units for piece in slices_of(unit)) or records
    share = min(1.0, most / records)
    return Estimate(
        what="pages" if "html" in chain[0].given({}) else "documents",
        records=round(records * share),
        seconds=cpu * share * OTHERS / min(workers, len(units)),
        uncertain=_uncertain(sample),
        written=_written(recipe, sample, records * share),
        workers=min(workers, len(units)),
        sampled=sum(piece.rows for piece in sample.pieces),
        passes=tuple(made.name for made in chain),
    )


def estimate_of(planned: Plan, workers: int | None = None) -> Estimate:
    """Estimate a whole build; ``workers`` are the CPUs of this machine if not given."""
    if not planned.source or not planned.source.inputs:
        raise InputError("no input was given. Say what is to be estimated: --input my.warc.gz")
    return estimate(planned.recipe, planned.source.plan({}), workers or len(os.sched_getaffinity(0)))


def _chain(recipe: Recipe) -> list[Map]:
    """The pass that reads the inputs, and the map passes that each read the one before."""
    chain: list[Map] = []
    for made in recipe.passes:
        if isinstance(made, Map) and (made.source or (chain and made.reads == (chain[-1].name,))):
            chain.append(made)
    return chain


def _written(recipe: Recipe, sample: Sample, records: float) -> int:
    """Bytes of all passes: documents kept stand once more in a corpus, and their text in token shards."""
    again = sample.kept_bytes * any(isinstance(p, Corpus) for p in recipe.passes)
    tokens = TOKENS * sample.text_bytes * any(isinstance(p, Tokenize) for p in recipe.passes)
    return round((sample.written + again + tokens) / sample.sent * records)


def _uncertain(sample: Sample) -> float:
    """Two standard errors of the CPU time a byte, over slices, between bounds."""
    costs = [piece.cost for piece in sample.pieces]
    if len(costs) < 3:
        return UNSPREAD
    mean = sum(costs) / len(costs)
    return float(min(max(2 * stdev(costs) / mean / len(costs) ** 0.5, LEAST), 0.9))


def _rounded(number: float) -> int:
    """A number to two digits, and small ones as they are."""
    digits = max(len(str(round(number))) - 2, 0)
    return round(round(number), -digits)


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}" if seconds < 10 * length else f"{seconds / length:,.0f} {unit}"
    return f"{max(seconds, 1):.0f} s"
