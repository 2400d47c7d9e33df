"""The text is trafilatura's own, whichever way it was reached."""

import pytest
import trafilatura
from lxml.html import HtmlElement
from trafilatura.settings import Extractor

from corpusforge.extract.by_trafilatura import _parsed
from corpusforge.text import extraction
from corpusforge.text.extraction import text_of
from tests.stages.pages import real_pages

PROSE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
LINKS = "".join(f"<li><a href=/{i}>記事その{i}</a></li>" for i in range(300))
SHORT = f"<html><body><article><p>{PROSE}</p></article><div class=box><ul>{LINKS}</ul></div></body></html>"
LONG = SHORT.replace("<article>", f"<article><p>{PROSE * 90}</p><script>{PROSE * 99}</script>")
COMMENTS = LONG.replace("</article>", f"</article><div class=comments-area><p>{PROSE * 30}</p></div>")
FORUM = COMMENTS.replace(
    "<body>", '<body><script type="application/ld+json">{"@type":"DiscussionForumPosting"}</script>'
)
APPENDED = LONG.replace("</article>", f"</article><div id=infinite-scroll><p>{PROSE * 30}</p></div>")
HIDDEN = LONG.replace(
    "</article>", f"</article><div id=a class=share-x><p>{PROSE * 30}</p></div><p style=display:none>x</p>"
)
FILM = LONG.replace("<p>", "<iframe src=https://www.youtube.com/x></iframe><p>")
BURIED = LONG.replace(PROSE * 90, PROSE * 12).replace("<ul>", f"{PROSE * 150}<p>{PROSE * 30}</p><ul>")
PAGES = (BURIED, SHORT, LONG, COMMENTS, FORUM, APPENDED, HIDDEN, FILM, "<html><body><table><td>x</table></body></html>")


def options(favor: str, tables: bool = True) -> Extractor:
    return Extractor(precision=favor == "precision", comments=False, tables=tables)


def known(tree: HtmlElement, favor: str, tables: bool = True) -> str | None:
    text: str | None = trafilatura.extract(
        tree, favor_precision=favor == "precision", include_comments=False, include_tables=tables
    )
    return text


@pytest.mark.parametrize("favor", ["default", "precision"])
@pytest.mark.parametrize("tables", [True, False])
@pytest.mark.parametrize("html", PAGES)
def test_made_pages(html: str, favor: str, tables: bool) -> None:
    tree = _parsed(html.encode(), "")
    assert text_of(tree, html.encode(), options(favor, tables)) == known(tree, favor, tables)


@pytest.mark.real
@pytest.mark.parametrize("favor", ["default", "precision"])
@pytest.mark.parametrize(("shard", "every"), [("bench-00000", 40), ("ja-web-00000", 70), ("multi-web-00000", 50)])
def test_real_pages(shard: str, every: int, favor: str) -> None:
    for html, facts in real_pages(shard, every):
        tree = _parsed(html, "")
        assert text_of(tree, html, options(favor)) == known(tree, favor), facts["url"]


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "compare_extraction", _not_called)
    monkeypatch.setattr(trafilatura, "extract", _not_called)
    for html in (LONG, COMMENTS, APPENDED):
        assert PROSE * 90 in (text_of(_parsed(html.encode(), ""), html.encode(), options("precision")) or "")


def test_another_version_and_failures_go_to_trafilatura(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = _parsed(LONG.encode(), "")
    expected = known(tree, "default")
    monkeypatch.setattr(extraction, "extract_content", _not_called)
    assert text_of(tree, LONG.encode(), options("default")) == expected
    monkeypatch.setattr(extraction, "_body", _not_called)
    monkeypatch.setattr(extraction, "KNOWN", ())
    assert text_of(tree, LONG.encode(), options("default")) == expected


def _not_called(*_: object, **__: object) -> None:
    raise AssertionError("this way is not to be taken")
