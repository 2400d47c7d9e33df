"""The words of noise lines by language, and the form in which they are compared.

The lists are our own. Those of the text's language and of English hold; those of all languages where the language is
not known or has none.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpusforge.text import noise_marks
from corpusforge.text.noise_marks import Index, index_of

WORDS = Path(__file__).with_name("noise_words.json")
"""The file of the lists; its digest is part of the identity of the stage that uses them."""
COOKIES = ("cookie", "クッキー", "쿠키")
CALLS = 12
"""Sales words, first in their lists, that make a line without a price or sign worth a look."""
ROW = 5
"""Words of the longest phrase in a row of buttons."""
_NUMBER = r"\d[\d,.]*\s?(?:万|億|千|k|m|만|тыс)?\+?"
_SIGNS = "".join(
    chr(code)
    for code in (*range(0x20, 0x30), *range(0x30, 0x41), *range(0x5B, 0x61), *range(0x7B, 0x7F), *range(0xA0, 0xC0))
)
_MORE_SIGNS = "\t\u200b\ufe0f‐–—―‘’“”•‥…‹›※「」『』【】〔〕〈〉《》。、・〜←↑→↓⇒➡➤▶▷►◀◁▲△▼▽■□◆◇●○◎★☆✓✔♪♥❤¶│┃─"
_EDGES = _SIGNS + _MORE_SIGNS


@dataclass(frozen=True)
class Words:
    """The word lists that hold for a text."""

    alone: frozenset[str]
    weak: frozenset[str]
    heads: frozenset[str]
    home: frozenset[str]
    pages: frozenset[str]
    known: frozenset[str]
    openers: Mapping[str, int]
    sale: tuple[str, ...]
    ends: tuple[str, ...]
    counter: re.Pattern[str]
    index: Index


@cache
def words_of(lang: str | None) -> Words:
    """The lists of a language together with English; of all languages where there is none."""
    table = json.loads(WORDS.read_text("utf-8"))
    chosen = [table[lang], table["en"]] if lang in table else list(table.values())
    lists = {name: list(dict.fromkeys(fold(w) for entry in chosen for w in entry[name])) for name in table["en"]}
    keys = {name: frozenset(key for word in lists[name] if (key := key_of(word))) for name in lists}
    nouns = "|".join(re.escape(word) for word in sorted(lists["counters"], key=len, reverse=True))
    one = rf"(?:{_NUMBER}\s?(?:{nouns})|(?:{nouns})\s?[:(]?\s?{_NUMBER}\)?)"
    known = keys["alone"] | keys["weak"] | keys["home"]
    return Words(
        alone=keys["alone"],
        weak=keys["weak"],
        heads=keys["heads"],
        home=keys["home"],
        pages=keys["pages"],
        known=known,
        openers=_openers(known),
        **{name: tuple(lists[name]) for name in ("sale", "ends")},
        counter=re.compile(rf"\W{{0,3}}{one}(?:[\W_]{{1,4}}{one})*\W{{0,3}}"),
        index=index_of(_phrases(lists), _single(known | keys["heads"]), _single(keys["pages"]), _EDGES),
    )


def _openers(known: Iterable[str]) -> dict[str, int]:
    """The first word of each known phrase, and words of the longest phrase that begins with it."""
    longest: dict[str, int] = {}
    for phrase in known:
        parts = phrase.split(" ")
        if len(parts) <= ROW:
            longest[parts[0]] = max(len(parts), longest.get(parts[0], 0))
    return longest


def _phrases(lists: Mapping[str, list[str]]) -> dict[int, Iterable[str]]:
    """The phrases that are looked for inside lines, by their mark."""
    return {
        noise_marks.ADS: lists["ads"],
        noise_marks.LABEL: lists["labels"],
        noise_marks.CATEGORY: lists["category"],
        noise_marks.END: lists["ends"],
        noise_marks.INSIDE: lists["inside"],
        noise_marks.ACCOUNT: lists["account"],
        noise_marks.VISITOR: lists["visitor"],
        noise_marks.SITE: lists["site"],
        noise_marks.COOKIE: COOKIES,
        noise_marks.CALL: lists["sale"][:CALLS],
        noise_marks.COUNTED: [noun for noun in lists["counters"] if len(noun) > 1],
        noise_marks.RIGHTS: ("(c)", "copyright"),
    }


def _single(keys: Iterable[str]) -> set[str]:
    """The words of keys, without signs at their ends; of a word with a sign of heads inside also what is before it."""
    words = {word for key in keys for word in key.split(" ")}
    words |= {re.split("[:】\\]]", word)[0] for word in words}
    return {bare for word in words if (bare := word.strip(_EDGES))}


def fold(text: str) -> str:
    """NFKC and lower case: what words are compared in."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower()


def key_of(line: str) -> str:
    """A line without signs and digits at its ends, with single spaces."""
    return " ".join(line.strip(_EDGES).split())
