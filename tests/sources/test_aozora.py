"""Works of Aozora Bunko: real files as they are, archives of them, and what is damaged or no work."""

import json
import random
import re
from collections import Counter
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tarfile import open as open_tar
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest
import zstandard

from corpusforge.sources import Slice
from corpusforge.sources.aozora import Aozora
from tests.real import real
from tests.sources.samples.aozora import LEGEND, sample, work

Rows = list[dict[str, Any]]


def read(path: Path, source: Aozora | None = None, cuts: tuple[int, ...] = ()) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for start, end in pairwise(sorted({0, *cuts, path.stat().st_size})):
        with path.open("rb") as file:
            for batch in (source or Aozora()).read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def test_a_text_and_the_same_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "1_ruby.txt"
    path.write_bytes(work(1))
    (row,), counted = read(path, cuts=(100,))
    assert (row["title"], row["author"], row["charset"], row["drop"]) == ("題名1", "著者名", "shift_jis", None)
    assert row["text"].splitlines()[0] == "　吾輩は猫である。蛼とcaféで会う。その1"
    assert row["ruby"][0] == {"start": 1, "end": 3, "reading": "わがはい"}
    assert "底本" not in row["text"]
    assert LEGEND[:20] not in row["text"]
    assert not counted
    packed = tmp_path / "1_ruby.zip"
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("1_ruby.txt", work(1))
    (same,), _ = read(packed)
    assert (same["id"], same["text"]) == (row["id"], row["text"])


def test_what_is_no_work_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("fig.png", b"\x89PNG")
        archive.writestr("folder/good.txt", work(1))
        archive.writestr("bz2.txt", work(2), ZIP_BZIP2)
        archive.writestr("large.txt", b"\0" * 100_000)
    rows, counted = read(path, Aozora(text_bytes=50_000))
    assert [row["drop"] for row in rows] == [None, "source.too_large"]
    assert counted == {"source.not_content": 1, "source.broken_record": 1}
    path.write_bytes(path.read_bytes()[:-30])
    assert read(path, cuts=(50,)) == ([], Counter({"source.damaged_archive": 1}))


def test_a_licence_in_the_colophon_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    address = "https://creativecommons.org/licenses/by/2.1/jp/"
    text = f"題\n著者\n\n{LEGEND}\n本文\n\n底本：「本」\n※この作品は {address} の下で\n"
    path.write_bytes(text.encode("cp932"))
    (row,), _ = read(path)
    assert row["licence"] == address


def test_damaged_archives_never_raise(tmp_path: Path) -> None:
    whole = sample(tmp_path).read_bytes()
    chance = random.Random(3)
    path = tmp_path / "damaged.zip"
    for _ in range(300):
        data = bytearray(whole)
        # Most of what can go wrong stands in the directory at the end.
        for _ in range(chance.randint(1, 4)):
            data[-chance.randrange(1, 600)] = chance.randrange(256)
        path.write_bytes(data)
        rows, counted = read(path)
        assert len(rows) == 6 or sum(counted.values()) > 1 or "source.damaged_archive" in counted


@pytest.fixture(scope="module")
def raw_works() -> dict[str, bytes]:
    packed = (real("text-ja-aozora") / "raw-shift_jis-sample.tar.zst").read_bytes()
    data = zstandard.ZstdDecompressor().stream_reader(BytesIO(packed)).read()
    with open_tar(fileobj=BytesIO(data)) as archive:
        members = [member for member in archive if member.isfile()]
        return {Path(m.name).stem: archive.extractfile(m).read() for m in members}  # type: ignore[union-attr]


def test_real_works_read_as_they_were_printed(raw_works: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "works.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in raw_works.items():
            archive.writestr(f"{name}.txt", data)
    rows, counted = read(path)
    assert len(rows) == len(raw_works) == 60
    assert not counted
    for row in rows:
        assert row["title"]
        assert row["author"]
        assert row["drop"] is None
        assert row["colophon"].startswith("底本：")
        assert not re.search("［＃|《|》|｜|※|底本：", row["text"])
    assert sum(row["missing_characters"] for row in rows) <= 8


def test_real_works_equal_the_cleaned_ones_but_for_what_those_lost(raw_works: dict[str, bytes], tmp_path: Path) -> None:
    """The cleaned texts beside the raw ones have no characters of notes; ours have these, and nothing else, more."""
    lines = zstandard.ZstdDecompressor().stream_reader(
        BytesIO((real("text-ja-aozora") / "aozora.jsonl.zst").read_bytes())
    )
    (tmp_path / "clean.jsonl").write_bytes(lines.read())
    clean = {row["id"]: row for row in map(json.loads, (tmp_path / "clean.jsonl").read_bytes().splitlines())}
    both = sorted(raw_works.keys() & clean.keys())
    assert len(both) == 20
    path = tmp_path / "a.txt"
    for name in both:
        path.write_bytes(raw_works[name])
        (row,), _ = read(path)
        assert (row["title"], row["author"]) == (clean[name]["title"], clean[name]["author"])
        ours, theirs = ("".join(text.split()) for text in (row["text"], clean[name]["text"]))
        described = raw_works[name].decode("cp932").count("※［＃")
        assert 0 <= len(ours) - len(theirs) <= described
        rest = iter(ours)
        assert all(character in rest for character in theirs), name
