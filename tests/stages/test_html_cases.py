"""Hostile, broken and worthless pages through the stages of ``web_multi``, each with its expectation."""

import json
import time
import tracemalloc
from collections import Counter
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from corpusforge.recipe import read_recipe
from corpusforge.schema import EDIT
from corpusforge.sources import Slice
from corpusforge.sources.warc import Warc
from corpusforge.stages.main_text import MainText
from corpusforge.stages.opt_out import OptOut
from tests.real import DATA, real

LINK_FREE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗い所で泣いていた事だけは記憶している。"
)


def expectations() -> list[dict[str, Any]]:
    path = DATA / "html-cases/expect.jsonl.zst"
    if not path.exists():
        return []
    data = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd").read().decode()
    return [json.loads(line) for line in data.splitlines()]


def chain() -> list[Any]:
    recipe = read_recipe("web_multi")
    return [stage for step in recipe.passes if step.name in ("extract", "clean") for stage in step.stages]


def through(batch: pa.RecordBatch, stages: list[Any]) -> list[dict[str, Any]]:
    """Rows after each stage has seen what those before it left, as a pass sweeps."""
    done: list[dict[str, Any]] = []
    batch = batch.append_column("edits", pa.nulls(batch.num_rows, pa.list_(EDIT)))
    for stage in stages:
        done += batch.filter(pc.is_valid(batch["drop"])).to_pylist()
        batch = stage(batch.filter(pc.is_null(batch["drop"])))
    return done + batch.to_pylist()


@cache
def results() -> dict[str, dict[str, Any]]:
    path = real("html-cases/html-cases.warc.gz")
    with path.open("rb") as file:
        batches = list(Warc().read(Slice("cases", "f", 0, path.stat().st_size), file, Counter()))
    return {row["url"]: row for batch in batches for row in through(batch, chain())}


@pytest.mark.real
@pytest.mark.parametrize("case", expectations(), ids=lambda case: case["name"])
def test_a_case_does_what_is_expected(case: dict[str, Any]) -> None:
    row = results().get(case["url"])
    if case["expect"] == "drop":
        assert row is None or row["drop"]
    if case["expect"] != "keep":
        return
    assert row is not None
    assert row["drop"] is None
    for part in case["must_contain"]:
        assert part in row["text"]
    for part in case["must_not_contain"]:
        assert part not in row["text"]


@pytest.mark.real
def test_all_cases_are_there() -> None:
    real("html-cases/expect.jsonl.zst")
    assert len(expectations()) == 52


@pytest.mark.real
@pytest.mark.parametrize(("name", "reason"), [("noai-meta", "noai"), ("tdm-reservation", "tdm-reservation")])
def test_pages_that_opt_out_are_left_out(name: str, reason: str) -> None:
    url = next((case["url"] for case in expectations() if case["name"] == name), "")
    assert results()[url]["drop"] == f"OptOut.{reason}"


def pages(*htmls: bytes) -> pa.RecordBatch:
    rows = [{"html": html, "source_file": "f", "source_offset": k} for k, html in enumerate(htmls)]
    schema = pa.schema(
        {"html": pa.large_binary(), "source_file": pa.string(), "source_offset": pa.int64(), "drop": pa.string()}
    )
    return pa.RecordBatch.from_pylist(rows, schema)


ARTICLE = f"<html><body><article><p>{LINK_FREE * 5}</p></article></body></html>".encode()
HOSTILE = {
    "50 MB of text": (b"<html><body><p>" + b"word " * 10_000_000, "MainText.too_large"),
    "50 MB of tags": (b"<html><body>" + b"<p>x</p>" * 6_500_000, "MainText.too_large"),
    "100 000 deep": (b"<html><body>" + b"<div>" * 100_000 + b"x", "MainText.too_many_elements"),
    "19 000 deep": (b"<html><body>" + b"<div>" * 19_000 + b"x", "MainText.too_deep"),
    "a million attributes": (
        b"<html><body><p " + b" ".join(b"a%d=1" % k for k in range(1_000_000)) + b">x",
        "MainText.too_many_attributes",
    ),
    "attributes without an end": (b"<html><body><p " + b"a=1 " * 10_000, "MainText.too_many_attributes"),
    "binary as HTML": (bytes(k * k * 31 % 256 for k in range(100_000)), None),
    "NUL bytes alone": (b"\0" * 1_000_000, "MainText.not_parsed"),
    "nothing": (b"", "MainText.no_text"),
}


