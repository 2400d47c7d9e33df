"""The words of noise lines by language, and the form in which they are compared.

The lists are our own. Those of the text's language and of English hold; those of all languages where the language is
not known or has none.
"""

import json
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("noise_words.json")
"""The file of the lists; its digest is part of the identity of the stage that uses them."""
COOKIES = ("cookie", "クッキー", "쿠키")
CJK = re.compile(r"[぀-ヿ㐀-鿿가-힣]")
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
    inside: tuple[str, ...]
    labels: tuple[str, ...]
    category: tuple[str, ...]
    ads: tuple[str, ...]
    account: tuple[str, ...]
    visitor: tuple[str, ...]
    site: tuple[str, ...]
    sale: tuple[str, ...]
    ends: tuple[str, ...]
    counter: re.Pattern[str]

    def found_in(self, text: str) -> "Words":
        """The lists with only those phrases that occur at all, where a phrase is looked for inside lines."""
        cookies = any(word in text for word in COOKIES)
        return replace(
            self,
            inside=tuple(phrase for phrase in self.inside if phrase in text),
            account=tuple(phrase for phrase in self.account if phrase in text),
            site=tuple(phrase for phrase in self.site if phrase in text) if cookies else (),
        )


@cache
def words_of(lang: str | None) -> Words:
    """The lists of a language together with English; of all languages where there is none."""
    table = json.loads(WORDS.read_text("utf-8"))
    chosen = [table[lang], table["en"]] if lang in table else list(table.values())
    lists = {name: list(dict.fromkeys(fold(w) for entry in chosen for w in entry[name])) for name in table["en"]}
    keys = {name: frozenset(key for word in lists[name] if (key := key_of(word))) for name in lists}
    nouns = "|".join(re.escape(word) for word in sorted(lists["counters"], key=len, reverse=True))
    one = rf"(?:{_NUMBER}\s?(?:{nouns})|(?:{nouns})\s?[:(]?\s?{_NUMBER}\)?)"
    return Words(
        alone=keys["alone"],
        weak=keys["weak"],
        heads=keys["heads"],
        home=keys["home"],
        pages=keys["pages"],
        **{name: tuple(lists[name]) for name in ("inside", "labels", "category", "ads", "account", "visitor")},
        **{name: tuple(lists[name]) for name in ("site", "sale", "ends")},
        counter=re.compile(rf"\W{{0,3}}{one}(?:[\W_]{{1,4}}{one})*\W{{0,3}}"),
    )


def fold(text: str) -> str:
    """NFKC and lower case: what words are compared in."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower()


def key_of(line: str) -> str:
    """A line without signs and digits at its ends, with single spaces."""
    return " ".join(line.strip(_EDGES).split())
