"""URL rules drop by address alone, and nothing that may be a page."""

import pyarrow as pa
import pytest

from corpusforge.stages.url import UrlRules


def reasons(stage: UrlRules, *urls: str | None) -> list[str | None]:
    batch = pa.RecordBatch.from_pydict({"url": pa.array(urls, pa.string())})
    found: list[str | None] = stage(batch)["drop"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://www.example.com/", None),
        ("http://example.jp/2024/01/login-bonus-guide.html", None),
        ("https://example.jp/a.php?file=x.zip", None),
        ("https://example.jp/%E7%8C%AB", None),
        ("https://example.jp/search/about", None),
        ("https://[2001:db8::1]/a", None),
        ("ftp://example.com/a", "UrlRules.scheme"),
        ("mailto:a@example.com", "UrlRules.scheme"),
        ("https://example.com/" + "a" * 3000, "UrlRules.too_long"),
        ("http://[bad", "UrlRules.malformed"),
        ("https:///path", "UrlRules.malformed"),
        ("https://example.com/photo.JPG", "UrlRules.not_a_page"),
        ("https://example.com/a/paper.pdf?x=1", "UrlRules.not_a_page"),
        ("https://example.com/shop/cart/", "UrlRules.no_content"),
        ("https://example.com/wp-login.php?next=/", "UrlRules.no_content"),
        ("https://bad.example/x", "UrlRules.blocked_host"),
        ("https://WWW.Bad.example:8080/x", "UrlRules.blocked_host"),
        ("https://bad.example./x", "UrlRules.blocked_host"),
        ("https://notbad.example/x", None),
        ("https://bad.example.com/x", None),
        ("", None),
        (None, None),
    ],
)
def test_reason(url: str | None, reason: str | None) -> None:
    assert reasons(UrlRules(blocked=("Bad.example",)), url) == [reason]


def test_options_switch_rules_off() -> None:
    stage = UrlRules(not_pages=(), no_content=())
    assert reasons(stage, "https://a.example/x.pdf", "https://a.example/cart") == [None, None]
