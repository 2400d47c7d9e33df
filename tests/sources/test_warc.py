"""The WARC source: any cut points give the same records, and nothing damaged, odd or large is lost silently."""

import gzip
import hashlib
import random
import struct
import time
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusforge.archive.page import SCHEMA
from corpusforge.sources import Input, Slice
from corpusforge.sources.warc import Warc
from tests.real import real

TRAP = (
    b"before\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:trap>\r\nContent-Length: 9\r\n\r\nnot a one"
)
Rows = list[dict[str, Any]]


def record(number: int, block: bytes, kind: str = "response", content_type: str = "application/http") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <http://a.example/{number}>\r\n"
        f"WARC-Date: 2026-08-06T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:{number}>\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def page(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(fields or ("Content-Type: text/html; charset=utf-8",)), "", ""]
    return "\r\n".join(lines).encode() + body


def input_of(path: Path) -> Input:
    data = path.read_bytes()
    return Input(path.name, str(path), len(data), hashlib.sha256(data).hexdigest())


def rows_of(path: Path, cuts: list[int] | None = None, source: Warc | None = None) -> tuple[Rows, Counter[str]]:
    """All rows of a file, read in slices between the cuts."""
    source, given_file = source or Warc(), input_of(path)
    edges = sorted({0, given_file.bytes, *(cuts or [])})
    pairs = list(pairwise(edges)) or [(0, 0)]
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for start, end in pairs:
        for batch in source.read(Slice(path.name, "f", start, end), path.open("rb"), passed_over):
            assert batch.schema == SCHEMA
            rows += batch.to_pylist()
    return rows, passed_over


def written(folder: Path, name: str, records: list[bytes], level: int = 6) -> Path:
    """A WARC file; ``.gz`` has one member a record. Level 0 leaves fake members and records in the bytes."""
    path = folder / name
    path.write_bytes(b"".join(gzip.compress(r, level, mtime=0) if name.endswith(".gz") else r for r in records))
    return path


INNER = gzip.compress(record(900, page(b"<p>an archive in an archive</p>")), mtime=0)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([TRAP, INNER, b"\x1f\x8b\x08" * 40, TRAP * 3, record(901, page(b"<p>inner</p>")) * 2]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(BODIES, min_size=1, max_size=6), st.lists(st.floats(0, 1), max_size=4), st.booleans(), st.booleans())
def test_any_cut_points_give_the_same_records(
    tmp_path: Path, bodies: list[bytes], shares: list[float], zipped: bool, stored: bool
) -> None:
    records = [record(i, page(b"<html>" + body)) for i, body in enumerate(bodies)]
    path = written(tmp_path, "a.warc.gz" if zipped else "a.warc", records, 0 if stored else 6)
    size = path.stat().st_size
    whole, counts = rows_of(path)
    assert [row["url"] for row in whole] == [f"http://a.example/{i}" for i in range(len(bodies))]
    assert not counts
    assert sum(row["source_length"] for row in whole) == size
    assert rows_of(path, [int(share * size) for share in shares]) == (whole, counts)


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_without_looking_back_every_cut_of_ordinary_pages_is_right(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, [record(i, page(b"<p>%d</p>" % i)) for i in range(3)])
    source = Warc(look_back_bytes=0)
    whole = rows_of(path, source=source)
    assert len(whole[0]) == 3
    for cut in range(path.stat().st_size):
        assert rows_of(path, [cut], source) == whole


@pytest.mark.real
@pytest.mark.parametrize("name", ["warc-testfiles/dolma/sample-0000.warc.gz", "warc-testfiles/whirlwind-python"])
def test_cut_points_in_real_files(name: str) -> None:
    given_path = real(name)
    path = given_path if given_path.is_file() else given_path / "whirlwind.warc"
    whole = rows_of(path)
    assert whole[0]
    for seed in range(8):
        pick = random.Random(seed)
        cuts = [pick.randrange(path.stat().st_size) for _ in range(3)]
        assert rows_of(path, cuts) == whole
        assert rows_of(path, cuts, Warc(look_back_bytes=0)) == whole


def test_batches_are_capped_by_rows_and_by_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, "a.warc.gz", [record(i, page(b"<p>" + b"x" * 100)) for i in range(10)])
    piece = Slice("a.warc.gz", "f", 0, path.stat().st_size)

    def sizes(source: Warc) -> list[int]:
        return [batch.num_rows for batch in source.read(piece, path.open("rb"), Counter())]

    assert sizes(Warc(batch_rows=4)) == [4, 4, 2]
    assert sizes(Warc(batch_bytes=250)) == [3, 3, 3, 1]


