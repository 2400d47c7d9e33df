"""A pool of Ray actors that try units: the only ``import ray`` of the data side.

Ray carries units and manifests, never data. Actors live across units and passes and hold their models; Ray restarts
nothing by itself: a worker that dies is replaced here, and what it said on its way down is read from its mark.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ray

from corpusforge.engine import guard
from corpusforge.engine.attempt import Resources, Work, new_attempt
from corpusforge.engine.retry import History
from corpusforge.engine.serial_pool import cause_of, describe
from corpusforge.engine.unit import Failed, Manifest, Unit

ENVIRONMENT = {
    # Arrow's own allocator reserves a gigabyte at once, which would be taken from what the worker may use.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # At the memory limit, malloc would try a new arena for every allocation that libxml2 goes on asking for.
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What every worker process starts with."""
PATIENCE_SECONDS = 30.0
"""How long a driver waits for a first worker before it says who holds the CPUs."""
OBJECT_STORE_BYTES = 100 << 20
"""Ray carries no data, so its object store is small."""


class Mismatch(RuntimeError):
    """A worker sees another plan or other library versions than the driver."""


class Worker:
    """One actor: tries a unit at a time under the guard."""

    def __init__(self, search_path: list[str], memory: int) -> None:
        sys.path.extend(p for p in search_path if p not in sys.path)
        self._proven: set[str] = set()
        guard.limit_memory(memory)

    def ready(self) -> bool:
        return True

    def attempt(self, work: Work, unit: Unit, attempt: str, skip: dict[str, str]) -> Manifest | str:
        """The manifest that stands, or the cause of the failure in words."""
        self._prove(work)
        mark = work.place.store.path(work.mark_name(unit, attempt))
        with guard.watched(mark):
            try:
                return work.attempt(unit, attempt, skip)
            except BaseException as error:
                # A panic of a Rust library is no Exception.
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                return cause_of(error) + guard.memory_note()

    def _prove(self, work: Work) -> None:
        """Prove, once for each pass, that this worker sees the driver's plan and computes the same."""
        name = work.place.name(work.step.name, "plan.json")
        if name in self._proven:
            return
        differs = work.difference()
        if differs:
            raise Mismatch(f"node {ray.util.get_node_ip_address()}: {differs}")
        self._proven.add(name)


@dataclass
class Job:
    """A unit on its way through attempts."""

    unit: Unit
    history: History = field(default_factory=History)
    attempt: str = ""
    worker: Any = None


