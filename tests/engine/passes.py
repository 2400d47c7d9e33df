"""Small real passes for tests of the engine: they count lines of text files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.unit import Manifest, Unit
from corpusforge.report.add import Report


@dataclass(frozen=True)
class Squares:
    """Unit n writes n squared; a unit in ``broken`` raises."""

    count: int = 4
    name: str = "squares"
    broken: tuple[int, ...] = ()
    revision: int = 1
    reads: tuple[str, ...] = ()

    @property
    def resources(self) -> Resources:
        return Resources(memory=1 << 30)

    def spec(self) -> dict[str, Any]:
        return {"pass": "squares", "revision": self.revision}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        return [Unit(f"{n:06d}", {"n": n}, bytes=n) for n in range(self.count)]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        n = unit.spec["n"]
        if n in self.broken:
            raise ValueError(f"{n} cannot be squared today")
        with out.create("square.json") as file:
            file.write(json.dumps(n * n).encode())
        report = Report()
        report.count("documents", n)
        return report


@dataclass(frozen=True)
class Total:
    """One unit: the sum of what another pass wrote."""

    reads: tuple[str, ...] = ("squares",)
    name: str = "total"

    @property
    def resources(self) -> Resources:
        return Resources(memory=1 << 30)

    def spec(self) -> dict[str, Any]:
        return {"pass": "total"}

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        files = tuple(m.file("square.json") for m in inputs[self.reads[0]])
        return [Unit("000000", {}, files)]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        found = 0
        for file in unit.reads:
            with inputs.open(file) as opened:
                found += json.loads(opened.read())
        with out.create("sum.json") as file:
            file.write(str(found).encode())
        return Report()
