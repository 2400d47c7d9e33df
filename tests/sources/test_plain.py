"""Plain text: lines, paragraphs and files in any encoding, cut anywhere, without a lost or a misread text."""

import gzip
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpusforge.records.paragraphs import BLANK_BYTES
from corpusforge.sources import Slice
from corpusforge.sources.plain import PlainText
from tests.real import real

Rows = list[dict[str, Any]]
JAPANESE = "吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。\n"
PIECES = st.sampled_from(
    ["あ", "text ", "\n", "\r\n", "\n\n", " \t\n", "x" * (BLANK_BYTES + 1), " " * (BLANK_BYTES + 1)]
)


def read(path: Path, source: PlainText | None = None, cuts: tuple[int, ...] = ()) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    size = path.stat().st_size
    for start, end in pairwise(sorted({0, *cuts, size})):
        with path.open("rb") as file:
            for batch in (source or PlainText()).read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def written(folder: Path, data: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=25), data=st.data())
def test_any_cut_points_give_the_same_texts(tmp_path: Path, pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces).encode()
    path = written(tmp_path, text or b"a")
    for per in ("line", "paragraph", "file"):
        source = PlainText(per=per, text_bytes=2 * BLANK_BYTES)  # type: ignore[arg-type]
        cuts = data.draw(st.lists(st.integers(0, path.stat().st_size), max_size=6))
        assert read(path, source, tuple(cuts)) == read(path, source)


def test_lines_paragraphs_and_files(tmp_path: Path) -> None:
    path = written(tmp_path, "一行目\r\n二行目\r\n\r\n \n三行目\n".encode())
    lines, counted = read(path)
    assert [(row["text"], row["source_offset"], row["source_length"]) for row in lines] == [
        ("一行目", 0, 11),
        ("二行目", 11, 11),
        ("三行目", 26, 10),
    ]
    assert not counted
    paragraphs, _ = read(path, PlainText(per="paragraph"))
    assert [(row["text"], row["source_offset"], row["source_length"]) for row in paragraphs] == [
        ("一行目\n二行目", 0, 22),
        ("三行目", 26, 10),
    ]
    (whole,), _ = read(path, PlainText(per="file"))
    assert whole["text"] == "一行目\r\n二行目\r\n\r\n \n三行目\n"
    assert (whole["source_offset"], whole["source_length"], whole["charset"]) == (0, 36, "utf-8")


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp932", "euc-jp", "iso-2022-jp", "utf-16", "utf-16-be"])
def test_the_bytes_say_the_encoding(tmp_path: Path, codec: str) -> None:
    text = JAPANESE * 20
    data = (b"\xfe\xff" if codec == "utf-16-be" else b"") + text.encode(codec)
    path = written(tmp_path, data)
    lines, counted = read(path, cuts=(100, 1000))
    assert [row["text"] for row in lines] == text.splitlines()
    assert {row["drop"] for row in lines} == {None}
    assert not counted
    (whole,), _ = read(path, PlainText(per="file"))
    assert whole["text"] == text
    assert whole["charset"] == lines[0]["charset"]


def test_a_recipe_can_say_the_encoding(tmp_path: Path) -> None:
    path = written(tmp_path, "привет".encode("koi8-r"))
    for per in ("line", "file"):
        (row,), _ = read(path, PlainText(per=per, charset="koi8-r"))  # type: ignore[arg-type]
        assert (row["text"], row["charset"], row["charset_by"]) == ("привет", "koi8-r", "recipe")
    (row,), _ = read(written(tmp_path, "日本".encode("utf-16")), PlainText(per="file", charset="utf-16le"))
    assert row["text"] == "日本"
    with pytest.raises(ValidationError, match="sjiss"):
        PlainText(charset="sjiss")


def test_what_cannot_be_read_is_marked(tmp_path: Path) -> None:
    path = written(tmp_path, "正しい行\n".encode() + b"bad \xff line\n" + "\ufffd was here before\n".encode())
    rows, _ = read(path)
    assert [row["drop"] for row in rows] == [None, "source.doubtful_charset", None]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_half_a_surrogate_pair_in_utf_16_is_marked(tmp_path: Path, codec: str) -> None:
    text = "\ufeff正しい行です\n" * 20 + "壊れた\ud800行\n" + "\ufffd was here before\n"
    rows, _ = read(written(tmp_path, text.encode(codec, "surrogatepass")), PlainText(charset=codec))
    assert [row["drop"] for row in rows] == [None] * 20 + ["source.doubtful_charset", None]
    assert "\ufffd" in rows[20]["text"]
    assert rows[20]["text"].startswith("壊れた")


def test_what_is_too_large_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path, b"short\n" + b"x" * 50 + b"\nshort\n\nshort too\n")
    small = PlainText(text_bytes=20)
    rows, counted = read(path, small)
    assert [row["text"] for row in rows] == ["short", "short", "short too"]
    assert counted == {"source.too_large": 1}
    rows, counted = read(path, replace(small, per="paragraph"))
    assert [row["text"] for row in rows] == ["short too"]
    assert counted == {"source.too_large": 1}
    (row,), counted = read(path, replace(small, per="file"))
    assert (row["text"], row["drop"]) == ("", "source.too_large")
    assert not counted


def test_a_damaged_file_gives_what_stands_before(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b"line %d\n" % number for number in range(5000)))
    path = written(tmp_path, packed[:-2000], "a.txt.gz")
    rows, counted = read(path)
    assert [row["text"] for row in rows] == [f"line {number}" for number in range(len(rows))]
    assert len(rows) > 2000
    assert counted == {"source.damaged_compression": 1}
    (row,), counted = read(path, PlainText(per="file"))
    assert row["text"].startswith("line 0\nline 1\n")
    assert row["drop"] == "source.damaged_compression"
    assert not counted


def test_ids_come_from_the_text(tmp_path: Path) -> None:
    one, _ = read(written(tmp_path, JAPANESE.encode(), "one.txt"))
    other, _ = read(written(tmp_path, JAPANESE.encode("cp932"), "other.txt"))
    assert [row["id"] for row in one] == [row["id"] for row in other]


def test_real_files_in_many_encodings_are_read_or_marked() -> None:
    files = sorted(path for path in real("charset-gold").rglob("*.txt") if path.is_file())[:80]
    for path in files:
        rows, _ = read(path, PlainText(per="file"))
        for row in rows:
            assert "\ufffd" not in row["text"] or row["drop"] or "\ufffd".encode() in path.read_bytes(), path
