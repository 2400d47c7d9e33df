"""A pass whose units die in the ways that workers die."""

import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from corpusforge.engine import guard
from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.unit import Manifest, Unit
from corpusforge.report.add import Report

MEMORY = 512 << 20


@dataclass(frozen=True)
class Perils:
    """Each unit has records 0–9; the unit named in ``perils`` meets its peril at record 5."""

    perils: tuple[str, ...]
    name: str = "perils"
    reads: tuple[str, ...] = ()

    @property
    def resources(self) -> Resources:
        return Resources(memory=MEMORY)

    def spec(self) -> dict[str, Any]:
        return {"pass": "perils"}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        return [Unit(f"{n:06d}", {"peril": peril}) for n, peril in enumerate(self.perils)]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        report = Report()
        for record in range(10):
            place = f"file.warc:{record}"
            report.count("records")
            if place in inputs.skip:
                report.count(f"drop.{inputs.skip[place]}")
                continue
            guard.at(place)
            if record == 5:
                meet(unit.spec["peril"])
            guard.at("")
            report.count("kept")
        with out.create("kept.json") as file:
            file.write(str(report.counts["kept"]).encode())
        return report


def meet(peril: str) -> None:
    """Die, or not, as told."""
    if peril == "segfault":
        ctypes.string_at(0)
    elif peril == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif peril == "numpy":
        np.ones(4 * MEMORY // 8).sum()
    elif peril == "rust":
        tokenizer = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.encode("a" * (24 << 20))
    elif peril == "raise":
        raise ValueError("the kana are out of order")
