"""Extraction: what is written, what is refused and why, and where each line stood."""

import gc
import logging
import random
from typing import Any

import pyarrow as pa
import pytest
import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpusforge.engine import guard
from corpusforge.extract import by_trafilatura
from corpusforge.stages.main_text import MainText
from corpusforge.text.blocks import Page, blocks_of
from corpusforge.text.layout import without_layout_tables
from tests.real import real
from tests.stages.pages import html_batch, json_lines, real_pages

JA = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。"
ARTICLE = f"""<html><head><title> 猫 &amp; 私 </title></head><body><header><nav><a href=/>ホーム</a></nav></header>
<article class="post-17 wide"><h1>猫の話</h1><p>{JA}</p><p>{JA}<a href=/x>続きを読む</a></p>
<p><a href=/a>前の記事</a> | <a href=/b>次の記事</a></p><p>{JA * 9}</p></article></body></html>"""


def rows(batch: pa.RecordBatch, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = MainText(**fields)(batch).select(["text", "title", "blocks", "drop"]).to_pylist()
    return found


def reason(html: bytes | str | None, **fields: Any) -> str | None:
    drop: str | None = rows(html_batch(html), **fields)[0]["drop"]
    return drop


def test_text_title_and_blocks() -> None:
    (row,) = rows(html_batch(ARTICLE))
    assert row["title"] == "猫 & 私"
    assert JA in row["text"].split("\n")
    assert row["drop"] is None
    lines = [row["text"][block["start"] : block["end"]] for block in row["blocks"]]
    assert lines == row["text"].split("\n")
    by_line = dict(zip(lines, row["blocks"], strict=True))
    assert by_line[JA]["path"] == "html>body>article.post-0>p"
    assert by_line[JA]["links"] == 0
    assert 0 < by_line[JA + "続きを読む"]["links"] < 60
    assert {block["score"] for block in row["blocks"]} == {255}


def test_ruby_readings_do_not_double_the_text() -> None:
    word = "<ruby>女教員<rp>（</rp><rt>おんなけういん</rt><rp>）</rp></ruby>の縊死と題する記事を読んだ人がいる。"
    (row,) = rows(html_batch(f"<html><body><article><p>{word * 20}</p></article></body></html>"))
    assert "女教員の縊死" in row["text"]
    assert "おんな" not in row["text"]


def test_too_dear_is_refused_by_counted_work() -> None:
    assert reason(ARTICLE, most_bytes=100) == "MainText.too_large"
    assert reason(ARTICLE, most_elements=5) == "MainText.too_many_elements"
    assert reason(ARTICLE, most_depth=3) == "MainText.too_deep"
    assert reason("<html><body>" + "<div>" * 50_000 + "x", most_elements=100_000) == "MainText.too_deep"
    assert reason("<html><body>" + "<p>x" * 50_000) == "MainText.too_many_elements"
    endless = " ".join(f"a{i}=''" for i in range(200_001))
    assert reason(f"<html><body><p {endless}>{JA}</p></body></html>") == "MainText.too_many_attributes"
    code = "<script>if (i<length) { " + "a = 1; " * 3_000 + "}</script>"
    assert reason(ARTICLE.replace("<article", code + "<article")) is None
    assert reason(ARTICLE.replace("<article", code + f"<p {endless}>x<article")) == "MainText.too_many_attributes"
    assert reason(ARTICLE.replace("<p>", "<p data-x='" + "a b " * 9_000 + "'>")) is None


def test_depth_that_is_admitted_is_survived() -> None:
    for tag in ("div", "ul", "blockquote", "span", "table", "b", "dl"):
        html = "<html><body>" + f"<{tag}>" * 195 + f"<p>{JA * 9}</p>"
        assert reason(html) in (None, "MainText.no_text")


@pytest.mark.parametrize("html", [None, "", " \n", "<html></html>", "<html><body><img src=x></body></html>"])
def test_no_text(html: str | None) -> None:
    assert reason(html) in ("MainText.no_text", "MainText.not_parsed")


def test_a_page_in_one_cell_of_a_layout_table_keeps_its_lines() -> None:
    cell = f"<h1>猫の話</h1><p>{JA * 9}</p><p><b>いいねしよう！</b></p>一行目。<br><br>二行目。"
    page = f"<html><body><table border=0 width='90%'><tr><td class=main>{cell}</td></tr></table></body></html>"
    (row,) = rows(html_batch(page))
    lines = [line.strip() for line in row["text"].split("\n")]
    assert [line for line in lines if line] == ["猫の話", JA * 9, "いいねしよう！", "一行目。", "二行目。"]
    assert row["blocks"][1]["path"] == "table>tr>td.main>p"


def test_garbage_collection_is_as_it_was() -> None:
    gc.disable()
    rows(html_batch(ARTICLE))
    assert not gc.isenabled()
    gc.enable()
    rows(html_batch(ARTICLE))
    assert gc.isenabled()


def test_what_is_no_html_is_dropped() -> None:
    assert reason('{"a": "' + JA + '"}') == "MainText.not_html"


def test_an_earlier_reason_stands() -> None:
    batch = html_batch(ARTICLE).set_column(4, "drop", pa.array(["UrlRules.scheme"]))
    assert rows(batch)[0]["drop"] == "UrlRules.scheme"


def test_what_was_extracted_before_changes_nothing() -> None:
    pages = [ARTICLE, *(ARTICLE.replace("猫", word) for word in ("犬", "鳥", "魚", "虫"))]
    alone = [rows(html_batch(page))[0] for page in pages]
    assert rows(html_batch(*[pages[0]] * 6)) == [alone[0]] * 6
    for seed in range(3):
        order = random.Random(seed).sample(range(len(pages)), len(pages))
        assert rows(html_batch(*(pages[i] for i in order))) == [alone[i] for i in order]


def test_trafilatura_says_nothing(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        reason("<p>x")
        reason("<html><body><p></p></body></html>")
    assert [record for record in caplog.records if record.name.startswith("trafilatura")] == []
    assert capfd.readouterr() == ("", "")


def test_the_worker_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[str] = []
    monkeypatch.setattr(guard, "at", places.append)
    rows(html_batch(ARTICLE, None))
    assert places == ["made.warc:0", "made.warc:1", ""]


def test_failures_under_short_memory_are_errors_of_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "memory_is_short", lambda: True)
    with pytest.raises(MemoryError, match=r"made\.warc:0"):
        reason("<html><body><p></p></body></html>")
    monkeypatch.setattr(by_trafilatura, "text_of", _broken)
    with pytest.raises(MemoryError, match=r"made\.warc:0"):
        reason(ARTICLE)


def test_a_failure_of_the_extractor_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_trafilatura, "text_of", _broken)
    assert reason(ARTICLE) == "MainText.extractor_error"
    monkeypatch.setattr(by_trafilatura, "text_of", _out_of_memory)
    with pytest.raises(MemoryError, match=r"made\.warc:0"):
        reason(ARTICLE)


