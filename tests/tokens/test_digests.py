"""The digest of a file is kept beside it only while the file is known not to have changed."""

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

from corpusforge.tokens import digests
from corpusforge.tokens.digests import Content, DamagedError, content_of, prove

U2 = np.dtype("<u2")


def written(path: Path, ids: list[int], age: float = 60) -> str:
    data = np.array(ids, U2).tobytes()
    path.write_bytes(data)
    os.utime(path, (time.time() - age, time.time() - age))
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read through."""
    found: list[Path] = []
    through = digests._read_through
    monkeypatch.setattr(digests, "_read_through", lambda path, dtype: (found.append(path), through(path, dtype))[1])
    return found


def test_the_content_of_a_file_larger_than_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "CHUNK", 64)
    ids = [*range(500, 600), 3, 65_535, *range(700, 750)]
    sha256 = written(tmp_path / "x", ids)
    assert content_of(tmp_path / "x", U2) == Content(sha256, 3, 65_535)


def test_an_empty_file(tmp_path: Path) -> None:
    sha256 = written(tmp_path / "x", [])
    assert content_of(tmp_path / "x", U2) == Content(sha256, 0, 0)


def test_a_file_is_read_through_once(tmp_path: Path, reads: list[Path]) -> None:
    written(tmp_path / "x", [1, 2])
    assert content_of(tmp_path / "x", U2) == content_of(tmp_path / "x", U2)
    assert len(reads) == 1


def test_another_content_of_the_same_size_and_time_is_noticed(tmp_path: Path, reads: list[Path]) -> None:
    written(tmp_path / "x", [1, 2])
    content_of(tmp_path / "x", U2)
    kept = (tmp_path / "x").stat()
    sha256 = written(tmp_path / "x", [3, 4])
    os.utime(tmp_path / "x", ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert content_of(tmp_path / "x", U2) == Content(sha256, 3, 4)
    assert len(reads) == 2


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path, reads: list[Path]) -> None:
    written(tmp_path / "x", [1, 2], age=0)
    content_of(tmp_path / "x", U2)
    content_of(tmp_path / "x", U2)
    assert len(reads) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_was_kept_and_is_damaged_is_found_anew(tmp_path: Path) -> None:
    sha256 = written(tmp_path / "x", [1, 2])
    (tmp_path / "x.content.json").write_bytes(b'{"state": 1}')
    assert content_of(tmp_path / "x", U2).sha256 == sha256
    (tmp_path / "x.content.json").write_bytes(b"\xff")
    assert content_of(tmp_path / "x", U2).sha256 == sha256


def test_files_are_proved_and_the_wrong_one_is_named(tmp_path: Path) -> None:
    files = [(tmp_path / name, written(tmp_path / name, [n] * 100)) for n, name in enumerate("abc")]
    told: list[tuple[int, int]] = []
    prove(files, lambda done, total: told.append((done, total)))
    assert told == [(200, 600), (400, 600), (600, 600)]
    found = written(tmp_path / "b", [7] * 100)
    with pytest.raises(DamagedError, match=rf"b has the SHA-256 {found}, not {files[1][1]}, .* copy it anew"):
        prove(files)
