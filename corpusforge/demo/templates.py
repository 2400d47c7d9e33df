"""Sites, each with a template of its own: what stands around an article, in which order and in which markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from random import Random
from typing import Any

from corpusforge.demo.noise import noise_line, words
from corpusforge.demo.sentences import Voice, table


@dataclass(frozen=True)
class Site:
    """One site; ``wrap`` are the elements around an article's paragraphs, ``before`` and ``after`` name its parts."""

    host: str
    langs: tuple[str, ...]
    name: str
    prefix: str
    path: str
    wrap: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    paragraph: str = "p"

    def url(self, number: int, year: int) -> str:
        return f"https://{self.host}{self.path.format(n=number, year=year)}"


@dataclass(frozen=True)
class Content:
    """What a page says: ``lines`` are paragraphs and, in between, noise lines with their kind ("" = a paragraph)."""

    lang: str
    topic: str
    title: str
    lines: tuple[tuple[str, str], ...]
    rng_seed: str


@cache
def sites() -> tuple[Site, ...]:
    """Every site of the demo."""
    return tuple(_site(given) for given in table("sites")["sites"])


def _site(given: Mapping[str, Any]) -> Site:
    lists = {name: tuple(given[name]) for name in ("langs", "wrap", "before", "after")}
    return Site(**{**given, **lists})


def page(site: Site, content: Content, meta: str | None) -> str:
    """The HTML of an article; ``meta`` is the charset its ``<meta>`` names, if any."""
    rng = Random(content.rng_seed)
    parts = Parts(site, content, rng)
    head = [f"<title>{escape(content.title)} | {escape(site.name)}</title>"]
    if meta:
        head.insert(0, f'<meta http-equiv="Content-Type" content="text/html; charset={meta}">')
    head.append('<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/css/style.css">')
    body = [*(parts.make(name) for name in site.before), _article(site, content, rng)]
    body += [parts.make(name) for name in site.after]
    rows = ["<!DOCTYPE html>", f'<html lang="{content.lang}">', "<head>", *head, "</head>", "<body>", *body]
    return "\n".join([*rows, "</body>", "</html>", ""])


def _article(site: Site, content: Content, rng: Random) -> str:
    rows = [f"<{element}>" for element in site.wrap]
    rows.append(f'<h1 class="{site.prefix}-title">{escape(content.title)}</h1>')
    date = f"{rng.randint(2012, 2024)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    by = words(content.lang)["words"]["by"]
    rows.append(f'<p class="{site.prefix}-byline"><time datetime="{date}">{date}</time> {by}</p>')
    rows += [_line(site, kind, text, rng) for kind, text in content.lines]
    rows += [f"</{element.split()[0]}>" for element in reversed(site.wrap)]
    return "\n".join(rows)


def _line(site: Site, kind: str, text: str, rng: Random) -> str:
    if not kind:
        return f"<{site.paragraph}>{escape(text)}</{site.paragraph.split()[0]}>"
    form = rng.choice(FORMS[kind] if kind in FORMS else FORMS[""])
    return form.format(text=escape(text), prefix=site.prefix, number=rng.randint(10, 9999))


FORMS: Mapping[str, Sequence[str]] = {
    "": (
        "<p>{text}</p>",
        '<p class="{prefix}-note">{text}</p>',
        "<p><small>{text}</small></p>",
        "<p><span>{text}</span></p>",
    ),
    "share": (
        "<p>{text}</p>",
        '<p><a href="https://share.example.com/?u={number}">{text}</a></p>',
        "<p><b>{text}</b></p>",
    ),
    "login": ("<p>{text}</p>", '<p><a href="/login?back={number}">{text}</a></p>'),
    "cart": ("<p>{text}</p>", '<p><a href="/cart/add/{number}">{text}</a></p>', "<p><b>{text}</b></p>"),
    "related": ('<p><a href="/{prefix}/{number}">{text}</a></p>', "<p>{text}</p>"),
}
"""How a noise line of a kind stands between the paragraphs; a bare ``<p>`` is what extraction lets through."""


@dataclass(frozen=True)
class Parts:
    """Makes the parts around an article."""

    site: Site
    content: Content
    rng: Random

    def make(self, name: str) -> str:
        """The HTML of a part, by its name in ``Site.before`` and ``Site.after``."""
        made: str = getattr(self, f"_{name}")()
        return made

    def _links(self, texts: Sequence[str], form: str = "li") -> str:
        link = '<{form}><a href="/{prefix}/{number}">{text}</a></{form}>'
        prefix, numbers = self.site.prefix, self.rng.randint(100, 999)
        return "".join(
            link.format(form=form, prefix=prefix, number=numbers + i, text=escape(text)) for i, text in enumerate(texts)
        )

    def _word(self, name: str) -> str:
        return escape(words(self.content.lang)["words"][name])

    def _noise(self, kind: str) -> str:
        return escape(noise_line(kind, self.content.lang, self.site.name, self.content.title, self.rng))

    def _titles(self, count: int) -> list[str]:
        voice = Voice(self.content.lang, self.content.topic, self.rng)
        return [voice.title() for _ in range(count)]

    def _nav(self) -> str:
        links = self._links(words(self.content.lang)["nav"].split("|"))
        return f'<nav class="{self.site.prefix}-nav"><ul>{links}</ul></nav>'

    def _header(self) -> str:
        search = f'<form action="/search"><input name="q" placeholder="{self._word("search")}"></form>'
        return f'<header class="{self.site.prefix}-head"><a href="/">{escape(self.site.name)}</a>{search}</header>'

    def _breadcrumb(self) -> str:
        steps = words(self.content.lang)["nav"].split("|")
        return (
            f'<ol class="breadcrumb">{self._links([steps[0], steps[self.rng.randint(1, 3)], self.content.title])}</ol>'
        )

    def _share(self) -> str:
        return f'<ul class="share-buttons">{self._links([self._noise("share"), "Facebook", "X", "LINE"])}</ul>'

    def _related(self) -> str:
        return f'<div class="related"><h3>{self._word("related")}</h3><ul>{self._links(self._titles(4))}</ul></div>'

    def _sidebar(self) -> str:
        ranking = self._links(self._titles(5))
        return f'<aside class="sidebar"><h3>{self._word("ranking")}</h3><ol>{ranking}</ol>{self._ad()}</aside>'

    def _pager(self) -> str:
        steps = [self._word("previous"), *(str(n) for n in range(1, 5)), self._word("next")]
        return f'<div class="pagination">{self._links(steps, "span")}</div>'

    def _ad(self) -> str:
        target = f"https://ads.example.com/{self.rng.randint(1, 999)}"
        return f'<div class="ad-banner"><a href="{target}">{self._noise("ad")}</a></div>'

    def _login(self) -> str:
        fields = f'<label>ID <input name="id"></label><button>{self._word("login")}</button>'
        return f'<div class="login-box"><form action="/login">{fields}</form>{self._noise("login")}</div>'

    def _cart(self) -> str:
        return f'<div class="cart"><a href="/cart">{self._word("cart")}</a> {self._noise("cart")}</div>'

    def _cookie(self) -> str:
        return f'<div class="cookie-banner" role="dialog">{self._noise("cookie")} <button>OK</button></div>'

    def _script(self) -> str:
        number = self.rng.randint(1000, 9999)
        return f"<script>window.dataLayer=window.dataLayer||[];dataLayer.push({{'page':{number}}});</script>"

    def _footer(self) -> str:
        links = self._links([self._word("privacy"), self._word("terms")], "span")
        return f'<footer class="{self.site.prefix}-foot">{links}<p>{self._noise("copyright")}</p></footer>'
