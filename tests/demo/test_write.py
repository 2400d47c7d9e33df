"""The demo's archives: the same bytes for a seed, readable by others, and as the truth says."""

import json
import time
from collections import Counter
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.demo import odd
from corpusforge.demo.charsets import CASES, PLAIN, same_bytes
from corpusforge.demo.records import member, record, record_id, response
from corpusforge.demo.truth import Truth
from corpusforge.demo.write import FILES, write
from tests.demo.archive import http_payload, payloads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return write(folder)


def test_equal_seeds_give_equal_bytes_and_other_seeds_other_ones(truth: Truth, folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "again")
    write(tmp_path / "other", seed=1)
    for name in (*FILES, "truth.json"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()


def test_four_hundred_pages_take_three_seconds_at_most(tmp_path: Path) -> None:
    start = time.process_time()
    write(tmp_path)
    assert time.process_time() - start <= 3


def test_truth_is_read_back_as_it_was_written(truth: Truth, folder: Path) -> None:
    assert Truth.from_json(json.loads((folder / "truth.json").read_text("utf-8"))) == truth


def test_a_reader_finds_the_records_that_the_truth_counts(truth: Truth, folder: Path) -> None:
    for name, counts in truth.records.items():
        with (folder / name).open("rb") as file:
            found = Counter(r.headers["WARC-Type"] for r in ArchiveIterator(file, parse_http=False))
        assert dict(found) == counts, name
    totals = Counter[str]()
    for counts in truth.records.values():
        totals.update(counts)
    assert totals["response"] + totals["resource"] == len(truth.pages) == 400
    assert set(totals) == {"warcinfo", "request", "response", "resource", "metadata", "revisit"}


@pytest.mark.parametrize("pages", [1, 7, 60, 130])
def test_any_number_of_pages_can_be_written(pages: int, tmp_path: Path) -> None:
    truth = write(tmp_path, pages=pages)
    assert len(truth.pages) == len({p.url for p in truth.pages}) == len({p.record_id for p in truth.pages}) == pages
    assert len(list(payloads(tmp_path, truth))) == pages


def test_every_page_is_unique_and_every_kind_occurs(truth: Truth) -> None:
    assert len({p.url for p in truth.pages}) == len({p.record_id for p in truth.pages}) == len(truth.pages)
    assert {p.kind for p in truth.pages} == {"article", *odd.KINDS}
    assert {p.lang for p in truth.pages} == {"ja", "en", "zh", "zh-Hant", "ko", "de", "fr", "es", "ru"}
    assert len({p.site for p in truth.pages}) >= 12
    assert sum(p.lang == "ja" for p in truth.pages) > len(truth.pages) / 2


def test_every_case_of_encoding_occurs(truth: Truth) -> None:
    found = {(p.lang, p.charset, p.declared) for p in truth.pages if p.declared}
    assert found == {(c.lang, c.charset, c.declared()) for c in CASES}
    assert PLAIN.declared() == "header utf-8, meta utf-8"


def test_bodies_noise_and_values_stand_in_the_bytes(truth: Truth, folder: Path) -> None:
    read = 0
    for page, payload in payloads(folder, truth):
        if page.kind == "article":
            html = unescape(payload.decode(page.charset))
            assert all(paragraph in html for paragraph in page.paragraphs()), page.url
            assert all(line in html for line in page.noise), page.url
            text = "".join(page.paragraphs())
            assert all(v.value in text for v in (*page.private, *page.lookalikes)), page.url
            read += 1
    assert read == sum(p.kind == "article" for p in truth.pages)


def test_special_characters_need_the_very_charset_that_was_planted(truth: Truth) -> None:
    text = "".join("".join(p.paragraphs()) for p in truth.pages if p.charset == "cp932" and p.declared)
    assert all(sign in text for sign in "①㈱髙﨑")
    assert same_bytes("①㈱髙", "cp932", "Shift_JIS")
    assert not same_bytes("髙", "cp932", "euc_jp")
    assert same_bytes("Straße", "cp1252", "iso-8859-15")
    assert not same_bytes("5 €", "cp1252", "iso-8859-15")
    assert same_bytes("文字", "utf-16-le", "utf-16")
    assert not same_bytes("文字", "utf-8", "no-such-charset")


@given(payload=st.binary(max_size=9000), chunked=st.booleans(), gzipped=st.booleans(), packed=st.booleans())
def test_any_payload_comes_back_from_its_record(payload: bytes, chunked: bool, gzipped: bool, packed: bool) -> None:
    block = response(payload, "text/html", 200, chunked, gzipped)
    headers = {"WARC-Target-URI": "http://a.example/", "Content-Type": "application/http; msgtype=response"}
    data = record("response", record_id("x"), 3, block, headers)
    data = member(data) if packed else data
    found = list(ArchiveIterator(BytesIO(data * 2), parse_http=False))
    assert [r.record_id.strip("<>") for r in found] == [record_id("x").strip("<>")] * 2
    first = next(iter(ArchiveIterator(BytesIO(data), parse_http=False)))
    assert http_payload(first.reader.read()) == payload
