"""The tokens of a corpus as a source: the documents that were built, and a clear error where there are none."""

import json
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import corpusforge as cf
from corpusforge.api import StoreError, VersionError
from corpusforge.tokens import staging
from corpusforge.tokens.digests import DamagedError
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.shards import TokenSource
from corpusforge.tokens.stream import Stream
from tests.numbered import RECIPE, text
from tests.storage import s3

TOKENS = "  - {name: tokens, use: tokenize, tokenizer: {vocab_size: 512}, validation_share: 0.2}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> cf.Run:
    folder = tmp_path_factory.mktemp("small")
    (folder / "in.jsonl").write_text("\n".join(json.dumps({"id": n, "text": text(n)}) for n in range(60)))
    (folder / "small.yaml").write_text(RECIPE + TOKENS)
    return cf.build(folder / "small.yaml", inputs=[str(folder / "in.jsonl")], root=folder / "out", pool="serial")


def test_the_documents_that_were_built_come_back(run: cf.Run) -> None:
    sources = [cf.token_source(str(run.address), split) for split in ("train", "validation")]
    assert [source.name for source in sources] == ["numbered/dev-1", "numbered/dev-1/validation"]
    spans = [span for source in sources for span in source.documents(0, source.tokens)]
    ids = {span.shard.column("id")["id"][span.document].as_py() for span in spans}
    assert ids == {row["id"] for row in run.documents()}
    for span in spans:
        assert span.shard.ids[span.shard.starts[span.document + 1] - 1] == sources[0].eod


def test_a_stream_reads_them(run: cf.Run) -> None:
    source = cf.token_source(str(run.address))
    stream = Stream({source.name: source}, [Segment(0, {source.name: 1})], 0, 32)
    ids = stream.read(0, 50)
    assert ids.shape == (50, 33)
    for sample, row in enumerate(ids):
        spans = stream.documents(sample)
        own = [span.shard.ids[span.shard.starts[span.document] + span.start :][: span.count] for span in spans]
        assert row.tolist() == np.concatenate(own).tolist()


@pytest.mark.parametrize(
    ("below", "more", "message"),
    [
        ("", {"split": "test"}, "has no tokens of the split 'test'"),
        ("", {"series": ["ja"]}, "has no tokens of the split 'train' in the series ja"),
        ("/corpus", {}, "name the pass that wrote the tokens, as in dev-1/tokens; there are: tokens"),
    ],
)
def test_tokens_that_are_not_there_are_told(run: cf.Run, below: str, more: dict[str, object], message: str) -> None:
    with pytest.raises(VersionError, match=message):
        cf.token_source(f"{run.address}{below}", **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def stored(run: cf.Run) -> Iterator[str]:
    """The address of the same corpus in a store."""
    root = Path(run.place.store.root)
    with s3.served() as url:
        for path in root.rglob("*.*"):
            if path.is_file():
                s3.client(url).upload_file(str(path), s3.BUCKET, f"out/{root.name}/{path.relative_to(root)}")
        yield f"s3://{s3.BUCKET}/out/{root.name}/dev"


def line(source: TokenSource) -> list[int]:
    out = np.empty(source.tokens, np.int32)
    source.read(0, out)
    return out.tolist()


def staged(folder: Path) -> dict[str, int]:
    """Files that are there, with the times at which they were made."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_corpus_in_a_store_is_staged_once(run: cf.Run, stored: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is not on a disk, .* give staging=FOLDER"):
        cf.token_source(stored)
    told: list[tuple[int, int]] = []
    source = cf.token_source(stored, staging=tmp_path / "s", listen=lambda done, total: told.append((done, total)))
    here = cf.token_source(str(run.address))
    assert line(source) == line(here)
    assert (source.name, source.digest, source.eod) == (here.name, here.digest, here.eod)
    (total,) = {total for _, total in told}
    assert told[-1] == (total, total)
    before = staged(tmp_path / "s")
    shard = source.shards[0]
    assert set(before) == {
        f"{shard.sha256}.train.bin",
        f"{shard.idx_sha256}.train.idx",
        f"{shard.docs_sha256}.train.docs.parquet",
    }
    cf.token_source(stored, staging=str(tmp_path / "s"), verify="full")
    assert staged(tmp_path / "s") == before
    cf.tombstone(stored, [shard.column("id")["id"][0].as_py()], "asked for")
    assert line(cf.token_source(stored, staging=tmp_path / "s"))[0] == -1


def test_what_was_staged_before_a_process_died_is_not_copied_again(run: cf.Run, tmp_path: Path) -> None:
    source = cf.token_source(str(run.address), staging=tmp_path)
    kept, cut, lost = source.shards[0].bin, source.shards[0].idx, source.shards[0].docs
    assert lost is not None
    cut.write_bytes(b"cut")
    lost.unlink()
    (tmp_path / f".{lost.name}.0123.part").write_bytes(b"half")
    before = kept.stat().st_mtime_ns
    again = cf.token_source(str(run.address), staging=tmp_path, verify="full")
    assert line(again) == line(source)
    assert kept.stat().st_mtime_ns == before
    assert not list(tmp_path.glob(".*.part"))


def test_bytes_that_are_damaged_in_the_store_are_not_staged(run: cf.Run, tmp_path: Path) -> None:
    address = Path(shutil.copytree(Path(run.place.store.root).parent, tmp_path / "out")) / "numbered" / "dev"
    (path,) = (tmp_path / "out" / "numbered" / "dev-1" / "tokens").glob("*.train.bin")
    path.write_bytes(b"\7\7" + path.read_bytes()[2:])
    with pytest.raises(DamagedError, match=r"train.bin has the SHA-256 .* as its manifest says: it is damaged there"):
        cf.token_source(str(address), staging=tmp_path / "s")
    assert not list((tmp_path / "s").glob("*.bin"))
    cf.token_source(str(address))
    with pytest.raises(DamagedError, match=r"train.bin has the SHA-256 .* copy it anew"):
        cf.token_source(str(address), verify="full")


def test_a_disk_without_room_is_told_before_anything_is_copied(
    run: cf.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(staging.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(StoreError, match=r"has 0.0 GB free; .* free some space, or stage elsewhere"):
        cf.token_source(str(run.address), staging=tmp_path)
    assert staged(tmp_path) == {}


def opened(address: str, folder: str) -> tuple[str, int]:
    """In another process: what the first one copies, the others wait for."""
    copied = Counter[str]()
    source = cf.token_source(address, staging=folder, listen=lambda done, total: copied.update(["files"]))
    return source.digest, copied["files"]


def test_of_processes_that_begin_at_once_one_copies(run: cf.Run, tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        found = [f.result() for f in [pool.submit(opened, str(run.address), str(tmp_path)) for _ in range(4)]]
    assert len({digest for digest, _ in found}) == 1
    assert sum(files for _, files in found) == 3


def test_without_a_lock_each_copies_and_the_first_to_finish_wins(
    run: cf.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(handle: int, kind: int) -> None:
        raise OSError(os.strerror(37))

    monkeypatch.setattr(staging.fcntl, "flock", refused)
    draft = tmp_path / ".x.part"
    draft.write_bytes(b"another's")
    assert line(cf.token_source(str(run.address), staging=tmp_path)) == line(cf.token_source(str(run.address)))
    assert draft.exists()
