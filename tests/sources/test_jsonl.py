"""JSON Lines: the fields of common data sets, every compression, and every bad line under its reason."""

import bz2
import gzip
import json
import lzma
import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpusforge.sources import Input, Slice
from corpusforge.sources.jsonl import Jsonl
from corpusforge.text.canonical import sha256
from tests.real import real

Rows = list[dict[str, Any]]
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
PACKED = {**PACK, ".lz4": lz4.frame.compress}


def read(path: Path, source: Jsonl | None = None, cuts: tuple[int, ...] = ()) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for start, end in pairwise(sorted({0, *cuts, path.stat().st_size})):
        with path.open("rb") as file:
            for batch in (source or Jsonl()).read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def written(folder: Path, *lines: Any, name: str = "a.jsonl") -> Path:
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path = folder / name
    path.write_bytes(data)
    return path


def test_the_fields_of_common_data_sets(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"text": "C4", "url": "https://a.example/", "timestamp": "2019-04-25T12:57:54Z"},
        {"id": "d", "text": "Dolma", "created": "2020-01-02", "metadata": {"url": "https://b.example/"}},
        {"id": "<urn:uuid:1>", "text": "FineWeb", "url": "https://c.example/", "date": "2021-01-01T00:00:00Z"},
        {
            "content": "OSCAR",
            "warc_headers": {"warc-record-id": "<urn:uuid:2>", "warc-target-uri": "https://d.example/"},
        },
        {"raw_content": "RedPajama", "url": "https://e.example/", "date_download": "2023-01-01", "title": "Red"},
        {"id": 12, "url": "https://f.example/", "title": "Wikipedia", "text": "ウィキペディア"},
    )
    rows, counted = read(path)
    assert [row["text"] for row in rows] == ["C4", "Dolma", "FineWeb", "OSCAR", "RedPajama", "ウィキペディア"]
    assert [row["url"] for row in rows] == [f"https://{letter}.example/" for letter in "abcdef"]
    assert [row["date"] for row in rows][:3] == ["2019-04-25T12:57:54Z", "2020-01-02", "2021-01-01T00:00:00Z"]
    assert [row["title"] for row in rows][4:] == ["Red", "Wikipedia"]
    assert rows[2]["id"] == sha256(b"<urn:uuid:1>")[:32], "the id that the WARC record has with us"
    assert not counted


def test_a_recipe_says_where_the_fields_are(tmp_path: Path) -> None:
    path = written(tmp_path, {"body": {"ja": "本文"}, "key": 7, "scores": {"quality": 0.5, "n": 3}, "ok": True})
    source = Jsonl(
        text=("body.en", "body.ja"),
        id="key",
        columns={"scores.quality": "float32", "scores.n": "int32", "ok": "bool", "none": "string"},
    )
    (row,), _ = read(path, source)
    assert row["text"] == "本文"
    assert row["id"] == sha256(f"7\n{sha256('本文'.encode())}".encode())[:32]
    assert (row["scores.quality"], row["scores.n"], row["ok"], row["none"]) == (0.5, 3, True, None)
    with pytest.raises(ValidationError, match="number"):
        Jsonl(columns={"score": "number"})