def test_a_plan_covers_the_file_and_a_limit_makes_one_slice(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(5000)
    path = written(tmp_path, "a.warc.gz", [record(i, page(b"<p>" + noise)) for i in range(20)])
    given_file = input_of(path)
    slices = Warc(slice_bytes=30_000).plan(given_file, None)
    assert len(slices) == 4
    assert [s.start for s in slices[1:]] == [s.end for s in slices[:-1]]
    assert (slices[0].start, slices[-1].end) == (0, given_file.bytes)
    (limited,) = Warc(slice_bytes=30_000).plan(given_file, 3)
    assert (limited.start, limited.end, limited.limit) == (0, given_file.bytes, 3)
    assert sum(b.num_rows for b in Warc().read(limited, path.open("rb"), Counter())) == 3


def test_a_file_that_is_one_gzip_member_is_one_slice_with_inflated_offsets(tmp_path: Path) -> None:
    noise = random.Random(1)
    records = [record(i, page(b"<p>" + noise.randbytes(2000))) for i in range(20)]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"".join(records), mtime=0))
    assert len(Warc(slice_bytes=5000).plan(input_of(path), None)) == 1
    rows, counts = rows_of(path)
    starts = [sum(len(r) for r in records[:i]) for i in range(20)]
    assert [row["source_offset"] for row in rows] == starts
    assert [row["source_length"] for row in rows] == [len(r) for r in records]
    assert not counts


def test_a_row_says_where_it_comes_from(tmp_path: Path) -> None:
    path = written(tmp_path, "a.warc.gz", [record(1, b"", "request"), record(7, page("<p>日本</p>".encode()))])
    (row,), counts = rows_of(path)
    offset = len(gzip.compress(record(1, b"", "request"), mtime=0))
    assert row == {
        "id": hashlib.sha256(b"<urn:uuid:7>").hexdigest()[:32],
        "url": "http://a.example/7",
        "date": "2026-08-06T00:00:00Z",
        "html": "<p>日本</p>".encode(),
        "charset": "utf-8",
        "charset_by": "http",
        "charset_score": 1.0,
        "licence": None,
        "source_file": "a.warc.gz",
        "source_offset": offset,
        "source_length": path.stat().st_size - offset,
        "drop": None,
        "damage": None,
    }
    assert counts == {"source.not_content": 1}


def test_what_gives_no_page_is_counted_by_reason(tmp_path: Path) -> None:
    records = [
        record(0, b"software: x", "warcinfo", "application/warc-fields"),
        record(1, page(b"<p>gone</p>", "404 Not Found")),
        record(2, page(b"%PDF-1.4", "200 OK", "Content-Type: text/html")),
        record(3, page(b"{}", "200 OK", "Content-Type: application/json")),
        record(4, page(b"?", "200 OK", "Content-Type: text/html", "Content-Encoding: compress")),
        record(5, page(b"\x1f\x8b\x08broken", "200 OK", "Content-Type: text/html", "Content-Encoding: gzip")),
        record(6, b"<html><p>resource</p></html>", "resource", "text/html"),
        record(7, page(b"<p>" + b"x" * 5000)),
    ]
    rows, counts = rows_of(written(tmp_path, "a.warc.gz", records), source=Warc(payload_bytes=4000))
    assert counts == {"source.not_content": 1, "source.http_status": 1, "source.not_html": 2}
    assert [(row["url"][-1], row["drop"], bool(row["html"])) for row in rows] == [
        ("4", "source.unknown_coding", False),
        ("5", "source.broken_payload", False),
        ("6", None, True),
        ("7", "source.too_large", False),
    ]


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    bomb = zlib.compress(b"<p>" * 20_000_000, 9)
    path = written(
        tmp_path, "a.warc", [record(1, page(bomb, "200 OK", "Content-Type: text/html", "Content-Encoding: deflate"))]
    )
    (row,), _ = rows_of(path)
    assert (row["drop"], row["html"]) == ("source.too_large", b"")


@pytest.mark.parametrize("at", [0, 12, 60, -3])
def test_a_damaged_member_is_counted_once_and_its_neighbours_are_untouched(tmp_path: Path, at: int) -> None:
    members = [gzip.compress(record(i, page(b"<p>%d</p>" % i)), mtime=0) for i in range(3)]
    damaged = bytearray(members[1])
    damaged[at] ^= 0x55
    path = tmp_path / "a.warc.gz"
    path.write_bytes(members[0] + bytes(damaged) + members[2])
    rows, counts = rows_of(path)
    assert [row["url"][-1] for row in rows] == ["0", "2"]
    assert counts == {"source.broken_record": 1}
    for cut in range(0, path.stat().st_size, 7):
        assert rows_of(path, [cut]) == (rows, counts)


