"""An earlier corpus of ours as input: the documents that its last pass kept, by their manifests."""

import json
import re
from collections.abc import Iterator

from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests, read_plan, units_left_out
from corpusforge.engine.unit import File
from corpusforge.storage import Store, joined, parted

KEPT = "kept.parquet"
"""The ending of the files that hold documents; a source that takes it reads corpora."""
DEV = re.compile(r"dev-(\d+)")
DEPTH = 4
"""Names that an address may have below ROOT/CORPUS: the version, a pass, a pass of that."""


def kept_files(address: str) -> Iterator[tuple[str, str, File]]:
    """Name, address and manifest entry of every document file of ``ROOT/CORPUS/VERSION[/PASS]``; none elsewhere.

    Raises ``ValueError`` for a pass that does not hold documents, or not yet all of them.
    """
    place, step = _located(address)
    if place is None:
        return
    step = step or _last_pass(place)
    done = manifests(place, step)
    planned = len(read_plan(place, step)["units"]) - len(units_left_out(place, step)) if done else 0
    if not done or len(done) < planned:
        raise ValueError(f"{address}: pass {step} is not finished ({len(done)} of {planned} units). Finish its build")
    corpus = parted(place.store.root)[1]
    for manifest in done:
        files = [f for f in manifest.files if f.role == KEPT]
        if not files:
            raise ValueError(f"{address}: pass {step} holds no documents")
        name = f"{corpus}/{place.version}/{step}/{manifest.unit}.{KEPT}"
        yield name, joined(place.store.root, files[0].path), files[0]


def _located(address: str) -> tuple[Place | None, str]:
    """The version that an address lies in, and the pass it names there."""
    above, name = parted(address)
    within: list[str] = []
    while name and len(within) < DEPTH:
        store = Store(above)
        version = _newest(store) if name == "dev" else name
        if version and store.exists(f"{version}/recipe.json"):
            return Place(store, version), "/".join(within)
        within.insert(0, name)
        above, name = parted(above)
    return None, ""


def _newest(store: Store) -> str:
    numbers = [int(m[1]) for m in map(DEV.fullmatch, store.folders("")) if m and store.exists(f"{m[0]}/recipe.json")]
    return f"dev-{max(numbers)}" if numbers else ""


def _last_pass(place: Place) -> str:
    recipe = json.loads(place.store.read(place.name("recipe.json")))
    names = [p["name"] for p in recipe["passes"] if p["steps"][-1]["pass"] in ("map", "corpus")]
    if not names:
        raise ValueError(f"{place.store.root}/{place.version} has no pass with documents")
    return str(names[-1])
