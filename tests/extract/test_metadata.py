"""What pages say of themselves, and nonsense that they say."""

import json
from typing import Any

import pytest
from hypothesis import given

from corpusforge.extract.metadata import Metadata, metadata
from corpusforge.extract.page import read_page
from tests.extract.markup import anything


def told(head: str) -> Metadata:
    return metadata(read_page(f"<html lang=ja><head>{head}</head><body><p>x</body></html>".encode()))


def json_ld(thing: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(thing)}</script>'


def test_json_ld_goes_before_open_graph_and_that_before_the_title() -> None:
    title, graph = (
        "<title>題 | Site</title>",
        '<meta property="og:title" content="題&amp;"><meta name=author content=A>',
    )
    news = {"@type": "NewsArticle", "headline": "見出し", "author": [{"name": "B"}, {"name": "C"}, "B"]}
    assert told(title) == Metadata("題 | Site", lang="ja")
    assert told(title + graph) == Metadata("題&", "A", lang="ja")
    assert told(title + graph + json_ld(news)) == Metadata("見出し", "B, C", lang="ja")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-02T03:04:05+09:00", "2026-01-02"), ("2026-01-02", "2026-01-02"), ("2026-01", "2026-01"),
        ("2026-13-02", ""), ("yesterday", ""), (20260102, ""), (None, ""),
    ],
)  # fmt: skip
def test_dates_are_days(value: Any, expected: str) -> None:
    assert told(json_ld({"@graph": [{"@type": ["BlogPosting"], "datePublished": value}]})).date == expected


@pytest.mark.parametrize("thing", [[], 1, None, {"@graph": 5}, {"@type": "Article", "author": 7}, [[[]]]])
def test_nonsense_says_nothing(thing: Any) -> None:
    assert told(json_ld(thing)) == Metadata(lang="ja")


def test_a_publisher_is_no_author_and_a_long_value_is_none() -> None:
    assert told(json_ld({"@type": "Organization", "author": "Site", "headline": "x"})).author == ""
    assert told(json_ld({"@type": "Article", "headline": "x" * 501})).title == ""


@given(anything)
def test_any_bytes_say_something_or_nothing(html: bytes) -> None:
    assert isinstance(metadata(read_page(html)).title, str)
