"""Instruction tuning: the responses of examples are predicted, their prompts only read."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from corpusforge.tokens.packing import Rows
from corpusforge.tokens.shards import Span
from corpusforge.train.objectives.micro_batch import Array, Material, MicroBatch, causal_inputs


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Instruction:
    """Predict the assistant's turns, with the token that ends each; ``turns: last`` only the last of an example.

    ``template`` is the name of a shipped chat template or a file of one; without it the model's own is taken.
    ``packing`` puts several examples in a row, none of which sees another.
    """

    use: Literal["instruction"] = "instruction"
    template: str | None = None
    turns: Literal["all", "last"] = "all"
    packing: bool = True

    @property
    def head(self) -> str:
        return "AutoModelForCausalLM"

    @property
    def apart(self) -> str | None:
        return "packing" if self.packing else None

    def inputs(self, rows: Rows) -> dict[str, Array]:
        return causal_inputs(rows, True)

    def batch(self, material: Material, first: int, count: int) -> MicroBatch:
        found = material.stream.locate(first, count)
        places = zip(found.sources.tolist(), found.positions.tolist(), strict=True)
        sources: Any = material.stream.sources
        packed = [sources[source].row(position, material.sequence) for source, position in places]
        rows = Rows(*(np.concatenate([getattr(row, name) for row in packed]) for name in Rows.__annotations__))
        return MicroBatch(self.inputs(rows), rows.labels)

    def documents(self, material: Material, sample: int) -> Iterator[Span]:
        """Examples are no documents of a corpus; ``examples`` of the source names their lines."""
        return iter(())