@pytest.mark.parametrize("suffix", PACKED)
def test_every_compression_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    lines = b"".join(json.dumps({"text": f"文{number}" * 50}).encode() + b"\n" for number in range(500))
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(PACKED[suffix](lines))
    size = path.stat().st_size
    rows, counted = read(path, cuts=(size // 3, size // 2))
    assert [row["text"] for row in rows] == [f"文{number}" * 50 for number in range(500)]
    assert [row["source_offset"] for row in rows][:2] == [0, lines.index(b"\n") + 1]
    assert not counted
    pieces = Jsonl(slice_bytes=100).plan(Input(path.name, str(path), size, "f"), None)
    assert (len(pieces) > 1) == (suffix == "")
    assert path.name.endswith(Jsonl.suffixes)


def test_bad_lines_are_counted_by_reason(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        b"{", b"[1]", b"null", b'"text"', b'{"text": "a}', b"[" * 100_000, b'{"text": "\x00"}',  # seven
        b'{"text": "\xff"}', b'{"text": "\xe3\x81"}',
        {"text": None}, {"text": ""}, {"other": "x"},
        {"text": ["a"]}, {"text": 5},
        b" \t\r", b"",
        {"text": "x" * 2000},
        {"text": "good"},
    )  # fmt: skip
    rows, counted = read(path, Jsonl(line_bytes=1000))
    assert [row["text"] for row in rows] == ["good"]
    assert counted == {
        "source.bad_json": 6,
        "source.not_utf8": 2,
        "source.no_text": 3,
        "source.bad_text": 2,
        "source.too_large": 2,
    }


PRETTY = {
    "an array": lambda records: json.dumps(records, ensure_ascii=False),
    "an array over many lines": lambda records: "\ufeff " + json.dumps(records, indent=2),
    "objects over many lines": lambda records: "\n".join(json.dumps(record, indent=1) for record in records),
}


@pytest.mark.parametrize("form", PRETTY)
@pytest.mark.parametrize("suffix", ["", ".zst"])
def test_objects_in_arrays_and_over_many_lines_are_read(tmp_path: Path, form: str, suffix: str) -> None:
    records = [{"text": f'文 {n} "{{[\\\n]}}"', "id": n, "meta": {"tags": ["]", {}]}} for n in range(400)]
    path = tmp_path / f"a.json{suffix}"
    path.write_bytes(PACKED[suffix](PRETTY[form](records).encode()))
    size = path.stat().st_size
    rows, counted = read(path, cuts=(size // 3, size // 2))
    assert [row["text"] for row in rows] == [record["text"] for record in records]
    assert not counted
    assert len(Jsonl(slice_bytes=100).plan(Input(path.name, str(path), size, "f"), None)) == 1


def test_halves_of_surrogate_pairs_are_marked(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        b'{"text": "whole \\ud83d\\ude00"}',
        b'{"text": "half \\ud83d"}',
        b'{"text": "fine", "title": "half \\ude00", "loss": NaN}',
    )
    rows, counted = read(path)
    assert [row["text"] for row in rows] == ["whole 😀", "half \ufffd", "fine"]
    assert [row["drop"] for row in rows] == [None, "source.lone_surrogate", None]
    assert rows[2]["title"] == "half \ufffd"
    assert not counted


RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["text", "id", "url"]), st.text(max_size=30), max_size=3), max_size=8
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, data=st.data())
def test_any_cut_points_give_the_same_rows(tmp_path: Path, records: list[dict[str, str]], data: st.DataObject) -> None:
    path = written(tmp_path, *records, b"{}")
    cuts = data.draw(st.lists(st.integers(0, path.stat().st_size), max_size=6))
    rows, counted = read(path, cuts=tuple(cuts))
    assert (rows, counted) == read(path)
    assert [row["text"] for row in rows] == [r["text"] for r in records if r.get("text", "").strip()]
    assert len(rows) + sum(counted.values()) == len(records) + 1


def test_memory_stays_bounded(tmp_path: Path) -> None:
    line = json.dumps({"text": "a line of a long file " * 200}).encode() + b"\n"
    path = tmp_path / "a.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packer:
        for number in range(16_000):
            packer.write(line.replace(b"long", str(number).encode()))
    source = Jsonl(batch_bytes=1 << 20)
    tracemalloc.start()
    count = 0
    with path.open("rb") as opened:
        for batch in source.read(Slice(path.name, "f", 0, path.stat().st_size), opened, Counter()):
            count += batch.num_rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 16_000
    assert peak < 24 << 20, "of 70 MB"


def test_real_lines_are_all_read() -> None:
    path = real("text-ja-aozora") / "aozora.jsonl.zst"
    rows, counted = read(path, Jsonl(columns={"author": "string"}))
    assert len(rows) == 1525
    assert not counted
    assert rows[0]["author"]
    assert len({row["id"] for row in rows}) == 1525
