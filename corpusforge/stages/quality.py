"""Documents that do not look like written language (Gopher, FineWeb and Swallow rules by language)."""

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from corpusforge.kernels import compiled, kernel
from corpusforge.stages import STRICT, put
from corpusforge.text import limits
from corpusforge.text.addresses import without_addresses
from corpusforge.text.limits import share
from corpusforge.text.lines import Spans, line_spans
from corpusforge.text.words import (
    DIGIT,
    HAN,
    HIRAGANA,
    KATAKANA,
    LETTER,
    SPACE,
    UNSPACED,
    WORD,
    Codes,
    Kinds,
    codes,
    hash_of,
    kinds,
    lowered,
    units_per_word,
    word_spans,
)

TABLE = Path(__file__).with_name("thresholds.json")
SHORT_LINE = 30
"""Characters of a line that FineWeb calls short."""
BULLETS = np.frombuffer("•●○■□▪▫‣◦◆◇・*-–—".encode("utf-32-le"), np.uint32)
ELLIPSIS = np.frombuffer("…‥".encode("utf-32-le"), np.uint32)
SENTENCES = 3
FULL_WIDTH = 0x3000
SENTENCE_ENDS = np.frombuffer("。．！？.!?．｡।။។".encode("utf-32-le"), np.uint32)

MEASURES: dict[str, pa.DataType] = {
    "words": pa.int32(),
    "mean_word_length": pa.float32(),
    "hash_share": pa.float32(),
    "ellipsis_share": pa.float32(),
    "bullet_line_share": pa.float32(),
    "ellipsis_line_share": pa.float32(),
    "alphabetic_word_share": pa.float32(),
    "stop_words": pa.int32(),
    "punctuated_line_share": pa.float32(),
    "short_line_share": pa.float32(),
    "newline_share": pa.float32(),
    "hiragana_share": pa.float32(),
    "katakana_share": pa.float32(),
    "japanese_share": pa.float32(),
    "mean_sentence_length": pa.float32(),
}


Thresholds = Annotated[Mapping[str, Mapping[str, float | None]], AfterValidator(limits.checker(MEASURES))]


