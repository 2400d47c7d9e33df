"""Loss on held-out text: the same samples each time, dealt to the workers, a figure for each source.

Bits per byte do not hang on the tokenizer: what the model pays for a text, ends of documents included, over its bytes.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from corpusforge.tokens.packing import IGNORED
from corpusforge.tokens.stream import Source
from corpusforge.train.batches import Share
from corpusforge.train.config import Config
from corpusforge.train.held_out import SEED, held_out, looked_at
from corpusforge.train.losses import judged, on_device
from corpusforge.train.objectives.micro_batch import Material, MicroBatch, empty
from corpusforge.train.symbols import Symbols
from corpusforge.train.workers import Workers

Told = dict[str, float]


class Validation:
    """The first ``samples`` held-out samples of each source; ``token_bytes`` says how long each id is as text."""

    def __init__(
        self,
        config: Config,
        sources: Mapping[str, Source],
        symbols: Symbols,
        token_bytes: npt.NDArray[np.int64] | None,
    ) -> None:
        self._config, self._bytes = config, token_bytes if config.objective.use == "causal" else None
        sequence = config.data.sequence
        self._materials = {
            name: Material(held_out(name, source, sequence), symbols, SEED)
            for name, source in sources.items()
            if source.positions(sequence)
        }

    @property
    def names(self) -> list[str]:
        return list(self._materials)

    def __call__(self, engine: Any, workers: Workers) -> dict[str, Told]:
        """Figures of each source: ``loss`` in nats a predicted token and ``tokens``; ``bytes`` and ``bits_per_byte``
        where the length of tokens is known; ``pairs`` and their ``accuracy`` where pairs are predicted. Every worker
        calls this."""
        engine.eval()
        with torch.no_grad():
            found = {name: self._figures(name, engine, workers) for name in self._materials}
        engine.train()
        return found

    def _figures(self, name: str, engine: Any, workers: Workers) -> Told:
        made, micro = self._materials[name], self._config.batch.micro
        size = looked_at(made.stream.sources[0], made.sequence, self._config.validation.samples)
        sums = torch.zeros(6, dtype=torch.float64)
        for offset, count in Share(workers.rank, workers.world, micro).parts(size):
            batch = self._config.objective.batch(made, min(offset, size - 1), max(count, 1))
            if not count:
                batch = batch.silent()
            batch = empty(batch, micro)
            sums[:3] += judged(engine, *on_device(batch, workers.device)).double().cpu()
            counts = batch.counts().sum(0)
            sums[3 : 3 + len(counts)] += torch.from_numpy(counts)
            sums[5] += self._length(batch)
        return _told(workers.summed(sums.to(workers.device)).tolist(), self._bytes is not None)

    def _length(self, batch: MicroBatch) -> int:
        if self._bytes is None:
            return 0
        return int(self._bytes[batch.labels[batch.labels != IGNORED]].sum())


def _told(sums: list[float], with_bytes: bool) -> Told:
    nats, pair_nats, right, tokens, pairs, length = sums
    told = {"loss": nats / max(tokens, 1), "tokens": tokens}
    if with_bytes:
        told |= {"bytes": length, "bits_per_byte": nats / math.log(2) / max(length, 1)}
    if pairs:
        told |= {"pairs": pairs, "pair_loss": pair_nats / pairs, "accuracy": right / pairs}
    return told


def mean_of(sources: Mapping[str, Told]) -> Told:
    """Figures over all sources, each token, byte and pair counted once."""
    tokens = sum(told["tokens"] for told in sources.values())
    mean = {"loss": sum(told["loss"] * told["tokens"] for told in sources.values()) / max(tokens, 1)}
    if sources and all("bytes" in told for told in sources.values()):
        length = sum(told["bytes"] for told in sources.values())
        bits = sum(told["bits_per_byte"] * told["bytes"] for told in sources.values())
        mean["bits_per_byte"] = bits / max(length, 1)
    pairs = sum(told.get("pairs", 0) for told in sources.values())
    for name in ("pair_loss", "accuracy") if pairs else ():
        mean[name] = sum(told[name] * told["pairs"] for told in sources.values() if "pairs" in told) / pairs
    return mean
