"""Causal language modelling: each token is predicted from those before it (Radford et al. 2018)."""

from collections.abc import Iterator
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from corpusforge.tokens.packing import Rows, cut
from corpusforge.tokens.shards import Span
from corpusforge.train.objectives.micro_batch import Array, Material, MicroBatch, causal_inputs


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Causal:
    """Predict the next token; with ``boundaries`` a document of a sample sees no other."""

    use: Literal["causal"] = "causal"
    boundaries: bool = True

    @property
    def head(self) -> str:
        return "AutoModelForCausalLM"

    @property
    def apart(self) -> str | None:
        return "boundaries" if self.boundaries else None

    def inputs(self, rows: Rows) -> dict[str, Array]:
        return causal_inputs(rows, self.boundaries)

    def batch(self, material: Material, first: int, count: int) -> MicroBatch:
        rows = cut(material.stream.read(first, count), material.symbols.eod, self.boundaries)
        return MicroBatch(self.inputs(rows), rows.labels)

    def documents(self, material: Material, sample: int) -> Iterator[Span]:
        """The documents whose tokens a sample reads or predicts."""
        return material.stream.documents(sample)
