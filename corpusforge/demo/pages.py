"""Which pages the demo has: articles first, then what is planted on them, copies of some, and odd pages."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from corpusforge.demo import odd
from corpusforge.demo.charsets import CASES, PLAIN, Case
from corpusforge.demo.noise import KINDS, noise_line
from corpusforge.demo.private import plant
from corpusforge.demo.sentences import Voice, grammar, table
from corpusforge.demo.templates import Site, sites
from corpusforge.demo.truth import UNSPACED, Body, Value


@dataclass(frozen=True)
class Draft:
    """A page before it has bytes; ``noise`` holds (paragraph it follows, kind, text)."""

    number: int
    site: Site
    lang: str
    kind: str = "article"
    topic: str = ""
    title: str = ""
    body: Body = ()
    noise: tuple[tuple[int, str, str], ...] = ()
    private: tuple[Value, ...] = ()
    lookalikes: tuple[Value, ...] = ()
    case: Case = PLAIN
    group: str | None = None
    copy: str | None = None
    origin: int | None = None
    twin: int | None = None


OTHERS = ("en", "zh", "ko", "de", "en", "fr", "zh-Hant", "es", "en", "ko", "zh", "en", "de", "ru")
"""The languages of the articles that are not Japanese (three of seven), over and over."""

TERSE = {"zh": 1.5, "zh-Hant": 1.5, "ko": 1.3}
"""Languages that need more sentences for an article of usual length."""

MOST = {"zh": 40, "zh-Hant": 33, "es": 33, "ru": 33, "fr": 33}
"""Most sentences of an article, where the vocabulary is too small for more."""


def plan(pages: int, seed: int) -> list[Draft]:
    """``pages`` drafts in the order in which they are written; every kind occurs from about 120 pages on."""
    odd_pages = max(pages // 180, 1) * len(odd.KINDS) if pages >= 60 else pages // 8
    exact, near, twins = (max(pages // share, 1) for share in (20, 20, 40))
    articles = [_article(n, seed) for n in range(max(pages - odd_pages - exact - near - twins, 1))]
    articles = _encoded(articles, max(pages // 400, 1))
    copies = list(_copies(articles, (exact, near, twins), seed))
    kinds = list(odd.KINDS)
    japanese = [site for site in sites() if "ja" in site.langs]
    rest: list[Draft] = []
    for n in range(pages - len(articles) - len(copies)):
        number = len(articles) + len(copies) + n
        rest.append(Draft(number, japanese[n % len(japanese)], "ja", kinds[n % len(kinds)]))
    drafts = [*_grouped(articles, copies), *rest]
    Random(f"{seed}/order").shuffle(drafts)
    return drafts


def _article(number: int, seed: int) -> Draft:
    rng = Random(f"{seed}/article/{number}")
    week, day = divmod(number, 7)
    lang = OTHERS[(3 * week + day // 2) % len(OTHERS)] if day % 2 else "ja"
    site = rng.choice([s for s in sites() if lang in s.langs])
    voice = Voice(lang, rng.choice(list(grammar(lang).topics)), rng)
    body = voice.body(min(round(rng.choice((15, 17, 19, 22, 26, 34, 50)) * TERSE.get(lang, 1.0)), MOST.get(lang, 50)))
    kinds = (("email", "phone"), (), ("ip",), ("phone",), (), ("email",))[rng.randrange(6)]
    body, private = plant(body, lang, kinds, rng)
    body, lookalikes = plant(body, lang, ("lookalike",) if rng.random() < 0.3 else (), rng)
    title = voice.title()
    noise = _noise(body, lang, site, title, rng)
    return Draft(number, site, lang, "article", voice.topic, title, body, noise, private, lookalikes)


def _noise(body: Body, lang: str, site: Site, title: str, rng: Random) -> tuple[tuple[int, str, str], ...]:
    """Two to seven lines of different kinds, more of them at the end than in the middle."""
    lines = []
    for kind in rng.sample(KINDS, rng.randint(2, 7)):
        after = len(body) - 1 if rng.random() < 0.5 else rng.randrange(len(body))
        other = Voice(lang, rng.choice(list(grammar(lang).topics)), rng).title()
        lines.append((after, kind, noise_line(kind, lang, site.name, other, rng)))
    return tuple(lines)


def _encoded(articles: list[Draft], rounds: int) -> list[Draft]:
    """Give every case of encoding to the next pages of its language."""
    result = list(articles)
    for case in CASES * rounds:
        for n, draft in enumerate(result):
            if draft.lang == case.lang and draft.case is PLAIN:
                result[n] = replace(draft, case=case, body=_special(draft.body, case))
                break
    return result


def _special(body: Body, case: Case) -> Body:
    """Add a sentence that only this very charset reads rightly."""
    sentence = table("private")["special"].get(case.charset)
    if isinstance(sentence, dict):
        sentence = sentence.get(case.lang)
    return (*body[:-1], (*body[-1], sentence)) if sentence else body


def _copies(articles: list[Draft], counts: tuple[int, int, int], seed: int) -> Iterator[Draft]:
    """Exact copies, near copies and twins, each of an article of its own; some exact origins have two copies."""
    exact, near, twins = counts
    free = [a for a in articles if a.case is PLAIN]
    rng = Random(f"{seed}/copies")
    rng.shuffle(free)
    number, made = len(articles), 0
    while made < exact and free:
        origin = free.pop()
        for _ in range(min(2 if made % 5 == 0 else 1, exact - made)):
            yield _exact(origin, number + made, rng)
            made += 1
    # One edit must not be more than about a tenth of the text.
    free.sort(key=lambda draft: sum(map(len, draft.body)) >= 20)
    for kind in ["near"] * near + ["twin"] * twins:
        if free:
            yield (_near if kind == "near" else _twin)(free.pop(), number + made, rng)
            made += 1


def _elsewhere(origin: Draft, number: int, rng: Random) -> Draft:
    """The same text on another site where there is one, with that site's own noise."""
    others = [s for s in sites() if origin.lang in s.langs and s is not origin.site] or [origin.site]
    site = rng.choice(others)
    noise = _noise(origin.body, origin.lang, site, origin.title, rng)
    return replace(origin, number=number, site=site, noise=noise, origin=origin.number)


