"""The token shards of a corpus as a source of samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from corpusforge import versions
from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests
from corpusforge.engine.unit import File, Manifest
from corpusforge.report.render import Address
from corpusforge.storage import StoreError
from corpusforge.tokens.digests import Progress
from corpusforge.tokens.encoders import ENCODERS, Encoder, load
from corpusforge.tokens.shards import Shard, TokenSource
from corpusforge.tokens.split import TRAIN
from corpusforge.tokens.staging import stage
from corpusforge.tokens.tombstones import read_tombstones
from corpusforge.versions import VersionError


def token_source(
    address: str,
    split: str = TRAIN,
    series: Sequence[str] = (),
    repeats: Mapping[int, int] | None = None,
    erased: Sequence[str] = (),
    staging: str | Path | None = None,
    verify: Literal["sizes", "full"] = "sizes",
    listen: Progress = lambda done, total: None,
) -> TokenSource:
    """The tokens of ``ROOT/CORPUS/VERSION[/PASS]`` in the order of their shards.

    ``series`` keeps shards of these series only, such as ``ja``; ``repeats`` is that of ``TokenSource``. Documents with
    a tombstone are erased, and those of ``erased`` too. A corpus in a store is copied once to the folder ``staging``.
    ``verify="full"`` compares the digest of every file with its manifest, at about 1 GB a second and thread;
    ``listen(done, total)`` is told of the bytes that are copied, then of those compared.

    Raises ``VersionError`` where there are no such tokens, ``StoreError`` where they are on no disk and ``staging`` is
    not given, ``ValueError`` for a file that is not what it was.
    """
    place, parts = Address.locate(address)
    step = token_step(place, parts.step)
    if staging is None and not place.store.on_disk:
        raise StoreError(
            f"{address} is not on a disk, and tokens are mapped into memory: give staging=FOLDER, a folder on a disk "
            "of this machine, and they are copied there once"
        )
    chosen = [m for m in manifests(place, step["name"]) if _has(m, split) and (not series or _series(m) in series)]
    if not chosen:
        wanted = f" in the series {', '.join(series)}" if series else ""
        raise VersionError(f"{address} has no tokens of the split {split!r}{wanted}")
    paths = _paths(place, chosen, split, staging, listen)
    shards = [_shard(manifest, split, paths) for manifest in chosen]
    encoder = _encoder(place, step)
    name = "/".join((parts.corpus, place.version, *([split] if split != TRAIN else []), *series))
    gone = [*read_tombstones(place.store), *erased]
    source = TokenSource(name, shards, encoder.eod, encoder.vocabulary, repeats, gone)
    source.check(verify == "full", listen)
    return source


def token_step(place: Place, name: str | None) -> Mapping[str, Any]:
    """The engine's pass that wrote the tokens, as the recipe of the version has it."""
    passes = [p["steps"][-1] for p in versions.making_of(place).recipe["passes"]]
    found = [step for step in passes if step["pass"] == "tokenize" and name in (None, step["name"])]
    if len(found) != 1:
        known = ", ".join(step["name"] for step in passes if step["pass"] == "tokenize") or "none"
        raise VersionError(f"name the pass that wrote the tokens, as in {place.version}/tokens; there are: {known}")
    return found[0]  # type: ignore[no-any-return]


def _series(manifest: Manifest) -> str:
    return manifest.unit.rpartition("-")[0]


def _has(manifest: Manifest, split: str) -> bool:
    return f"{split}.bin" in (file.role for file in manifest.files)


def _files(manifest: Manifest, split: str) -> list[File]:
    return [manifest.file(f"{split}.{kind}") for kind in ("bin", "idx", "docs.parquet")]


def _paths(
    place: Place, chosen: Sequence[Manifest], split: str, staging: str | Path | None, listen: Progress
) -> dict[str, Path]:
    files = [file for manifest in chosen for file in _files(manifest, split)]
    if staging is not None:
        return stage(place.store, files, Path(staging), listen)
    return {file.path: place.store.path(file.path) for file in files}


def _shard(manifest: Manifest, split: str, paths: Mapping[str, Path]) -> Shard:
    ids, index, docs = _files(manifest, split)
    where = [paths[file.path] for file in (ids, index, docs)]
    return Shard(manifest.unit, where[0], where[1], ids.sha256, where[2], index.sha256, docs.sha256)


def _encoder(place: Place, step: Mapping[str, Any]) -> Encoder:
    (made,) = manifests(place, f"{step['name']}/tokenizer")
    roles = {role: name for name, (role, _) in reversed(ENCODERS.items())}
    file = next(file for file in made.files if file.role in roles)
    return load(roles[file.role], place.store.read(file.path), step["eod"])
