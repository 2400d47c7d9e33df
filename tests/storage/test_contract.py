"""The contract of the storage door, on disk and on S3: a name appears whole or not at all, and is never replaced."""

import io
import os
import pickle
import random
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusforge.storage import Store
from tests.storage import s3


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3.served():
        yield f"s3://{s3.BUCKET}"


@pytest.fixture(params=["disk", "s3", "s3 that fails"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "disk":
        yield Store(str(tmp_path))
        return
    made = Store(f"{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}/日本 root")
    if request.param == "s3":
        yield made
        return
    with s3.failing(os.environ["AWS_ENDPOINT_URL"], 0.2, 0.1) as (url, _), s3.environment(url):
        yield made


def test_a_file_appears_when_its_block_ends(store: Store) -> None:
    with store.create("a/b.txt") as file:
        file.write(b"12")
        assert not store.exists("a/b.txt")
    assert store.read("a/b.txt") == b"12"
    assert store.size("a/b.txt") == 2


def test_an_error_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.create("a/b.txt") as file:
        file.write(b"12" * (1 // 0))
    assert store.names("a", drafts=True) == []


def test_the_first_writer_wins(store: Store) -> None:
    assert store.put_if_absent("m.json", b"one")
    assert not store.put_if_absent("m.json", b"two")
    with pytest.raises(FileExistsError), store.create("m.json") as file:
        file.write(b"three")
    assert store.read("m.json") == b"one"


def test_one_of_many_writers_at_once_wins(store: Store) -> None:
    won: list[bytes] = []

    def put(data: bytes) -> None:
        if store.put_if_absent("m.json", data):
            won.append(data)

    threads = [threading.Thread(target=put, args=(str(n).encode() * 1000,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The S3 of the tests looks and then writes without a lock, so more than one may win there; S3 itself locks.
    assert len(won) == 1 or store.root.startswith("s3://")
    assert store.read("m.json") in won


def test_listing_knows_files_and_folders(store: Store) -> None:
    for name in ("p/2.json", "p/1.json", "p/q/3.json"):
        store.put_if_absent(name, b"")
    assert store.names("p") == ["1.json", "2.json"]
    assert store.folders("p") == ["q"]
    assert store.names("nowhere") == []


def test_a_name_never_leaves_the_root(store: Store) -> None:
    for name in ("/etc/passwd", "../x", "a/../../x"):
        with pytest.raises(ValueError, match="not a name below"):
            store.read(name)


def test_a_store_proves_itself_and_leaves_nothing(store: Store) -> None:
    store.prove()
    assert store.names("", drafts=True) == []


def test_what_is_not_there(store: Store) -> None:
    assert not store.exists("a/b")
    assert store.names("a") == store.folders("a") == []
    for look in (store.read, store.open, store.size):
        with pytest.raises(FileNotFoundError):
            look("a/b")


def test_small_files_are_read_together_in_order(store: Store) -> None:
    names = [f"m/{n:03d}.json" for n in range(40)]
    for name in names[::2]:
        store.put_if_absent(name, name.encode())
    assert list(store.read_each(names)) == [n.encode() if i % 2 == 0 else None for i, n in enumerate(names)]


def test_a_file_is_read_from_anywhere(store: Store) -> None:
    data = random.Random(3).randbytes(3_000_000)
    with store.create("big") as file:
        for start in range(0, len(data), 700_000):
            file.write(data[start : start + 700_000])
    assert store.size("big") == len(data)
    chance = random.Random(4)
    with store.open("big") as file:
        assert file.seekable()
        assert file.readable()
        for _ in range(12):
            at, length = chance.randrange(len(data)), chance.choice([1, 100, 70_000, 900_000])
            assert file.seek(at) == at
            assert file.read(length) == data[at : at + length]
            assert file.tell() == min(at + length, len(data))
        file.seek(-10, io.SEEK_END)
        assert file.read() == data[-10:]
        assert file.read(1) == b""
        file.seek(0)
        assert file.read() == data
    assert file.closed


def test_lines_are_read(store: Store) -> None:
    lines = [f"{n} 行目\n".encode() * (n % 5 + 1) for n in range(20_000)]
    with store.create("lines") as file:
        file.write(b"".join(lines))
    with store.open("lines") as opened:
        assert list(opened) == b"".join(lines).splitlines(keepends=True)


def test_an_empty_file(store: Store) -> None:
    with store.create("empty"):
        pass
    assert (store.exists("empty"), store.size("empty"), store.read("empty")) == (True, 0, b"")
    with store.open("empty") as file:
        assert file.read() == b""


def test_parquet_is_written_and_read(store: Store) -> None:
    table = pa.table({"n": list(range(10_000)), "text": [f"文 {n}" for n in range(10_000)]})
    with store.create("t.parquet") as file:
        pq.write_table(table, file, row_group_size=1000)
    with store.open("t.parquet") as opened:
        parquet = pq.ParquetFile(opened)
        assert parquet.read_row_group(7).equals(table.slice(7000, 1000))
        assert parquet.read().equals(table)


def test_a_store_travels_to_workers(store: Store) -> None:
    store.put_if_absent("m.json", b"one")
    assert pickle.loads(pickle.dumps(store)).read("m.json") == b"one"


def test_a_worker_may_write_beside_the_store(store: Store) -> None:
    place = store.scratch("v1/extract/attempts/000001.a.mark")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"here")
    assert place.read_bytes() == b"here"
    place.unlink()
    assert place != Store(f"{store.root}-other").scratch("v1/extract/attempts/000001.a.mark")


def test_every_file_is_walked_and_can_be_deleted(store: Store) -> None:
    started = time.time()
    for name in ("v1/p/1.json", "v1/p/q/2.json", "v10/3.json"):
        store.put_if_absent(name, name.encode())
    found = {stored.name: stored for stored in store.walk("v1")}
    assert {name: stored.bytes for name, stored in found.items()} == {"v1/p/1.json": 11, "v1/p/q/2.json": 13}
    assert all(abs(stored.written - started) < 60 for stored in found.values())
    assert len(list(store.walk(""))) == 3
    assert list(store.walk("nowhere")) == []
    store.delete("v1/p/q/2.json")
    store.delete("v1/p/q/2.json")
    assert not store.exists("v1/p/q/2.json")
    assert (store.folders("v1/p"), store.names("v1/p")) == ([], ["1.json"])
    store.delete("v10/3.json")
    store.delete("v1/p/1.json")
    assert store.folders("") == []
    store.put_if_absent("again", b"")
    assert store.names("") == ["again"]
