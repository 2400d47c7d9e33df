"""A disk that is full, read-only or not ours: one message with its cure, nothing half-committed, and a later run goes
on to the same digests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpusforge.demo.write import write
from corpusforge.storage import Store, StoreError, Unwritable

RECIPE = """\
corpus: c
passes:
  - name: extract
    source: {use: warc.Warc}
    stages: [{use: main_text.MainText}]
  - name: clean
    stages: [{use: length.TooLong}]
"""


def corpusforge(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    line = f"{command.replace('corpusforge', f'{sys.executable} -m corpusforge')}"
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("disk")
    write(made / "in", pages=60)
    (made / "c.yaml").write_text(RECIPE)
    done = corpusforge(made, "corpusforge build c.yaml -i in --root whole --pool serial")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def small(folder: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    place = folder / "small"
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], capture_output=True)
    if done.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def remounted(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def stopped(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert "run the command again: what is committed stays" in done.stderr


def goes_on(folder: Path, root: str) -> None:
    """No draft is left, what is committed is whole, and the same command ends as on a good disk."""
    assert [p.name for p in (folder / root).rglob("*.part")] == []
    again = corpusforge(folder, f"corpusforge build c.yaml -i in --root {root} --pool serial")
    assert again.returncode == 0, again.stderr
    found = [json.loads(corpusforge(folder, f"corpusforge verify {r}/c/dev --json").stdout) for r in ("whole", root)]
    assert found[0]["digest"] == found[1]["digest"]
    assert found[1]["wrong"] == []


@pytest.mark.parametrize("pool", ["serial", pytest.param("ray", marks=pytest.mark.ray)])
def test_a_full_disk(folder: Path, small: Path, pool: str) -> None:
    done = corpusforge(folder, f"corpusforge build c.yaml -i in --root small --pool {pool}")
    stopped(done, "cannot be written: the disk is full. Free some space")
    assert "small/c/dev-1/" in done.stderr
    remounted(small, "size=64m")
    goes_on(folder, "small")


def test_a_disk_that_is_read_only(folder: Path, small: Path) -> None:
    remounted(small, "ro")
    stopped(corpusforge(folder, "corpusforge build c.yaml -i in --root small"), "the file system is read-only")
    remounted(small, "rw,size=64m")
    goes_on(folder, "small")


def test_files_may_not_be_large(folder: Path) -> None:
    done = corpusforge(folder, "ulimit -f 20; corpusforge build c.yaml -i in --root limited --pool serial")
    stopped(done, "a file may not be so large here. Raise the limit (ulimit -f)")
    goes_on(folder, "limited")


def test_a_root_below_a_file(folder: Path) -> None:
    done = corpusforge(folder, "corpusforge build c.yaml -i in --root c.yaml/out")
    stopped(done, "c.yaml/out/c/.probe")
    assert "a part of the path is a file" in done.stderr


def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(Unwritable, match="this user may not write there"):
            Store(str(tmp_path / "out")).prove()
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        tmp_path.chmod(0o700)


def test_a_root_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(one: Path, other: Path) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(StoreError, match=r"Operation not supported\. Choose a file system that has hard links"):
        Store(str(tmp_path)).prove()
    assert list(tmp_path.iterdir()) == []
