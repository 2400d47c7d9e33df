"""Pages that a server sends instead of what was asked for: not found, log in, domain for sale, turn on JavaScript."""

import json
import re
from dataclasses import dataclass as plain
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.stages import STRICT, put

PHRASES = Path(__file__).with_name("not_a_page.json")
FILLER = re.compile("lorem ipsum dolor|(?:この文章|この文|これ)はダミー", re.IGNORECASE)


@plain(frozen=True)
class Rule:
    """A reason, the column its phrases stand in, the length from which a text is a page whatever it says."""

    reason: str
    where: Literal["title", "text"]
    most_characters: int
    phrases: re.Pattern[str]


@dataclass(frozen=True, config=STRICT)
class NotAPage:
    """Drop short texts that say in one of ten languages that there is nothing to read here.

    The reasons ``not_found`` (the title says it), ``nothing_here``, ``login``, ``parked`` and ``script_only`` have a
    length each (``not_a_page.json``), above which a text is taken for an article about such things: an explanation of
    status 404 stays. ``filler``: a text with ``most_filler`` or more pieces of lorem ipsum or its Japanese kin.
    """

    most_filler: int = 3

    revision: ClassVar[int] = 1
    data: ClassVar[tuple[Path, ...]] = (PHRASES,)
    reads: ClassVar[tuple[str, ...]] = ("text", "title")
    writes: ClassVar[dict[str, pa.DataType]] = {"drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = zip(batch["text"].to_pylist(), batch["title"].to_pylist(), strict=True)
        return put(self, batch, drop=[self._reason(text or "", title or "") for text, title in rows])

    def _reason(self, text: str, title: str) -> str | None:
        short = [rule for rule in _rules() if len(text) <= rule.most_characters]
        if short:
            columns = {"title": title.casefold(), "text": text.casefold()}
            found = next((rule.reason for rule in short if rule.phrases.search(columns[rule.where])), None)
            if found is not None:
                return found
        fillers = FILLER.finditer(text)
        return (
            "filler"
            if sum(1 for _ in zip(range(self.most_filler), fillers, strict=False)) >= self.most_filler
            else None
        )


@cache
def _rules() -> tuple[Rule, ...]:
    table = json.loads(PHRASES.read_text("utf-8"))
    return tuple(_rule(reason, **entry) for reason, entry in table.items())


def _rule(reason: str, where: Literal["title", "text"], most_characters: int, phrases: dict[str, list[str]]) -> Rule:
    words = sorted({phrase.casefold() for some in phrases.values() for phrase in some})
    return Rule(reason, where, most_characters, re.compile("|".join(map(re.escape, words))))
