"""HTML files and archives of them: every format, what is in them besides pages, hostile archives."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusforge.sources import Slice
from corpusforge.sources.pages import Pages, declared_url
from tests.sources.samples.pages import MEMBERS, page, tarred, zipped

Rows = list[dict[str, Any]]
NAMES = [f"site/{number}.html" for number in range(6)] + ["../../etc/passwd.html", "site/no-ending"]
COUNTED = {"source.not_html": 2, "source.nested_archive": 1, "source.not_content": 1}


def rows_of(path: Path, source: Pages | None = None, cuts: tuple[int, ...] = ()) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for start, end in pairwise(sorted({0, path.stat().st_size, *cuts})):
        with path.open("rb") as file:
            for batch in (source or Pages()).read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", zipped()),
        ("a.tar", tarred()),
        ("a.tar", tarred(tarfile.GNU_FORMAT)),
        ("a.tar", tarred(tarfile.USTAR_FORMAT)),
        ("a.tar.gz", gzip.compress(tarred())),
        ("a.tgz", gzip.compress(tarred()[:3000]) + gzip.compress(tarred()[3000:])),
        ("a.tar.zst", zstandard.compress(tarred())),
        ("a.tar.bz2", bz2.compress(tarred())),
        ("a.tar.xz", lzma.compress(tarred())),
        ("a.tar.lz4", lz4.frame.compress(tarred())),
        ("a.bin", b"prefix" * 0 + zipped()),
    ],
)
def test_every_archive_gives_its_pages_and_counts_the_rest(tmp_path: Path, name: str, data: bytes) -> None:
    rows, counts = rows_of(written(tmp_path, name, data))
    assert [row["member"] for row in rows] == NAMES
    assert counts == COUNTED
    assert [row["html"] for row in rows] == [
        page(3).decode("shift_jis").encode() if n == 3 else page(n) for n in range(8)
    ]
    assert [row["charset"] for row in rows] == ["shift_jis" if n == 3 else "utf-8" for n in range(8)]
    assert [row["url"] for row in rows[:3]] == [None, "https://pages.example/1?a=1&b=2", None]
    assert [row["drop"] for row in rows] == [None] * 8


@pytest.mark.parametrize("name", ["a.html", "a.HTM", "a.xhtml", "a.html.gz", "a.html.zst"])
def test_a_file_is_one_page(tmp_path: Path, name: str) -> None:
    packed = {"gz": gzip.compress, "st": zstandard.compress}.get(name[-2:], bytes)
    (row,), counts = rows_of(written(tmp_path, name, packed(page(3))))
    assert (row["html"].decode(), row["charset"], row["member"]) == (page(3).decode("shift_jis"), "shift_jis", None)
    assert row["url"] == "https://pages.example/3?a=1&b=2"
    assert not counts


def test_an_address_comes_from_the_name_if_that_is_wished(tmp_path: Path) -> None:
    rows, _ = rows_of(written(tmp_path, "a.zip", zipped()), Pages(base_url="https://"))
    assert [row["url"] for row in rows][:2] == ["https://site/0.html", "https://site/1.html"]
    assert rows[6]["url"] == "https://etc/passwd.html"
    (row,), _ = rows_of(written(tmp_path, "日本 語.html", page(1)), Pages(base_url="https://a.example/"))
    assert row["url"] == "https://a.example/%E6%97%A5%E6%9C%AC%20%E8%AA%9E.html"


@pytest.mark.parametrize(
    ("html", "url"),
    [
        (b"<!-- saved from url=(0021)http://a.example/x?y=1 --><html>", "http://a.example/x?y=1"),
        (b"<link href='https://a.example/c' rel='canonical'><meta property=og:url content=x>", "https://a.example/c"),
        (b"<meta content='https://a.example/o' property='og:url'>", "https://a.example/o"),
        (b"<link rel=canonical href=/relative><meta property='og:url' content=' https://a.example/o '>",
         "https://a.example/o"),
        (b"<!-- saved from url=(0014)about:internet --><p>", None),
        (b"<link rel=stylesheet href=https://a.example/x.css>", None),
    ],
)  # fmt: skip
def test_a_page_says_its_address(html: bytes, url: str | None) -> None:
    assert declared_url(html) == url


def test_a_page_that_is_too_large_is_a_row_without_html(tmp_path: Path) -> None:
    big = b"<html><p>" + b"x" * 5000
    small = Pages(payload_bytes=4000)
    (row,), _ = rows_of(written(tmp_path, "a.html", big), small)
    assert (row["drop"], row["html"]) == ("source.too_large", b"")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("big.html", big)
        archive.writestr("other.html", page(1))
    rows, counts = rows_of(written(tmp_path, "a.zip", target.getvalue()), small)
    assert [row["drop"] for row in rows] == ["source.too_large", None]
    assert not counts


def test_a_bomb_in_a_zip_archive_is_counted(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.html", b"<html>" + b" " * 5_000_000)
        archive.writestr("huge.html", b"<html>" + b" " * 50_000_000)
        archive.writestr("page.html", page(1))
    rows, counts = rows_of(written(tmp_path, "a.zip", target.getvalue()))
    assert [(row["member"], row["drop"]) for row in rows] == [("huge.html", "source.too_large"), ("page.html", None)]
    assert counts == {"source.bomb": 1}


def test_members_that_share_bytes_are_read_once(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.html", page(1))
        info = archive.infolist()[0]
        for number in range(50):
            twin = zipfile.ZipInfo(f"z{number}.html")
            for field in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(twin, field, getattr(info, field))
            archive.filelist.append(twin)
    rows, counts = rows_of(written(tmp_path, "a.zip", target.getvalue()))
    assert [row["member"] for row in rows] == ["a.html"]
    assert counts == {"source.bomb": 50}


def test_a_tar_that_inflates_beyond_all_measure_ends_there(tmp_path: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in (("a.html", page(1)), ("zeros.bin", bytes(200 << 20)), ("b.html", page(2))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    rows, counts = rows_of(written(tmp_path, "a.tar.gz", gzip.compress(target.getvalue(), 9)))
    assert [row["member"] for row in rows] == ["a.html"]
    assert counts == {"source.not_html": 1, "source.bomb": 1}


def test_encrypted_members_and_unknown_methods_are_counted(tmp_path: Path) -> None:
    data = bytearray(zipped())
    first = data.find(b"PK\1\2")
    second = data.find(b"PK\1\2", first + 4)
    data[first + 8] |= 1
    struct.pack_into("<H", data, second + 10, 9)
    rows, counts = rows_of(written(tmp_path, "a.zip", bytes(data)))
    assert [row["member"] for row in rows] == NAMES[2:]
    assert counts == {**COUNTED, "source.encrypted": 1, "source.unknown_coding": 1}


@pytest.mark.parametrize("cut", [1, 30, 400])
def test_a_zip_without_its_end_is_read_by_its_heads(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, "a.zip", zipped()[:-cut])
    rows, counts = rows_of(path)
    assert [row["member"] for row in rows] == NAMES
    assert counts == {**COUNTED, "source.broken_archive": 1}
    assert rows_of(path, cuts=(50, 300, 700)) == (rows, counts)


def test_what_a_stream_wrote_is_read_without_its_end_too(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    target = Pipe()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.html", page(number))
    data = target.getvalue()
    expected = [f"{number}.html" for number in range(4)]
    for name, content in (("whole.zip", data), ("cut.zip", data[:-30])):
        rows, _ = rows_of(written(tmp_path, name, content))
        assert [row["member"] for row in rows] == expected


def test_a_flipped_byte_costs_its_member_only(tmp_path: Path) -> None:
    data = bytearray(zipped())
    at = data.find(b"site/1.html") + len("site/1.html") + 40
    data[at] ^= 0x55
    rows, counts = rows_of(written(tmp_path, "a.zip", bytes(data)))
    assert [row["member"] for row in rows] == [name for name in NAMES if name != "site/1.html"]
    assert counts == {**COUNTED, "source.broken_record": 1}


def test_a_damaged_tar_goes_on_at_the_next_member(tmp_path: Path) -> None:
    data = bytearray(tarred(tarfile.USTAR_FORMAT))
    data[1024 + 20] ^= 0x55
    rows, counts = rows_of(written(tmp_path, "a.tar", bytes(data)))
    assert [row["member"] for row in rows] == [name for name in NAMES if name != "site/1.html"]
    assert counts == {**COUNTED, "source.broken_record": 1}
    rows, counts = rows_of(written(tmp_path, "cut.tar", tarred()[:2600]))
    assert rows[-1]["damage"] == "cut"
    cut = gzip.compress(tarred())[:-200]
    assert rows_of(written(tmp_path, "cut.tar.gz", cut))[1]["source.broken_record"] == 1


def test_names_of_any_length_and_language(tmp_path: Path) -> None:
    target = io.BytesIO()
    long = "深い/" * 90 + "頁.html"
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w", format=form) as archive:
            info = tarfile.TarInfo(long)
            info.size = len(page(1))
            archive.addfile(info, io.BytesIO(page(1)))
        (row,), _ = rows_of(written(tmp_path, "a.tar", target.getvalue()))
        assert row["member"] == long
    renamed = zipped().replace(b"site/0.html", "頁aaa.html".encode("cp932").ljust(11, b"x")[:11])
    assert rows_of(written(tmp_path, "a.zip", renamed))[0]


@pytest.mark.parametrize("name", ["a.html", "a.zip", "a.tar", "a.tar.gz", "a.tar.zst"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(min_size=1, max_size=2000))
def test_any_bytes_under_any_name_are_counted(tmp_path: Path, name: str, noise: bytes) -> None:
    rows, counts = rows_of(written(tmp_path, name, noise))
    assert len(rows) + sum(counts.values()) >= 1


def test_the_sample_has_every_kind_of_member() -> None:
    assert len(MEMBERS) == len(NAMES) + sum(COUNTED.values())


def broken_second(first: bytes, second: bytes) -> bytes:
    """Two members, of which the second does not begin like one."""
    return gzip.compress(first) + b"\x1e" + gzip.compress(second)[1:]


def test_what_follows_the_members_of_a_file_and_is_none_is_counted_or_marked(tmp_path: Path) -> None:
    archive = tarred(tarfile.USTAR_FORMAT)
    whole, _ = rows_of(written(tmp_path, "a.tar", archive))
    rows, counts = rows_of(written(tmp_path, "a.tar.gz", broken_second(archive[:2048], archive[2048:])))
    assert 0 < len(rows) < len(whole)
    assert counts["source.broken_record"] == 1
    rows, counts = rows_of(
        written(tmp_path, "a.html.gz", broken_second(b"<html><body>first", b" second</body></html>"))
    )
    assert [(row["html"], row["damage"]) for row in rows] == [(b"<html><body>first", "cut")]
    rows, counts = rows_of(
        written(tmp_path, "b.html.gz", gzip.compress(b"<html>") + gzip.compress(b"</html>") + b"\0\n")
    )
    assert [(row["html"], row["damage"]) for row in rows] == [(b"<html></html>", None)]
    assert counts == {}
