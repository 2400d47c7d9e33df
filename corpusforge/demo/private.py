"""Invented values that a mask must hide, and lookalikes that must stay.

Mail domains are reserved (RFC 2606, JPRS); US numbers are of the fictional block 555-01xx; Japanese numbers begin with
0 after the area code, which is never assigned; IPv4 addresses lie in public blocks that have no hosts in the open web
(11/8 and 30/8), since documentation ranges do not count as public.
"""

from random import Random

from corpusforge.demo.sentences import table
from corpusforge.demo.truth import UNSPACED, Body, Value

NAMES = ("hanako.suzuki", "m-tanaka", "info", "taro_yamada2", "k.weber", "office", "anna.lind", "r.sato+kai", "desk04")
DOMAINS = ("example.com", "example.jp", "mail.example.co.jp", "example.org", "post.example.net")
PHONES = {
    "ja": ("03-0{a}-{b}", "０３－０{A}－{B}", "(06) 0{a}-{b}", "090-0{a}-{b}", "+81-3-0{a}-{b}", "+81 90 0{a} {b}"),
    "en": ("(212) 555-01{c}", "+1 415-555-01{c}", "702-555-01{c}", "+81-3-0{a}-{b}"),
}
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def plant(body: Body, lang: str, kinds: tuple[str, ...], rng: Random) -> tuple[Body, tuple[Value, ...]]:
    """Put one sentence per kind into the body (kinds that the language has no sentence for are left out)."""
    paragraphs = [list(p) for p in body]
    planted: list[Value] = []
    for kind in kinds:
        patterns = table("private")[kind].get(lang)
        if not patterns or (kind == "phone" and lang not in PHONES):
            continue
        sentence, values = _sentence(rng.choice(patterns), kind, lang, rng)
        paragraph = rng.choice(paragraphs)
        paragraph.insert(rng.randint(1, len(paragraph)), sentence)
        planted += values
    return tuple(tuple(p) for p in paragraphs), tuple(planted)


def _sentence(pattern: str, kind: str, lang: str, rng: Random) -> tuple[str, list[Value]]:
    if kind != "lookalike":
        value = VALUES[kind](lang, rng)
        return pattern.replace("{value}", value), [Value(kind, value)]
    parts = {"date": _date(lang, rng), "price": f"{rng.randint(8, 90) * 100:,}", "isbn": _isbn(rng)}
    parts["version"] = ".".join(str(rng.randint(0, 14)) for _ in range(3))
    values = [Value(kind, value) for name, value in parts.items() if f"{{{name}}}" in pattern]
    return pattern.format(**parts), values


def _email(lang: str, rng: Random) -> str:
    return f"{rng.choice(NAMES)}@{rng.choice(DOMAINS)}"


def _ip(lang: str, rng: Random) -> str:
    return ".".join(str(n) for n in (rng.choice((11, 30)), *(rng.randint(1, 254) for _ in range(3))))


def _phone(lang: str, rng: Random) -> str:
    a, b = f"{rng.randint(0, 999):03}", f"{rng.randint(0, 9999):04}"
    wide = {"A": a.translate(WIDE), "B": b.translate(WIDE)}
    return rng.choice(PHONES[lang]).format(a=a, b=b, c=f"{rng.randint(0, 99):02}", **wide)


VALUES = {"email": _email, "ip": _ip, "phone": _phone}


def _date(lang: str, rng: Random) -> str:
    year, month, day = rng.randint(1990, 2024), rng.randint(1, 12), rng.randint(1, 28)
    if lang in UNSPACED and rng.random() < 0.5:
        return f"{year}年{month}月{day}日"
    return f"{year}-{month:02}-{day:02}"


def _isbn(rng: Random) -> str:
    """Thirteen digits with a right check digit, in the hyphens of an imaginary publisher."""
    digits = f"9784{rng.randint(0, 99999999):08}"
    check = -sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10
    return f"{digits[:3]}-4-{digits[4:8]}-{digits[8:12]}-{check}"
