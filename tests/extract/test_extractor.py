"""Our own engine behind ``MainText``: what it takes, what it leaves, and that it decides the same everywhere."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from corpusforge.extract.by_corpusforge import EXTRACTOR, Corpusforge
from corpusforge.extract.extractor import plain
from corpusforge.extract.network import TYPES
from corpusforge.extract.page import read_page
from corpusforge.passes.specs import spec_of
from corpusforge.stages.main_text import MainText
from corpusforge.stages.prove import prove
from tests.extract.markup import anything
from tests.extract.pages import TEXTS, article
from tests.stages.pages import html_batch

OURS = MainText(engine="corpusforge")


def row(html: str, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = MainText(engine="corpusforge", **fields)(html_batch(html)).to_pylist()[0]
    return found


@pytest.mark.parametrize("lang", TEXTS)
def test_an_article_is_taken_and_what_stands_around_it_left(lang: str) -> None:
    found = row(article(lang))
    lines = found["text"].split("\n")
    assert [line for line in lines if line.startswith(TEXTS[lang])] == [f"{TEXTS[lang]} {n}" for n in range(6)]
    assert not {"News", "About", "Links"} & set(lines)
    assert "Copyright" not in found["text"]
    assert found["title"] == f"{TEXTS[lang][:20].strip()} | Site"
    assert found["page_type"] in TYPES
    assert 0.8 < found["confidence"] <= 1


def test_each_line_has_its_place_its_links_and_its_probability() -> None:
    found = row(article("ja", extra=f'<p>{TEXTS["ja"]}<a href="/x">続きを読むにはこちらを押す</a></p>'))
    lines = found["text"].split("\n")
    assert [found["text"][block["start"] : block["end"]] for block in found["blocks"]] == lines
    by_line = dict(zip(lines, found["blocks"], strict=True))
    block = by_line[f"{TEXTS['ja']} 0"]
    assert block["path"] == "body>main>article.post>p"
    assert block["links"] == 0
    assert 102 <= block["score"] <= 255
    assert 0 < by_line[TEXTS["ja"] + "続きを読むにはこちらを押す"]["links"] < 80


def test_ruby_is_read_once_and_code_keeps_its_lines() -> None:
    ruby = "<p>" + "<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>を読む人がいる。" * 8 + "</p>"
    found = row(article("ja", extra=ruby + "<pre><code>def f():\n    return 1</code></pre>"))
    assert "漢字を読む" in found["text"]
    assert "かんじ" not in found["text"]
    assert "def f():\n    return 1" in found["text"]


def test_an_empty_page_and_one_that_is_too_large_are_told() -> None:
    assert row("<html><body></body></html>")["drop"] == "MainText.no_text"
    assert row("")["drop"] == "MainText.no_text"
    assert row(article("en"), most_bytes=100)["drop"] == "MainText.too_large"


def test_metadata_is_written_where_it_is_asked_for() -> None:
    told = '<script type="application/ld+json">{"@type": "NewsArticle", "author": {"name": "N. Soseki"}, '
    told += '"datePublished": "2026-01-02T03:04:05Z"}</script>'
    html = article("ja").replace("</head>", told + "</head>")
    found = row(html, metadata=True)
    assert (found["author"], found["published"]) == ("N. Soseki", "2026-01-02")
    assert [
        row(f"<html lang='{said}'><p>{TEXTS['ja']}", metadata=True)["declared_lang"] for said in ("ja-JP", "日本")
    ] == [
        "ja-JP",
        None,
    ]
    assert "author" not in row(html)


def test_resiliparse_is_another_engine() -> None:
    pytest.importorskip("resiliparse")
    (found,) = MainText(engine="resiliparse")(html_batch(article("ja"))).to_pylist()
    lines = found["text"].split("\n")
    assert f"{TEXTS['ja']} 3" in lines
    assert [found["text"][block["start"] : block["end"]] for block in found["blocks"]] == lines
    assert "confidence" not in found


def test_an_engine_that_is_not_installed_is_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpusforge.stages.main_text.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"resiliparse is not installed: pip install 'corpusforge\[resiliparse\]'"):
        MainText(engine="resiliparse")


@pytest.fixture
def bold(tmp_path: Path) -> str:
    """A model to which every block is main text."""
    with np.load(EXTRACTOR.file()) as file:
        layers = {name: file[name] for name in file.files}
    np.savez(tmp_path / "bold.npz", **{**layers, "output.bias": layers["output.bias"] + 99})
    return str(tmp_path / "bold.npz")


@pytest.mark.parametrize("menu", ["nav", 'div role="navigation"'])
def test_links_of_a_menu_are_left_out_whatever_the_model_says(bold: str, menu: str) -> None:
    links = '<ul><li><a href="/1">Report 1</a></li><li><a href="/2">Report 2</a></li></ul><p>All of our reports.</p>'
    text = row(article("en", extra=f"<{menu}>{links}</{menu.split()[0]}>"), model=bold)["text"]
    assert "All of our reports." in text
    assert "Report 1" not in text


def test_a_model_of_ones_own_takes_the_place_of_ours(tmp_path: Path, bold: str) -> None:
    own, shipped = MainText(engine="corpusforge", model=bold), EXTRACTOR.file()
    (found,) = own(html_batch(article("en"))).to_pylist()
    assert {block["score"] for block in found["blocks"]} == {255}
    assert len(found["text"]) > len(row(article("en"))["text"])
    assert spec_of(own)["models"] != spec_of(OURS)["models"]

    same = MainText(engine="corpusforge", model=str(shipped))
    assert spec_of(same)["models"] == spec_of(OURS)["models"]
    with pytest.raises(ValueError, match=r"absent\.npz cannot be read"):
        MainText(engine="corpusforge", model=str(tmp_path / "absent.npz"))
    (tmp_path / "no.npz").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"no\.npz is no model that `corpusforge fit extractor` wrote"):
        MainText(engine="corpusforge", model=str(tmp_path / "no.npz"))
    with pytest.raises(ValueError, match="model: only with engine: corpusforge"):
        MainText(model=str(shipped))


def test_the_engine_keeps_the_rules_of_a_stage() -> None:
    prove(OURS, html_batch(*(article(lang) for lang in TEXTS), "", "<p>x", None))


def test_text_does_not_hang_on_the_batch() -> None:
    pages = [article(lang, count) for lang in TEXTS for count in (1, 3, 9)]
    whole = OURS(html_batch(*pages)).to_pylist()
    alone = [OURS(html_batch(page)).to_pylist()[0] for page in pages]
    keys = ("text", "title", "blocks", "confidence", "page_type", "drop")
    assert [[one[key] for key in keys] for one in whole] == [[one[key] for key in keys] for one in alone]


@given(anything)
def test_no_bytes_break_it(html: bytes) -> None:
    found = Corpusforge(True)(html, "here")
    if found.drop is None:
        assert found.text
        assert found.blocks is not None
        assert found.blocks.end[-1] == len(found.text)


def test_zeros_in_what_is_no_utf8_do_not_shift_lines() -> None:
    page = read_page(b"<p>one \xe3\0\0 word</p><p>two \xf0\0 words</p><pre>three \xc3\0</pre>")
    lines = plain(page, np.arange(len(page.blocks)))
    assert [(text[:3], number) for text, number in lines] == [("one", 0), ("two", 1), ("thr", 2)]
    assert not any("\0" in text for text, _ in lines)


ASK = """
import hashlib, json
from corpusforge.extract.by_corpusforge import Corpusforge
from tests.extract.pages import TEXTS, article
found = [vars(Corpusforge()(article(lang, count).encode(), "")) for lang in TEXTS for count in (1, 4, 30)]
print(hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest())
"""


@pytest.mark.timeout(600)
def test_other_processors_give_the_same_bits() -> None:
    """Compiled without AVX and FMA, with a C library and a linear algebra that use neither."""
    others = [
        {},
        {"NUMBA_CPU_NAME": "generic"},
        {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2", "OPENBLAS_CORETYPE": "Nehalem"},
    ]
    found = set()
    for other in others:
        environment = {**os.environ, **other}
        done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


MUTATE = """
import os, random
from corpusforge.extract.by_corpusforge import Corpusforge
from corpusforge.extract.options import Options
from tests.extract.pages import TEXTS, article
everything = Options(True, True, True, "keep", "keep", "keep", True, "https://a.example/")
engine, chance = Corpusforge(True, everything), random.Random(7)
PIECES = [b'<', b'>', b'"', b'<!--', b'&#', b'=', *(bytes([n]) for n in range(0, 256, 7))]
LISTS = "<ul><li>a<pre>x\\ny</pre></ul><a href=b><img src=c></a>"
pages = [article(lang, 5, "<table><tr><td>1<td>2</table>" + LISTS).encode() for lang in TEXTS]
for turn in range(int(os.environ.get("CORPUSFORGE_FUZZ", "400"))):
    html = bytearray(chance.choice(pages))
    for _ in range(chance.randrange(20)):
        at = chance.randrange(len(html))
        html[at : at + chance.randrange(9)] = chance.choice(PIECES)
    engine(bytes(html[: chance.randrange(len(html)) if turn % 3 else len(html)]), "")
