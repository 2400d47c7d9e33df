"""Documents that repeat themselves (Gopher, Rae et al. 2021, table A1)."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from corpusforge.stages import STRICT, put
from corpusforge.text import limits
from corpusforge.text.addresses import without_addresses
from corpusforge.text.limits import share
from corpusforge.text.lines import line_spans
from corpusforge.text.repeats import repeated_ngrams, repeated_spans
from corpusforge.text.words import Codes, codes, hashes_of, kinds, units_per_word, word_spans

TABLE = Path(__file__).with_name("thresholds.json")
TOP, AGAIN = (2, 3, 4), (5, 6, 7, 8, 9, 10)
LEAST = 3
"""Letters or digits of a line that counts: the numbers of paragraphs and items stand on lines of their own in laws."""
MEASURES: dict[str, pa.DataType] = {
    "dup_line_share": pa.float32(),
    "dup_paragraph_share": pa.float32(),
    "dup_line_character_share": pa.float32(),
    "dup_paragraph_character_share": pa.float32(),
    **{f"top_{n}gram_share": pa.float32() for n in TOP},
    **{f"dup_{n}gram_share": pa.float32() for n in AGAIN},
}


Thresholds = Annotated[Mapping[str, Mapping[str, float | None]], AfterValidator(limits.checker(MEASURES))]


@dataclass(frozen=True, config=STRICT)
class GopherRepetition:
    """Measure how much of a text repeats; drop what breaks a limit of its language.

    Line and paragraph shares are by number and by characters; the first occurrence does not count. ``top_Ngram_share``:
    characters of the most frequent N-gram; ``dup_Ngram_share``: characters of N-grams seen before; both of all
    characters, addresses of links apart. N counts words; where words are not spaced a word is 2 characters (Thai and
    its like: 3), so that the limits FineWeb-2 found for Japanese and Chinese words hold without a segmenter: real
    books, news and laws stay, which plain character n-grams of the same N would drop. ``thresholds`` replaces limits by
    language (or ``all``): ``{ja: {dup_10gram_share_at_most: 0.2}}``, null takes one away. ``repetition_limits`` names
    the entry used: languages without one get ``other`` or ``other_unspaced``.
    """

    thresholds: Thresholds = field(default_factory=dict, hash=False)
    revision: ClassVar[int] = 2
    data: ClassVar[tuple[Path, ...]] = (TABLE,)
    reads: ClassVar[tuple[str, ...]] = ("text", "lang")
    writes: ClassVar[dict[str, pa.DataType]] = {**MEASURES, "repetition_limits": pa.string(), "drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        table = limits.load(TABLE)
        columns: dict[str, list[object]] = {name: [] for name in self.writes}
        limits_of: dict[tuple[str, str | None], dict[str, Any]] = {}
        for text, lang in zip(batch["text"].to_pylist(), batch["lang"].to_pylist(), strict=True):
            points = codes(without_addresses(text or ""))
            per_word = units_per_word(points, kinds())
            measures = repetition(points, per_word)
            name = limits.entry(table, lang, per_word > 1)
            if (name, lang) not in limits_of:
                limits_of[name, lang] = limits.values(table, name, "GopherRepetition", self.thresholds, lang)
            held = limits_of[name, lang]
            row = {**measures, "repetition_limits": name, "drop": limits.broken(held, measures)}
            for column, value in row.items():
                columns[column].append(value)
        return put(self, batch, **columns)


def repetition(points: Codes, per_word: int) -> dict[str, float]:
    """All measures of one text, rounded to 3 decimals."""
    measures: dict[str, float] = {}
    parts = {part: line_spans(points, kinds(), part == "paragraph", LEAST) for part in ("line", "paragraph")}
    for part, spans in parts.items():
        count, length = repeated_spans(hashes_of(points, spans), spans)
        measures[f"dup_{part}_share"] = share(count, len(spans))
        measures[f"dup_{part}_character_share"] = share(length, len(points))
    spans = word_spans(points, kinds(), per_word > 1)
    lengths = (spans[:, 1] - spans[:, 0]).astype(np.int64)
    top, again = np.array(TOP) * per_word, np.array(AGAIN) * per_word
    tops, agains = repeated_ngrams(hashes_of(points, spans), lengths, top, again)
    measures |= {f"top_{n}gram_share": share(part, len(points)) for n, part in zip(TOP, tops, strict=True)}
    measures |= {f"dup_{n}gram_share": share(part, len(points)) for n, part in zip(AGAIN, agains, strict=True)}
    return {name: measures[name] for name in MEASURES}
