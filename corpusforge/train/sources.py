"""The sources of a plan, opened on a worker: tokens are mapped, examples are read and tokenised."""

from pathlib import Path
from typing import Any

from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.stream import Source, Stream
from corpusforge.train.config import Config, Weights
from corpusforge.train.examples.source import Examples
from corpusforge.train.examples.tokenizer import open_tokenizer
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.train.objectives.micro_batch import Material
from corpusforge.train.plan import ExamplesPlan, Plan, Split, TokensPlan
from corpusforge.train.symbols import Symbols, symbols_of


def opened(config: Config, plan: Plan, run: Path, split: Split) -> dict[str, Source]:
    """The sources that have something in a split, by name."""
    found: dict[str, Source] = {}
    for name, source in plan.sources.items():
        if getattr(source, split):
            found[name] = (
                _tokens(source, split)
                if isinstance(source, TokensPlan)
                else _examples(config, source, plan, run, split)
            )
    return found


def _tokens(source: TokensPlan, split: Split) -> Source:
    return source.source(split)


def _examples(config: Config, source: ExamplesPlan, plan: Plan, run: Path, split: Split) -> Source:
    how = config.objective
    assert isinstance(how, Instruction)
    tokenizer = open_tokenizer(tokenizer_path(plan, run), plan.eod_token)
    files = tuple(str(path) for path in getattr(source, split))
    examples = Examples(files, how.template, None, how.turns, source.too_long, how.packing, source.allow_bad)
    return examples.read(source.name, tokenizer)


def tokenizer_path(plan: Plan, run: Path) -> str:
    """The tokenizer of a run, a file or folder beside its plan."""
    if plan.tokenizer is None:
        raise ValueError("this needs a tokenizer; give data.sources.NAME.tokenizer, or a model.path that has one")
    return str(run / plan.tokenizer)


def symbols(plan: Plan, run: Path) -> Symbols:
    """The ids of a run's tokenizer that stand for no text."""
    data = None
    if plan.tokenizer and (run / plan.tokenizer).is_file():
        data = (run / plan.tokenizer).read_bytes()
    return symbols_of(plan.vocabulary, plan.eod, data)


def segments(config: Config, sources: dict[str, Source]) -> list[Segment]:
    """The mixture that a configuration asks for; by default a source weighs as many samples as it has.

    Sources come in the order of their names: which is drawn first of two that are as far behind must not hang on the
    order in which a file lists them.
    """
    given: Any = config.data.mixture
    if not given:
        given = {name: float(source.positions(config.data.sequence)) for name, source in sources.items()}
        empty = [name for name, samples in given.items() if not samples]
        if empty:
            raise ValueError(
                f"{', '.join(empty)} has less text than one sample of {config.data.sequence:,} tokens: "
                "take a shorter data.sequence or more text; for examples a longer one, or too_long: cut"
            )
    if isinstance(given, dict):
        given = (Weights(0, given),)
    return [Segment(one.from_sample, dict(sorted(one.weights.items()))) for one in given]


def material(sources: dict[str, Source], mixed: list[Segment], known: Symbols, seed: int, sequence: int) -> Material:
    return Material(Stream(sources, mixed, seed, sequence), known, seed)