@dataclass(frozen=True, config=STRICT)
class GopherQuality:
    """Measure marks of written language, addresses of links apart; drop what breaks a limit of its language.

    Spaced text: ``words``, their mean length, share of those with a letter (bare symbols count as words), ``#`` and
    ellipses per word, distinct stop words. Unspaced text: a word is 2 characters (Thai and its like: 3), the
    alphabetic share is of characters. Lines: share that begins with a bullet, ends with an ellipsis, ends with the
    language's terminal punctuation (or holds three ends of sentences), is short (30 characters); line feeds per word.
    Japanese: shares of hiragana, katakana and all Japanese letters in what is not space; mean characters of a sentence
    (ends at 。！？ or the line).
    ``thresholds`` replaces limits by language (or ``all``): ``{ja: {hiragana_share_at_least: 0.1}}``, null takes one
    away. ``quality_limits`` names the entry used: languages without one get ``other`` or ``other_unspaced``.
    """

    thresholds: Thresholds = field(default_factory=dict, hash=False)
    revision: ClassVar[int] = 3
    data: ClassVar[tuple[Path, ...]] = (TABLE,)
    reads: ClassVar[tuple[str, ...]] = ("text", "lang")
    writes: ClassVar[dict[str, pa.DataType]] = {**MEASURES, "quality_limits": pa.string(), "drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        table = limits.load(TABLE)
        columns: dict[str, list[Any]] = {name: [] for name in self.writes}
        limits_of: dict[tuple[str, str | None], dict[str, Any]] = {}
        for written, lang in zip(batch["text"].to_pylist(), batch["lang"].to_pylist(), strict=True):
            text = without_addresses(written or "")
            points = codes(text)
            per_word = units_per_word(points, kinds())
            name = limits.entry(table, lang, per_word > 1)
            if (name, lang) not in limits_of:
                limits_of[name, lang] = limits.values(table, name, "GopherQuality", self.thresholds, lang)
            held = limits_of[name, lang]
            ends = held["terminal_punctuation"]
            measures = quality(text, points, per_word, tuple(held["stop_word_list"]), ends)
            row = {**measures, "quality_limits": name, "drop": limits.broken(held, measures)}
            for column, value in row.items():
                columns[column].append(value)
        return put(self, batch, **columns)


def quality(text: str, points: Codes, per_word: int, stop_words: tuple[str, ...], ends: str) -> dict[str, float]:
    """All measures of one text; shares and means are rounded to 3 decimals."""
    table = kinds()
    spans = word_spans(points, table, per_word > 1)
    lines = line_spans(points, table)
    letters, marks, hashes, ellipses, hiragana, katakana, japanese, sentences, feeds = _characters(points, table)
    bullets, trailing, terminal, short = _lines(points, lines, _points(ends))
    if per_word > 1:
        words, alphabetic = len(spans) // per_word, share(letters, marks)
        mean, stops = float(per_word), sum(word in text for word in stop_words)
    else:
        words = len(spans)
        symbols, length, spaced, with_letter = _words(points, spans, table)
        alphabetic, mean = share(with_letter, words + symbols), share(length, spaced)
        longest = max(map(len, stop_words), default=0)
        stops = int(_distinct(lowered(), points, spans, _hashes(stop_words), longest))
    return {
        "words": words,
        "mean_word_length": mean,
        "hash_share": share(hashes, words),
        "ellipsis_share": share(ellipses, words),
        "bullet_line_share": share(bullets, len(lines)),
        "ellipsis_line_share": share(trailing, len(lines)),
        "alphabetic_word_share": alphabetic,
        "stop_words": stops,
        "punctuated_line_share": share(terminal, len(lines)),
        "short_line_share": share(short, len(lines)),
        "newline_share": share(feeds, words),
        "hiragana_share": share(hiragana, marks),
        "katakana_share": share(katakana, marks),
        "japanese_share": share(japanese, marks),
        "mean_sentence_length": share(marks, sentences),
    }


@cache
def _points(characters: str) -> Codes:
    return codes(characters)


@cache
def _hashes(words: tuple[str, ...]) -> NDArray[np.uint64]:
    return np.array([hash_of(codes(word), 0, len(word)) for word in words], np.uint64)


@kernel
def _any(values: Codes, value: int) -> bool:
    for one in values:  # noqa: SIM110 (numba compiles no generators)
        if one == value:
            return True
    return False


@kernel
def _characters(points: Codes, table: Kinds) -> tuple[int, ...]:
    """Letters, characters but space, ``#``, ellipses, hiragana, katakana, Japanese letters, sentences, line feeds."""
    letters = marks = hashes = ellipses = hiragana = katakana = japanese = sentences = feeds = 0
    open_sentence, dots = False, 0
    for point in points:
        kind = table[point] if point < len(table) else 0
        letters += kind & LETTER > 0
        marks += kind & SPACE == 0
        hiragana += kind & HIRAGANA > 0
        katakana += kind & KATAKANA > 0
        japanese += kind & (HIRAGANA | KATAKANA | HAN) > 0
        if kind & WORD:
            # No letter, digit or mark is one of the signs below.
            open_sentence, dots = True, 0
            continue
        dots = dots + 1 if point == 0x2E else 0
        hashes += point == 0x23
        ellipses += dots == 3 or _any(ELLIPSIS, point)
        feeds += point == 0x0A
        if point == 0x0A or _any(SENTENCE_ENDS, point):
            sentences += open_sentence
            open_sentence = False
    return letters, marks, hashes, ellipses, hiragana, katakana, japanese, sentences + open_sentence, feeds


@kernel
def _lines(points: Codes, lines: Spans, ends: Codes) -> tuple[int, int, int, int]:
    """Lines that begin with a bullet, end with an ellipsis, end with terminal punctuation, are short.

    A line with ``SENTENCES`` ends of sentences inside is prose whatever it ends with: a paragraph that was cut off.
    """
    bullets = trailing = terminal = short = 0
    for start, end in lines:
        last = points[end - 1]
        dotted = end - start > 3 and last == 0x2E and points[end - 2] == 0x2E and points[end - 3] == 0x2E
        bullets += _any(BULLETS, points[start])
        trailing += dotted or _any(ELLIPSIS, last)
        terminal += _any(ends, last) or _ends_inside(points, start, end) >= SENTENCES
        short += end - start <= SHORT_LINE
    return bullets, trailing, terminal, short


@kernel
def _ends_inside(points: Codes, start: int, end: int) -> int:
    """Ends of sentences inside a line: full-width marks, others before a space."""
    found = 0
    for at in range(start, end - 1):
        if (points[at] >= FULL_WIDTH or points[at + 1] == 0x20) and _any(SENTENCE_ENDS, points[at]):
            found += 1
    return found


@kernel
def _words(points: Codes, spans: Spans, table: Kinds) -> tuple[int, int, int, int]:
    """Runs of symbols between spaces, characters and number of spaced words, words with a letter."""
    length = spaced = with_letter = symbols = 0
    for start, end in spans:
        if not table[points[start]] & UNSPACED:
            length += end - start
            spaced += 1
        for at in range(start, end):
            if table[points[at]] & LETTER:
                with_letter += 1
                break
    only_symbols, before = False, SPACE
    for at in range(len(points) + 1):
        kind = SPACE if at == len(points) else int(table[points[at]]) if points[at] < len(table) else 0
        if kind & SPACE:
            symbols += only_symbols
            only_symbols = False
        elif kind & (LETTER | DIGIT):
            only_symbols = False
        elif before & SPACE:
            only_symbols = True
        before = kind
    return symbols, length, spaced, with_letter


@compiled
def _distinct(lower: Codes, points: Codes, spans: Spans, wanted: NDArray[np.uint64], longest: int) -> int:
    """How many of the wanted words, of at most ``longest`` characters, occur, whatever their case."""
    seen = np.zeros(len(wanted), np.bool_)
    small = np.empty(longest, np.uint32)
    for start, end in spans:
        if end - start > longest:
            continue
        for at in range(start, end):
            point = points[at]
            small[at - start] = lower[point] if point < len(lower) else point
        value = hash_of(small, 0, end - start)
        for which in range(len(wanted)):
            if wanted[which] == value:
                seen[which] = True
    return int(seen.sum())