@pytest.mark.parametrize("wrong", [b"Content-Length: x", b"Content-Size: 9"])
def test_a_head_without_a_length_costs_that_record_only(tmp_path: Path, wrong: bytes) -> None:
    rows, counts = rows_of(with_length(tmp_path, wrong))
    assert [row["url"][-1] for row in rows] == ["0", "2"]
    assert counts == {"source.broken_record": 1}


@pytest.mark.parametrize("wrong", [b"Content-Length: 7", b"Content-Length: 99999", b"Content-Length: 99999999999"])
def test_a_wrong_length_in_a_plain_file_is_mended_and_marked(tmp_path: Path, wrong: bytes) -> None:
    path = with_length(tmp_path, wrong)
    rows, counts = rows_of(path)
    assert [(row["url"][-1], row["html"], row["damage"]) for row in rows] == [
        ("0", b"<p>0</p>", None),
        ("1", b"<p>1</p>", "wrong_length"),
        ("2", b"<p>2</p>", None),
    ]
    assert not counts
    for cut in range(0, path.stat().st_size, 7):
        assert rows_of(path, [cut]) == (rows, counts)


def with_length(folder: Path, wrong: bytes) -> Path:
    """Three records, the second of which says something wrong of its length."""
    records = [record(i, page(b"<p>%d</p>" % i)) for i in range(3)]
    length = records[1][records[1].index(b"Content-Length") :].partition(b"\r\n")[0]
    records[1] = records[1].replace(length, wrong, 1)
    return written(folder, "a.warc", records)


def test_a_record_before_a_damaged_head_is_kept_and_the_damage_counted(tmp_path: Path) -> None:
    records = [record(i, page(b"<p>%d</p>" % i)) for i in range(4)]
    records[1] = records[1].replace(b"WARC/1.0", b"WURC/1.0")
    path = written(tmp_path, "a.warc", records)
    rows, counts = rows_of(path)
    assert [(row["url"][-1], row["html"], row["damage"]) for row in rows] == [
        ("0", b"<p>0</p>", None),
        ("2", b"<p>2</p>", None),
        ("3", b"<p>3</p>", None),
    ]
    assert counts == {"source.broken_record": 1}
    for cut in range(path.stat().st_size):
        assert rows_of(path, [cut]) == (rows, counts)


def test_a_page_at_which_the_file_ends_is_kept_and_marked(tmp_path: Path) -> None:
    path = written(tmp_path, "a.warc", [record(i, page(b"<p>%d and more</p>" % i)) for i in range(2)])
    path.write_bytes(path.read_bytes()[:-15])
    rows, counts = rows_of(path)
    assert [(row["html"], row["damage"]) for row in rows] == [(b"<p>0 and more</p>", None), (b"<p>1 a", "cut")]
    assert not counts


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty_file"), (b"<html>no</html>", "not_warc")])
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_a_file_without_records_is_counted(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(data, mtime=0) if data and name.endswith(".gz") else data)
    slices = Warc().plan(input_of(path), None)
    assert len(slices) == 1
    assert rows_of(path) == ([], {f"source.{reason}": 1})


def test_a_damaged_body_is_kept_and_marked(tmp_path: Path) -> None:
    html = b"<html><p>" + random.Random(3).randbytes(3000).hex().encode()
    zipped = gzip.compress(html)
    broken = bytearray(zipped)
    broken[1500:1520] = bytes(20)
    chunks = b"%X\r\n%s\r\n" % (len(html), html)
    typed = "Content-Type: text/html"
    cases = {
        "none": page(html, "200 OK", typed, f"Content-Length: {len(html)}"),
        "short": page(html, "200 OK", typed, f"Content-Length: {len(html) + 9}"),
        "chunks": page(chunks + b"0\r\n\r\n", "200 OK", typed, "Transfer-Encoding: chunked"),
        "no last chunk": page(chunks, "200 OK", typed, "Transfer-Encoding: chunked"),
        "broken chunk": page(chunks + b"zz\r\nmore", "200 OK", typed, "Transfer-Encoding: chunked"),
        "cut gzip": page(zipped[:-100], "200 OK", typed, "Content-Encoding: gzip"),
        "broken gzip": page(bytes(broken), "200 OK", typed, "Content-Encoding: gzip"),
        "decoded before": page(html, "200 OK", typed, "Content-Encoding: gzip", f"Content-Length: {len(html) + 50}"),
        "not chunked": page(html, "200 OK", typed, "Transfer-Encoding: chunked"),
        "garbage behind": page(zipped + b"garbage", "200 OK", typed, "Content-Encoding: gzip"),
    }
    rows, counts = rows_of(written(tmp_path, "a.warc.gz", [record(i, b) for i, b in enumerate(cases.values())]))
    assert not counts
    assert {name: row["damage"] for name, row in zip(cases, rows, strict=True)} == {
        **dict.fromkeys(cases),
        "short": "cut",
        "no last chunk": "cut",
        "broken chunk": "bad_chunks",
        "cut gzip": "cut",
        "broken gzip": "bad_coding",
    }
    assert all(html.startswith(row["html"][:1000]) for row in rows)
    assert all(row["html"] == html for row in rows if row["damage"] is None)


