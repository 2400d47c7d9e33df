"""How many bytes of text each token id stands for."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpusforge.tokens.encoders import ENCODERS, load
from corpusforge.train.plan import Plan


def token_lengths(plan: Plan, run: Path) -> npt.NDArray[np.int64] | None:
    """Bytes by id, 0 for ids that are no text; None where the tokenizer is not known or does not tell."""
    name = next((n for n, (role, _) in ENCODERS.items() if plan.tokenizer == role), None)
    if name is None or plan.eod_token is None:
        return None
    encoder = load(name, (run / str(plan.tokenizer)).read_bytes(), plan.eod_token)
    try:
        lengths = np.array([len(token) for token in encoder.token_bytes()], np.int64)
    except ValueError:
        return None
    return np.concatenate([lengths, np.zeros(max(0, plan.vocabulary + 64 - len(lengths)), np.int64)])
