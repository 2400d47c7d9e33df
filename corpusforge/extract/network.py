"""The model that says which blocks of a page are its main text: a small convolutional network over the row of blocks.

Everything is added up in a fixed order in float32, without a library of linear algebra: the same page gives the same
bits on every machine and beside any other page.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpusforge.extract.features import FEATURES
from corpusforge.kernels import compiled, kernel
from corpusforge.text.canonical import sha256
from corpusforge.text.exact import exponential

Floats = npt.NDArray[np.float32]

TYPES = ("article", "collection", "documentation", "forum", "listing", "product", "service")
"""Kinds of page that the model tells apart (those of WCXB)."""
CONVOLUTIONS = ((5, 1), (5, 3), (3, 9))
"""Taps and the distance between them."""
ROWS = 4
"""Rows and inputs that are worked on together."""
CLIP = 5.0
"""Features are bounded at so many standard deviations."""


@dataclass(frozen=True)
class Network:
    """Weights by layer, ``NAME.weight`` of (inputs, outputs) or (taps, inputs, outputs) and ``NAME.bias``; ``mean`` and
    ``scale`` of each feature; ``words`` are the scores of names (``surroundings.SLOTS``)."""

    weights: Mapping[str, Floats]
    mean: Floats
    scale: Floats
    words: Floats
    digest: str

    @property
    def hidden(self) -> int:
        return len(self.weights["input.bias"])

    def __call__(self, features: Floats) -> tuple[npt.NDArray[np.uint8], Floats]:
        """The probability of each block to be main text, in 1/255, and the scores of each type of page."""
        if not len(features):
            return np.zeros(0, np.uint8), np.zeros(len(TYPES), np.float32)
        w = self.weights
        x = _normal(features, self.mean, self.scale)
        z = _relu(_linear(x, w["input.weight"], w["input.bias"]))
        for layer, (_, distance) in enumerate(CONVOLUTIONS):
            name = f"convolution{layer}"
            z = _convolved(z, w[f"{name}.weight"], w[f"{name}.bias"], distance)
        pooled = _pooled(z, w["attention.weight"], w["attention.bias"])
        page = _relu(_linear(pooled, w["page.weight"], w["page.bias"]))
        both = _linear(page, w["mixed.weight"][self.hidden :], w["mixed.bias"])[0]
        mixed = _relu(_linear(z, w["mixed.weight"][: self.hidden], both))
        chances = _chances(_linear(mixed, w["output.weight"], w["output.bias"]))
        return chances, _linear(page, w["kind.weight"], w["kind.bias"])[0]

    def to_bytes(self) -> bytes:
        """The model file: a compressed npz; words are stored where they have a score."""
        known = np.flatnonzero(self.words).astype(np.int32)
        file = io.BytesIO()
        arrays = {name: array.astype(np.float16) for name, array in self.weights.items()}
        more = {"mean": self.mean, "scale": self.scale, "known": known, "words": self.words[known].astype(np.float16)}
        np.savez_compressed(file, **arrays, **more, features=np.array(FEATURES))  # type: ignore[arg-type]
        return file.getvalue()


def read_network(path: Path, slots: int) -> Network:
    """The network of a model file; raises ``ValueError`` where it is none or was made for other features."""
    data = path.read_bytes()
    try:
        opened = np.load(io.BytesIO(data))
        opened["features"]
    except Exception as error:
        raise ValueError(f"{path} is no model that `corpusforge fit extractor` wrote") from error
    with opened as file:
        if tuple(file["features"].tolist()) != FEATURES:
            raise ValueError(f"the model {path} was made for other features; fit it again")
        words = np.zeros(slots, np.float32)
        words[file["known"]] = file["words"]
        layers = {name: file[name].astype(np.float32) for name in file.files if "." in name}
        return Network(layers, file["mean"], file["scale"], words, sha256(data))


@compiled
def _normal(features: Floats, mean: Floats, scale: Floats) -> Floats:
    count, size = features.shape
    found = np.empty((count, size), np.float32)
    for row in range(count):
        for column in range(size):
            value = (features[row, column] - mean[column]) * scale[column]
            found[row, column] = min(np.float32(CLIP), max(np.float32(-CLIP), value))
    return found


@compiled
def _linear(x: Floats, weight: Floats, bias: Floats) -> Floats:
    return _sums(x, weight.reshape((1, *weight.shape)), bias, 0)


@compiled
def _convolved(z: Floats, weight: Floats, bias: Floats, distance: int) -> Floats:
    """z and what a convolution makes of it, where that is positive."""
    found = _sums(z, weight, bias, distance)
    for row in range(len(z)):
        for output in range(len(bias)):
            found[row, output] = max(found[row, output], np.float32(0)) + z[row, output]
    return found


@compiled
def _sums(x: Floats, weight: Floats, bias: Floats, distance: int) -> Floats:
    """For each row the bias and, tap by tap, one input after the other times its weights; rows outside are zeros."""
    count, taps, inputs = len(x), len(weight), x.shape[1]
    reach, rows = taps // 2 * distance, -(-count // ROWS) * ROWS
    padded = np.zeros((rows + 2 * reach, inputs), np.float32)
    padded[reach : reach + count] = x
    found = np.empty((rows, len(bias)), np.float32)
    for row in range(0, rows, ROWS):
        for one in range(row, row + ROWS):
            found[one] = bias
        for tap in range(taps):
            source = row + tap * distance
            _add(found[row : row + ROWS], padded[source : source + ROWS], weight[tap])
    return found[:count]


@kernel
def _add(sums: Floats, x: Floats, weight: Floats) -> None:
    """Add the inputs of ``ROWS`` rows times their weights, one input after the other; a weight is loaded once for all
    rows, a sum once for ``ROWS`` inputs."""
    whole = x.shape[1] // ROWS * ROWS
    for place in range(0, whole, ROWS):
        a0, b0, c0, d0 = x[0, place], x[0, place + 1], x[0, place + 2], x[0, place + 3]
        a1, b1, c1, d1 = x[1, place], x[1, place + 1], x[1, place + 2], x[1, place + 3]
        a2, b2, c2, d2 = x[2, place], x[2, place + 1], x[2, place + 2], x[2, place + 3]
        a3, b3, c3, d3 = x[3, place], x[3, place + 1], x[3, place + 2], x[3, place + 3]
        for output in range(sums.shape[1]):
            a, b = weight[place, output], weight[place + 1, output]
            c, d = weight[place + 2, output], weight[place + 3, output]
            sums[0, output] = (((sums[0, output] + a0 * a) + b0 * b) + c0 * c) + d0 * d
            sums[1, output] = (((sums[1, output] + a1 * a) + b1 * b) + c1 * c) + d1 * d
            sums[2, output] = (((sums[2, output] + a2 * a) + b2 * b) + c2 * c) + d2 * d
            sums[3, output] = (((sums[3, output] + a3 * a) + b3 * b) + c3 * c) + d3 * d
    for place in range(whole, x.shape[1]):
        for row in range(ROWS):
            for output in range(sums.shape[1]):
                sums[row, output] += x[row, place] * weight[place, output]


@compiled
def _relu(x: Floats) -> Floats:
    for row in range(len(x)):
        for column in range(x.shape[1]):
            x[row, column] = max(x[row, column], np.float32(0))
    return x


@compiled
def _pooled(z: Floats, weight: Floats, bias: Floats) -> Floats:
    """The mean of all blocks by attention, then the plain mean, as one row."""
    count, hidden = z.shape
    attention = _linear(z, weight, bias)[:, 0]
    highest = attention[0]
    for value in attention:
        highest = max(highest, value)
    found = np.zeros((1, 2 * hidden), np.float32)
    total = 0.0
    sums = np.zeros((2, hidden))
    for row in range(count):
        share = exponential(float(attention[row]) - float(highest))
        total += share
        for column in range(hidden):
            sums[0, column] += share * z[row, column]
            sums[1, column] += z[row, column]
    for column in range(hidden):
        found[0, column] = sums[0, column] / total
        found[0, hidden + column] = sums[1, column] / count
    return found


@compiled
def _chances(scores: Floats) -> npt.NDArray[np.uint8]:
    found = np.empty(len(scores), np.uint8)
    for row in range(len(scores)):
        found[row] = np.uint8(255.0 / (1.0 + exponential(-float(scores[row, 0]))) + 0.5)
    return found