def test_what_the_crawler_cut_is_marked(tmp_path: Path) -> None:
    cut = record(1, page(b"<p>cut")).replace(b"Content-Type:", b"WARC-Truncated: length\r\nContent-Type:", 1)
    (row,), _ = rows_of(written(tmp_path, "a.warc", [cut]))
    assert row["damage"] == "cut"


def test_a_small_bomb_is_dropped_by_its_ratio_and_a_large_member_ends(tmp_path: Path) -> None:
    small = zlib.compress(b"<html>" + b" " * 4_000_000, 9)
    bomb = record(1, page(small, "200 OK", "Content-Type: text/html", "Content-Encoding: deflate"))
    many = record(2, page(b"x", "200 OK", "Content-Type: text/html", "Content-Encoding: " + "gzip, " * 900 + "gzip"))
    huge = record(3, page(b"<html>" + bytes(150 << 20)))
    after = record(4, page(b"<p>after</p>"))
    rows, counts = rows_of(written(tmp_path, "a.warc.gz", [bomb, many, huge, after]))
    assert [row["drop"] for row in rows] == ["source.bomb", "source.unknown_coding", None]
    assert rows[2]["html"] == b"<p>after</p>"
    assert counts == {"source.bomb": 1}


def test_a_page_of_50_megabytes_is_dropped_and_its_neighbours_are_untouched(tmp_path: Path) -> None:
    noise = random.Random(2).randbytes(1 << 16).hex().encode()
    records = [record(0, page(b"<p>a")), record(1, page(b"<p>" + noise * 400)), record(2, page(b"<p>b"))]
    for name in ("a.warc", "a.warc.gz"):
        rows, counts = rows_of(written(tmp_path, name, records, 1))
        assert [(row["drop"], len(row["html"])) for row in rows] == [(None, 4), ("source.too_large", 0), (None, 4)]
        assert not counts


def test_binary_and_zeros_as_html_are_refused(tmp_path: Path) -> None:
    noise = random.Random(4).randbytes(4000)
    bodies = [noise, bytes(5000), b"\x7fELF" + noise, b"<html>" + noise, b"<p>one\0zero</p>" * 20, b""]
    rows, counts = rows_of(written(tmp_path, "a.warc.gz", [record(i, page(body)) for i, body in enumerate(bodies)]))
    kept = [int(row["url"][-1]) for row in rows if row["drop"] is None]
    assert len(rows) + counts.total() == len(bodies)
    assert set(kept) <= {4, 5}


def zstd_with_dictionary(records: list[bytes], compressed: bool) -> bytes:
    """A file as the Internet Archive writes it: a dictionary in a frame to be skipped, then a frame a record."""
    dictionary = zstandard.train_dictionary(4096, [record(n, page(b"<p>%d</p>" % (n * 7))) for n in range(500)])
    data = dictionary.as_bytes()
    data = zstandard.compress(data) if compressed else data
    packer = zstandard.ZstdCompressor(dict_data=dictionary)
    return b"\x5d\x2a\x4d\x18" + struct.pack("<L", len(data)) + data + b"".join(map(packer.compress, records))


@pytest.mark.parametrize("kind", ["zst", "dictionary", "packed dictionary", "lz4", "lz4 and zst to be skipped"])
def test_frames_of_zstd_and_lz4_are_entered_anywhere(tmp_path: Path, kind: str) -> None:
    records = [record(n, page(b"<p>%d</p>" % n)) for n in range(6)]
    skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    data = {
        "zst": lambda: b"".join(map(zstandard.compress, records)),
        "dictionary": lambda: zstd_with_dictionary(records, False),
        "packed dictionary": lambda: zstd_with_dictionary(records, True),
        "lz4": lambda: b"".join(map(lz4.frame.compress, records)),
        "lz4 and zst to be skipped": lambda: skipped + skipped.join(map(lz4.frame.compress, records)) + skipped,
    }[kind]()
    path = tmp_path / "a.warc.zst"
    path.write_bytes(data)
    rows, counts = rows_of(path)
    assert [row["html"] for row in rows] == [b"<p>%d</p>" % n for n in range(6)]
    assert not counts
    for cut in range(0, len(data), 13):
        assert rows_of(path, [cut], Warc(look_back_bytes=0)) == (rows, counts)