def _broken(*_: object, **__: object) -> str:
    raise RecursionError("too deep for me")


def _out_of_memory(*_: object, **__: object) -> str:
    raise MemoryError


def test_lines_that_stand_nowhere_get_no_path() -> None:
    page = Page.of(by_trafilatura._parsed(ARTICLE.encode(), ""))
    blocks = blocks_of("この行はページにない行です\n|\n\n猫の話\n前の記事 | 次の記事", page)
    article = "html>body>article.post-0"
    assert blocks.path == ["", "", f"{article}>h1", f"{article}>p"]
    assert blocks.links == [0, 0, 0, 255]


@pytest.mark.real
@pytest.mark.parametrize("favor", ["default", "precision"])
def test_the_text_is_trafilaturas(favor: str) -> None:
    pages = [html for html, _ in real_pages("bench-00000", 60)]
    made = rows(html_batch(*pages), favor=favor)
    for html, row in zip(pages, made, strict=True):
        tree = by_trafilatura._parsed(html, "")
        if without_layout_tables(tree) is not tree:
            continue
        signed = by_trafilatura._with_windows_signs(html).decode()
        known = trafilatura.extract(signed, favor_precision=favor == "precision", include_comments=False)
        assert row["text"] == (known or None)
    blocks = [block for row in made for block in row["blocks"] or []]
    assert sum(bool(block["path"]) for block in blocks) > 0.95 * len(blocks)


@pytest.mark.real
def test_hostile_pages_end_with_a_text_or_a_reason() -> None:
    expected = {row["url"]: row for row in json_lines(real("html-cases/expect.jsonl.zst"))}
    from_file = _case_pages()
    made = rows(html_batch(*(html for _, html in from_file)))
    for (url, _), row in zip(from_file, made, strict=True):
        assert (row["text"] is None) == (row["drop"] is not None), url
        if expected[url]["name"] in ("ruby", "code-block", "data-table", "svg-math", "huge-attribute"):
            assert all(part in row["text"] for part in expected[url]["must_contain"]), url


def _case_pages() -> list[tuple[str, bytes]]:
    with real("html-cases/html-cases.warc.gz").open("rb") as file:
        records = ArchiveIterator(file, record_types=WarcRecordType.response)
        return [(r.headers["WARC-Target-URI"], r.reader.read().decode("utf-8", "replace").encode()) for r in records]
