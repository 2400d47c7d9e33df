"""The engine: each unit is committed once, whoever runs it, and a failure is named."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from corpusforge.engine.attempt import Output, Place, Reader, Work
from corpusforge.engine.run import Handout, PlanChanged, leave_out, manifests, run
from corpusforge.engine.serial_pool import SerialPool
from corpusforge.engine.unit import Manifest, Unit
from corpusforge.report.add import Report
from corpusforge.storage import Store
from tests.engine.passes import Squares, Total


def place(folder: Path, version: str = "v1") -> Place:
    return Place(Store(str(folder)), version)


def serial(resources: object, units: int) -> SerialPool:
    return SerialPool()


def refuse(resources: object, units: int) -> SerialPool:
    raise AssertionError("no pool is needed")


def digests(found: list[Manifest]) -> list[list[str]]:
    return [[f.sha256 for f in m.files] for m in found]


def test_passes_feed_each_other(tmp_path: Path) -> None:
    squares = run(Squares(), {}, place(tmp_path), serial)
    total = run(Total(), {"squares": squares.manifests}, place(tmp_path), serial)
    assert place(tmp_path).store.read(total.manifests[0].file("sum.json").path) == b"14"


def test_a_second_run_does_nothing_and_starts_no_pool(tmp_path: Path) -> None:
    first = run(Squares(), {}, place(tmp_path), serial)
    again = run(Squares(), {}, place(tmp_path), refuse)
    assert again.manifests == first.manifests
    assert again.worked == 0


def test_two_roots_give_the_same_identities_and_bytes(tmp_path: Path) -> None:
    one = run(Squares(), {}, place(tmp_path / "a"), serial)
    other = run(Squares(), {}, place(tmp_path / "b" / "c", "v2"), serial)
    assert digests(one.manifests) == digests(other.manifests)
    assert [m.identity for m in one.manifests] == [m.identity for m in other.manifests]


def test_a_failing_unit_is_named_and_the_others_complete(tmp_path: Path) -> None:
    outcome = run(Squares(broken=(2,)), {}, place(tmp_path), serial)
    assert [m.unit for m in outcome.manifests] == ["000000", "000001", "000003"]
    (failed,) = outcome.failed
    assert failed.unit == "000002"
    assert failed.causes == ("ValueError: 2 cannot be squared today",) * 3


def test_a_cured_unit_resumes_alone(tmp_path: Path) -> None:
    run(Squares(broken=(2,)), {}, place(tmp_path), serial)
    outcome = run(Squares(), {}, place(tmp_path), serial)
    assert outcome.worked == 1
    assert len(outcome.manifests) == 4


def test_a_unit_left_out_for_good_is_not_tried_again(tmp_path: Path) -> None:
    outcome = run(Squares(broken=(2,)), {}, place(tmp_path), serial)
    leave_out(place(tmp_path), "squares", outcome.failed)
    again = run(Squares(), {}, place(tmp_path), refuse)
    assert [m.unit for m in again.manifests] == ["000000", "000001", "000003"]


def test_another_spec_under_the_same_version_fails(tmp_path: Path) -> None:
    run(Squares(), {}, place(tmp_path), serial)
    with pytest.raises(PlanChanged, match="another recipe or input"):
        run(Squares(revision=2), {}, place(tmp_path), refuse)


def test_equal_units_of_another_version_are_adopted_without_copying(tmp_path: Path) -> None:
    first = run(Squares(), {}, place(tmp_path, "dev-1"), serial)
    known = {m.identity: m for m in first.manifests}
    second = run(Squares(count=6), {}, place(tmp_path, "dev-2"), serial, lambda step, identity: known.get(identity))
    assert (second.adopted, second.worked) == (4, 2)
    assert second.manifests[1].files == first.manifests[1].files
    assert not list((tmp_path / "dev-2" / "squares").glob("000001.*.square.json"))


def test_a_unit_whose_files_are_gone_is_made_anew(tmp_path: Path) -> None:
    first = run(Squares(), {}, place(tmp_path, "dev-1"), serial)
    known = {m.identity: m for m in first.manifests}
    place(tmp_path).store.delete(first.manifests[1].file("square.json").path)
    second = run(Squares(), {}, place(tmp_path, "dev-2"), serial, lambda step, identity: known.get(identity))
    assert (second.adopted, second.worked) == (3, 1)
    assert all(place(tmp_path).store.exists(file.path) for m in second.manifests for file in m.files)


def test_the_first_manifest_wins(tmp_path: Path) -> None:
    work = Work(Squares(), place(tmp_path))
    unit = Squares().plan({})[3]
    one = work.attempt(unit, "aaa", {})
    other = work.attempt(unit, "bbb", {})
    assert one == other
    assert one.cost["attempt"] == "aaa"


def test_handout_is_largest_first_and_turns_at_anothers_work(tmp_path: Path) -> None:
    units = list(Squares(count=6).plan({}))
    done: dict[str, Manifest] = {}
    handout = Handout(place(tmp_path), "squares", units, done)
    assert next(handout).name == "000005"
    other = Work(Squares(count=6), place(tmp_path))
    other.attempt(units[4], "other", {})
    assert next(handout).name == "000000"
    assert next(handout).name == "000001"
    assert set(done) == {"000004"}


def test_two_units_of_one_name_are_refused(tmp_path: Path) -> None:
    class Twice(Squares):
        def plan(self, inputs: object) -> list[Unit]:  # type: ignore[override]
            return [Unit("000000", {"n": 1}), Unit("000000", {"n": 2})]

    with pytest.raises(ValueError, match="two units of one name"):
        run(Twice(), {}, place(tmp_path), refuse)


def test_what_another_driver_left_out_stands(tmp_path: Path) -> None:
    one = run(Squares(broken=(2,)), {}, place(tmp_path), serial)
    other = run(Squares(broken=(1,)), {}, place(tmp_path), serial)
    assert leave_out(place(tmp_path), "squares", one.failed) == {"000002"}
    assert leave_out(place(tmp_path), "squares", other.failed) == {"000002"}


def test_a_unit_committed_by_another_driver_does_not_fail(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Overtaken(Squares):
        def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
            Work(Squares(), place(tmp_path)).attempt(unit, "other", {})
            raise RuntimeError("too late")

    outcome = run(Overtaken(), {}, place(tmp_path), serial)
    assert not outcome.failed
    assert len(outcome.manifests) == 4


def test_manifests_are_listed_in_the_order_of_the_plan(tmp_path: Path) -> None:
    run(Squares(), {}, place(tmp_path), serial)
    assert [m.unit for m in manifests(place(tmp_path), "squares")] == ["000000", "000001", "000002", "000003"]


def test_cost_is_no_part_of_the_identity(tmp_path: Path) -> None:
    outcome = run(Squares(), {}, place(tmp_path), serial)
    written = json.loads(place(tmp_path).store.read("v1/squares/000001.json"))
    assert {"attempt", "host", "seconds", "cpu_seconds", "guarded"} <= set(written["cost"])
    assert replace(outcome.manifests[1], cost={}).identity == written["identity"]
