"""ARC files: pages as WARC gives them, by any cut points, from damaged heads too."""

import gzip
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusforge.sources import Slice
from corpusforge.sources.arc import Arc
from tests.real import real
from tests.sources.samples.arc import INFO, page, pieces, record

Rows = list[dict[str, Any]]


def rows_of(path: Path, cuts: tuple[int, ...] = (), source: Arc | None = None) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for start, end in pairwise(sorted({0, path.stat().st_size, *cuts})):
        with path.open("rb") as file:
            for batch in (source or Arc()).read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def written(folder: Path, records: list[bytes], name: str = "a.arc") -> Path:
    path = folder / name
    path.write_bytes(b"".join(gzip.compress(r, mtime=0) if name.endswith(".gz") else r for r in records))
    return path


@pytest.mark.parametrize("name", ["a.arc", "a.arc.gz"])
def test_pages_are_read_and_the_rest_is_counted(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, pieces(), name)
    rows, counts = rows_of(path)
    assert [row["url"] for row in rows] == [
        *(f"http://arc.example/{number}?q=a b" for number in range(5)),
        "http://arc.example/headless",
    ]
    assert counts == {"source.not_content": 2, "source.not_html": 1}
    assert rows[0]["html"].decode() == "<html><title>0</title><p>本文 0</p></html>"
    assert (rows[0]["date"], rows[0]["charset"], rows[0]["damage"]) == ("2006-01-02T03:04:05Z", "utf-8", None)
    assert rows[5]["html"] == b"<html><p>no head</p></html>"
    for cut in range(0, path.stat().st_size, 11):
        assert rows_of(path, (cut,), Arc(look_back_bytes=0)) == (rows, counts)


def test_a_file_that_is_one_member_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, [b"".join(pieces())], "a.arc.gz")
    rows, counts = rows_of(path)
    assert (len(rows), counts) == (6, {"source.not_content": 2, "source.not_html": 1})
    assert len({row["source_offset"] for row in rows}) == 6


def test_version_2_and_odd_heads_are_read(tmp_path: Path) -> None:
    body = page(1)
    path = written(
        tmp_path,
        [
            record("filedesc://v2.arc", INFO, "text/plain 200 - - 0 v2.arc"),
            record("http://a.example/2", body, "text/html 200 checksum - 1234 v2.arc"),
            record("http://a.example/ipv6", body).replace(b" 192.0.2.9 ", b" 2001:db8::1 "),
            record("http://a.example/no-date", body, date="null"),
            record("http://a.example/no-type", body, kind="-"),
            record("http://日本.example/", body, date="2006010203"),
        ],
    )
    rows, counts = rows_of(path)
    assert [row["url"] for row in rows] == [
        "http://a.example/2",
        "http://a.example/ipv6",
        "http://a.example/no-date",
        "http://a.example/no-type",
        "http://日本.example/",
    ]
    assert [row["date"] for row in rows] == ["2006-01-02T03:04:05Z"] * 2 + [None, "2006-01-02T03:04:05Z", None]
    assert counts == {"source.not_content": 1}


@pytest.mark.parametrize("wrong", ["7", "99999", "abc", "-1"])
def test_a_wrong_length_is_mended_and_marked(tmp_path: Path, wrong: str) -> None:
    records = [record(f"http://a.example/{n}", page(n), length=wrong if n == 1 else "") for n in range(3)]
    path = written(tmp_path, records)
    rows, counts = rows_of(path)
    assert [(row["url"][-1], row["damage"]) for row in rows] == [("0", None), ("1", "wrong_length"), ("2", None)]
    assert rows[1]["html"].decode() == "<html><title>1</title><p>本文 1</p></html>"
    assert not counts
    for cut in range(0, path.stat().st_size, 7):
        assert rows_of(path, (cut,)) == (rows, counts)


def test_a_damaged_member_is_counted_and_its_neighbours_are_untouched(tmp_path: Path) -> None:
    members = [gzip.compress(record(f"http://a.example/{n}", page(n)), mtime=0) for n in range(3)]
    damaged = bytearray(members[1])
    damaged[40] ^= 0x55
    path = tmp_path / "a.arc.gz"
    path.write_bytes(members[0] + bytes(damaged) + members[2])
    rows, counts = rows_of(path)
    assert [row["url"][-1] for row in rows] == ["0", "2"]
    assert counts == {"source.broken_record": 1}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.binary(max_size=200), st.just(record("http://inner.example/", page(9)))), max_size=5),
    st.lists(st.floats(0, 1), max_size=4),
    st.booleans(),
)
def test_any_cut_points_give_the_same_records(
    tmp_path: Path, bodies: list[bytes], shares: list[float], zipped: bool
) -> None:
    records = [record(f"http://a.example/{n}", b"<html>" + body) for n, body in enumerate(bodies)] or [b"x"]
    path = written(tmp_path, records, "a.arc.gz" if zipped else "a.arc")
    whole = rows_of(path)
    assert len(whole[0]) + sum(whole[1].values()) >= max(len(bodies), 1)
    assert rows_of(path, tuple(int(share * path.stat().st_size) for share in shares)) == whole


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty_file"), (b"<html>no</html>", "not_arc")])
def test_a_file_without_records_is_counted(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.arc"
    path.write_bytes(data)
    passed_over: Counter[str] = Counter()
    assert not list(Arc().read(Slice("a.arc", "f", 0, len(data)), path.open("rb"), passed_over))
    assert passed_over == {f"source.{reason}": 1}


@pytest.mark.real
def test_cut_points_in_a_real_file() -> None:
    path = real("warc-testfiles/aut/example.arc.gz")
    whole = rows_of(path)
    assert len(whole[0]) == 94
    assert rows_of(path, (1000, 500_001, 1_234_567)) == whole
