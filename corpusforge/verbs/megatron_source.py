"""Token files of Megatron-LM, NeMo or datatrove, without a manifest, as a source of samples."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from corpusforge.storage import StoreError
from corpusforge.storage.addresses import is_remote
from corpusforge.tokens.digests import THREADS, Content, content_of
from corpusforge.tokens.shards import Shard, TokenSource

LOOKED_AT = 1024
"""Documents of a file, evenly spread, whose last token is looked at."""


def megatron_source(
    prefixes: str | Path | Sequence[str | Path],
    eod: int,
    vocabulary: int,
    name: str | None = None,
    repeats: Mapping[int, int] | None = None,
    erased: Sequence[str] = (),
) -> TokenSource:
    """The tokens of each ``PREFIX.bin`` with its ``PREFIX.idx``, in this order; a prefix is a path on disk.

    ``eod`` is the id that ends documents, ``vocabulary`` the largest id + 1, ``name`` that of the source (else that of
    the first file). Files are told apart by what they hold: each ``.bin`` is read through when it is first used, at
    about 1 GB a second and thread, and its digest kept beside it in ``PREFIX.bin.content.json`` while it does not
    change; begin with one process before many. ``repeats`` and ``erased`` need a ``PREFIX.docs.parquet`` as CorpusForge
    writes it.

    Raises ``ValueError`` for an index that cannot be trusted, ids outside the vocabulary, an ``eod`` that ends none of
    the documents looked at, and a file of another length than its index says.
    """
    found = [prefixes] if isinstance(prefixes, str | Path) else [*prefixes]
    if not found:
        raise ValueError("a source needs files: give the prefix of at least one .bin and .idx")
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        shards = list(pool.map(lambda prefix: _shard(str(prefix), vocabulary), found))
    for shard in shards:
        _prove_ends(shard, eod)
    return TokenSource(name or shards[0].name, shards, eod, vocabulary, repeats, erased)


def _shard(prefix: str, vocabulary: int) -> Shard:
    if is_remote(prefix):
        raise StoreError(f"{prefix} is not on a disk, and tokens are mapped into memory: copy both files to one first")
    stem = prefix.removesuffix(".bin").removesuffix(".idx")
    ids, index, docs = (Path(f"{stem}.{kind}") for kind in ("bin", "idx", "docs.parquet"))
    for path in (ids, index):
        if not path.is_file():
            raise ValueError(f"there is no {path}: a prefix is the path of a .bin and its .idx without these endings")
    unread = Shard(ids.stem, ids, index, "", docs if docs.is_file() else None)
    unread.sized()
    content = content_of(ids, unread.index.dtype)
    _prove_ids(ids, content, vocabulary)
    return replace(unread, sha256=content.sha256)


def _prove_ids(path: Path, content: Content, vocabulary: int) -> None:
    if content.smallest < 0 or content.largest >= vocabulary:
        raise ValueError(
            f"{path} holds the ids {content.smallest:,} to {content.largest:,}, which are not all in a vocabulary of "
            f"{vocabulary:,}: give that of the tokenizer it was made with"
        )


def _prove_ends(shard: Shard, eod: int) -> None:
    ends = shard.starts[1:][np.diff(shard.starts) > 0]
    lasts = shard.ids[ends[np.linspace(0, len(ends) - 1, min(len(ends), LOOKED_AT)).astype(np.int64)] - 1]
    if len(lasts) and not (lasts == eod).any():
        known = ", ".join(map(str, np.unique(lasts)[:5].tolist()))
        raise ValueError(
            f"none of {len(lasts):,} documents of {shard.bin} ends with the token {eod}; their last tokens are {known} "
            "…: give the id that ends documents as eod, or write the file with it (Megatron-LM: --append-eod)"
        )
