"""A micro-batch, and what objectives read to make one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from corpusforge.tokens.packing import IGNORED, Rows
from corpusforge.tokens.shards import Span
from corpusforge.tokens.stream import Stream
from corpusforge.train.symbols import Symbols

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class MicroBatch:
    """Arguments of the model by name, and what it is to predict.

    ``labels`` are int64 of (rows, tokens), each under the input that predicts it, ``IGNORED`` where nothing is
    predicted. ``pairs`` are the classes of whole rows, where there are any.
    """

    inputs: Mapping[str, Array]
    labels: Array
    pairs: Array | None = None

    def counts(self) -> Array:
        """What each row predicts: int64 of (rows, terms), tokens first, then pairs."""
        tokens: Array = (self.labels != IGNORED).sum(1)
        if self.pairs is None:
            return tokens[:, None]
        return np.stack([tokens, self.pairs != IGNORED], axis=1)

    def silent(self) -> "MicroBatch":
        """The same rows, which predict nothing."""
        pairs = None if self.pairs is None else np.full_like(self.pairs, IGNORED)
        return MicroBatch(self.inputs, np.full_like(self.labels, IGNORED), pairs)


@dataclass(frozen=True)
class Material:
    """What objectives read: the stream of samples, the symbols of its tokenizer, and the seed of a run."""

    stream: Stream
    symbols: Symbols
    seed: int = field(default=0)

    @property
    def sequence(self) -> int:
        return self.stream.sequence


class Objective(Protocol):
    """``head`` is the class of ``transformers`` that has the right output."""

    @property
    def head(self) -> str: ...
    def batch(self, material: Material, first: int, count: int) -> MicroBatch: ...
    def documents(self, material: Material, sample: int) -> Iterator[Span]: ...


class Packing(Objective, Protocol):
    """An objective that may have documents share a row.

    ``apart`` names the option by which they do not see each other, None where it is off. ``inputs`` are the model's
    arguments for rows.
    """

    @property
    def apart(self) -> str | None: ...
    def inputs(self, rows: Rows) -> dict[str, Array]: ...


def causal_inputs(rows: Rows, boundaries: bool) -> dict[str, Array]:
    """Arguments of a causal model: it finds the documents of a row by positions that start anew, if it looks there.

    ``isolation.check`` tells whether it does.
    """
    return {"input_ids": rows.inputs, **({"position_ids": rows.positions} if boundaries else {})}


def empty(batch: MicroBatch, rows: int) -> MicroBatch:
    """``batch`` with rows that predict nothing added at its end, up to ``rows``."""
    missing = rows - len(batch.labels)
    if not missing:
        return batch

    def filled(array: Array, value: int | None = None) -> Array:
        more = np.repeat(array[-1:], missing, axis=0)
        return np.concatenate([array, more if value is None else np.full_like(more, value)])

    inputs = {name: filled(array) for name, array in batch.inputs.items()}
    pairs = None if batch.pairs is None else filled(batch.pairs, IGNORED)
    return MicroBatch(inputs, filled(batch.labels, IGNORED), pairs)