@pytest.mark.parametrize(
    "packer",
    [zstandard.ZstdCompressor(write_checksum=True).compress, lambda d: lz4.frame.compress(d, content_checksum=True)],
)
def test_a_file_that_is_one_frame_is_one_slice(tmp_path: Path, packer: Any) -> None:
    noise = random.Random(5)
    records = [record(n, page(b"<p>" + noise.randbytes(500).hex().encode())) for n in range(60)]
    path = tmp_path / "a.warc.lz4"
    path.write_bytes(packer(b"".join(records)))
    assert len(Warc(slice_bytes=10_000).plan(input_of(path), None)) == 1
    rows, counts = rows_of(path, [1000, 5000])
    assert len(rows) == 60
    assert not counts
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(bytes(damaged))
    rows, counts = rows_of(path)
    assert counts["source.broken_record"] + counts["source.not_warc"] == 1


def test_a_dictionary_that_is_none_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.zst"
    for data in (b"\x5d\x2a\x4d\x18\xff\xff\xff\xff", b"\x5d\x2a\x4d\x18\x08\0\0\0\x37\xa4\x30\xec1234"):
        path.write_bytes(data + zstandard.compress(record(1, page(b"<p>1"))))
        rows, counts = rows_of(path)
        assert (len(rows), counts) == (1, {"source.not_warc": 1} if data.endswith(b"\xff") else {})


FALSE_MEMBERS = gzip.compress(record(1, page(b"<p>one</p>")), mtime=0) + b"\x1f\x8b\x08\x08name" * 60_000
SURE_MARKS = record(1, page(b"<p>one</p>")) + b"WARC/1.0\nWARC-X: y\n" * 30_000
CLAIMS = record(1, page(b"<p>one</p>")) + b"WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 1900000\r\n\r\n" * 10_000


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.warc.gz", FALSE_MEMBERS), ("a.warc", SURE_MARKS), ("a.warc", CLAIMS)],
    ids=["members", "marks", "claims"],
)
def test_many_false_beginnings_take_no_long_time(tmp_path: Path, name: str, data: bytes) -> None:
    """Each was read as far as the file goes."""
    path = tmp_path / name
    path.write_bytes(data)
    start = time.process_time()
    rows, _ = rows_of(path)
    assert [row["html"] for row in rows] == [b"<p>one</p>"]
    assert time.process_time() - start < 4


def test_a_member_with_a_long_name_is_a_member(tmp_path: Path) -> None:
    path = written(tmp_path, "a.warc.gz", [record(k, page(b"<p>%d</p>" % k)) for k in range(3)])
    plain = gzip.compress(record(9, page(b"<p>9</p>")), mtime=0)
    path.write_bytes(path.read_bytes() + plain[:3] + b"\x08" + plain[4:10] + b"n" * 10_000 + b"\0" + plain[10:])
    assert len(rows_of(path)[0]) == 4


@pytest.mark.parametrize("size", [99_999_999, 400_000], ids=["beyond the end", "within the file"])
def test_wrong_lengths_in_a_file_that_is_one_member_cost_no_other_record(tmp_path: Path, size: int) -> None:
    """A member gives the pages that the same bytes give plain, though nothing but its start can be entered."""
    records = [record(k, page(random.Random(k).randbytes(15_000).hex().encode())) for k in range(30)]
    for k in (3, 4, 5, 9):
        length = records[k].partition(b"Content-Length: ")[2].partition(b"\r\n")[0]
        records[k] = records[k].replace(b"Content-Length: " + length, b"Content-Length: %d" % size)
    source = Warc(payload_bytes=50_000)
    plain, _ = rows_of(written(tmp_path, "a.warc", records), source=source)
    zipped, passed_over = rows_of(written(tmp_path, "a.warc.gz", [b"".join(records)]), source=source)
    assert len(plain) == 30
    assert [(row["url"], row["html"], row["damage"]) for row in zipped] == [
        (row["url"], row["html"], row["damage"]) for row in plain
    ]
    assert passed_over == {}
    assert [k for k, row in enumerate(plain) if row["damage"]] == [3, 4, 5, 9]
