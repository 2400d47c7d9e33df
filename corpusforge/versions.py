"""Versions of a corpus: none is mutable; an unnamed build goes on with the newest equal one or starts the next."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests
from corpusforge.engine.unit import Manifest
from corpusforge.storage import Store
from corpusforge.text.canonical import canonical_json, differences

DEV = re.compile(r"dev-(\d+)")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DIFFERENCES = 5


class VersionError(RuntimeError):
    """A version exists and was made from something else."""


@dataclass(frozen=True)
class Making:
    """What a version is made from: ``recipe.json``, byte for byte; ``inputs.json`` repeats the inputs for reading."""

    recipe: Mapping[str, Any]
    inputs: list[dict[str, Any]]


def choose(store: Store, making: Making, version: str | None) -> Place:
    """The version to build: the named one, else the newest ``dev-N`` made from the same, else the next ``dev-N``."""
    if version:
        check_name("version", version)
        return _enter(store, version, making)
    newest = _numbers(store)[-1:]
    if newest and not _differences(Place(store, f"dev-{newest[0]}"), making):
        return Place(store, f"dev-{newest[0]}")
    number = newest[0] + 1 if newest else 1
    while True:
        try:
            return _enter(store, f"dev-{number}", making)
        except VersionError:
            number += 1


def check_name(kind: str, name: str) -> None:
    """Raise ``VersionError`` unless ``name`` can be the name of one folder."""
    if not NAME.fullmatch(name):
        raise VersionError(f"{name!r} cannot be the name of a {kind}: use letters, digits, '.', '_' and '-'")


def resolve(store: Store, version: str) -> str:
    """The name of a version; ``dev`` is the newest ``dev-N``."""
    numbers = _numbers(store)
    if version == "dev" and numbers:
        return f"dev-{numbers[-1]}"
    if version in store.folders(""):
        return version
    known = ", ".join(store.folders("")) or "none"
    raise VersionError(f"there is no version {version!r} in {store.root}; there are: {known}")


def finder(place: Place, base: str | None) -> Callable[[str, str], Manifest | None]:
    """Finds the manifest of an equal unit in earlier versions: those of ``base``, else of the ``dev`` ones.

    Each pass's manifests are indexed by identity when the pass is first asked for.
    """
    indexes: dict[str, dict[str, Manifest]] = {}
    versions = [base] if base else [f"dev-{n}" for n in reversed(_numbers(place.store))]
    # ``gc`` takes the recipe of a version first, then the rest.
    earlier = [v for v in versions if v != place.version and place.store.exists(f"{v}/recipe.json")]

    def find(step: str, identity: str) -> Manifest | None:
        if step not in indexes:
            found = [m for v in reversed(earlier) for m in manifests(Place(place.store, v), step)]
            indexes[step] = {m.identity: m for m in found}
        return indexes[step].get(identity)

    return find


def making_of(place: Place) -> Making:
    """What a version was made from."""
    name = place.name("recipe.json")
    try:
        recipe = json.loads(place.store.read(name))
        return Making({k: v for k, v in recipe.items() if k != "inputs"}, recipe["inputs"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VersionError(
            f"{place.store.root}/{name} is damaged or was written by another CorpusForge ({error!r}): "
            "build under another version"
        ) from error


def _enter(store: Store, version: str, making: Making) -> Place:
    place = Place(store, version)
    if version == "dev":
        raise VersionError("'dev' means the newest dev version: give the version another name")
    # The inputs are part of what decides, so they stand in the one file that is written first.
    whole = {**making.recipe, "inputs": making.inputs}
    store.put_if_absent(place.name("recipe.json"), canonical_json(whole))
    store.put_if_absent(place.name("inputs.json"), canonical_json(making.inputs))
    found = _differences(place, making)
    if found:
        listed = "; ".join(found[:DIFFERENCES])
        raise VersionError(
            f"version {version} was made from something else: {listed}. "
            "Build under another --version, or without --version to start the next dev version"
        )
    return place


def _differences(place: Place, making: Making) -> list[str]:
    if not place.store.exists(place.name("recipe.json")):
        return ["it has no recipe.json"]
    before = making_of(place)
    now = json.loads(canonical_json([making.recipe, making.inputs]))
    return [*differences(before.recipe, now[0], "recipe"), *differences(before.inputs, now[1], "inputs")]


def _numbers(store: Store) -> list[int]:
    """Numbers of the ``dev`` versions that were entered, ascending."""
    found = (DEV.fullmatch(name) for name in store.folders(""))
    return sorted(int(m[1]) for m in found if m and store.exists(f"{m[0]}/recipe.json"))
