"""What a corpus holds: documents, what was dropped, the report; whether its files are as their manifests say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corpusforge import versions
from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests
from corpusforge.engine.tables import read_rows
from corpusforge.passes.verify import verify_version
from corpusforge.report.render import Address, PassView, view
from corpusforge.tokens.tombstones import read_tombstones
from corpusforge.versions import VersionError


def documents(address: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of the final shards of ``ROOT/CORPUS/VERSION``, or of one pass or unit, streamed."""
    place, parts = Address.locate(address)
    yield from _rows(place, parts.step or final_pass(place), parts.unit, "kept.parquet", columns)


def dropped(address: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows that were dropped, with ``drop`` saying why, of every pass of a version or of one pass or unit, streamed."""
    place, parts = Address.locate(address)
    for step in [parts.step] if parts.step else passes_with_documents(place):
        yield from _rows(place, step, parts.unit, "swept.parquet", columns)


def _rows(
    place: Place, step: str, unit: str | None, role: str, columns: Sequence[str] | None
) -> Iterator[dict[str, Any]]:
    for manifest in manifests(place, step):
        if role not in (f.role for f in manifest.files):
            raise VersionError(f"pass {step} holds no documents; those that do: {passes_with_documents(place)}")
        if unit in (None, manifest.unit):
            with place.store.open(manifest.file(role).path) as file:
                for batch in read_rows(file, columns=columns):
                    yield from batch.to_pylist()


def passes_with_documents(place: Place) -> list[str]:
    """The passes whose units hold documents, in the order in which they run."""
    recipe = versions.making_of(place).recipe
    return [p["name"] for p in recipe["passes"] if p["steps"][-1]["pass"] in ("map", "corpus")]


def final_pass(place: Place) -> str:
    """The pass that wrote the final shards: the last one whose units hold documents."""
    names = passes_with_documents(place)
    if not names:
        raise VersionError(f"{place.version} has no pass with documents")
    return names[-1]


def report(address: str) -> list[PassView]:
    """What each pass of a version read, kept, dropped and cost."""
    place, parts = Address.locate(address)
    return view(place, parts)


def verify(address: str) -> dict[str, Any]:
    """Recompute every file a manifest names; see ``corpusforge.passes.verify``.

    ``tombstones`` is the number of documents that the corpus has forgotten; it is part of no digest.
    """
    place, _ = Address.locate(address)
    return {**verify_version(place, step_names(place)), "tombstones": len(read_tombstones(place.store))}


def step_names(place: Place) -> list[str]:
    """The engine's passes of a version, in the order in which they run."""
    recipe: Mapping[str, Any] = versions.making_of(place).recipe
    return [step["name"] for p in recipe["passes"] for step in p["steps"]]


def verified(found: Mapping[str, Any]) -> Iterator[str]:
    """The result of ``verify`` in lines."""
    for made in found["passes"]:
        counts = [f"{made[k]:,} {k}" for k in ("units", "documents", "tokens") if made[k] is not None]
        yield f"{made['pass']:24} {(made['digest'] or 'not planned')[:16]}  {', '.join(counts)}"
    yield f"{'version':24} {found['digest'][:16]}  {found['documents']:,} documents, {found['tokens']:,} tokens"
    if found["tombstones"]:
        yield f"{'tombstones':24} {'':16}  {found['tombstones']:,} documents of this corpus are forgotten"
    for kind in ("wrong", "undone", "left_out", "orphans"):
        for name in found[kind]:
            yield f"{kind.replace('_', ' ')}: {name}"
