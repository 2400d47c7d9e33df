"""Take away old dev versions of a corpus and what dead attempts left, and nothing that another version names.

Files are referred to by manifests, which may name those of older versions. Kept are the newest dev versions, every
named version, the versions that these were built from, and every file that a manifest of any of them names.
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpusforge import versions
from corpusforge.engine.attempt import Place
from corpusforge.engine.run import LEFT_OUT, read_plan, units_left_out
from corpusforge.report.progress import counted
from corpusforge.storage import DRAFT, Store, Stored
from corpusforge.versions import DEV, VersionError

ATTEMPT = re.compile(r"\.?.+\.([0-9a-f]{12})[0-9a-f]{8}\..+")
"""A file of an attempt; its name says when that began, in milliseconds since 1970."""
HOUR, DAY = 3600.0, 86400.0
QUIET_SECONDS = HOUR
"""An unfinished version in which nothing was written for so long is not being built."""
DEAD_SECONDS = DAY
"""An attempt without a manifest that began and wrote before that is dead."""


@dataclass
class Removal:
    """What ``gc`` keeps and takes away; sizes in bytes."""

    kept: list[str] = field(default_factory=list)
    removed: dict[str, list[Stored]] = field(default_factory=dict)
    orphans: list[Stored] = field(default_factory=list)
    referred: list[Stored] = field(default_factory=list)
    dry: bool = False

    @property
    def files(self) -> list[Stored]:
        """What goes, in the order in which it must: a version's recipe first, so that no build takes units over."""
        return [*(f for found in self.removed.values() for f in found), *self.orphans]

    def to_json(self) -> dict[str, Any]:
        def told(files: Sequence[Stored]) -> dict[str, int]:
            return {"files": len(files), "bytes": sum(f.bytes for f in files)}

        removed = {version: told(files) for version, files in self.removed.items()}
        more = {"orphans": told(self.orphans), "referred": told(self.referred), "all": told(self.files)}
        return {"kept": self.kept, "removed": removed, **more, "dry_run": self.dry}


def gc(address: str, keep: int = 3, older_than: float | None = None, dry_run: bool = False) -> Removal:
    """Remove what nothing needs from ``ROOT/CORPUS``; ``older_than`` in seconds spares younger versions.

    Raises ``VersionError`` while a version is being built, and where there is no corpus.
    """
    store = Store(address)
    every = {version: list(store.walk(version)) for version in store.folders("")}
    entered = [v for v, files in every.items() if f"{v}/recipe.json" in {f.name for f in files}]
    if not entered:
        raise VersionError(f"there is no corpus at {address}: give ROOT/CORPUS, the folder above its versions")
    now = time.time()
    for version in entered:
        _quiet(Place(store, version), every[version], now)
    kept = _kept(store, every, entered, keep, None if older_than is None else now - older_than)
    named = _named(store, [f for version in kept for f in every[version]])
    doomed = [v for v in every if v not in kept and (v in entered or DEV.fullmatch(v))]
    if not dry_run:
        named |= _closed(store, doomed, now)
    removal = Removal(sorted(kept), dry=dry_run)
    for version, files in every.items():
        if version in kept:
            removal.orphans += [f for f in files if f.name not in named and _is_dead(f, now)]
        elif version in doomed:
            removal.referred += [f for f in files if f.name in named]
            removal.removed[version] = sorted((f for f in files if f.name not in named), key=_order)
    removal.removed = {version: files for version, files in removal.removed.items() if files}
    if not dry_run:
        for file in removal.files:
            store.delete(file.name)
    return removal


def _closed(store: Store, doomed: Sequence[str], now: float) -> set[str]:
    """Take away the recipes of doomed versions, so that no build takes units over from them; give what others name.

    A build that began before writes its own recipe first: raises ``VersionError`` if there is an unfinished one.
    """
    for version in doomed:
        store.delete(f"{version}/recipe.json")
    others = {v: list(store.walk(v)) for v in store.folders("") if v not in doomed}
    for version, files in others.items():
        if f"{version}/recipe.json" in {f.name for f in files}:
            _quiet(Place(store, version), files, now)
    return _named(store, [f for files in others.values() for f in files])


