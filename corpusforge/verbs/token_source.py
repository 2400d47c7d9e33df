"""The token shards of a corpus as a source of samples."""

from collections.abc import Mapping, Sequence
from typing import Any

from corpusforge import versions
from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests
from corpusforge.engine.unit import Manifest
from corpusforge.report.render import Address
from corpusforge.storage import StoreError
from corpusforge.tokens.encoders import ENCODERS, Encoder, load
from corpusforge.tokens.shards import Shard, TokenSource
from corpusforge.tokens.split import TRAIN
from corpusforge.versions import VersionError


def token_source(
    address: str,
    split: str = TRAIN,
    series: Sequence[str] = (),
    repeats: Mapping[int, int] | None = None,
    erased: Sequence[str] = (),
) -> TokenSource:
    """The tokens of ``ROOT/CORPUS/VERSION[/PASS]`` in the order of their shards.

    ``series`` keeps shards of these series only, such as ``ja``; ``repeats`` and ``erased`` are those of
    ``TokenSource``. Raises ``VersionError`` where there are no such tokens, ``StoreError`` where they are on no disk.
    """
    place, parts = Address.locate(address)
    step = _step(place, parts.step)
    if not place.store.on_disk:
        raise StoreError(f"{address} is not on a disk: tokens are mapped into memory, so copy the corpus to one first")
    role, chosen = f"{split}.bin", []
    for manifest in manifests(place, step["name"]):
        if role in (file.role for file in manifest.files) and _series(manifest) in (series or (_series(manifest),)):
            chosen.append(_shard(place, manifest, split))
    if not chosen:
        wanted = f" in the series {', '.join(series)}" if series else ""
        raise VersionError(f"{address} has no tokens of the split {split!r}{wanted}")
    encoder = _encoder(place, step)
    name = "/".join((parts.corpus, place.version, *([split] if split != TRAIN else []), *series))
    return TokenSource(name, chosen, encoder.eod, encoder.vocabulary, repeats, erased)


def _step(place: Place, name: str | None) -> Mapping[str, Any]:
    """The engine's pass that wrote the tokens, as the recipe of the version has it."""
    passes = [p["steps"][-1] for p in versions.making_of(place).recipe["passes"]]
    found = [step for step in passes if step["pass"] == "tokenize" and name in (None, step["name"])]
    if len(found) != 1:
        known = ", ".join(step["name"] for step in passes if step["pass"] == "tokenize") or "none"
        raise VersionError(f"name the pass that wrote the tokens, as in {place.version}/tokens; there are: {known}")
    return found[0]  # type: ignore[no-any-return]


def _series(manifest: Manifest) -> str:
    return manifest.unit.rpartition("-")[0]


def _shard(place: Place, manifest: Manifest, split: str) -> Shard:
    files = {kind: manifest.file(f"{split}.{kind}") for kind in ("bin", "idx", "docs.parquet")}
    paths = {kind: place.store.path(file.path) for kind, file in files.items()}
    return Shard(manifest.unit, paths["bin"], paths["idx"], files["bin"].sha256, paths["docs.parquet"])


def _encoder(place: Place, step: Mapping[str, Any]) -> Encoder:
    (made,) = manifests(place, f"{step['name']}/tokenizer")
    roles = {role: name for name, (role, _) in reversed(ENCODERS.items())}
    file = next(file for file in made.files if file.role in roles)
    return load(roles[file.role], place.store.read(file.path), step["eod"])
