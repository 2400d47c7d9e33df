"""The pools of a build: this process, or Ray's workers kept from pass to pass."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from corpusforge.engine.attempt import Resources, Work
from corpusforge.engine.run import Handout, Pool
from corpusforge.engine.serial_pool import SerialPool
from corpusforge.engine.unit import Failed, Manifest, Unit
from corpusforge.report.progress import counted
from corpusforge.verbs.compiled import make_compiled

PoolName = Literal["ray", "serial"]


@dataclass
class Pools:
    """Makes the pool of a pass when its first unit is left, and keeps Ray's workers from pass to pass."""

    name: PoolName
    workers: int | None
    address: str | None
    say: Callable[[str], None]
    foretell: Callable[[Sequence[Unit], int], None] | None = None
    made: Any = None
    shape: Resources | None = None
    serial: SerialPool = field(default_factory=SerialPool)

    def __call__(self, resources: Resources, units: int, careful: bool) -> Pool:
        """The pool for units of a pass; ``careful`` where one reads a source, whose records may end their process."""
        if careful and self.foretell:
            return Foretold(self.foretell, self.workers_known(), lambda: self._chosen(resources, units, careful))
        return self._chosen(resources, units, careful)

    def _chosen(self, resources: Resources, units: int, careful: bool) -> Pool:
        if self.name == "serial" or (units == 1 and not careful and self.made is None):
            return self.serial
        if self.made is not None and self.shape != resources:
            self.made.release()
        if self.made is None and self.address is None:
            make_compiled(self.say)
        if self.made is None or self.shape != resources:
            self.made, self.shape = self._ray(resources), resources
        pool: Pool = self.made
        return pool

    def workers_known(self) -> int:
        """Workers that will surely be there."""
        if self.name == "serial":
            return 1
        return self.workers or (1 if self.address else len(os.sched_getaffinity(0)))

    def _ray(self, resources: Resources) -> Any:
        from corpusforge.ray_pool import RayPool  # noqa: PLC0415  (Ray is imported only when a Ray pool is asked for)

        return RayPool(self.workers, resources, self.address, self.say)

    def close(self) -> None:
        if self.made is not None:
            self.made.close()


@dataclass
class Foretold:
    """A pool that tells of its units before it starts on them."""

    foretell: Callable[[Sequence[Unit], int], None]
    workers: int
    made: Callable[[], Pool]

    def run(self, work: Work, units: Iterator[Unit]) -> Iterator[Manifest | Failed]:
        if isinstance(units, Handout):
            self.foretell(units.left, self.workers)
        yield from self.made().run(work, units)


def workers_in_words(pool: PoolName, workers: int | None, address: str | None) -> str:
    """Who will do the work, in words."""
    if pool == "serial":
        return "this process"
    if not workers and address:
        return f"as many Ray workers as the cluster at {address} has room for"
    return f"up to {counted(workers or len(os.sched_getaffinity(0)), 'Ray worker')}"
