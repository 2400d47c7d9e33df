"""What the demo's pages say: prose that tools take for prose, noise that extraction lets through, honest copies."""

from collections import defaultdict
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import fasttext
import pytest
import trafilatura

from corpusforge.demo.sentences import grammar
from corpusforge.demo.truth import UNSPACED, Page, Truth, key
from corpusforge.demo.write import write
from tests.demo.archive import payloads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return write(folder)


@pytest.fixture(scope="module")
def articles(truth: Truth) -> list[Page]:
    return [page for page in truth.pages if page.kind == "article"]


def similarity(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def five_grams(page: Page) -> set[str]:
    """Characters where words are not spaced, else words."""
    if page.lang in UNSPACED:
        text = "\n".join(page.paragraphs())
        return {text[n : n + 5] for n in range(len(text) - 4)}
    words = " ".join(page.paragraphs()).lower().split()
    return {" ".join(words[n : n + 5]) for n in range(len(words) - 4)}


def test_only_planted_copies_are_alike(articles: list[Page]) -> None:
    grams = {page.url: five_grams(page) for page in articles}
    kinds = {page.url: page.copy for page in articles}
    for one, other in combinations(articles, 2):
        if one.lang != other.lang:
            continue
        alike = similarity(grams[one.url], grams[other.url])
        if one.group and one.group == other.group:
            copy = kinds[one.url] or kinds[other.url]
            assert (alike == 1) if copy == "exact" else (0.8 <= alike < 1), (copy, one.url, other.url)
        else:
            assert alike < (0.3 if other.url in (one.twin_of, one.url) else 0.2), (one.url, other.url)


def test_copies_stand_on_other_urls_and_mostly_on_other_sites(articles: list[Page]) -> None:
    by_url = {page.url: page for page in articles}
    copies = [page for page in articles if page.copy]
    assert {c.copy for c in copies} == {"exact", "near"}
    for copy in copies:
        origin = by_url[copy.copy_of or ""]
        assert copy.group == origin.group
        assert (copy.body == origin.body) == (copy.copy == "exact")
    assert sum(copy.site != by_url[copy.copy_of or ""].site for copy in copies) > 0.9 * len(copies)
    groups = defaultdict(list)
    for page in articles:
        groups[page.group].append(page)
    assert all(len(members) >= 2 for group, members in groups.items() if group)


def test_twins_share_everything_but_the_text(articles: list[Page]) -> None:
    by_url = {page.url: page for page in articles}
    twins = [page for page in articles if page.twin_of]
    assert len(twins) >= 8
    for twin in twins:
        other = by_url[twin.twin_of or ""]
        assert (twin.site, twin.topic, twin.title, twin.noise) == (other.site, other.topic, other.title, other.noise)
        assert twin.body[0][0] == other.body[0][0]
        assert twin.group is None


def test_near_copies_change_a_small_part_of_the_sentences(articles: list[Page]) -> None:
    by_url = {page.url: page for page in articles}
    for near in (page for page in articles if page.copy == "near"):
        own = {s for paragraph in near.body for s in paragraph}
        others = {s for paragraph in by_url[near.copy_of or ""].body for s in paragraph}
        assert 0 < len(own - others) <= 0.15 * len(own), near.url


def test_languages_are_recognised(articles: list[Page]) -> None:
    model = fasttext.load_model(str(files("corpusforge.models") / "lid.176.ftz"))
    right = 0
    for page in articles:
        (label,), (score,) = model.predict(" ".join(page.paragraphs()))
        right += label == f"__label__{page.lang.split('-')[0]}" and score >= 0.9
    assert right >= 0.95 * len(articles)


def test_bodies_have_the_length_of_articles_and_do_not_repeat_themselves(articles: list[Page]) -> None:
    for page in articles:
        sentences = [s for paragraph in page.body for s in paragraph]
        length = len("".join(page.paragraphs()))
        assert 400 <= length <= 6000, page.url
        assert page.lang != "ja" or 500 <= length <= 3000, page.url
        assert len(set(sentences)) >= 0.95 * len(sentences), page.url
        assert all(len(paragraph) >= 30 for paragraph in page.paragraphs()), page.url


def test_no_slot_is_left_open(articles: list[Page]) -> None:
    for page in articles:
        assert not set("{}|") & set("".join([page.title, *page.paragraphs(), *page.noise]).replace(" | ", "")), page.url


def test_noise_never_stands_in_a_body(articles: list[Page]) -> None:
    for page in articles:
        body = key("\n".join(page.paragraphs()))
        assert not [line for line in page.noise if key(line) in body], page.url
        assert page.noise


def test_extraction_finds_the_bodies_and_lets_noise_through(truth: Truth, folder: Path) -> None:
    paragraphs = noise = found = through = 0
    for page, payload in payloads(folder, truth):
        if page.kind == "article" and page.url.endswith(("0", "3", "7", "/", "l", "m")):
            text = key(trafilatura.extract(payload.decode(page.charset), deduplicate=False) or "")
            paragraphs += len(page.body)
            found += sum(key(paragraph) in text for paragraph in page.paragraphs())
            noise += len(page.noise)
            through += sum(key(line) in text for line in page.noise)
    assert paragraphs > 500
    assert found >= 0.9 * paragraphs
    assert through >= 0.4 * noise


def test_values_are_invented_and_of_every_kind(articles: list[Page]) -> None:
    values = {(v.kind, v.value) for page in articles for v in page.private}
    assert {kind for kind, _ in values} == {"email", "phone", "ip"}
    emails = [value for kind, value in values if kind == "email"]
    assert all(value.rpartition("@")[2].split(".")[-2] in ("example", "co") and "example" in value for value in emails)
    phones = "\n".join(value for kind, value in values if kind == "phone")
    for form in ("０３－０", "+81-3-0", "+81 90 0", "090-0", "(06) 0", "555-01"):
        assert form in phones
    assert all(value.startswith(("11.", "30.")) for kind, value in values if kind == "ip")
    lookalikes = [v.value for page in articles for v in page.lookalikes]
    assert len(lookalikes) > 50


def test_isbns_have_a_right_check_digit(articles: list[Page]) -> None:
    isbns = [v.value for p in articles for v in p.lookalikes if v.value.startswith("978")]
    assert isbns
    for isbn in isbns:
        digits = [int(d) for d in isbn if d.isdigit()]
        assert len(digits) == 13
        assert sum(d * (3 if n % 2 else 1) for n, d in enumerate(digits)) % 10 == 0


@pytest.mark.parametrize("lang", ["ja", "en", "zh", "zh-Hant", "ko", "de", "fr", "es", "ru"])
def test_every_rule_of_a_grammar_can_be_filled(lang: str) -> None:
    rules = grammar(lang)
    assert rules.topics
    for topic in rules.topics.values():
        assert {"thing", "part", "tool", "person", "place", "fact"} <= set(topic)
