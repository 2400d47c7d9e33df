"""The report of a unit: integers, fixed-bin histograms, hashed samples and mergeable sketches.

Reports add exactly: the sum over any units in any order is the same report.
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpusforge.text.canonical import sha256

SAMPLES = 5
"""Samples kept for each reason: those with the smallest hash, so that any grouping of units keeps the same ones."""
EXCERPT = 240
"""Code points of text kept in a sample."""


@dataclass
class Report:
    """What happened to the records of one unit, or of any number of units added."""

    counts: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, Counter[str]] = field(default_factory=dict)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sketches: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter. ``drop.*`` counters are reasons; ``records`` = ``kept`` + the sum of ``drop.*``."""
        if by:
            self.counts[name] += by

    def bins(self, name: str, values: Iterable[str]) -> None:
        """Add labelled values to a histogram; labels are fixed by the caller, never by the data's range."""
        self.histograms.setdefault(name, Counter()).update(values)

    def sample(self, group: str, **fields: Any) -> None:
        """Offer a sample; ``fields`` need an ``id``. The ones with the smallest hash stay."""
        name, held = sha256(f"{group} {fields['id']}".encode())[:16], self.samples.get(group, [])
        if len(held) < SAMPLES or name <= held[-1]["hash"]:
            self._keep(group, [*held, {"hash": name, **fields}])

    def seen(self, sketch: str, value: str) -> None:
        """Count ``value`` in a sketch of distinct values (HyperLogLog)."""
        digest = int(sha256(value.encode())[:16], 16)
        self._register(sketch, digest & (REGISTERS - 1), _rank(digest >> REGISTER_BITS))

    def add(self, other: "Report") -> None:
        """Add another report to this one, exactly."""
        self.counts.update(other.counts)
        for name, bins in other.histograms.items():
            self.histograms.setdefault(name, Counter()).update(bins)
        for group, samples in other.samples.items():
            self._keep(group, [*self.samples.get(group, []), *samples])
        for name, registers in other.sketches.items():
            for register, rank in registers.items():
                self._register(name, int(register), rank)

    def distinct(self, sketch: str) -> int:
        """About how many distinct values a sketch has seen (standard error 1.6 %)."""
        return _estimate(self.sketches.get(sketch, {}))

    def drops(self) -> dict[str, int]:
        """Documents dropped by reason."""
        return {k.removeprefix("drop."): v for k, v in sorted(self.counts.items()) if k.startswith("drop.")}

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(sorted(self.counts.items())),
            "histograms": {k: dict(sorted(v.items())) for k, v in sorted(self.histograms.items())},
            "samples": dict(sorted(self.samples.items())),
            "sketches": {k: dict(sorted(v.items())) for k, v in sorted(self.sketches.items())},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        return cls(
            Counter(data["counts"]),
            {k: Counter(v) for k, v in data["histograms"].items()},
            {k: list(v) for k, v in data["samples"].items()},
            {k: dict(v) for k, v in data["sketches"].items()},
        )

    def _keep(self, group: str, samples: list[dict[str, Any]]) -> None:
        distinct = {s["hash"]: s for s in samples}.values()
        self.samples[group] = heapq.nsmallest(SAMPLES, distinct, key=lambda s: s["hash"])

    def _register(self, sketch: str, register: int, rank: int) -> None:
        registers = self.sketches.setdefault(sketch, {})
        key = str(register)
        registers[key] = max(registers.get(key, 0), rank)


def total(reports: Iterable[Report]) -> Report:
    """The exact sum of ``reports``."""
    result = Report()
    for report in reports:
        result.add(report)
    return result


def end_to_end(passes: Sequence[Report]) -> Report:
    """One report of passes that read each other: records of the first, drops of all, everything else of the last.

    The sum of passes would count a document once for each pass that kept it.
    """
    result = Report()
    if not passes:
        return result
    result.add(next((p for p in reversed(passes) if "records" in p.counts and not p.counts["tokens"]), passes[0]))
    result.counts = Counter({k: v for k, v in result.counts.items() if not k.startswith(("drop.", "into."))})
    for made in passes:
        result.counts.update({f"drop.{reason}": n for reason, n in made.drops().items()})
        result.counts["tokens"] += made.counts["tokens"]
        for group, samples in made.samples.items():
            if group.startswith("drop."):
                result._keep(group, [*result.samples.get(group, []), *samples])
    result.counts["records"] = next((p.counts["records"] for p in passes if p.counts["records"]), 0)
    return result


REGISTER_BITS = 12
REGISTERS = 1 << REGISTER_BITS


def _rank(rest: int) -> int:
    """Position of the lowest set bit, from 1, in the 52 bits that the register's number leaves."""
    return (rest & -rest).bit_length() if rest else 64 - REGISTER_BITS + 1


def _estimate(registers: dict[str, int]) -> int:
    """HyperLogLog (Flajolet et al. 2007), with linear counting where registers are empty."""
    empty = REGISTERS - len(registers)
    harmonic = empty + sum(2.0**-rank for rank in registers.values())
    raw = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / harmonic
    if raw <= 2.5 * REGISTERS and empty:
        # The logarithm is for showing only; no decision hangs on it.
        return round(REGISTERS * math.log(REGISTERS / empty))
    return round(raw)
