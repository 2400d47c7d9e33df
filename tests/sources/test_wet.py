"""WET and WAT files: texts, languages and titles as Common Crawl extracts them."""

import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from corpusforge.sources import Slice
from corpusforge.sources.wat import Wat
from corpusforge.sources.wet import Wet
from tests.real import real
from tests.sources.samples import wat, wet

Rows = list[dict[str, Any]]


def rows_of(source: Any, path: Path, cuts: tuple[int, ...] = ()) -> tuple[Rows, Counter[str]]:
    passed_over: Counter[str] = Counter()
    rows: Rows = []
    for start, end in pairwise(sorted({0, path.stat().st_size, *cuts})):
        with path.open("rb") as file:
            for batch in source.read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def test_texts_come_with_their_languages(tmp_path: Path) -> None:
    path = wet.sample(tmp_path)
    rows, counts = rows_of(Wet(), path)
    assert [row["text"] for row in rows] == list(wet.TEXTS)
    assert [row["url"] for row in rows] == [f"http://wet.example/{number}" for number in range(5)]
    assert (rows[0]["date"], rows[0]["identified_lang"], rows[0]["charset"]) == (
        "2026-01-01T00:00:00Z",
        "jpn,eng",
        "utf-8",
    )
    assert counts == {"source.not_content": 1}


def test_what_is_no_text_is_counted_and_what_is_too_large_dropped(tmp_path: Path) -> None:
    binary = wet.record(1, "x").replace(b"text/plain", b"image/png ")
    path = tmp_path / "a.wet"
    path.write_bytes(binary + wet.record(2, "y" * 500) + wet.record(3, "z"))
    rows, counts = rows_of(Wet(payload_bytes=100), path)
    assert [(row["text"], row["drop"]) for row in rows] == [("", "source.too_large"), ("z", None)]
    assert counts == {"source.not_text": 1}


def test_a_damaged_text_is_counted_and_one_of_another_charset_decoded(tmp_path: Path) -> None:
    text = "これは古い文字符号の本文です。" * 4
    old = wet.record(1, text).replace(text.encode(), text.encode("euc-jp"))
    old = old.replace(b"Content-Length: %d" % len(text.encode()), b"Content-Length: %d" % len(text.encode("euc-jp")))
    members = [gzip.compress(old, mtime=0), gzip.compress(wet.record(2, "b"), mtime=0)]
    path = tmp_path / "a.warc.wet.gz"
    path.write_bytes(members[0] + members[1][:-3])
    (row,), counts = rows_of(Wet(), path)
    assert (row["text"], row["charset"]) == (text, "euc-jp")
    assert counts == {"source.broken_record": 1}


def test_titles_descriptions_and_links(tmp_path: Path) -> None:
    rows, counts = rows_of(Wat(), wat.sample(tmp_path))
    assert [(row["title"], row["text"], row["links"]) for row in rows] == [
        (f"題名 {number}", f"題名 {number}\nAbout {number}", number) for number in range(5)
    ]
    assert counts == {"source.not_content": 6}


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"{not json", "broken_json"),
        (b"[" * 100_000, "broken_json"),
        (b"[]", "not_content"),
        (json.dumps({"Envelope": wat.response(None)}).encode(), "not_html"),
        (json.dumps({"Envelope": {"Payload-Metadata": 7}}).encode(), "not_content"),
    ],
)
def test_odd_lists_are_counted(tmp_path: Path, block: bytes, reason: str) -> None:
    path = tmp_path / "a.wat"
    path.write_bytes(wat.record(1, block))
    assert rows_of(Wat(), path) == ([], {f"source.{reason}": 1})


def test_a_page_may_lack_everything_or_hold_anything(tmp_path: Path) -> None:
    pages = [{"Head": 1, "Links": 2}, {"Head": {"Title": ["x"], "Metas": [1, {"name": 5}]}}, wat.page("\ud800a", "", 1)]
    path = tmp_path / "a.wat"
    path.write_bytes(b"".join(wat.record(n, wat.response(page)) for n, page in enumerate(pages)))
    rows, counts = rows_of(Wat(), path)
    assert [(row["title"], row["text"], row["links"]) for row in rows] == [
        (None, "", 0),
        (None, "", 0),
        ("?a", "?a", 1),
    ]
    assert not counts


@pytest.mark.real
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_real_text(ending: str) -> None:
    path = real(f"warc-testfiles/whirlwind-python/whirlwind.warc.wet{ending}")
    (row,), counts = rows_of(Wet(), path)
    assert (row["url"], row["identified_lang"]) == ("https://an.wikipedia.org/wiki/Escopete", "spa")
    assert row["text"].startswith("Escopete - Biquipedia, a enciclopedia libre\n")
    assert len(row["text"].encode()) == 4456
    assert counts == {"source.not_content": 1}
    assert rows_of(Wet(), path, (500, 700)) == ([row], counts)
