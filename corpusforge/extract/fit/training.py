"""Train the network on labelled pages with torch: blocks right, and the words of the whole page right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from corpusforge.extract.features import FEATURES
from corpusforge.extract.network import CLIP, CONVOLUTIONS, TYPES, Network

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A page to learn from: ``features`` of (blocks, features), the ``share`` of main text and the ``words`` of each
    block; ``kind`` is its type of page, −1 if that is not known; ``weight`` how much it counts."""

    features: Floats
    share: Floats
    words: npt.NDArray[np.int64]
    kind: int = -1
    weight: float = 1.0


@dataclass(frozen=True)
class Course:
    """How to train: AdamW with a one-cycle rate."""

    hidden: int = 48
    epochs: int = 12
    pages: int = 12
    peak: float = 3e-3
    decay: float = 0.02
    dropout: float = 0.15
    longest: int = 1200
    seed: int = 0


class Layers(nn.Module):  # type: ignore[misc]
    """The network of ``corpusforge.extract.network`` as torch trains it."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.input = nn.Linear(len(FEATURES), hidden)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(hidden, hidden, taps, padding=taps // 2 * distance, dilation=distance)
            for taps, distance in CONVOLUTIONS
        )
        self.attention, self.page = nn.Linear(hidden, 1), nn.Linear(2 * hidden, hidden)
        self.mixed, self.output = nn.Linear(2 * hidden, hidden), nn.Linear(hidden, 1)
        self.kind, self.dropout = nn.Linear(hidden, len(TYPES)), nn.Dropout(dropout)

    def forward(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Scores of blocks, (pages, blocks), and of types, (pages, types)."""
        z = functional.relu(self.input(self.dropout(x))) * mask[..., None]
        z = z.transpose(1, 2)
        for convolution in self.convolutions:
            z = (z + functional.relu(convolution(z))) * mask[:, None]
        z = z.transpose(1, 2)
        attention = self.attention(z).masked_fill(mask[..., None] == 0, -1e4).softmax(1)
        mean = z.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        page = functional.relu(self.page(torch.cat([(attention * z).sum(1), mean], 1)))
        wide = page[:, None].expand(-1, z.shape[1], -1)
        mixed = functional.relu(self.mixed(self.dropout(torch.cat([z, wide], 2))))
        return self.output(mixed)[..., 0], self.kind(page)


def train(examples: Sequence[Example], words: Floats, course: Course) -> Network:
    """Train a network; ``words`` are the scores of names that it is to use."""
    torch.manual_seed(course.seed)
    random = np.random.default_rng(course.seed)
    examples = [example for example in examples if len(example.share)]
    mean, scale = _scales(examples)
    examples = [Example(_normal(e.features, mean, scale), e.share, e.words, e.kind, e.weight) for e in examples]
    layers = Layers(course.hidden, course.dropout)
    optimizer = torch.optim.AdamW(layers.parameters(), lr=course.peak, weight_decay=course.decay)
    steps = course.epochs * -(-len(examples) // course.pages)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, course.peak, total_steps=steps + 1)
    layers.train()
    for _ in range(course.epochs):
        for batch in _batches(examples, course, random):
            loss = _loss(layers, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(layers.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return Network(_weights(layers), mean, scale, words, "")


def _scales(examples: Sequence[Example]) -> tuple[Floats, Floats]:
    everything = np.concatenate([example.features[::5] for example in examples])
    return everything.mean(0), (1 / (everything.std(0) + 1e-2)).astype(np.float32)


def _normal(features: Floats, mean: Floats, scale: Floats) -> Floats:
    normal: Floats = np.clip((features - mean) * scale, -CLIP, CLIP)
    return normal


def _batches(examples: Sequence[Example], course: Course, random: Any) -> Iterator[list[Example]]:
    """Pages of like length together, a window of long ones."""
    length = np.array([min(len(example.share), course.longest) for example in examples])
    order = np.argsort(length * random.uniform(0.7, 1.4, len(length)))
    starts = np.arange(0, len(order), course.pages)
    random.shuffle(starts)
    for start in starts:
        yield [_window(examples[n], course.longest, random) for n in order[start : start + course.pages]]


def _window(example: Example, longest: int, random: Any) -> Example:
    spare = len(example.share) - longest
    if spare <= 0:
        return example
    at = int(random.integers(spare + 1))
    its = slice(at, at + longest)
    return Example(example.features[its], example.share[its], example.words[its], example.kind, example.weight)


def _loss(layers: Layers, batch: Sequence[Example]) -> Any:
    """Cross entropy of blocks, weighed by about the root of their words, one minus a soft F1 of words, and a little for
    the type of page."""
    most = max(len(example.share) for example in batch)
    padded = [np.zeros((len(batch), most), np.float32) for _ in range(3)]
    x = np.zeros((len(batch), most, len(FEATURES)), np.float32)
    for row, example in enumerate(batch):
        size = len(example.share)
        x[row, :size] = example.features
        padded[0][row, :size], padded[1][row, :size], padded[2][row, :size] = example.share, example.words, 1
    share, words, mask = (torch.from_numpy(array) for array in padded)
    scores, types = layers(torch.from_numpy(x), mask)
    part = words / (words.sum(1, keepdim=True) + 1)
    weight = (part.clamp(max=0.2) + 1e-3) ** 0.7 * mask
    hard = (share >= 0.5).float()
    entropy = functional.binary_cross_entropy_with_logits(scores, hard, reduction="none")
    entropy = (entropy * weight).sum(1) / weight.sum(1)
    chance = scores.sigmoid() * mask
    both = (words * chance).sum(1) + (words * share).sum(1)
    missed = 1 - 2 * ((words * chance * share).sum(1) + 0.5) / (both + 1)
    counted = torch.tensor([example.weight for example in batch])
    loss = ((entropy + missed) * counted).sum() / counted.sum()
    kinds = torch.tensor([example.kind for example in batch])
    if (kinds >= 0).any():
        loss = loss + 0.1 * functional.cross_entropy(types[kinds >= 0], kinds[kinds >= 0])
    return loss


def _weights(layers: Layers) -> dict[str, Floats]:
    """Weights as inference wants them: inputs before outputs, taps first; rounded as the file rounds them."""
    found = {}
    for name, value in layers.state_dict().items():
        array = value.numpy()
        if name.startswith("convolutions."):
            _, number, what = name.split(".")
            name, array = f"convolution{number}.{what}", array.transpose(2, 1, 0) if array.ndim == 3 else array
        elif array.ndim == 2:
            array = array.T
        found[name] = np.ascontiguousarray(array.astype(np.float16).astype(np.float32))
    return found