def _exact(origin: Draft, number: int, rng: Random) -> Draft:
    """The same body and title elsewhere; some Japanese copies in another encoding."""
    copy = replace(_elsewhere(origin, number, rng), copy="exact")
    if origin.lang == "ja" and number % 4 == 0:
        return replace(copy, case=Case("ja", "cp932", header="Shift_JIS"))
    return copy


def _near(origin: Draft, number: int, rng: Random) -> Draft:
    """An introduction, or two sentences swapped; then new sentences until about a twentieth of the text changed."""
    paragraphs = [list(p) for p in origin.body]
    voice = Voice(origin.lang, origin.topic, rng, sentences={s for p in paragraphs for s in p})
    left = 0.03 * sum(len(sentence) for p in paragraphs for sentence in p)
    if rng.random() < 0.4:
        paragraphs[0].insert(0, min(voice.sentence(), voice.sentence(), key=len))
        left -= len(paragraphs[0][0])
    elif origin.lang in UNSPACED or sum(map(len, paragraphs)) >= 26:  # a swap breaks few shingles of characters only
        paragraph = rng.choice(paragraphs)
        at = rng.randrange(len(paragraph) - 1)
        paragraph[at], paragraph[at + 1] = paragraph[at + 1], paragraph[at]
    while left > 0:
        paragraph = rng.choice(paragraphs)
        at = min(rng.randrange(len(paragraph)), rng.randrange(len(paragraph)), key=lambda n: len(paragraph[n]))
        new = min(voice.sentence(), voice.sentence(), key=len)
        left -= max(len(paragraph[at]), len(new))
        paragraph[at] = new
    body = tuple(tuple(p) for p in paragraphs)
    return _with_values(replace(_elsewhere(origin, number, rng), body=body, copy="near"))


def _twin(origin: Draft, number: int, rng: Random) -> Draft:
    """Same site, topic, title, first sentence and noise; the rest is another text."""
    body = Voice(origin.lang, origin.topic, rng).body(max(18, sum(map(len, origin.body))))
    body = ((origin.body[0][0], *body[0]), *body[1:])
    noise = tuple((min(after, len(body) - 1), kind, text) for after, kind, text in origin.noise)
    return _with_values(replace(origin, number=number, body=body, noise=noise, twin=origin.number))


def _with_values(draft: Draft) -> Draft:
    """Forget planted values that the body no longer has."""
    text = "".join(sentence for p in draft.body for sentence in p)
    private = tuple(v for v in draft.private if v.value in text)
    return replace(draft, private=private, lookalikes=tuple(v for v in draft.lookalikes if v.value in text))


def _grouped(articles: list[Draft], copies: list[Draft]) -> list[Draft]:
    """Name every group of an origin and its copies."""
    groups = {c.origin: f"{c.copy}-{c.origin}" for c in copies if c.origin is not None}
    origins = [replace(a, group=groups.get(a.number)) for a in articles]
    return origins + [replace(c, group=groups[c.origin]) if c.origin is not None else c for c in copies]
