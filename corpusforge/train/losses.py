"""What a micro-batch costs: sums for each row, so that they can be divided by what the whole step predicts."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from corpusforge.tokens.packing import IGNORED
from corpusforge.train.objectives.micro_batch import MicroBatch


def on_device(batch: MicroBatch, device: Any) -> tuple[dict[str, Any], Any, Any]:
    """Arguments of the model, labels and classes of pairs as tensors on a device."""

    def moved(array: Any) -> Any:
        tensor = torch.from_numpy(array)
        return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)

    inputs = {name: moved(array) for name, array in batch.inputs.items()}
    return inputs, moved(batch.labels), None if batch.pairs is None else moved(batch.pairs)


def costs(model: Any, inputs: dict[str, Any], labels: Any, pairs: Any) -> Any:
    """Negative log-likelihood in nats of what each row predicts, summed: float32 of (rows, terms).

    Terms are tokens and, where there are any, pairs.
    """
    output = model(**inputs)
    if pairs is None:
        return _summed(output.logits, labels)[:, None]
    tokens = _summed(output.prediction_logits, labels)
    classes = F.cross_entropy(output.seq_relationship_logits.float(), pairs, ignore_index=IGNORED, reduction="none")
    return torch.stack([tokens, classes], dim=1)


def judged(model: Any, inputs: dict[str, Any], labels: Any, pairs: Any) -> Any:
    """Sums over a micro-batch, of (3,): nats of its tokens, nats of its pairs, pairs that are told rightly."""
    output = model(**inputs)
    if pairs is None:
        tokens = _summed(output.logits, labels).sum()
        return torch.stack([tokens, torch.zeros_like(tokens), torch.zeros_like(tokens)])
    classes = output.seq_relationship_logits.float()
    nats = F.cross_entropy(classes, pairs, ignore_index=IGNORED, reduction="sum")
    right = (classes.argmax(1) == pairs).sum()
    return torch.stack([_summed(output.prediction_logits, labels).sum(), nats, right.to(nats.dtype)])


def _summed(logits: Any, labels: Any) -> Any:
    flat = F.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="none")
    return flat.view(labels.shape).sum(1)


def step_loss(costs: Any, totals: Any, ranks: int) -> Any:
    """The loss whose gradient, averaged over ``ranks`` workers, is that of the mean over all that a step predicts.

    ``totals`` are what the whole step predicts, of (terms,); a mean of means would weigh a token by how many others its
    micro-batch has.
    """
    return (costs.sum(0) / totals.clamp(min=1)).sum() * ranks
