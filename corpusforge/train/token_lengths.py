"""The text that each token id stands for, and how many bytes it is."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpusforge.tokens.encoders import ENCODERS, load
from corpusforge.train.plan import Plan
from corpusforge.train.symbols import MULTIPLE


def token_texts(plan: Plan, run: Path) -> list[bytes] | None:
    """The text of each id of the vocabulary, empty for ids that are none; None where the tokenizer is not known or does
    not tell."""
    name = next((n for n, (role, _) in ENCODERS.items() if plan.tokenizer == role), None)
    if name is None or plan.eod_token is None:
        return None
    try:
        texts = load(name, (run / str(plan.tokenizer)).read_bytes(), plan.eod_token).token_bytes()
    except ValueError:
        return None
    return texts + [b""] * max(0, plan.vocabulary - len(texts))


def token_lengths(plan: Plan, run: Path) -> npt.NDArray[np.int64] | None:
    """Bytes by id, those of a model's own symbols and spare ids too; None where they are not known."""
    texts = token_texts(plan, run)
    return None if texts is None else np.array([*map(len, texts), *[0] * MULTIPLE], np.int64)