class RayPool:
    """Workers on an embedded local Ray, or on the cluster at ``address``."""

    def __init__(self, workers: int, resources: Resources, address: str | None, say: Callable[[str], None]) -> None:
        self._wanted, self._resources, self._say = workers, resources, say
        self._idle: list[Any] = []
        self._workers: list[Any] = []
        self._ours = _start(workers, address)
        options = {"num_cpus": resources.cpu, "num_gpus": resources.gpu, "max_restarts": 0, "max_task_retries": 0}
        self._actor = ray.remote(Worker).options(**options)
        self._alive = 0

    def run(self, work: Work, units: Iterator[Unit]) -> Iterator[Manifest | Failed]:
        shipped = ray.put(work)
        again: deque[Job] = deque()
        running: dict[Any, Job] = {}
        self._await_first()
        while True:
            self._hand_out(shipped, units, again, running)
            if not running:
                return
            done, _ = ray.wait(list(running), num_returns=1)
            job = running.pop(done[0])
            result = self._result(work, job, done[0])
            if result is None:
                again.append(job)
            else:
                yield result

    def _hand_out(self, shipped: Any, units: Iterator[Unit], again: deque[Job], running: dict[Any, Job]) -> None:
        while len(running) < self._wanted:
            unit = None if again else next(units, None)
            if not again and unit is None:
                return
            job = again.popleft() if unit is None else Job(unit)
            job.worker = self._idle.pop() if self._idle else self._new_worker()
            job.attempt = new_attempt()
            running[job.worker.attempt.remote(shipped, job.unit, job.attempt, job.history.skip)] = job

    def _result(self, work: Work, job: Job, reference: Any) -> Manifest | Failed | None:
        """What came of an attempt; None if the unit is to be tried again."""
        try:
            result = ray.get(reference)
        except (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError) as error:
            self._alive -= 1
            again = self._died(work, job, error)
        except ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        else:
            self._idle.append(job.worker)
            if isinstance(result, Manifest):
                return result
            again = job.history.raised(result)
        stands = work.place.manifest(work.step.name, job.unit.name)
        if stands:
            return stands
        if again:
            self._say(f"{work.step.name}/{job.unit.name}: {job.history.causes[-1]}; trying again")
            return None
        return Failed(work.step.name, job.unit.name, tuple(job.history.causes), describe(job.unit))

    def _died(self, work: Work, job: Job, error: Exception) -> bool:
        """Note a death by what the worker left, or by what Ray tells of it; say whether to try again."""
        mark = work.place.store.path(work.mark_name(job.unit, job.attempt))
        if isinstance(error, ray.exceptions.OutOfMemoryError):
            fallen = guard.death(mark)
            return job.history.raised(f"Ray's memory monitor ended the worker at record {fallen.place or '(none)'}")
        if not mark.exists():
            return job.history.raised(f"the worker died before it began: {_first_lines(error)}")
        return job.history.died(guard.death(mark))

    def _new_worker(self) -> Any:
        self._alive += 1
        worker = self._actor.remote([os.getcwd(), *sys.path], self._resources.memory)
        self._workers.append(worker)
        return worker

    def _await_first(self) -> None:
        """Wait for a worker; after a while say who holds the CPUs, and go on waiting."""
        if self._alive:
            return
        worker = self._new_worker()
        started, ready = time.monotonic(), worker.ready.remote()
        while not ray.wait([ready], timeout=PATIENCE_SECONDS)[0]:
            self._say(f"no worker for {time.monotonic() - started:.0f} s; {_holders()}; waiting")
        ray.get(ready)
        self._idle.append(worker)

    def release(self) -> None:
        """End the workers, so that a pool of another resource shape gets their CPUs."""
        for worker in self._workers:
            ray.kill(worker)
        self._workers.clear()
        self._idle.clear()
        self._alive = 0

    def close(self) -> None:
        """End the workers and, where this pool has started or joined it, leave Ray."""
        self.release()
        if self._ours:
            ray.shutdown()


def _start(workers: int, address: str | None) -> bool:
    """Start or join Ray unless this process is in one already; say whether it was done here."""
    if ray.is_initialized():
        return False
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": True}
    if address:
        ray.init(address=address, runtime_env={"env_vars": ENVIRONMENT}, **quiet)
    else:
        before = dict(os.environ)
        os.environ.update(ENVIRONMENT)  # the local Ray's workers inherit it, and none has to be started anew
        ray.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            **quiet,
        )
        for name in ENVIRONMENT:
            os.environ.pop(name)
            os.environ.update({name: before[name]} if name in before else {})
    return True


def _first_lines(error: Exception) -> str:
    """An error's text in one line, its end, where the cause of a traceback stands, if it is long."""
    text = " ".join(str(error).split())
    return text if len(text) <= 600 else f"… {text[-600:]}"


def _holders() -> str:
    """Who holds the CPUs of the cluster, in words."""
    total, free = ray.cluster_resources().get("CPU", 0), ray.available_resources().get("CPU", 0)
    text = f"the cluster has {total:g} CPUs and {free:g} are free"
    try:
        from ray.util.state import list_actors  # noqa: PLC0415  (needs the dashboard's server)

        actors = [a for a in list_actors(filters=[("state", "=", "ALIVE")], timeout=5) if a.class_name]
    except Exception:
        return text
    held = ", ".join(sorted({f"{a.class_name} of job {a.job_id}" for a in actors}))
    return f"{text}; held by {held}" if held else text
