"""Hold what a recipe made of the demo's pages against what was planted on them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from corpusforge.demo.charsets import same_bytes
from corpusforge.demo.truth import Page, Truth, key
from corpusforge.text.edits import replay

Row = Mapping[str, Any]


class Count(NamedTuple):
    """``n`` of ``of``."""

    n: int
    of: int


@dataclass(frozen=True)
class Seen:
    """One row as it is compared: ``written`` is the text of the extraction pass, ``final`` the text it ended with."""

    final: str
    written: str


@dataclass(frozen=True)
class Outcome:
    """What became of the pages: rows of the corpus and swept rows by url, and the url of every row id."""

    kept: Mapping[str, Row]
    swept: Mapping[str, Row]
    url_of: Mapping[str, str]
    seen: Mapping[str, Seen]


def score(truth: Truth, documents: Iterable[Row], swept: Iterable[Row]) -> dict[str, Count]:
    """Measures by name, in the order in which ``lines`` prints them.

    ``documents`` are the rows of the final corpus; ``swept`` those of the swept files of every pass. Columns: ``id``,
    ``url``; ``text``, ``edits``, ``charset``, ``drop``, ``survivor_id`` where the pass has them. A row whose url is not
    in the truth raises ``KeyError``: it was not made from these pages.
    """
    outcome = _gather(truth, documents, swept)
    pages = truth.pages
    noise, by_extraction, by_filter = _noise(pages, outcome)
    return {
        "articles kept, or dropped as duplicates": _articles(pages, outcome),
        "planted noise removed": noise,
        "planted noise removed by extraction": by_extraction,
        "planted noise let through by extraction, removed later": by_filter,
        "body characters lost to noise removal": _lost(pages, outcome),
        "planted exact duplicates found": _groups(pages, outcome, "exact"),
        "planted near-duplicates found": _groups(pages, outcome, "near"),
        "documents dropped as duplicates without a planted twin": _false_duplicates(pages, outcome),
        "PII masked": _masked(pages, outcome),
        "lookalikes of PII left as they are": _lookalikes(pages, outcome),
        "encodings read right": _encodings(pages, outcome),
    }


def lines(result: Mapping[str, Count]) -> list[str]:
    """The result as the demo prints it."""
    return [f"{name}: {count.n:,} of {count.of:,}" for name, count in result.items()]


def dropped_as_duplicate(row: Row) -> bool:
    """Whether dedup dropped the row: it names a survivor, or its reason is one of dedup's."""
    return bool(row.get("survivor_id")) or str(row.get("drop") or "").startswith("duplicates.")


def _gather(truth: Truth, documents: Iterable[Row], swept: Iterable[Row]) -> Outcome:
    known = {page.url for page in truth.pages}
    kept: dict[str, Row] = {}
    out: dict[str, Row] = {}
    url_of: dict[str, str] = {}
    seen: dict[str, Seen] = {}
    for rows, found in ((documents, kept), (swept, out)):
        for row in rows:
            url = row["url"]
            if url not in known:
                raise KeyError(f"{url} is not one of the planted pages")
            found[url] = row
            url_of[row["id"]] = url
            text = row.get("text")
            if text is not None:
                seen[url] = Seen(key(text), key(replay(text, row.get("edits") or [])))
    return Outcome(kept, out, url_of, seen)


def _articles(pages: Iterable[Page], outcome: Outcome) -> Count:
    """Articles that no stage before dedup swept, of those in languages of which the corpus has any article."""
    articles = [page for page in pages if page.kind == "article"]
    wanted = {page.lang for page in articles if page.url in outcome.kept}
    reached: Counter[bool] = Counter()
    for page in articles:
        if page.lang in wanted:
            swept = outcome.swept.get(page.url)
            reached[page.url in outcome.kept or (swept is not None and dropped_as_duplicate(swept))] += 1
    return Count(reached[True], reached.total())


def _noise(pages: Iterable[Page], outcome: Outcome) -> tuple[Count, Count, Count]:
    """Noise lines planted on the pages that were kept.

    A line is removed if it stands nowhere in the final text (in the form of ``key``). Extraction removed it if it does
    not stand in the text that the extraction pass wrote either; the third count is about the others.
    """
    planted = extraction = later = 0
    for page in pages:
        if page.url in outcome.kept:
            seen = outcome.seen[page.url]
            for line in map(key, page.noise):
                planted += 1
                extraction += line not in seen.written
                later += line in seen.written and line not in seen.final
    return Count(extraction + later, planted), Count(extraction, planted), Count(later, planted - extraction)


