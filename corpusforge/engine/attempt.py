"""One try at a unit: its files carry the attempt in their names, its manifest is written last, the first one wins."""

import hashlib
import io
import json
import os
import platform
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, Protocol

from corpusforge.engine.unit import File, Manifest, Unit
from corpusforge.report.add import Report
from corpusforge.storage import Store
from corpusforge.text.canonical import canonical_json, differences


def new_attempt() -> str:
    """A name for an attempt: milliseconds since 1970 in 12 hex digits, then 8 random ones; names sort by time."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Resources:
    """What one worker of a pass needs; ``memory`` is what its data may grow by, in bytes."""

    cpu: float = 1
    gpu: float = 0
    memory: int = 3 << 30


@dataclass(frozen=True)
class Place:
    """One version of a corpus: ``store`` is ``ROOT/CORPUS``."""

    store: Store
    version: str

    def name(self, *parts: str) -> str:
        return "/".join((self.version, *parts))

    def manifest(self, step: str, unit: str) -> Manifest | None:
        """The manifest of a unit, or None while it is not done."""
        return next(self.manifests(step, [unit]))

    def manifests(self, step: str, units: Sequence[str]) -> Iterator[Manifest | None]:
        """The manifests of many units, in their order: a store is asked for several at once."""
        names = [self.name(step, f"{unit}.json") for unit in units]
        for data in self.store.read_each(names):
            yield None if data is None else Manifest.from_json(json.loads(data))

    def commit(self, manifest: Manifest) -> Manifest:
        """Write the manifest unless there is one; give the one that stands."""
        name = self.name(manifest.step, f"{manifest.unit}.json")
        if self.store.put_if_absent(name, manifest.to_bytes()):
            return manifest
        return Manifest.from_json(json.loads(self.store.read(name)))

    def report(self, manifest: Manifest) -> Report:
        return Report.from_json(json.loads(self.store.read(manifest.file("report.json").path)))


@dataclass(frozen=True)
class Reader:
    """What a unit may read; ``skip`` names records that killed their workers, with the reason to drop each."""

    store: Store
    skip: Mapping[str, str] = field(default_factory=dict)

    def open(self, file: File) -> BinaryIO:
        return self.store.open(file.path)


@dataclass
class Output:
    """Where a unit writes: one file a role, counted and digested while it is written."""

    place: Place
    step: str
    unit: str
    attempt: str
    files: list[File] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    cost: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def create(self, role: str) -> Iterator["Digested"]:
        """A new file ``UNIT.ATTEMPT.role``; a role carries its extension, as in ``kept.parquet``."""
        name = self.place.name(self.step, f"{self.unit}.{self.attempt}.{role}")
        with self.place.store.create(name) as raw:
            file = Digested(raw)
            yield file
        self.files.append(File(role, name, file.size, file.digest()))


class Digested(io.RawIOBase):
    """A file for writing that knows its size and SHA-256."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._hash, self.size = raw, hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._raw.write(view)
        self._hash.update(view)
        self.size += len(view)
        return len(view)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def digest(self) -> str:
        return self._hash.hexdigest()


class Pass(Protocol):
    """One trip over the data with one resource shape."""

    @property
    def name(self) -> str: ...
    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the passes whose manifests ``plan`` is given."""

    @property
    def resources(self) -> Resources: ...
    def spec(self) -> dict[str, Any]:
        """What is computed, as JSON: no path, host or pool size."""

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        """The units, from manifests only."""

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        """Do one unit: read, write to ``out``, report."""


@dataclass(frozen=True)
class Work:
    """A pass at a place: what a worker needs to try any unit of it."""

    step: Pass
    place: Place

    def mark_name(self, unit: Unit, attempt: str) -> str:
        return self.place.name(self.step.name, "attempts", f"{unit.name}.{attempt}.mark")

    def difference(self) -> str | None:
        """How what this process would compute differs from the committed plan; None if it does not."""
        name = self.place.name(self.step.name, "plan.json")
        if not self.place.store.exists(name):
            return f"it does not see {name} below {self.place.store.root}; the root must be shared by all nodes"
        planned, here = json.loads(self.place.store.read(name))["spec"], json.loads(canonical_json(self.step.spec()))
        found = [*differences(planned, here, self.step.name)]
        return f"it runs other code or library versions than the driver: {'; '.join(found[:5])}" if found else None

    def attempt(self, unit: Unit, attempt: str, skip: Mapping[str, str]) -> Manifest:
        """Try the unit; give the manifest that stands afterwards, by whichever attempt won."""
        started, cpu = time.time(), time.process_time()
        out = Output(self.place, self.step.name, unit.name, attempt)
        report = self.step.work(unit, Reader(self.place.store, skip), out)
        with out.create("report.json") as file:
            file.write(canonical_json(report.to_json()))
        cost = {
            "attempt": attempt,
            "host": platform.node(),
            "process": os.getpid(),
            "started": round(started, 3),
            "seconds": round(time.time() - started, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "guarded": len(skip),
            **out.cost,
        }
        identity = unit.identity(self.step.spec())
        counts = dict(sorted({**report.counts, **out.counts}.items()))
        files = tuple(sorted(out.files, key=lambda f: f.role))
        return self.place.commit(Manifest(self.step.name, unit.name, identity, files, counts, cost))
