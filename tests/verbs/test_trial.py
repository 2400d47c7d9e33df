"""One page through a recipe: what `try` shows is what a build decides."""

import gzip
import io
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import corpusforge as cf
from corpusforge import api
from corpusforge.archive import fetch
from corpusforge.demo.write import write
from corpusforge.inputs import InputError
from corpusforge.storage import StoreError
from corpusforge.text.edits import Edit, apply
from corpusforge.text.page_lines import page_lines
from corpusforge.verbs.trial_view import pieces
from tests.real import real
from tests.storage import s3

ARTICLE = "本文の段落です。日本語の文章が続きます。今日は天気がよいので、川まで歩いてから帰りました。" * 6
PAGE = f"""<!doctype html><html lang="ja"><head><title>題名</title><style>p {{}}</style></head><body>
<nav><ul><li><a href="/">ホーム</a></li><li><a href="/map">サイトマップのご案内はこちら</a></li></ul></nav>
<article><h1>題名</h1><p>{ARTICLE}</p><p>{ARTICLE[::-1]}</p></article>
<footer>著作権表示 すべての権利を保有します</footer></body></html>"""

DISH = f"""<!doctype html><html lang="ja"><head><title>味噌汁の作り方</title></head><body>
<nav><ul><li><a href="/">ホーム</a></li><li><a href="/k">昆布</a></li>
<li><a href="/map">サイトマップのご案内はこちら</a></li></ul></nav>
<main><article><h1>味噌汁の作り方</h1>
<p>まず<a href="/dashi?a=1&amp;b=2">出汁</a>を取り、<code>make soup</code> と打ちます。
{ARTICLE}</p>
<table><tr><th>材料</th><th>分量</th></tr><tr><td>昆布です</td><td>10 g</td></tr></table>
<ul><li>味噌を溶く</li></ul><ol><li>切る</li><li>煮る</li></ol><p>{ARTICLE[::-1]}</p></article></main>
<ol id="comments" class="comments"><li class="comment"><p>0番目の意見ですが、そうは思いません。</p></li>
<li class="comment"><p>1番目の意見ですが、そうは思いません。</p></li>
<li class="comment"><p>連絡は tanaka@example.com まで、お待ちしています。</p></li></ol>
<footer>著作権表示 すべての権利を保有します</footer></body></html>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("trial")
    write(made / "in", pages=40)
    (made / "page.html").write_text(PAGE, "utf-8")
    (made / "texts.yaml").write_text(
        "corpus: t\npasses: [{name: read, source: jsonl.Jsonl, stages: [{use: length.TooLong, at_most: 9999}]}]"
    )
    (made / "texts.jsonl").write_text(json.dumps({"text": ARTICLE}) + "\n" + json.dumps({"text": "two"}) + "\n")
    return made


def printed(trial: api.Trial) -> str:
    console = Console(file=io.StringIO(), width=200)
    api.show_trial(console, trial)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_page_is_decided_on_as_a_build_decides(folder: Path) -> None:
    run = cf.build("web_ja", [str(folder / "in" / "demo-00000.warc.gz")], folder / "out", pool="serial")
    kept = {row["id"]: row for row in cf.documents(f"{run.address}/clean")}
    dropped = {row["id"]: row["drop"] for step in ("extract", "clean") for row in cf.dropped(f"{run.address}/{step}")}
    assert kept
    assert dropped
    for number in range(1, len(kept) + len(dropped) + 1):
        trial = api.try_page("web_ja", str(folder / "in" / "demo-00000.warc.gz"), number)
        name = trial.given["id"]
        assert trial.drop == dropped.get(name)
        if name in kept:
            assert (trial.text, trial.edits) == (kept[name]["text"], kept[name]["edits"])
            assert trial.untried == ["duplicates", "corpus", "tokens"]


def test_an_html_file_is_read_although_the_recipe_reads_warc(folder: Path) -> None:
    trial = api.try_page("web_ja", str(folder / "page.html"))
    assert trial.given["charset"] == "utf-8"
    assert "サイトマップのご案内はこちら" in trial.left_out
    assert ARTICLE not in trial.left_out
    assert ARTICLE in (trial.text or "")
    told = printed(trial)
    assert "pass extract" in told
    assert "MainText" in told
    assert "- ホーム" in told
    assert told.splitlines()[-1].startswith(("kept; not tried: duplicates", "dropped: "))


def test_texts_are_tried_with_the_source_of_the_recipe(folder: Path) -> None:
    trial = api.try_page(str(folder / "texts.yaml"), str(folder / "texts.jsonl"), 2)
    assert (trial.extracted, trial.text, trial.left_out, trial.drop) == ("two", "two", [], None)
    assert "kept" in printed(trial)


def test_a_record_that_is_not_there_is_one_message(folder: Path) -> None:
    with pytest.raises(InputError, match="has no record 900 for warc:Warc: it has"):
        api.try_page("web_ja", str(folder / "in" / "demo-00000.warc.gz"), 900)
    with pytest.raises(InputError, match="holds 4 files"):
        api.try_page("web_ja", str(folder / "in"))


def test_a_trial_is_json(folder: Path) -> None:
    trial = api.try_page("web_ja", str(folder / "page.html"))
    told = json.loads(json.dumps(trial.to_json()))
    assert [step["stage"] for step in told["steps"]][:3] == ["UrlRules", "LanguageSniff", "OptOut"]
    assert told["kept"] == (told["drop"] is None)


class Site(BaseHTTPRequestHandler):
    """Pages under several addresses, each with its own trouble."""

    agents: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.agents.append(self.headers["User-Agent"])
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/page")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Type", "image/png" if self.path == "/png" else "text/html; charset=Shift_JIS")
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        data = PAGE.encode("cp932")
        if self.path == "/endless":
            for _ in range(200):
                self.wfile.write(b"<p>" + b"x" * 100)
                time.sleep(0.05)
        self.wfile.write(gzip.compress(data) if self.path == "/packed" else data)
        if self.path == "/large":
            self.wfile.write(b" " * 12_000_000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with s3.running(Site) as url:
        yield url


@pytest.mark.parametrize("path", ["page", "moved", "packed"])
def test_a_page_of_the_web_is_read_by_its_own_headers(site: str, path: str) -> None:
    trial = api.try_page("web_ja", f"{site}/{path}")
    assert (trial.given["charset"], trial.given["charset_by"]) == ("shift_jis", "http")
    assert ARTICLE in (trial.text or "")
    assert trial.given["url"] == f"{site}/{'page' if path == 'moved' else path}"
    assert Site.agents[-1].startswith("CorpusForge/")


def test_what_is_no_page_is_said(site: str) -> None:
    for path, message in (("gone", "the server answers 404"), ("png", "it is no HTML page")):
        with pytest.raises(InputError, match=message):
            api.try_page("web_ja", f"{site}/{path}")
    assert api.try_page("web_ja", f"{site}/large").drop == "source.too_large"


def test_lines_that_are_masked_are_not_left_out(tmp_path: Path) -> None:
    lines = "".join(f"<p>これは{n}番目の段落で、長さは足りている文章です。</p>" for n in range(9))
    page = f"<html><body><article>{lines}<p>連絡先は tanaka@example.com です。</p></article></body></html>"
    (tmp_path / "p.html").write_text(page)
    trial = api.try_page("web_ja", str(tmp_path / "p.html"))
    assert "<EMAIL>" in (trial.text or "")
    assert not [line for line in trial.left_out if "連絡先" in line]


@pytest.fixture(scope="module")
def dish(tmp_path_factory: pytest.TempPathFactory) -> api.Trial:
    """A page with a heading, a table, a list, links, code, ruby, comments, a menu and a footer, marked up in full."""
    return tried(tmp_path_factory.mktemp("dish"), DISH, ", markdown: true, links: true, comments: true")


def tried(folder: Path, html: str, options: str) -> api.Trial:
    """A page through our extractor with options, and the masks."""
    (folder / "page.html").write_text(html, "utf-8")
    (folder / "marked.yaml").write_text(
        "corpus: t\npasses: [{name: read, source: pages.Pages, stages: ["
        f"{{use: main_text.MainText, engine: corpusforge{options}}}, {{use: mask.MaskPersonal}}]}}]"
    )
    return api.try_page(str(folder / "marked.yaml"), str(folder / "page.html"))


def test_lines_with_marks_are_not_left_out(dish: api.Trial) -> None:
    text = (dish.text or "").split("\n")
    assert {"# 味噌汁の作り方", "| 昆布です | 10 g |", "- 味噌を溶く", "1. 切る"} <= {*text}
    assert "[出汁](/dashi?a=1&b=2)" in (dish.text or "")
    assert dish.left_out == ["ホーム", "昆布", "サイトマップのご案内はこちら", "著作権表示 すべての権利を保有します"]


def test_comments_that_have_a_column_are_shown_there(dish: api.Trial, tmp_path: Path) -> None:
    said = [f"{n}番目の意見ですが、そうは思いません。" for n in range(2)]
    assert (dish.comments or "").split("\n") == [*said, "連絡は <EMAIL> まで、お待ちしています。"]
    told = printed(dish).splitlines()
    at = told.index("comments:")
    assert told[at + 1 : at + 4] == ["  " + line for line in (dish.comments or "").split("\n")]
    assert "tanaka@" not in "".join(told[at:])
    assert at > told.index("text, [-removed-] and {+put+} by stages:" if dish.edits else "text:")
    plain = tried(tmp_path, DISH, "")
    assert plain.comments is None
    assert "comments:" not in printed(plain)
    assert said[0] in plain.left_out


@pytest.mark.parametrize("engine", ["corpusforge", "trafilatura", "resiliparse"])
def test_paragraphs_with_readings_are_not_left_out(tmp_path: Path, engine: str) -> None:
    if engine == "resiliparse":
        pytest.importorskip("resiliparse")
    ruby = "<ruby><rb>漢字</rb><rp>（</rp><rt>かんじ</rt><rp>）</rp></ruby>"
    html = PAGE.replace("<p>", f"<p>これは{ruby}のある段落です。")
    (tmp_path / "page.html").write_text(html, "utf-8")
    (tmp_path / "ruby.yaml").write_text(
        "corpus: t\npasses: [{name: read, source: pages.Pages, "
        f"stages: [{{use: main_text.MainText, engine: {engine}}}]}}]"
    )
    trial = api.try_page(str(tmp_path / "ruby.yaml"), str(tmp_path / "page.html"))
    assert "字" in (trial.text or "")
    assert not [line for line in trial.left_out if "段落" in line]
    assert "サイトマップのご案内はこちら" in trial.left_out or engine == "resiliparse"


@pytest.mark.real
def test_a_law_is_in_the_text_with_its_links(tmp_path: Path) -> None:
    (tmp_path / "linked.yaml").write_text(
        "corpus: t\npasses: [{name: read, source: warc.Warc, stages: ["
        "{use: main_text.MainText, engine: corpusforge, markdown: true, links: true}]}]"
    )
    trial = api.try_page(str(tmp_path / "linked.yaml"), str(real("warc/ja-open-00000.warc.gz")), 5)
    assert "[法第五十九条第四項](http" in (trial.text or "")
    assert trial.left_out == ["附 則 抄", "附 則 （平成二四年六月二七日政令第一七三号）"]


def test_a_file_that_the_recipe_cannot_be_tried_on_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text("<p>page</p>")
    with pytest.raises(
        InputError, match=r"p\.html is of no kind that this recipe can be tried on .*Try another recipe"
    ):
        api.try_page("text", str(tmp_path / "p.html"))


def test_a_page_without_end_is_given_up(site: str) -> None:
    with pytest.raises(StoreError, match="no end"):
        fetch.fetched(f"{site}/endless", 1 << 20, seconds=0.5)
    with pytest.raises(StoreError, match=r"no page came .* Check the address and the network"):
        fetch.fetched("http://127.0.0.1:9/x", 1 << 20, seconds=5)
    with pytest.raises(StoreError, match="no web address"):
        api.try_page("web_ja", "http://[bad/")


def test_lines_of_a_page_are_those_a_reader_sees() -> None:
    html = b"<head><title>t</title></head><p>one <b>two</b>\nthree<br>four<script>no()</script><div>five</div>six"
    assert page_lines(html) == ["one two three", "four", "five", "six"]
    assert page_lines(b"") == []


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str, list[Edit]]:
    """A text, the same after several stages, and their edits."""
    text = first = draw(st.text("abcd\n", max_size=20))
    edits: list[Edit] = []
    for number in range(draw(st.integers(0, 3))):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
        ranges = [(a, b, draw(st.text("XYZ", max_size=3))) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
        text, made = apply(f"S{number}", text, ranges)
        edits += made
    return first, text, edits


@given(edited())
def test_pieces_hold_both_texts(made: tuple[str, str, list[Edit]]) -> None:
    first, last, edits = made
    found = pieces(first, edits)
    assert "".join(p.text for p in found if p.state != "removed") == last
    assert "".join(p.text for p in found if p.state != "put") == first
