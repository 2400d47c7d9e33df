"""Next-sentence prediction beside masked language modelling (Devlin et al. 2019), with a true random second part.

A sample's place in the stream names a document and a sentence of it. Sentences from there on are cut in two parts A and
B; half of the time B is taken from another document instead, and the model is to tell. Every draw hangs on the number
of the sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass as plain_dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from corpusforge.tokens.ends import ends_of
from corpusforge.tokens.packing import IGNORED
from corpusforge.tokens.shards import ERASED, Span, TokenSource
from corpusforge.train.objectives.masked import word_ends
from corpusforge.train.objectives.masks import drawn, hidden, key_of
from corpusforge.train.objectives.micro_batch import Material, MicroBatch

FOLLOWS, RANDOM = 0, 1
"""The classes of a pair, as ``transformers`` counts them."""
TRIES = 16
"""Draws for another document; a source with one document has none."""
SYMBOLS = 3
"""[CLS] A [SEP] B [SEP]"""

Ids = npt.NDArray[np.int64]


@plain_dataclass(frozen=True)
class Pair:
    """Two parts of documents as spans of tokens, and whether the second follows the first."""

    first: Span
    second: Span
    follows: int


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class NextSentence:
    """Tell whether the second part follows the first, and predict hidden tokens of both.

    Needs token shards written with ``boundaries: [sentences]``, and ``[words]`` where ``whole_words`` is set.
    ``short_share`` of the pairs are cut to a random shorter length.
    """

    use: Literal["next_sentence"] = "next_sentence"
    share: float = Field(default=0.15, gt=0, lt=1)
    whole_words: bool = True
    short_share: float = Field(default=0.1, ge=0, le=1)

    @property
    def head(self) -> str:
        return "AutoModelForPreTraining"

    def batch(self, material: Material, first: int, count: int) -> MicroBatch:
        shape = (count, material.sequence)
        inputs, types, seen = (np.zeros(shape, np.int64) for _ in range(3))
        inputs[:] = material.symbols.padding
        labels, pairs = np.full(shape, IGNORED, np.int64), np.full(count, IGNORED, np.int64)
        for row in range(count):
            pair = self.pair(material, first + row)
            if pair is not None:
                key = key_of(material.seed, "mask", first + row)
                length = self._fill(material, pair, key, inputs[row], types[row], labels[row])
                seen[row, :length], pairs[row] = 1, pair.follows
        given = {"input_ids": inputs, "token_type_ids": types, "attention_mask": seen}
        return MicroBatch(given, labels, pairs)

    def documents(self, material: Material, sample: int) -> Iterator[Span]:
        """The two parts of documents that a sample reads."""
        pair = self.pair(material, sample)
        if pair is not None:
            yield from (pair.first, pair.second)

    def pair(self, material: Material, sample: int) -> Pair | None:
        """The pair of a sample; None where its document is erased or has no two sentences and there is no other."""
        key = key_of(material.seed, "pair", sample)
        found = material.stream.locate(sample, 1)
        source = material.stream.line(int(found.sources[0]))
        here = _document_at(source, int(found.positions[0]) * material.sequence)
        if here is None:
            return None
        room = material.sequence - SYMBOLS
        if _share(drawn(key, 0)) < self.short_share:
            room = 2 + int(drawn(key, 1)) % max(1, room - 1)
        ends = _sentence_ends(here)
        begin = _sentence_of(ends, here.start, leave=1)
        return self._cut(source, here, ends, begin, room, key)

    def _cut(self, source: TokenSource, here: Span, ends: Ids, begin: int, room: int, key: Any) -> Pair | None:
        edges = np.concatenate([[0], ends])
        last = begin + 1
        while last < len(ends) and edges[last] - edges[begin] < room:
            last += 1
        single = last - begin == 1
        middle = begin + 1 if single else begin + 1 + int(drawn(key, 2)) % (last - begin - 1)
        first = _part(here, int(edges[begin]), int(edges[middle]))
        follows = None if single else _part(here, int(edges[middle]), int(edges[last]))
        other = None
        if follows is None or drawn(key, 3) & np.uint64(1):
            other = _other(source, here, max(1, room - first.count), key)
        second = other or follows
        if second is None:
            return None
        return _fitted(Pair(first, second, RANDOM if other else FOLLOWS), room, key)

    def _fill(self, material: Material, pair: Pair, key: Any, inputs: Ids, types: Ids, labels: Ids) -> int:
        symbols = material.symbols
        a, b = _ids(pair.first), _ids(pair.second)
        row = np.concatenate([[symbols.begin], a, [symbols.separator], b, [symbols.separator]])
        open_, ends = np.ones(len(row), bool), np.ones(len(row), bool)
        open_[[0, 1 + len(a), -1]] = False
        if self.whole_words:
            ends[1 : 1 + len(a)], ends[2 + len(a) : -1] = word_ends(pair.first), word_ends(pair.second)
        shown = (symbols.mask, symbols.vocabulary, symbols.eod)
        inputs[: len(row)], labels[: len(row)] = hidden(row, ends, open_, self.share, key, shown)
        types[2 + len(a) : len(row)] = 1
        return len(row)


def _share(draw: Any) -> float:
    return float(draw) / 2.0**64


def _document_at(source: TokenSource, place: int) -> Span | None:
    """The document at a place of a source's line, as the span from there to its end without its end-of-document token.

    None if it is erased or empty.
    """
    token = np.empty(1, np.int32)
    source.read(place, token)
    at = next(source.documents(place, 1))
    length = int(at.shard.index.lengths[at.document]) - 1
    if token[0] == ERASED or length < 1:
        return None
    start = min(at.start, length - 1)
    return Span(at.shard, at.document, start, length - start)


def _sentence_ends(document: Span) -> Ids:
    """Where the sentences of a document end, in its tokens."""
    begin, length = int(document.shard.starts[document.document]), document.start + document.count
    ends: Ids = np.flatnonzero(ends_of(document.shard, "sentence_ends").within(begin, length)) + 1
    return ends if len(ends) and ends[-1] == length else np.append(ends, length)


def _sentence_of(ends: Ids, token: int, leave: int = 0) -> int:
    """Number of the sentence with a token, or an earlier one, so that ``leave`` follow it where there are so many."""
    return max(0, min(int(np.searchsorted(ends, token, "right")), len(ends) - 1 - leave))


def _part(document: Span, start: int, end: int) -> Span:
    return Span(document.shard, document.document, start, end - start)


def _other(source: TokenSource, here: Span, room: int, key: Any) -> Span | None:
    """Sentences of another document, from a random one on, about ``room`` tokens of them."""
    for turn in range(TRIES):
        there = _document_at(source, int(drawn(key, 16 + turn) % np.uint64(source.tokens)))
        if there is None or (there.shard is here.shard and there.document == here.document):
            continue
        ends = _sentence_ends(there)
        begin = _sentence_of(ends, there.start)
        start = int(ends[begin - 1]) if begin else 0
        last = min(len(ends) - 1, int(np.searchsorted(ends, start + room)))
        return _part(there, start, int(ends[last]))
    return None


def _fitted(pair: Pair, room: int, key: Any) -> Pair:
    """The pair cut to ``room`` tokens: the longer part first, each at its beginning or its end."""
    room = max(room, 2)
    kept = pair.first.count, pair.second.count
    if sum(kept) > room:
        short = min(*kept, room // 2)
        kept = (short, room - short) if pair.first.count <= pair.second.count else (room - short, short)
    parts = [
        _trimmed(part, n, int(drawn(key, 4 + number)) & 1)
        for number, (part, n) in enumerate(zip((pair.first, pair.second), kept, strict=True))
    ]
    return Pair(parts[0], parts[1], pair.follows)


def _trimmed(part: Span, count: int, from_end: int) -> Span:
    start = part.start + (part.count - count if from_end else 0)
    return Span(part.shard, part.document, start, count)


def _ids(part: Span) -> Ids:
    begin = int(part.shard.starts[part.document]) + part.start
    return part.shard.ids[begin : begin + part.count].astype(np.int64)
