"""Ray workers that die: the record is dropped, the unit is named with its true cause, the others complete."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ray

from corpusforge.engine.attempt import Place, Work
from corpusforge.engine.run import Outcome, PlanChanged, run
from corpusforge.engine.serial_pool import SerialPool
from corpusforge.ray_pool import RayPool
from corpusforge.storage import Store
from tests.crash.passes import MEMORY, Perils, Resources
from tests.engine.passes import Squares

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def pool() -> Iterator[RayPool]:
    made = RayPool(2, Resources(memory=MEMORY), None, print)
    yield made
    made.close()


def outcome(folder: Path, pool: RayPool, *perils: str) -> Outcome:
    return run(Perils(perils), {}, Place(Store(str(folder)), "v1"), lambda resources, units: pool)


def test_ray_gives_the_same_bytes_as_serial(tmp_path: Path, pool: RayPool) -> None:
    by_ray = run(Squares(), {}, Place(Store(str(tmp_path / "a")), "v1"), lambda r, u: pool)
    by_serial = run(Squares(), {}, Place(Store(str(tmp_path / "b")), "v1"), lambda r, u: SerialPool())
    assert [[f.sha256 for f in m.files] for m in by_ray.manifests] == [
        [f.sha256 for f in m.files] for m in by_serial.manifests
    ]


def test_a_record_that_crashes_its_worker_twice_is_dropped(tmp_path: Path, pool: RayPool) -> None:
    done = outcome(tmp_path, pool, "segfault", "none")
    assert not done.failed
    counts = done.manifests[0].counts
    assert (counts["records"], counts["kept"], counts["drop.extract.killed_worker"]) == (10, 9, 1)
    assert done.manifests[0].cost["guarded"] == 1
    assert done.manifests[1].counts["kept"] == 10


def test_a_record_whose_workers_are_killed_thrice_is_dropped(tmp_path: Path, pool: RayPool) -> None:
    done = outcome(tmp_path, pool, "kill")
    assert done.manifests[0].counts["drop.extract.killed_worker"] == 1


def test_failures_are_named_with_their_true_cause(tmp_path: Path, pool: RayPool) -> None:
    done = outcome(tmp_path, pool, "numpy", "raise", "none", "none")
    assert [m.unit for m in done.manifests] == ["000002", "000003"]
    causes = {f.unit: f.causes for f in done.failed}
    assert "MemoryError" in causes["000000"][-1]
    assert causes["000001"] == ("ValueError: the kana are out of order",) * 3


def test_a_rust_library_out_of_memory_is_told_as_that(tmp_path: Path, pool: RayPool) -> None:
    notes: list[str] = []
    pool._say = notes.append
    done = outcome(tmp_path, pool, "rust", "none")
    assert done.manifests[0].counts["drop.extract.killed_worker"] == 1
    assert "out of memory" in notes[0]


def test_no_mark_is_left_behind(tmp_path: Path, pool: RayPool) -> None:
    outcome(tmp_path, pool, "segfault", "raise", "none")
    assert list((tmp_path / "v1" / "perils" / "attempts").iterdir()) == []


def test_a_pool_of_another_shape_gets_the_cpus_of_the_one_before(tmp_path: Path, pool: RayPool) -> None:
    pool.release()
    first = RayPool(2, Resources(memory=MEMORY), None, print)
    run(Squares(), {}, Place(Store(str(tmp_path / "a")), "v1"), lambda r, u: first)
    first.release()
    second = RayPool(2, Resources(memory=2 * MEMORY), None, print)
    done = run(Squares(), {}, Place(Store(str(tmp_path / "b")), "v1"), lambda r, u: second)
    assert done.worked == 4
    second.release()


@dataclass(frozen=True)
class Here(Squares):
    """A pass whose computation depends on a library that each process has another version of."""

    def spec(self) -> dict[str, Any]:
        return {**super().spec(), "built_on": {"library": os.getpid()}}


def test_a_worker_with_other_versions_ends_the_run_before_work(tmp_path: Path, pool: RayPool) -> None:
    with pytest.raises(PlanChanged, match=rf"^node .*other code or library versions.*library was {os.getpid()} and is"):
        run(Here(), {}, Place(Store(str(tmp_path)), "v1"), lambda resources, units: pool)
    assert not list(tmp_path.rglob("*.report.json"))


class EnoughError(Exception):
    """The driver has waited long enough for the test."""


class Holder:
    """Holds a CPU, as another job's worker would."""

    def ready(self) -> None: ...


def test_a_driver_without_a_worker_says_who_holds_the_cpus(
    tmp_path: Path, pool: RayPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpusforge.ray_pool.PATIENCE_SECONDS", 0.5)
    notes: list[str] = []

    def say(line: str) -> None:
        notes.append(line)
        if len(notes) == 2:
            raise EnoughError

    pool.release()  # its workers hold the CPUs
    holder = ray.remote(Holder).options(num_cpus=1).remote()
    ray.get(holder.ready.remote(), timeout=30)
    greedy = RayPool(1, Resources(cpu=99, memory=MEMORY), None, say)
    work = Work(Squares(), Place(Store(str(tmp_path)), "v1"))
    with pytest.raises(EnoughError):
        list(greedy.run(work, iter(Squares().plan({}))))
    greedy.release()
    ray.kill(holder)
    assert all("the cluster has 2 CPUs and 1 are free; held by Holder of job" in note for note in notes)
    assert all(note.endswith("waiting") for note in notes)
