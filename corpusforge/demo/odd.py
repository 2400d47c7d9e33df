"""Responses that are no article: hostile markup, other content types, errors, and pages nobody wants in a corpus."""

from collections.abc import Callable
from html import escape
from random import Random

from corpusforge.demo.noise import noise_line, words
from corpusforge.demo.sentences import Voice
from corpusforge.demo.templates import Site

Odd = tuple[bytes, str, int]
"""Payload, content type, HTTP status."""

HTML = "text/html; charset=utf-8"


def _html(body: str, lang: str = "ja") -> Odd:
    head = f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{lang}</title></head>'
    return f"{head}<body>{body}</body></html>".encode(), HTML, 200


def _prose(rng: Random, sentences: int) -> str:
    voice = Voice("ja", "町の歴史", rng)
    return "".join(f"<p>{escape(''.join(p))}</p>" for p in voice.body(sentences))


def _deep(site: Site, rng: Random) -> Odd:
    depth = rng.randint(3000, 6000)
    return _html("<div>" * depth + _prose(rng, 8) + "</div>" * depth)


def _unclosed(site: Site, rng: Random) -> Odd:
    broken = "".join(f"<div><p><b><a href='{i}>x<table><td>" for i in range(rng.randint(40, 90)))
    return _html(broken + _prose(rng, 8))


def _nul_bytes(site: Site, rng: Random) -> Odd:
    payload, kind, status = _html(_prose(rng, 8))
    return payload.replace("、".encode(), "\0、".encode()), kind, status


def _script_junk(site: Site, rng: Random) -> Odd:
    junk = "".join(f"var v{i}='</div><p>{rng.getrandbits(64):x}';" for i in range(400))
    return _html(f"<script>{junk}</script><style>{'.a{color:red}' * 500}</style>" + _prose(rng, 8))


def _huge_attribute(site: Site, rng: Random) -> Odd:
    return _html(f'<div data-state="{rng.randbytes(150_000).hex()}">{_prose(rng, 8)}</div>')


def _empty(site: Site, rng: Random) -> Odd:
    return b"", HTML, 200


def _binary(site: Site, rng: Random) -> Odd:
    return b"\x7fELF\x02\x01\x01" + rng.randbytes(6000), HTML, 200


def _too_short(site: Site, rng: Random) -> Odd:
    return _html(f"<main><p>{escape(Voice('ja', '台所', rng).sentence())}</p></main>")


def _link_only(site: Site, rng: Random) -> Odd:
    voice = Voice("ja", "鉄道", rng)
    rows = (f'<li><a href="/{site.prefix}/{i}">{escape(voice.title())}</a></li>' for i in range(40))
    return _html(f"<h1>{escape(site.name)}</h1><ul>{''.join(rows)}</ul>")


def _spam(site: Site, rng: Random) -> Odd:
    product = rng.choice(words("ja")["product"].split("|"))
    lines = [f"{product}の最安値なら{product}通販、{product}の口コミと{product}の評判を比べて{product}を買おう。"] * 12
    lines += [noise_line("ad", "ja", site.name, "", rng) for _ in range(4)]
    return _html("<main>" + "".join(f"<p>{escape(line)}</p>" for line in lines) + "</main>")


def _pdf(site: Site, rng: Random) -> Odd:
    return b"%PDF-1.7\n" + rng.randbytes(3000) + b"\n%%EOF\n", "application/pdf", 200


def _image(site: Site, rng: Random) -> Odd:
    return b"\x89PNG\r\n\x1a\n" + rng.randbytes(2000), "image/png", 200


def _json(site: Site, rng: Random) -> Odd:
    return f'{{"items": [{", ".join(str(rng.randint(0, 99)) for _ in range(80))}]}}'.encode(), "application/json", 200


def _not_found(site: Site, rng: Random) -> Odd:
    payload, kind, _ = _html(f"<h1>404 Not Found</h1><p>{escape(site.name)}</p>" + _prose(rng, 8))
    return payload, kind, 404


KINDS: dict[str, Callable[[Site, Random], Odd]] = {
    "deep": _deep,
    "unclosed": _unclosed,
    "nul_bytes": _nul_bytes,
    "script_junk": _script_junk,
    "huge_attribute": _huge_attribute,
    "empty": _empty,
    "binary": _binary,
    "too_short": _too_short,
    "link_only": _link_only,
    "spam": _spam,
    "pdf": _pdf,
    "image": _image,
    "json": _json,
    "not_found": _not_found,
}
"""Every odd kind of page and what makes it."""
