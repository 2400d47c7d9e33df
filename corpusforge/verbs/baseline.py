"""The yardstick of a training run."""

from pathlib import Path

from corpusforge.train.baseline import MOST_TOKENS, Baseline, baseline
from corpusforge.verbs.train import CONFIG, NotTrained


def train_baseline(run: str | Path, most_tokens: int = MOST_TOKENS) -> Baseline:
    """Score n-gram models of a causal run's training documents on its held-out ones, all of them, in bits a byte.

    They are written to ``RUN/baseline.json``, where the report finds them; a file that is of the same texts is taken as
    it is, any other is written anew. ``most_tokens`` bounds what the models are fitted on. Raises ``NotTrained`` for a
    folder that is no run, a run that is not causal, one whose tokenizer tells no bytes, or one without held-out text.
    """
    if not Path(run, CONFIG).is_file():
        raise NotTrained(f"{run} is no training run: it holds no {CONFIG}; name ROOT/RUN")
    try:
        return baseline(Path(run), most_tokens)
    except (ValueError, ModuleNotFoundError) as error:
        raise NotTrained(str(error)) from error
