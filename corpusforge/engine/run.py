"""Run a pass: plan its units, hand out those that are not done, gather their manifests."""

import json
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from corpusforge.engine.attempt import Pass, Place, Resources, Work
from corpusforge.engine.unit import Failed, Manifest, Unit
from corpusforge.text.canonical import canonical_json, identity_of

LEFT_OUT = "left_out.json"


class Pool(Protocol):
    """Workers that try units until each is committed or given up."""

    def run(self, work: Work, units: Iterator[Unit]) -> Iterator[Manifest | Failed]: ...


Listener = Callable[[str, Mapping[str, Any]], None]
"""Called with an event's name and what belongs to it: ``plan``, ``adopted``, ``done``, ``failed``, ``waiting``."""


@dataclass
class Outcome:
    """The state of a pass after a run: ``manifests`` in the order of the plan."""

    step: str
    manifests: list[Manifest] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    planned: int = 0
    adopted: int = 0
    worked: int = 0
    left_out: int = 0


class PlanChanged(RuntimeError):
    """The same version was planned differently before."""


def run(
    step: Pass,
    inputs: Mapping[str, Sequence[Manifest]],
    place: Place,
    pool: Callable[[Resources, int], Pool],
    earlier: Callable[[str, str], Manifest | None] = lambda step, identity: None,
    listen: Listener = lambda event, facts: None,
) -> Outcome:
    """Bring every unit of ``step`` to a manifest, or to the list of failed ones.

    ``pool`` is called with the resources and the number of units left, and only if any is left; ``earlier`` finds the
    manifest of an equal unit in another version, which is then adopted.
    """
    left_out = units_left_out(place, step.name)
    units = [u for u in step.plan(inputs) if u.name not in left_out]
    spec = step.spec()
    identities = {u.name: u.identity(spec) for u in units}
    if len(identities) < len(units):
        raise ValueError(f"pass {step.name} plans two units of one name")
    _commit_plan(place, step, spec, identities, left_out)
    outcome = Outcome(step.name, planned=len(units), left_out=len(left_out))
    done: dict[str, Manifest] = {}
    _take_done(place, step.name, units, identities, done)
    committed = len(done)
    for unit in units:
        found = None if unit.name in done else earlier(step.name, identities[unit.name])
        # ``gc`` may have taken the files since the manifest was read.
        if found and all(place.store.exists(file.path) for file in found.files):
            done[unit.name] = place.commit(_adopted(found, unit.name))
            outcome.adopted += 1
    listen("plan", {"step": step.name, "units": len(units), "done": committed, "adopted": outcome.adopted})
    left = [u for u in units if u.name not in done]
    if left:
        handout = Handout(place, step.name, left, done)
        for result in pool(step.resources, len(left)).run(Work(step, place), handout):
            if isinstance(result, Failed):
                outcome.failed.append(result)
                listen("failed", {"step": step.name, "failed": result})
            else:
                done[result.unit] = result
                outcome.worked += 1
                listen("done", {"step": step.name, "manifest": result})
    outcome.manifests = [done[u.name] for u in units if u.name in done]
    return outcome


def leave_out(place: Place, step: str, failed: Iterable[Failed]) -> set[str]:
    """Go on for good without failed units: a later run of this version does not try them again.

    Gives the units that are left out; they are another driver's if that one decided first.
    """
    told = {f.unit: {"reads": f.reads, "cause": f.causes[-1]} for f in failed}
    place.store.put_if_absent(place.name(step, LEFT_OUT), canonical_json(told))
    return set(units_left_out(place, step))


class Handout:
    """Hands out units largest first, leaving those that another driver has committed meanwhile.

    A driver that meets another's fresh manifest goes on from the other end, so that two drivers share the work.
    """

    def __init__(self, place: Place, step: str, units: Iterable[Unit], done: dict[str, Manifest]) -> None:
        self._place, self._step, self._done = place, step, done
        self._left = deque(sorted(units, key=lambda u: (-u.bytes, u.name)))
        self._from_end = False

    def __iter__(self) -> Iterator[Unit]:
        return self

    def __length_hint__(self) -> int:
        return len(self._left)

    @property
    def left(self) -> tuple[Unit, ...]:
        """The units that are still to be handed out, by name."""
        return tuple(sorted(self._left, key=lambda u: u.name))

    def __next__(self) -> Unit:
        while self._left:
            unit = self._left.pop() if self._from_end else self._left.popleft()
            manifest = self._place.manifest(self._step, unit.name)
            if manifest is None:
                return unit
            self._done[unit.name] = manifest
            self._from_end = not self._from_end
        raise StopIteration


def manifests(place: Place, step: str) -> list[Manifest]:
    """Every committed manifest of a pass, in the order of its plan; none of a pass that was never planned."""
    if not place.store.exists(place.name(step, "plan.json")):
        return []
    plan = read_plan(place, step)
    left_out = units_left_out(place, step)
    found = place.manifests(step, [name for name in plan["units"] if name not in left_out])
    return [m for m in found if m]


def read_plan(place: Place, step: str) -> dict[str, Any]:
    """The committed plan: ``identity``, ``spec`` and the identity of every unit by name."""
    plan: dict[str, Any] = json.loads(place.store.read(place.name(step, "plan.json")))
    return plan


def units_left_out(place: Place, step: str) -> dict[str, dict[str, str]]:
    """The units of a pass that a build went on without, for good: what each reads and why it failed."""
    name = place.name(step, LEFT_OUT)
    return dict(json.loads(place.store.read(name))) if place.store.exists(name) else {}


def _take_done(
    place: Place, step: str, units: Sequence[Unit], identities: Mapping[str, str], done: dict[str, Manifest]
) -> None:
    there = set(place.store.names(place.name(step)))
    found = [unit for unit in units if f"{unit.name}.json" in there]
    for unit, manifest in zip(found, place.manifests(step, [unit.name for unit in found]), strict=True):
        if manifest is None or manifest.identity != identities[unit.name]:
            raise PlanChanged(
                f"{place.name(step, unit.name)} was made from another recipe or input than this one; "
                "build under another --version, or without --version"
            )
        done[unit.name] = manifest


def _commit_plan(
    place: Place, step: Pass, spec: dict[str, Any], identities: dict[str, str], left_out: Container[str]
) -> None:
    plan = {"identity": identity_of([spec, identities]), "spec": spec, "units": identities}
    if not place.store.put_if_absent(place.name(step.name, "plan.json"), canonical_json(plan)):
        before = read_plan(place, step.name)
        kept = {name: i for name, i in before["units"].items() if name not in left_out}
        if before["spec"] != spec or kept != identities:
            raise PlanChanged(
                f"{place.name(step.name)} was planned from another recipe or input than this one; "
                "build under another --version, or without --version"
            )


def _adopted(manifest: Manifest, unit: str) -> Manifest:
    return Manifest(manifest.step, unit, manifest.identity, manifest.files, manifest.counts, manifest.cost)
