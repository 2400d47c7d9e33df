"""Verify a version: every file a manifest names is read and digested anew."""

import hashlib
from collections.abc import Sequence
from typing import Any

from corpusforge.engine.attempt import Place
from corpusforge.engine.run import LEFT_OUT, manifests, read_plan, units_left_out
from corpusforge.engine.unit import Manifest
from corpusforge.storage import Store
from corpusforge.text.canonical import identity_of

CHUNK = 1 << 20


def verify_version(place: Place, steps: Sequence[str]) -> dict[str, Any]:
    """One digest a pass and one for the version, with document and token counts.

    A pass digest covers (unit, file role, file digest), never names of attempts or cost. ``wrong`` lists files that
    are missing or hold other bytes than their manifest says, ``undone`` planned units without a manifest, ``left_out``
    units that the build went on without, ``orphans`` files that no manifest names (they count for nothing).
    """
    passes = [_verify_pass(place, step) for step in steps]
    documents = [p["documents"] for p in passes if p["documents"] is not None]
    return {
        "digest": identity_of([[p["pass"], p["digest"]] for p in passes]),
        "documents": documents[-1] if documents else 0,
        "tokens": sum(p["tokens"] or 0 for p in passes),
        "passes": passes,
        "wrong": [w for p in passes for w in p.pop("wrong")],
        "undone": [u for p in passes for u in p.pop("undone")],
        "left_out": [u for p in passes for u in p.pop("left_out")],
        "orphans": [o for p in passes for o in p.pop("orphans")],
    }


def _verify_pass(place: Place, step: str) -> dict[str, Any]:
    if not place.store.exists(place.name(step, "plan.json")):
        return {
            "pass": step,
            "digest": None,
            "units": 0,
            "documents": None,
            "tokens": None,
            "wrong": [],
            "undone": [f"{step}: not planned yet"],
            "left_out": [],
            "orphans": [],
        }
    done = manifests(place, step)
    planned, left_out = read_plan(place, step)["units"], units_left_out(place, step)
    there = {m.unit for m in done} | set(left_out)
    missing = [name for name in planned if name not in there]
    found = {(m.unit, f.role): _digest(place.store, f.path) for m in done for f in m.files}
    wrong = [f.path for m in done for f in m.files if found[m.unit, f.role] != f.sha256]
    return {
        "pass": step,
        "digest": identity_of(sorted([*key, digest] for key, digest in found.items())),
        "units": len(done),
        "documents": _sum(done, "documents"),
        "tokens": _sum(done, "tokens"),
        "guarded": sum(m.cost.get("guarded", 0) for m in done),
        "wrong": wrong,
        "undone": [f"{step}/{name}" for name in missing],
        "left_out": [f"{step}/{name}" for name in sorted(left_out)],
        "orphans": _orphans(place, step, done),
    }


def _sum(done: Sequence[Manifest], count: str) -> int | None:
    found = [m.counts[count] for m in done if count in m.counts]
    return sum(found) if found else None


def _digest(store: Store, name: str) -> str:
    if not store.exists(name):
        return "missing"
    digest = hashlib.sha256()
    with store.open(name) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _orphans(place: Place, step: str, done: Sequence[Manifest]) -> list[str]:
    named = {f.path for m in done for f in m.files}
    named |= {place.name(step, f"{m.unit}.json") for m in done}
    named |= {place.name(step, "plan.json"), place.name(step, LEFT_OUT)}
    there = [place.name(step, name) for name in place.store.names(place.name(step), drafts=True)]
    marks = [place.name(step, "attempts", name) for name in place.store.names(place.name(step, "attempts"))]
    return [name for name in (*there, *marks) if name not in named]
