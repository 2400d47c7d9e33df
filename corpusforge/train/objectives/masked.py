"""Masked language modelling: hidden tokens are predicted from those around them (Devlin et al. 2019)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from corpusforge.tokens.ends import ends_of
from corpusforge.tokens.packing import Rows, cut
from corpusforge.tokens.shards import ERASED, Span
from corpusforge.train.objectives.masks import hidden, key_of
from corpusforge.train.objectives.micro_batch import Array, Material, MicroBatch


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Masked:
    """Hide ``share`` of the tokens, whole words at a time where ``whole_words`` is set, and predict them.

    Words are those that the token shards were written with (``boundaries: [words]`` of the tokenize pass). The masks of
    a sample hang on its number, so they are others in each epoch.
    """

    use: Literal["masked"] = "masked"
    share: float = Field(default=0.15, gt=0, lt=1)
    whole_words: bool = True
    boundaries: bool = True

    @property
    def head(self) -> str:
        return "AutoModelForMaskedLM"

    @property
    def apart(self) -> str | None:
        return "boundaries" if self.boundaries else None

    def inputs(self, rows: Rows) -> dict[str, Array]:
        given: dict[str, Array] = {"input_ids": rows.inputs}
        if self.boundaries:
            given |= {"position_ids": rows.positions, "attention_mask": same_document(rows.documents)}
        return given

    def batch(self, material: Material, first: int, count: int) -> MicroBatch:
        ids, symbols = material.stream.read(first, count), material.symbols
        rows = cut(ids, symbols.eod, self.boundaries)
        shown = (symbols.mask, symbols.vocabulary, symbols.eod)
        inputs, labels = np.empty_like(rows.inputs), np.empty_like(rows.labels)
        for row in range(count):
            open_ = (ids[row, :-1] != symbols.eod) & (ids[row, :-1] != ERASED)
            ends = self._ends(material, first + row)
            key = key_of(material.seed, "mask", first + row)
            inputs[row], labels[row] = hidden(rows.inputs[row], ends, open_, self.share, key, shown)
        return MicroBatch(self.inputs(replace(rows, inputs=inputs)), labels)

    def documents(self, material: Material, sample: int) -> Iterator[Span]:
        """The documents whose tokens a sample reads."""
        return material.stream.documents(sample)

    def _ends(self, material: Material, sample: int) -> npt.NDArray[np.bool_]:
        if not self.whole_words:
            return np.ones(material.sequence, bool)
        found = [word_ends(span) for span in material.stream.documents(sample)]
        return np.concatenate(found)[:-1]


def word_ends(span: Span) -> Any:
    """Whether a word ends behind each token of a part of a document."""
    begin = int(span.shard.starts[span.document]) + span.start
    return ends_of(span.shard, "word_ends").within(begin, span.count)


def same_document(documents: Array) -> Array:
    """Which tokens see which: bool of (rows, 1, tokens, tokens)."""
    seen: Array = documents[:, None, :, None] == documents[:, None, None, :]
    return seen