def told(removal: Removal) -> Iterator[str]:
    """What was removed, in lines."""
    yield f"kept: {', '.join(removal.kept)}"
    if removal.referred:
        yield f"kept of removed versions, since those name them: {_size(removal.referred)}"
    for version, files in removal.removed.items():
        yield f"{version}: {_size(files)}"
    if removal.orphans:
        yield f"left by attempts that ended over a day ago: {_size(removal.orphans)}"
    yield f"{'would remove' if removal.dry else 'removed'} {_size(removal.files)}"


def _size(files: Sequence[Stored]) -> str:
    return f"{counted(len(files), 'file')}, {sum(f.bytes for f in files) / 1e6:,.1f} MB"


def _order(file: Stored) -> tuple[int, str]:
    """The recipe first, then what says that units are done, then the data."""
    name = file.name.rpartition("/")[2]
    rank = 0 if name == "recipe.json" else 2 if ATTEMPT.fullmatch(name) else 1
    return rank, file.name


def _quiet(place: Place, files: Sequence[Stored], now: float) -> None:
    """Raise ``VersionError`` if the version is unfinished and something was written to it just now."""
    last = max(f.written for f in files)
    minutes = (now - last) / 60
    if now - last < QUIET_SECONDS and not _is_finished(place, {f.name for f in files}):
        raise VersionError(
            f"{place.store.root}/{place.version} seems to be built now: it is unfinished, and was written to "
            f"{minutes:.0f} min ago. Finish the build, or wait {QUIET_SECONDS / 60 - minutes:.0f} min"
        )


def _is_finished(place: Place, names: set[str]) -> bool:
    steps = [step["name"] for p in versions.making_of(place).recipe["passes"] for step in p["steps"]]
    for step in steps:
        if place.name(step, "plan.json") not in names:
            return False
        left_out = units_left_out(place, step) if place.name(step, LEFT_OUT) in names else {}
        units = (unit for unit in read_plan(place, step)["units"] if unit not in left_out)
        if any(place.name(step, f"{unit}.json") not in names for unit in units):
            return False
    return True


def _kept(
    store: Store, every: Mapping[str, Sequence[Stored]], entered: Sequence[str], keep: int, since: float | None
) -> set[str]:
    """The newest dev versions, the named ones, those younger than asked for, and those they were built from."""
    numbers = sorted(int(m[1]) for m in map(DEV.fullmatch, entered) if m)
    newest = {f"dev-{n}" for n in numbers[max(len(numbers) - keep, 0) :]}
    young = {v for v in entered if since is not None and max(f.written for f in every[v]) > since}
    kept = newest | young | {v for v in entered if not DEV.fullmatch(v)}
    waiting = list(kept)
    while waiting:
        base = str(versions.making_of(Place(store, waiting.pop())).recipe.get("from"))
        if base in entered and base not in kept:
            kept.add(base)
            waiting.append(base)
    return kept


def _named(store: Store, files: Sequence[Stored]) -> set[str]:
    """Every file that a manifest among ``files`` names."""
    folders: dict[str, list[str]] = defaultdict(list)
    for file in files:
        folder, _, name = file.name.rpartition("/")
        if "/" in folder and _is_manifest(name):
            folders[folder].append(file.name)
    named: set[str] = set()
    for names in folders.values():
        for name, data in zip(names, store.read_each(names), strict=True):
            try:
                named |= {f["path"] for f in json.loads(data or b"")["files"]}
            except (ValueError, KeyError, TypeError):
                problem = f"{store.root}/{name} is no manifest, so nothing is removed"
                raise VersionError(f"{problem}. See what `corpusforge verify` says of its version") from None
    return named


def _is_manifest(name: str) -> bool:
    return name.endswith(".json") and name not in ("plan.json", LEFT_OUT) and not ATTEMPT.fullmatch(name)


def _is_dead(file: Stored, now: float) -> bool:
    """Whether a file that no manifest names comes from an attempt that ended long ago."""
    name = file.name.rpartition("/")[2]
    attempt = ATTEMPT.fullmatch(name)
    if not attempt and not (name.startswith(".") and name.endswith(DRAFT)):
        return False
    began = int(attempt[1], 16) / 1000 if attempt else 0.0
    return max(began, file.written) < now - DEAD_SECONDS
