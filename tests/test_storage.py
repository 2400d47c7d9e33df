"""The contract of the storage door: a name appears whole or not at all, and is never replaced."""

import threading
from pathlib import Path

import pytest

from corpusforge.storage import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def test_a_file_appears_when_its_block_ends(store: Store) -> None:
    with store.create("a/b.txt") as file:
        file.write(b"12")
        assert not store.exists("a/b.txt")
    assert store.read("a/b.txt") == b"12"
    assert store.size("a/b.txt") == 2


def test_an_error_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.create("a/b.txt") as file:
        file.write(b"12" * (1 // 0))
    assert store.names("a") == []
    assert not list(store.path("a").iterdir())


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
    assert len(won) == 1
    assert store.read("m.json") == won[0]


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