print("whole")
"""


@pytest.mark.timeout(600)
def test_broken_pages_stay_within_the_arrays(tmp_path: Path) -> None:
    """Compiled with numba's checks of bounds, which are off where it is used."""
    checked = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", MUTATE], env=checked, capture_output=True, text=True)
    assert done.stdout == "whole\n", done.stderr


def test_what_a_page_says_twice_is_taken_once() -> None:
    paragraphs = [f"{TEXTS['en']} {TEXTS['en']} Part {n}." for n in range(30)]
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    whole = f"<div class=paywall>{' '.join(paragraphs)}</div>"
    page = article("en", 3, body)
    for copy in (body, whole):
        found = row(page.replace("</article>", f"<div class=entry>{copy}</div></article>"))["text"].split("\n")
        assert [line for line in found if line in paragraphs] == paragraphs
        assert not any(len(line) > 1000 for line in found)
    short = "<p>Yes, it is.</p>" * 2
    assert row(article("en", 3, short))["text"].count("Yes, it is.") == 2


def test_a_page_of_a_line_or_two_is_taken_as_it_stands() -> None:
    found = row("<html><title>0</title><p>本文 0</p><p><a href=/>次へ進む</a></p></html>")
    assert (found["text"], found["confidence"]) == ("本文 0", 0.0)
    assert [block["score"] for block in found["blocks"]] == [0]
    assert row("<p><a href=/>Home</a></p><p>x</p>")["drop"] == "MainText.no_text"
