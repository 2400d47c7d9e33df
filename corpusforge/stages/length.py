"""Documents too short or too long to learn from."""

from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.stages import STRICT, put
from corpusforge.text import limits
from corpusforge.text.addresses import without_addresses
from corpusforge.text.words import codes, kinds, units_per_word, word_spans

TABLE = Path(__file__).with_name("thresholds.json")


@dataclass(frozen=True, config=STRICT)
class TooShort:
    """Measure ``characters`` (code points) and ``words``; drop what is shorter than its language's minimum.

    Addresses of links do not count. ``at_least`` (code points) replaces the table for every language. The table: 50
    words where words are spaced (Gopher, Rae et al. 2021, table A1), 100 characters elsewhere, 200 for Japanese
    (Uzushio's last length filter; Swallow asks for 400 letters, which is strict for a general corpus).
    """

    at_least: int | None = None
    revision: ClassVar[int] = 2
    data: ClassVar[tuple[Path, ...]] = (TABLE,)
    reads: ClassVar[tuple[str, ...]] = ("text", "lang")
    writes: ClassVar[dict[str, pa.DataType]] = {"characters": pa.int32(), "words": pa.int32(), "drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = zip(batch["text"].to_pylist(), batch["lang"].to_pylist(), strict=True)
        measured = [self._measure(without_addresses(text or ""), lang) for text, lang in rows]
        characters, words, drop = zip(*measured, strict=True) if measured else ((), (), ())
        return put(self, batch, characters=characters, words=words, drop=drop)

    def _measure(self, text: str, lang: str | None) -> tuple[int, int, str | None]:
        words, unspaced = word_count(text)
        measures = {"characters": len(text), "words": words}
        if self.at_least is not None:
            return len(text), words, "low_characters" if len(text) < self.at_least else None
        table = limits.load(TABLE)
        name = limits.entry(table, lang, unspaced)
        return len(text), words, limits.broken(limits.values(table, name, "TooShort", {}), measures)


@dataclass(frozen=True, config=STRICT)
class TooLong:
    """Drop what has more code points than ``at_most``.

    A million is well above what Gopher allows (100 000 words): long laws and books stay, logs and dumps go.
    """

    at_most: int = 1_000_000
    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[dict[str, pa.DataType]] = {"drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        lengths = (len(text or "") for text in batch["text"].to_pylist())
        return put(self, batch, drop=["high_characters" if length > self.at_most else None for length in lengths])


def word_count(text: str) -> tuple[int, bool]:
    """The number of words, and whether the text is unspaced: there a word is a stated number of characters."""
    points = codes(text)
    per_word = units_per_word(points, kinds())
    return len(word_spans(points, kinds(), per_word > 1)) // per_word, per_word > 1
