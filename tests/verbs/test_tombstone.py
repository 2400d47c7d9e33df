"""A document with a tombstone is never trained on again, in any version; every other sample stays as it was."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corpusforge as cf
from corpusforge import api
from corpusforge.api import VersionError
from corpusforge.storage import Store
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.shards import ERASED, TokenSource
from corpusforge.tokens.stream import Stream
from corpusforge.tokens.tombstones import Tombstone, add_tombstones, read_tombstones
from tests.numbered import RECIPE, text

TOKENS = "  - {name: tokens, use: tokenize, tokenizer: {vocab_size: 512}, validation_share: 0.2}\n"
READ = 200


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    (folder / "in.jsonl").write_text("\n".join(json.dumps({"id": n, "text": text(n)}) for n in range(60)))
    (folder / "small.yaml").write_text(RECIPE + TOKENS)
    cf.build(folder / "small.yaml", inputs=[str(folder / "in.jsonl")], root=folder / "out", pool="serial")
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "b"))


def address(folder: Path, version: str = "dev") -> str:
    return f"{folder}/out/numbered/{version}"


def corpus(folder: Path) -> Store:
    return Store(f"{folder}/out/numbered")


def stream(source: TokenSource) -> Stream:
    return Stream({"s": source}, [Segment(0, {"s": 1})], 0, 32)


def ids_of(source: TokenSource) -> list[str]:
    return [id for shard in source.shards for id in shard.column("id")["id"].to_pylist()]


def test_a_forgotten_document_is_never_seen_and_all_else_stays(folder: Path) -> None:
    before = cf.token_source(address(folder))
    gone = ids_of(before)[3:5]
    whole = stream(before).read(0, READ)
    assert cf.tombstone(address(folder), gone, "asked by its author", "2026-11-01") == 2
    after = stream(cf.token_source(address(folder)))
    read = after.read(0, READ)
    hidden = np.zeros(read.shape, bool)
    for sample, row in enumerate(hidden):
        at = 0
        for span in after.documents(sample):
            row[at : at + span.count] = span.shard.column("id")["id"][span.document].as_py() in gone
            at += span.count
    assert hidden.any()
    assert (read[hidden] == ERASED).all()
    assert (read[~hidden] == whole[~hidden]).all()
    assert (stream(before).read(0, READ) == whole).all(), "what runs goes on until it is started again"


def test_a_tombstone_holds_in_versions_that_took_the_tokens_over_or_made_them_anew(folder: Path) -> None:
    (gone, *_) = ids_of(cf.token_source(address(folder)))
    for share in ("0.2", "0.3"):
        recipe = (RECIPE + TOKENS).replace("0.2", share) + f"# {share}\n"
        (folder / "again.yaml").write_text(recipe)
        cf.build(folder / "again.yaml", [str(folder / "in.jsonl")], folder / "out", version=f"v{share}", pool="serial")
    cf.tombstone(address(folder, "dev-1"), [gone], "a court order")
    for version in ("dev-1", "v0.2", "v0.3"):
        source = cf.token_source(address(folder, version))
        assert ("/dev-1/" in str(source.shards[0].bin)) == (version != "v0.3")
        assert gone in ids_of(source)
        shown = {
            span.shard.column("id")["id"][span.document].as_py()
            for sample, row in enumerate(stream(source).read(0, READ))
            for span, place in zip(*places(source, sample), strict=True)
            if row[place] != ERASED
        }
        assert gone not in shown
        assert len(shown) == len(ids_of(source)) - 1


def places(source: TokenSource, sample: int) -> tuple[list[Any], list[int]]:
    """The documents of a sample, and where the first token of each stands."""
    spans = list(stream(source).documents(sample))
    return spans, [sum(span.count for span in spans[:n]) for n in range(len(spans))]


def test_what_is_erased_by_hand_is_erased_too(folder: Path) -> None:
    one, other, *_ = ids_of(cf.token_source(address(folder)))
    cf.tombstone(address(folder), [one], "asked for")
    source = cf.token_source(address(folder), erased=[other])
    out = np.empty(source.tokens, np.int32)
    source.read(0, out)
    assert (out == ERASED).sum() == source.shards[0].starts[2]


def test_an_id_twice_is_one_and_the_first_reason_stands(folder: Path) -> None:
    one, other, *_ = ids_of(cf.token_source(address(folder)))
    assert cf.tombstone(address(folder), [one, one], "first", "2026-01-02") == 1
    assert cf.tombstone(address(folder), [one, other], "second", "2026-01-03") == 2
    assert cf.tombstone(address(folder), [other], "third") == 1
    found = read_tombstones(corpus(folder))
    assert list(found.values()) == [Tombstone(one, "first", "2026-01-02"), Tombstone(other, "second", "2026-01-03")]
    assert corpus(folder).names("_tombstones") == ["000000.parquet", "000001.parquet"]


def test_ids_that_are_not_there_are_refused_or_forgotten_wherever_they_are(folder: Path) -> None:
    (one, *_) = ids_of(cf.token_source(address(folder), "validation"))
    with pytest.raises(VersionError, match="has no tokens of f00, ba5, so nothing was forgotten"):
        cf.tombstone(address(folder), ["f00", one, "ba5"], "asked for")
    assert read_tombstones(corpus(folder)) == {}
    assert cf.tombstone(address(folder), ["f00", one], "asked for", missing="ignore") == 1
    assert list(read_tombstones(corpus(folder))) == ["f00", one]


@pytest.mark.parametrize(("ids", "reason", "date"), [(["a"], " ", None), ("abc", "r", None), ([""], "r", None)])
def test_a_tombstone_says_of_whom_and_why(folder: Path, ids: Any, reason: str, date: str | None) -> None:
    with pytest.raises(ValueError, match="needs a list of ids and a reason"):
        cf.tombstone(address(folder), ids, reason, date)
    with pytest.raises(ValueError, match="isoformat"):
        cf.tombstone(address(folder), ["a"], "r", "yesterday")


def test_two_writers_at_once_lose_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = corpus(folder)
    monkeypatch.setattr("corpusforge.tokens.tombstones._names", lambda store: [])
    for name in "abc":
        add_tombstones(store, [Tombstone(name, "r", "2026-01-01")])
    monkeypatch.undo()
    assert list(read_tombstones(store)) == ["a", "b", "c"]


def test_they_disturb_neither_verify_nor_gc_nor_the_next_build(folder: Path) -> None:
    before = cf.verify(address(folder))
    gone = ids_of(cf.token_source(address(folder)))[:1]
    cf.tombstone(address(folder), gone, "asked for")
    after = cf.verify(address(folder))
    assert after == {**before, "tombstones": 1}
    assert before["tombstones"] == 0
    assert any("1 documents of this corpus are forgotten" in line for line in api.verified(after))
    again = cf.build(folder / "small.yaml", [str(folder / "in.jsonl")], folder / "out", pool="serial")
    assert (again.version, again.worked) == ("dev-1", 0)
    for limit in range(1, 5):
        cf.build(folder / "small.yaml", [str(folder / "in.jsonl")], folder / "out", pool="serial", limit=limit + 30)
    removal = api.gc(f"{folder}/out/numbered", keep=1)
    assert "dev-1" in removal.removed
    assert list(read_tombstones(corpus(folder))) == gone
    assert cf.verify(address(folder))["orphans"] == []


def test_the_command_line_takes_ids_and_files_of_ids_and_tells_what_it_found(folder: Path) -> None:
    one, two, three = ids_of(cf.token_source(address(folder)))[:3]
    (folder / "ids.txt").write_text(f"{two}\n\n {three} \n")
    command = [sys.executable, "-m", "corpusforge", "forget", address(folder), one, f"@{folder / 'ids.txt'}"]
    done = subprocess.run([*command, "--reason", "a request"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{address(folder)} has tokens of 3 of 3; they are forgotten\n")
    assert [t.id for t in read_tombstones(corpus(folder)).values()] == [one, two, three]
    again = [*command, "unknown", "--missing", "ignore", "--reason", "another", "--date", "2026-11-02", "--json"]
    done = subprocess.run(again, capture_output=True, text=True)
    assert json.loads(done.stdout) == {"asked": 4, "found": 3}
    known = read_tombstones(corpus(folder))
    assert known["unknown"] == Tombstone("unknown", "another", "2026-11-02")
    assert known[one].reason == "a request", "what is forgotten stays as it was"
