"""A pool of Ray actors that try units: the only ``import ray`` of the data side.

Ray carries units and manifests, never data. Actors live across units and passes and hold their models; Ray restarts
nothing by itself: a worker that dies is replaced here, and what it said on its way down is read from its mark.
"""

import asyncio
import gc
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import length_hint
from typing import Any

import ray
from ray.job_submission import JobStatus, JobSubmissionClient

from corpusforge.engine import guard
from corpusforge.engine.attempt import Resources, Work, new_attempt
from corpusforge.engine.retry import History
from corpusforge.engine.run import PlanChanged
from corpusforge.engine.serial_pool import cause_of, describe
from corpusforge.engine.unit import Failed, Manifest, Unit
from corpusforge.job import NoCluster
from corpusforge.storage import Store, Unwritable

ENVIRONMENT = {
    # Arrow's own allocator reserves a gigabyte at once, which would be taken from what the worker may use.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # At the memory limit, malloc would try a new arena for every allocation that libxml2 goes on asking for.
    "MALLOC_ARENA_MAX": "1",
    # The memory of one batch serves the next; given back and taken anew, it would be cleared page by page each time.
    "MALLOC_MMAP_THRESHOLD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "536870912",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What every worker process starts with."""
GARBAGE = 50_000
"""Lists, dictionaries and objects after which Python looks for those that nothing holds any more."""
PATIENCE_SECONDS = 30.0
"""How long a driver waits for a worker before it says who holds the CPUs, and for anything before it looks around."""
AHEAD = 8
"""Workers asked for beyond those that have started, at least, where the cluster decides how many there are."""
CONNECT_SECONDS = 10.0
STARTS = 5
"""Workers in a row that may die while they start before a driver gives up."""
OBJECT_STORE_BYTES = 100 << 20
"""Ray carries no data, so its object store is small."""

NO_TOKEN = (
    "the Ray cluster at {} wants its token: set RAY_AUTH_MODE=token and copy the head's ~/.ray/auth_token here, "
    "or set RAY_AUTH_TOKEN to what `ray get-auth-token` prints on the head"
)


class Mismatch(PlanChanged):
    """A worker sees another plan or other library versions than the driver."""


class Worker:
    """One actor: tries a unit at a time under the guard."""

    def __init__(self, search_path: list[str], memory: int) -> None:
        sys.path.extend(p for p in search_path if p not in sys.path)
        self._proven: set[str] = set()
        guard.limit_memory(memory)

    def ready(self) -> str:
        """The id of the node this worker runs on."""
        return str(ray.get_runtime_context().get_node_id())

    def attempt(self, work: Work, unit: Unit, attempt: str, skip: dict[str, str]) -> Manifest | str:
        """The manifest that stands, or the cause of the failure in words."""
        self._prove(work)
        mark = work.place.store.scratch(work.mark_name(unit, attempt))
        with guard.watched(mark):
            try:
                return work.attempt(unit, attempt, skip)
            except BaseException as error:
                # A panic of a Rust library is no Exception.
                if isinstance(error, KeyboardInterrupt | SystemExit | Unwritable):
                    raise
                return cause_of(error) + guard.memory_note()
            finally:
                # What is alive now was loaded and stays: the next collection need not look at it.
                gc.collect()
                gc.freeze()

    def _prove(self, work: Work) -> None:
        """Prove, once for each pass, that this worker sees the driver's plan and computes the same."""
        name = work.place.name(work.step.name, "plan.json")
        if name in self._proven:
            return
        differs = work.difference()
        if differs:
            raise Mismatch(f"node {ray.util.get_node_ip_address()}: {differs}")
        self._proven.add(name)
        gc.freeze()
        gc.set_threshold(GARBAGE)


@dataclass(eq=False)
class Hired:
    """A worker from the driver's side: its actor, and the node it runs on once it has started."""

    actor: Any
    node: str = ""


@dataclass
class Job:
    """A unit on its way through attempts."""

    unit: Unit
    worker: Hired
    history: History = field(default_factory=History)
    attempt: str = ""


class RayPool:
    """Workers on an embedded local Ray, or on the cluster at ``address``.

    Without ``workers`` there are as many as the machine has CPUs, or as the cluster has room for, also while it grows.
    Only a worker that has started is given a unit, so none waits for a node that never comes.
    """

    def __init__(
        self, workers: int | None, resources: Resources, address: str | None, say: Callable[[str], None]
    ) -> None:
        cpus = len(os.sched_getaffinity(0))
        self._workers, self._resources, self._say = workers or (None if address else cpus), resources, say
        self._idle: list[Hired] = []
        self._starting: dict[Any, Hired] = {}
        self._alive: set[Hired] = set()
        self._failed_starts = 0
        self._on_cluster = bool(address)
        self._ours = _start(workers or cpus, address)
        options: dict[str, Any] = {
            "num_cpus": resources.cpu,
            "num_gpus": resources.gpu,
            "max_restarts": 0,
            "max_task_retries": 0,
        }
        if address:
            options["runtime_env"] = {"env_vars": ENVIRONMENT}
        self._actor = ray.remote(Worker).options(**options)

    def run(self, work: Work, units: Iterator[Unit]) -> Iterator[Manifest | Failed]:
        shipped = ray.put(work)
        again: deque[Job] = deque()
        running: dict[Any, Job] = {}
        while self._hand_out(shipped, units, again, running):
            self._hire(len(running) + len(again) + length_hint(units))
            done = self._next_of([*running, *self._starting], waiting=not running)
            if done in self._starting:
                self._started(done)
                continue
            if done in running:
                job = running.pop(done)
                result = self._result(work, job, done)
                if result is None:
                    again.append(job)
                else:
                    yield result

    def _hand_out(self, shipped: Any, units: Iterator[Unit], again: deque[Job], running: dict[Any, Job]) -> bool:
        """Give units to idle workers; say whether anything is left to wait for."""
        while self._idle:
            unit = None if again else next(units, None)
            if not again and unit is None:
                return bool(running)
            worker = self._idle.pop()
            job = again.popleft() if unit is None else Job(unit, worker)
            job.worker, job.attempt = worker, new_attempt()
            running[worker.actor.attempt.remote(shipped, job.unit, job.attempt, job.history.skip)] = job
        return bool(running or again or length_hint(units))

    def _hire(self, units: int) -> None:
        """Start workers until there is one for each unit that is left, or as many as are wanted.

        On a cluster that is as many as it has room for: some more are asked for than have started, so that a cluster
        that grows on demand does, and one that does not leaves them waiting.
        """
        started = len(self._alive) - len(self._starting)
        wanted = self._workers or started + max(AHEAD, started)
        while len(self._alive) < min(wanted, units):
            worker = Hired(self._actor.remote([os.getcwd(), *sys.path], self._resources.memory))
            self._alive.add(worker)
            self._starting[worker.actor.ready.remote()] = worker

    def _next_of(self, references: list[Any], waiting: bool) -> Any:
        """A reference that is done, or None after a while; says who holds the CPUs where no worker is to be had."""
        started = time.monotonic()
        while True:
            done, _ = ray.wait(references, num_returns=1, timeout=PATIENCE_SECONDS)
            if done:
                return done[0]
            if not waiting:
                return None
            self._say(f"no worker for {time.monotonic() - started:.0f} s; {_holders()}; waiting")

    def _started(self, reference: Any) -> None:
        worker = self._starting.pop(reference)
        try:
            worker.node = ray.get(reference)
        except ray.exceptions.RayActorError as error:
            self._alive.discard(worker)
            self._failed_starts += 1
            if self._failed_starts >= STARTS:
                raise RuntimeError(f"no worker starts on this Ray: {_first_lines(error)}") from None
            self._say(f"a worker did not start ({_first_lines(error)}); trying again")
            return
        self._failed_starts = 0
        self._idle.append(worker)

    def _result(self, work: Work, job: Job, reference: Any) -> Manifest | Failed | None:
        """What came of an attempt; None if the unit is to be tried again."""
        try:
            result = ray.get(reference)
        except (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError) as error:
            self._alive.discard(job.worker)
            again = self._died(work, job, error)
        except ray.exceptions.RayTaskError as error:
            ours = isinstance(error.cause, Mismatch | Unwritable)
            raise (error.cause if ours else error.as_instanceof_cause()) from None
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
        try:
            left = self._left(job.worker.node, work.place.store, work.mark_name(job.unit, job.attempt))
        except NodeGone:
            return job.history.lost(f"node {job.worker.node[:12]} went away")
        if isinstance(error, ray.exceptions.OutOfMemoryError):
            place = left.place if left else ""
            return job.history.raised(f"Ray's memory monitor ended the worker at record {place or '(none)'}")
        if left is None:
            return job.history.raised(f"the worker died before it began: {_first_lines(error)}")
        return job.history.died(left)

    def _left(self, node: str, store: Store, mark: str) -> guard.Death | None:
        """What a dead worker left; where others may have ended it, its node is asked whether it is still there."""
        if not store.on_disk:
            there: guard.Death | None = _asked(node, lambda: guard.left(store.scratch(mark)))
            return there
        left = guard.left(store.scratch(mark))
        if self._on_cluster and not (left and left.own_fault):
            _asked(node, lambda: None)
        return left

    def release(self) -> None:
        """End the workers, so that a pool of another resource shape gets their CPUs."""
        for worker in self._alive:
            ray.kill(worker.actor)
        self._alive.clear()
        self._starting.clear()
        self._idle.clear()

    def close(self) -> None:
        """End the workers and, where this pool has started or joined it, leave Ray."""
        self.release()
        if self._ours:
            ray.shutdown()


def starts() -> float:
    """Start a local Ray, let it do something, and end it; the CPUs it has."""
    ours = _start(1, None)
    try:
        return float(ray.get(ray.remote(lambda: ray.cluster_resources()["CPU"]).remote(), timeout=PATIENCE_SECONDS))
    finally:
        if ours:
            ray.shutdown()


def prove_cluster(address: str) -> None:
    """Raise ``NoCluster`` unless a cluster answers at an address and takes the token that is here."""
    if address.startswith(("http://", "https://")):
        try:
            JobSubmissionClient(address)
        except ray.exceptions.AuthenticationError:
            raise NoCluster(NO_TOKEN.format(address)) from None
        except (ConnectionError, RuntimeError) as error:
            raise NoCluster(f"no Ray cluster takes jobs at {address}: {_first_lines(error)}") from None
    elif _start(1, address):
        ray.shutdown()


def submit(address: str, folder: str, command: str, say: Callable[[str], None]) -> int:
    """Run ``command`` as a job of the cluster whose dashboard is at ``address``, with ``folder`` as working directory.

    Follows the job's log. Gives its exit status: 0 or 1, or 130 where Ctrl-C ended the following; the job goes on then.
    """
    try:
        client = JobSubmissionClient(address)
        job = _submitted(client, command, folder)
    except ray.exceptions.AuthenticationError:
        raise NoCluster(NO_TOKEN.format(address)) from None
    except (ConnectionError, RuntimeError) as error:
        raise NoCluster(f"no Ray cluster takes jobs at {address}: {_first_lines(error)}") from None
    say(f"job {job} is submitted to {address}")
    try:
        return asyncio.run(_followed(client, job, say))
    except KeyboardInterrupt:
        say(f"\nthe job goes on. Follow it: ray job logs -f {job} --address {address}")
        say(f"stop it: ray job stop {job} --address {address}")
        return 130


def _submitted(client: JobSubmissionClient, command: str, folder: str) -> str:
    """Submit a job; a cluster that has just started takes none until its agent is up."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return str(client.submit_job(entrypoint=command, runtime_env={"working_dir": folder}))
        except RuntimeError as error:
            if "No available agent" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(1)


async def _followed(client: JobSubmissionClient, job: str, say: Callable[[str], None]) -> int:
    """Say the job's log as it grows; ask for its state where the connection is lost."""
    try:
        async for text in client.tail_job_logs(job):
            say(text.rstrip("\n"))
    except (OSError, RuntimeError) as error:
        say(f"the connection to the job's log is lost ({_first_lines(error)}); waiting for its end")
    while not (status := client.get_job_status(job)).is_terminal():
        await asyncio.sleep(2)
    if status == JobStatus.SUCCEEDED:
        return 0
    say(f"job {job} ended as {status}: {client.get_job_info(job).message}")
    return 1


class NodeGone(RuntimeError):
    """A node does not answer any more."""


def _asked(node: str, look: Callable[[], Any]) -> Any:
    """What ``look`` gives on a node. A worker's end is known long before that of its node, so the node is asked."""
    there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
    options = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": there}
    if not any(n["NodeID"] == node and n["Alive"] for n in ray.nodes()):
        raise NodeGone(node)
    try:
        return ray.get(ray.remote(look).options(**options).remote(), timeout=PATIENCE_SECONDS)
    except (ray.exceptions.RayError, OSError) as error:
        raise NodeGone(node) from error


def _start(workers: int, address: str | None) -> bool:
    """Start or join Ray unless this process is in one already; say whether it was done here."""
    if ray.is_initialized():
        return False
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": True}
    if address:
        _reach(address)
        try:
            ray.init(address=address, **quiet)
        except ray.exceptions.AuthenticationError:
            raise NoCluster(NO_TOKEN.format(address)) from None
        except (ConnectionError, RuntimeError) as error:
            raise NoCluster(f"cannot join the Ray cluster at {address}: {_first_lines(error)}") from None
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


def _reach(address: str) -> None:
    """Raise ``NoCluster`` where nothing answers at ``HOST:PORT``: Ray itself would go on trying for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        cure = "Start one (cluster/local.sh start), or correct the address"
        raise NoCluster(f"no Ray cluster answers at {address}: {error}. {cure}") from None


def _first_lines(error: Exception) -> str:
    """An error's text in one line, its end, where the cause of a traceback stands, if it is long."""
    text = " ".join(str(error).split())
    return text if len(text) <= 600 else f"… {text[-600:]}"


def _holders() -> str:
    """Who holds the CPUs of the cluster, in words."""
    total, free = ray.cluster_resources().get("CPU", 0), ray.available_resources().get("CPU", 0)
    text = f"the cluster has {total:g} CPUs and {free:g} are free"
    # The public list asks the dashboard's server, and where none runs it answers after 40 s that there is none.
    # What is private may change; a driver that only waits must not end over it.
    try:
        alive = [actor for actor in ray._private.state.actors().values() if actor["State"] == "ALIVE"]
    except Exception:
        return text
    held = ", ".join(sorted({f"{actor['ActorClassName']} of job {actor['JobID']}" for actor in alive}))
    return f"{text}; held by {held}" if held else text