@pytest.mark.parametrize(("html", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_is_refused_in_bounded_time_and_memory(html: bytes, reason: str | None) -> None:
    batch = pages(html, ARTICLE)
    started = time.process_time()
    tracemalloc.start()
    bad, good = MainText()(batch).to_pylist()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - started < 5
    assert peak < 64 << 20
    assert bad["drop"] == reason if reason else bad["drop"].startswith("MainText.")
    assert (good["drop"], good["text"]) == (None, LINK_FREE * 5)


OURS = {"50 MB of text": "too_large", "50 MB of tags": "too_large", "nothing": "no_text"} | dict.fromkeys(
    ("binary as HTML", "NUL bytes alone"), "not_html"
)
"""Why our own engine refuses them; of the others one letter is no main text."""


@pytest.mark.parametrize("name", HOSTILE)
def test_our_engine_needs_no_limits_but_that_of_bytes(name: str) -> None:
    ours = MainText(engine="corpusforge")
    ours(pages(ARTICLE))  # compiled or loaded
    started = time.process_time()
    tracemalloc.start()
    bad, good = ours(pages(HOSTILE[name][0], ARTICLE)).to_pylist()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - started < 5
    assert peak < 256 << 20
    assert bad["drop"] == f"MainText.{OURS.get(name, 'no_text')}"
    assert (good["drop"], good["text"]) == (None, LINK_FREE * 5)


@pytest.mark.parametrize("engine", ["trafilatura", "corpusforge"])
def test_many_attributes_are_dropped_and_nul_bytes_too(engine: Any) -> None:
    attributes = b" ".join(b"a%d='x > y'" % k for k in range(60_000))
    tagged = ARTICLE.replace(b"<p>", b"<p " + attributes + b">")
    holed = ARTICLE.replace("。".encode(), "。".encode() + b"\0")
    started = time.process_time()
    for row in MainText(engine=engine)(pages(tagged, holed)).to_pylist():
        assert (row["drop"], row["text"]) == (None, LINK_FREE * 5)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("engine", ["trafilatura", "corpusforge"])
def test_controls_are_read_as_the_signs_of_windows(engine: Any) -> None:
    html = ARTICLE.replace("吾輩".encode(), "&#147;吾輩&#148;\x85".encode())
    (row,) = MainText(engine=engine)(pages(html)).to_pylist()
    assert row["text"].startswith("“吾輩”…は猫である。")


def opted(head: str, **fields: Any) -> str | None:
    reason: str | None = OptOut(**fields)(pages(f"<html><head>{head}</head>".encode() + ARTICLE))["drop"][0].as_py()
    return reason


def test_opt_out_signals() -> None:
    assert opted("<meta name='robots' content='index, NoAI'>") == "OptOut.noai"
    assert opted("<META CONTENT=1 NAME=TDM-Reservation>") == "OptOut.tdm-reservation"
    assert opted("<meta name=tdm-reservation content=0>") is None
    assert opted('<meta name="GPTBot" content="noml">') == "OptOut.noml"
    assert opted("<meta name=robots content=noindex>") is None
    assert opted("<meta name=robots content=noindex>", signals=("noindex",)) == "OptOut.noindex"
    assert opted("<meta name=description content='about noai'>") is None
    assert opted("<meta name=robots content=noai>", signals=()) is None
