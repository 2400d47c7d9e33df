"""MediaWiki dumps as texts: plain and compressed, entered anywhere, with damage that costs one page."""

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
from collections import Counter
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.sources import Input, Slice
from corpusforge.sources.wiki import Wiki
from tests.sources.samples.wiki import END, HEAD, made, multistream, page

Rows = list[dict[str, Any]]
PAGES = made()
XML = (HEAD + "".join(PAGES) + END).encode()
TITLES = [f"記事 {n}" for n in range(14) if n not in (3, 5)]
PASSED = Counter({"source.redirect": 1, "source.not_content": 1})


def read(
    data: bytes,
    name: str = "a.xml",
    source: Wiki | None = None,
    edges: list[int] | None = None,
    limit: int | None = None,
) -> tuple[Rows, Counter[str]]:
    source, passed_over, rows = source or Wiki(), Counter[str](), []
    for start, end in pairwise(edges or [0, len(data)]):
        for batch in source.read(Slice(name, "f", start, end, limit), io.BytesIO(data), passed_over):
            rows += batch.to_pylist()
    return rows, passed_over


def test_a_page_becomes_a_row() -> None:
    row = read(XML, source=Wiki(licence="CC-BY-SA-4.0"))[0][1]
    assert row["title"] == "記事 1"
    assert row["text"] == "記事1はねこの記事である。\n\n節\n本文。"
    assert row["url"] == "https://ja.wikipedia.org/wiki/%E8%A8%98%E4%BA%8B_1"
    assert (row["date"], row["licence"]) == ("2026-08-02T00:00:00Z", "CC-BY-SA-4.0")
    assert (row["source_page"], row["source_revision"]) == (1, 1001)
    span = XML[row["source_offset"] : row["source_offset"] + row["source_length"]]
    assert span.startswith(b"<page>")
    assert span.endswith(b"</page>")
    assert "記事 1".encode() in span


PACKED = {
    "a.xml": lambda data: data,
    "a.xml.gz": gzip.compress,
    "a.xml.bz2": bz2.compress,
    "a.xml.xz": lzma.compress,
    "a.xml.zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", PACKED)
