"""Limits of measurements by language: which table entry holds for a text, and which limit a text breaks.

A data file maps language → stage → ``MEASURE_at_least`` or ``MEASURE_at_most`` → number, beside lists and ``source``
strings. ``other`` (words spaced) and ``other_unspaced`` hold for every language; a language's own entry replaces single
values, null takes a limit away. An entry says by ``unspaced`` which kind of text it is made for: a text labelled
Japanese that is mostly Latin letters is measured in words, so it falls back to ``other``.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Values = Mapping[str, Any]
Overrides = Mapping[str, Mapping[str, float | None]]
LANGUAGE = re.compile(r"all|other|other_unspaced|[a-z]{2,3}(-[A-Za-z]+)?")
"""What an override may be for: every language, a fallback, or a language as lid.176 names it."""
EVERY = "all"
"""The key of overrides that hold for every language."""


@cache
def load(path: Path) -> dict[str, dict[str, Any]]:
    """The data file."""
    table: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return table


def entry(table: Mapping[str, Values], lang: str | None, unspaced: bool) -> str:
    """The name of the entry that holds for a text: its language, or the fallback of its script."""
    if lang is not None and lang in table and table[lang]["unspaced"] == unspaced:
        return lang
    return "other_unspaced" if unspaced else "other"


def values(
    table: Mapping[str, Values], name: str, stage: str, overrides: Overrides, lang: str | None = None
) -> dict[str, Any]:
    """What holds for a stage under an entry: fallback, then language, then overrides for all, then for the language."""
    fallback = "other_unspaced" if table[name]["unspaced"] else "other"
    layers = (table[fallback].get(stage, {}), table[name].get(stage, {}), overrides.get(EVERY, {}))
    merged: dict[str, Any] = {}
    for layer in (*layers, overrides.get(name, {}), overrides.get(lang or name, {})):
        merged.update(layer)
    return {key: value for key, value in merged.items() if value is not None and key != "source"}


def broken(limits: Values, measures: Mapping[str, float]) -> str | None:
    """The first limit broken, in the order of ``measures``: ``low_MEASURE`` or ``high_MEASURE``."""
    for name, value in measures.items():
        at_least, at_most = _sides(name)
        if value < limits.get(at_least, value):
            return f"low_{name}"
        if value > limits.get(at_most, value):
            return f"high_{name}"
    return None


@cache
def _sides(measure: str) -> tuple[str, str]:
    return f"{measure}_at_least", f"{measure}_at_most"


def checker(measures: Iterable[str]) -> Callable[[Overrides], Overrides]:
    """A check of overrides: ``ValueError`` for a key that limits none of ``measures``, or for no language."""
    names = tuple(measures)
    known = {f"{name}_{side}" for name in names for side in ("at_least", "at_most")}

    def checked(overrides: Overrides) -> Overrides:
        keys = {key for limits in overrides.values() for key in limits} - known
        unknown = sorted(keys | {name for name in overrides if not LANGUAGE.fullmatch(name)})
        if unknown:
            limits = f"MEASURE_at_least and MEASURE_at_most of {', '.join(names)}, by language"
            raise ValueError(f"no such limit: {', '.join(unknown)}; limits are {limits}")
        return overrides

    return checked


def share(part: int, whole: int) -> float:
    """``part / whole`` rounded to 3 decimals by whole numbers; 0 of nothing."""
    return (2000 * int(part) + int(whole)) // (2 * int(whole)) / 1000 if whole else 0.0