def _lost(pages: Iterable[Page], outcome: Outcome) -> Count:
    """Characters of body sentences that stand in the text of the extraction pass, and of these the ones that are not in
    the final text. Sentences with planted PII are left out, since the mask changes them; a sentence that lost any
    character counts in full."""
    lost = total = 0
    for page in pages:
        if page.url in outcome.kept:
            seen = outcome.seen[page.url]
            for sentence in _sentences(page):
                if sentence in seen.written:
                    total += len(sentence)
                    lost += 0 if sentence in seen.final else len(sentence)
    return Count(lost, total)


def _sentences(page: Page) -> Iterator[str]:
    """The body's sentences without planted PII, as ``key`` writes them."""
    for sentence in (s for paragraph in page.body for s in paragraph):
        if not any(v.value in sentence for v in page.private):
            yield key(sentence)


def _groups(pages: Iterable[Page], outcome: Outcome, copy: str) -> Count:
    """Groups of copies of a kind of which exactly one page is left.

    A group counts if two of its pages reached dedup, that is, were kept or dropped as duplicates: what an earlier stage
    swept (another language, too short) is no duplicate any more.
    """
    members: dict[str, list[str]] = defaultdict(list)
    kinds: dict[str, str] = {}
    for page in pages:
        if page.group:
            members[page.group].append(page.url)
            kinds[page.group] = page.copy or kinds.get(page.group, "")
    found = reached = 0
    for group, urls in members.items():
        left = sum(url in outcome.kept for url in urls)
        dropped = sum(url in outcome.swept and dropped_as_duplicate(outcome.swept[url]) for url in urls)
        if kinds[group] == copy and left + dropped >= 2:
            reached += 1
            found += left == 1
    return Count(found, reached)


def _false_duplicates(pages: Iterable[Page], outcome: Outcome) -> Count:
    """Rows dropped as duplicates that have no planted group, or whose survivor is not of their group."""
    groups = {page.url: page.group for page in pages}
    dropped = [row for row in outcome.swept.values() if dropped_as_duplicate(row)]
    wrong = 0
    for row in dropped:
        group, survivor = groups[row["url"]], outcome.url_of.get(row.get("survivor_id") or "")
        wrong += group is None or (survivor is not None and groups[survivor] != group)
    return Count(wrong, len(dropped))


def _masked(pages: Iterable[Page], outcome: Outcome) -> Count:
    """Planted values that stand neither in the final text nor in the text of the extraction pass, of all those on pages
    that have a text, kept or swept."""
    masked: Counter[bool] = Counter()
    for page in pages:
        seen = outcome.seen.get(page.url)
        if seen:
            masked.update(key(v.value) not in seen.final and key(v.value) not in seen.written for v in page.private)
    return Count(masked[True], masked.total())


def _lookalikes(pages: Iterable[Page], outcome: Outcome) -> Count:
    """Planted dates, prices, versions and ISBNs that stand in the final text of their page, of those on kept pages."""
    left: Counter[bool] = Counter()
    for page in pages:
        if page.url in outcome.kept:
            left.update(key(v.value) in outcome.seen[page.url].final for v in page.lookalikes)
    return Count(left[True], left.total())


def _encodings(pages: Iterable[Page], outcome: Outcome) -> Count:
    """Pages with a planted case of encoding whose ``charset`` writes the body with the bytes that the page has.

    If the page has a text, at least nine tenths of its sentences must also stand in it, letter by letter. A page
    without a row counts as wrong.
    """
    right = planted = 0
    for page in pages:
        if page.declared:
            planted += 1
            row = outcome.kept.get(page.url) or outcome.swept.get(page.url) or {}
            text = "".join(s for paragraph in page.body for s in paragraph)
            right += same_bytes(text, page.charset, row.get("charset") or "") and _legible(page, outcome)
    return Count(right, planted)


def _legible(page: Page, outcome: Outcome) -> bool:
    if page.url not in outcome.seen:
        return True
    sentences = list(_sentences(page))
    found = sum(sentence in outcome.seen[page.url].written for sentence in sentences)
    return found * 10 >= len(sentences) * 9
