"""Prose by grammar: sentence patterns whose slots are filled from a language's and a topic's vocabulary."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from corpusforge.demo.truth import Body

SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Grammar:
    """A language's patterns; ``topics`` holds the rules that a topic adds, ``fact`` being added to the general ones."""

    join: str
    titles: tuple[str, ...]
    sentences: tuple[str, ...]
    rules: Mapping[str, tuple[str, ...]]
    topics: Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def table(name: str) -> dict[str, Any]:
    """A data file of the demo."""
    data: dict[str, Any] = json.loads(files("corpusforge.demo").joinpath(f"{name}.json").read_text("utf-8"))
    return data


@cache
def grammar(lang: str) -> Grammar:
    """The grammar of a language that has a data file."""
    data = table(lang)
    rules = _choices(data["rules"])
    topics = {name: _choices(own) for name, own in data["topics"].items()}
    for own in topics.values():
        own["fact"] = own["fact"] + rules.get("fact", ())
    return Grammar(data["join"], tuple(data["title"]), tuple(data["sentence"]), rules, topics)


def _choices(rules: Mapping[str, str | list[str]]) -> dict[str, tuple[str, ...]]:
    """Alternatives stand in a list, or in one string with bars between them."""
    return {name: tuple(given.split("|") if isinstance(given, str) else given) for name, given in rules.items()}


@dataclass
class Voice:
    """One page's writer: remembers what it has said, so that nothing comes twice before everything has come once."""

    lang: str
    topic: str
    rng: Random
    said: dict[str, set[int]] = field(default_factory=dict)
    sentences: set[str] = field(default_factory=set)

    def title(self) -> str:
        return _capital(self._fill(self.rng.choice(grammar(self.lang).titles)))

    def sentence(self) -> str:
        """A sentence that is not among ``sentences`` yet; after nine tries a repeated one."""
        for _ in range(9):
            sentence = _capital(self._fill(self._pick("sentence", grammar(self.lang).sentences)))
            if sentence not in self.sentences:
                break
        self.sentences.add(sentence)
        return sentence

    def body(self, sentences: int) -> Body:
        """Paragraphs of three to six sentences, ``sentences`` in all."""
        paragraphs: list[tuple[str, ...]] = []
        while sentences > 0:
            count = sentences if sentences <= 6 else min(self.rng.randint(3, 6), sentences - 3)
            paragraphs.append(tuple(self.sentence() for _ in range(count)))
            sentences -= count
        return tuple(paragraphs)

    def _fill(self, pattern: str) -> str:
        return SLOT.sub(lambda slot: self._slot(slot[1]), pattern)

    def _slot(self, name: str) -> str:
        if name[0].isupper():
            return _capital(self._slot(name.lower()))
        rules = grammar(self.lang)
        choices = rules.topics[self.topic].get(name) or rules.rules.get(name)
        return self._fill(self._pick(name, choices)) if choices else number(name, self.rng)

    def _pick(self, name: str, choices: tuple[str, ...]) -> str:
        said = self.said.setdefault(name, set())
        if len(said) == len(choices):
            said.clear()
        index = self.rng.randrange(len(choices))
        while index in said:
            index = (index + 1) % len(choices)
        said.add(index)
        return choices[index]


RANGES = {
    "n": (2, 19),
    "year": (1952, 2024),
    "month": (1, 12),
    "day": (1, 28),
    "hour": (7, 11),
    "pct": (3, 48),
    "big": (120, 4870),
}


def number(name: str, rng: Random) -> str:
    """A number of a named kind; raises ``KeyError`` for a slot that no rule and no range fills."""
    if name == "minute":
        return str(rng.randrange(10, 60, 5))
    if name == "price":
        return f"{rng.randint(4, 129) * 100:,}"
    return str(rng.randint(*RANGES[name]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