def test_every_packing_gives_the_same_pages_and_ids(name: str) -> None:
    data = PACKED[name](XML)
    for edges in ([0, len(data)], [0, 1, len(data) // 2, len(data)]):
        rows, passed_over = read(data, name, edges=edges)
        assert [row["title"] for row in rows] == TITLES
        assert [row["id"] for row in rows] == [row["id"] for row in read(XML)[0]]
        assert passed_over == PASSED


@given(st.lists(st.integers(1, len(XML) - 1), max_size=8, unique=True))
def test_a_plain_dump_can_be_cut_anywhere(cuts: list[int]) -> None:
    assert read(XML, edges=[0, *sorted(cuts), len(XML)]) == read(XML)


@given(st.lists(st.integers(1, 3000), max_size=8), st.integers(1, 5))
def test_streams_can_be_cut_anywhere(cuts: list[int], together: int) -> None:
    data = multistream(PAGES, together)
    edges = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    assert read(data, edges=edges) == read(data)
    assert [row["title"] for row in read(data)[0]] == TITLES


def test_pages_across_streams_are_whole() -> None:
    data = b"".join(bz2.compress(XML[at : at + 500]) for at in range(0, len(XML), 500))
    rows, passed_over = read(data, edges=[0, len(data) // 3, len(data)])
    assert ([row["title"] for row in rows], passed_over) == (TITLES, PASSED)


def test_a_dump_of_one_stream_is_one_slice(tmp_path: Any) -> None:
    noise = "".join(random.Random(5).choices("猫犬鳥魚虫花月雪", k=20000))
    pages = [page(n, f"T{n}", noise[n * 900 :]) for n in range(20)]
    for name, data, several in (
        ("one.xml.bz2", bz2.compress((HEAD + "".join(pages) + END).encode()), False),
        ("many.xml.bz2", multistream(pages), True),
        ("plain.xml", (HEAD + "".join(pages) + END).encode(), True),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        given_file = Input(name, str(path), len(data), "f")
        assert (len(Wiki(slice_bytes=9000).plan(given_file, None)) > 1) == several


def test_a_damaged_page_costs_one_page() -> None:
    for old, new in ((b"<id>7</id>", b"<id>7</ix>"), (b"</page>", b"</p\x00ge>"), (b"<page>", b"<pxge>")):
        at = XML.index(old, XML.index("記事 6".encode()))
        rows, passed_over = read(XML[:at] + new + XML[at + len(old) :])
        assert len(rows) >= len(TITLES) - 1
        assert passed_over["source.broken_page"] == 1


def test_a_cut_dump_is_damaged_or_its_last_page_is() -> None:
    at = XML.index("記事 13".encode())
    for end, reasons in (
        (at, ["broken_page", "damaged"]),
        (XML.rindex(b"</page>") + 7, ["damaged"]),
        (len(XML) - 3, ["damaged"]),
    ):
        rows, passed_over = read(XML[:end])
        assert len(rows) in (11, 12)
        assert passed_over == PASSED + Counter({f"source.{reason}": 1 for reason in reasons})


def test_damage_in_a_stream_stays_in_it() -> None:
    data = bytearray(multistream(PAGES, 2))
    starts = [at for at in range(len(data)) if data[at : at + 10] == b"BZh91AY&SY"]
    data[starts[2] + 40] ^= 1
    rows, passed_over = read(bytes(data))
    assert [row["title"] for row in rows] == [t for t in TITLES if t != "記事 2"]
    assert passed_over == Counter({"source.damaged_compression": 1, "source.not_content": 1})


def test_what_is_no_dump() -> None:
    for data in (b"<html></html>", b"no xml", b"<?xml version='1.0'?><feed/>"):
        assert read(data) == ([], Counter({"source.not_wiki": 1}))
    assert read((HEAD + END).encode()) == ([], Counter())


def test_entities_cannot_grow() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
    data = bomb + HEAD + page(1, "A", "x").replace(">x<", ">&b;<") + page(2, "B", "y") + END
    rows, passed_over = read(data.encode())
    assert [row["title"] for row in rows] == ["B"]
    assert passed_over["source.broken_page"] == 1


def test_a_page_too_large_or_too_dear_is_a_dropped_row() -> None:
    pages = [page(1, "large", "x" * 5000), page(2, "dear", "<b>" * 200_000), page(3, "fine", "y")]
    data = (HEAD + "".join(pages) + END).encode()
    rows, _ = read(data, source=Wiki(page_bytes=4000))
    assert [(r["title"], r["drop"]) for r in rows] == [
        ("large", "source.too_large"),
        ("dear", "source.too_large"),
        ("fine", None),
    ]
    rows, _ = read(data)
    assert [(r["title"], r["drop"]) for r in rows] == [("large", None), ("dear", "source.too_dear"), ("fine", None)]


def test_scripts_empty_pages_and_old_redirects_are_counted() -> None:
    pages = [
        page(1, "Data", "{}", model="json"),
        page(2, "Gone", "{{delete}}"),
        page(3, "Old", " #REDIRECT: [[A]]"),
        page(4, "Numbers", "#item [[A]]"),
    ]
    rows, passed_over = read((HEAD + "".join(pages) + END).encode())
    assert [row["text"] for row in rows] == ["- item A"]
    assert passed_over == Counter({"source.not_content": 1, "source.no_text": 1, "source.redirect": 1})


def test_namespaces_and_templates_are_settings() -> None:
    text = "{{Foo|a|b}} {{lang|en|c}}"
    data = (HEAD + page(1, "A", text) + page(2, "ノート:A", text, namespace=1) + END).encode()
    source = Wiki(namespaces=(1,), templates={"Foo": "{2}-{1}", "lang": ""})
    assert [(r["title"], r["text"]) for r in read(data, source=source)[0]] == [("ノート:A", "b-a")]


def test_urls_of_every_kind_of_base() -> None:
    for base, url in (
        ("https://en.wikipedia.org/wiki/Main_Page", "https://en.wikipedia.org/wiki/A/B_%22c%22_(d)"),
        ("http://w.example/index.php?title=Main/Page", "http://w.example/index.php?title=A/B_%22c%22_(d)"),
    ):
        head = HEAD.replace(HEAD[HEAD.index("<base>") + 6 : HEAD.index("</base>")], base)
        assert read((head + page(1, 'A/B "c" (d)', "x") + END).encode())[0][0]["url"] == url


def test_the_newest_of_several_revisions_counts() -> None:
    two = page(1, "A", "old").replace("  </page>\n", page(1, "A", "new").split("</id>", 1)[1])
    (row,), _ = read((HEAD + two + END).encode())
    assert row["text"] == "new"


def test_a_large_dump_streams_at_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        """A dump of 60 MB that is made while it is read."""

        body = "".join(page(n, f"T{n}", "x" * 3000, namespace=1) for n in range(3000)).encode()
        parts = (HEAD.encode(), *[body] * 6, END.encode())
        size = sum(map(len, parts))
        at = 0

        def read(self, count: int = -1) -> bytes:
            start = 0
            for part in self.parts:
                if start <= self.at < start + len(part):
                    data = part[self.at - start :][: count if count >= 0 else None]
                    self.at += len(data)
                    return data
                start += len(part)
            return b""

        def seek(self, at: int, whence: int = 0) -> int:
            self.at = at
            return at

    file: Any = Endless()
    tracemalloc.start()
    passed_over: Counter[str] = Counter()
    assert list(Wiki().read(Slice("a.xml", "f", 0, file.size), file, passed_over)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert passed_over == Counter({"source.not_content": 18000})
    assert peak < 20 << 20


@given(st.text(alphabet="<>&'\"{}[]|=\n*#-{猫 a/ref", max_size=200))
def test_any_wikitext_gives_a_row_or_a_reason(text: str) -> None:
    rows, passed_over = read(
        (HEAD + f"<page><title>A</title><revision><text>{escape(text)}</text></revision></page>" + END).encode()
    )
    assert len(rows) + passed_over.total() == 1
