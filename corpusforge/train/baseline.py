"""The yardstick of a causal run: n-gram models of its training documents on its held-out documents, in bits a byte.

They are counted as ``validation`` counts the model: what is paid for the tokens of a text and the end of each document,
over the bytes of the text. An n-gram model sees each document from its beginning, where the model sees it from the
beginning of its sample on; it is fitted on each document once, whatever mixture and repeats are.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass as plain
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from corpusforge.text.canonical import canonical_json, identity_of, sha256
from corpusforge.text.ngram import NGram
from corpusforge.text.ngram_fit import fit
from corpusforge.tokens.shards import ERASED, TokenSource
from corpusforge.train.config import Config, from_json
from corpusforge.train.held_out import places
from corpusforge.train.plan import Plan, TokensPlan, read_plan, write_whole
from corpusforge.train.token_lengths import token_texts

FILE = "baseline.json"
REVISION = 1
"""Raised when the same texts would give other figures."""
MOST_TOKENS = 20_000_000
"""4 GB of memory: a fit takes about 200 bytes a token (measured on 3.8 million tokens of 5 bytes of Japanese)."""
END = 256
"""The symbol of an id that is no text, such as the end of a document, among those of bytes."""
STRICT = ConfigDict(extra="forbid")

Ids = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]


class Symbols(Protocol):
    """What an n-gram model counts: ``size`` symbols, some of them a token."""

    @property
    def size(self) -> int: ...
    def of(self, ids: Ids) -> Ids: ...
    def by_token(self, costs: Costs, ids: Ids) -> Costs: ...


@plain(frozen=True)
class Tokens:
    """The ids themselves."""

    size: int

    def of(self, ids: Ids) -> Ids:
        return ids

    def by_token(self, costs: Costs, ids: Ids) -> Costs:
        return costs


@plain(frozen=True, eq=False)
class Bytes:
    """The bytes of each id's text, ``END`` for one that is no text; id n has ``flat[starts[n]:starts[n + 1]]``."""

    flat: Ids
    starts: npt.NDArray[np.int64]
    size = END + 1

    @classmethod
    def of_texts(cls, texts: list[bytes]) -> "Bytes":
        spelled = [np.frombuffer(text, np.uint8) if text else np.array([END]) for text in texts]
        starts = np.concatenate([[0], np.cumsum([len(symbols) for symbols in spelled], dtype=np.int64)])
        return cls(np.concatenate(spelled).astype(np.int32), starts)

    def of(self, ids: Ids) -> Ids:
        first, counts = self.starts[ids], self._counts(ids)
        within = np.arange(int(counts.sum())) - np.repeat(_begins(counts), counts)
        spelled: Ids = self.flat[np.repeat(first, counts) + within]
        return spelled

    def by_token(self, costs: Costs, ids: Ids) -> Costs:
        summed: Costs = np.add.reduceat(costs, _begins(self._counts(ids)))
        return summed

    def _counts(self, ids: Ids) -> npt.NDArray[np.int64]:
        counts: npt.NDArray[np.int64] = self.starts[ids + 1] - self.starts[ids]
        return counts


def _begins(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    begins: npt.NDArray[np.int64] = np.cumsum(counts) - counts
    return begins


@dataclass(frozen=True, config=STRICT)
class Figures:
    """Bits a byte of the models on some held-out text, and how much of it there is.

    ``documents`` are those that it touches, ``tokens`` what is predicted, ends of documents included.
    """

    bytes_5gram: float
    tokens_5gram: float
    unigram: float
    documents: int
    tokens: int
    bytes: int


@dataclass(frozen=True, config=STRICT)
class Fitted:
    """What the models were fitted on, ``documents`` and ``tokens`` of all that there are; ``most_tokens`` was the
    bound."""

    documents: int
    tokens: int
    all_documents: int
    all_tokens: int
    most_tokens: int


@dataclass(frozen=True, config=STRICT)
class Baseline:
    """The yardstick of a run, ``RUN/baseline.json``: bits a byte of all held-out documents by three n-gram models.

    ``bytes_5gram`` and ``tokens_5gram`` are modified Kneser-Ney 5-grams, ``unigram`` is the 1-gram of tokens.
    ``scored`` tells the same with amounts, ``sources`` for each source, ``validated`` for the samples alone that the
    run's own validation looks at (none where there is no whole sample). ``identity`` is that of all they hang on.
    """

    bytes_5gram: float
    tokens_5gram: float
    unigram: float
    scored: Figures
    sources: dict[str, Figures]
    validated: Figures | None
    fitted: Fitted
    identity: str


MODELS = {"bytes_5gram": 5, "tokens_5gram": 5, "unigram": 1}
"""Orders by the names that ``report`` knows."""


def baseline(run: Path, most_tokens: int = MOST_TOKENS) -> Baseline:
    """The yardstick of the run in a folder, from its ``baseline.json`` if that is of the same texts, else computed.

    Models are fitted on documents of ``most_tokens`` tokens at most, evenly spread over each source, one model after
    another; documents are read one by one, but a fit holds its text. Raises ``ValueError`` for a run that is not
    causal, whose tokenizer tells no bytes, or that has no held-out text.
    """
    if most_tokens < 1:
        raise ValueError(f"most_tokens is {most_tokens:,}; fit on one token at least")
    plan, config = read_plan(run), from_json(json.loads((run / "config.json").read_bytes()))
    texts, sources = _texts(config, plan, run), _tokens(plan)
    identity = _identity(config, plan, run, most_tokens)
    known = _read(run / FILE)
    if known is not None and known.identity == identity:
        return known
    made = _computed(sources, texts, config, most_tokens, identity)
    write_whole(run / FILE, canonical_json(TypeAdapter(Baseline).dump_python(made, mode="json")))
    return made


def _texts(config: Config, plan: Plan, run: Path) -> list[bytes]:
    """The bytes of each id."""
    if config.objective.use != "causal":
        raise ValueError(
            f"{run} is a run with the objective {config.objective.use}, and n-gram models are a yardstick of causal "
            "ones alone: name a run with objective: {use: causal}"
        )
    found = token_texts(plan, run)
    if found is None:
        raise ValueError(
            f"{run} knows no tokenizer that tells the bytes of its tokens, so there are no bits a byte: train on a "
            "corpus, {corpus: ROOT/CORPUS/dev}, whose tokens pass made or took one, or name the tokenizer of a source"
        )
    return found


def _tokens(plan: Plan) -> dict[str, TokensPlan]:
    """The sources, each document once; those of a causal run are all of tokens."""
    found = {
        name: replace(source, repeats={}) for name, source in plan.sources.items() if isinstance(source, TokensPlan)
    }
    if not any(source.validation for source in found.values()):
        raise ValueError(
            f"{', '.join(found)} hold no held-out text: tokenise with a validation_share above 0, or name files in "
            "data.sources.NAME.validation"
        )
    return found


def _identity(config: Config, plan: Plan, run: Path, most_tokens: int) -> str:
    sources = {
        name: {"held_out": [shard.sha256 for shard in source.validation], "erased": sorted(source.erased)}
        for name, source in plan.sources.items()
        if isinstance(source, TokensPlan)
    }
    told = {"revision": REVISION, "train": plan.identities(), "sources": sources, "most_tokens": most_tokens}
    looked_at = {"sequence": config.data.sequence, "samples": config.validation.samples}
    return identity_of({**told, **looked_at, "tokenizer": sha256((run / str(plan.tokenizer)).read_bytes())})


def _computed(
    plans: Mapping[str, TokensPlan], texts: list[bytes], config: Config, most_tokens: int, identity: str
) -> Baseline:
    known = [plan.source("train") for plan in plans.values()]
    held = [_Held.of(plan.source("validation"), texts, config) for plan in plans.values() if plan.validation]
    length, looked_at = np.sum([one.amounts for one in held], axis=0)[2].tolist()
    if not length:
        raise ValueError(
            f"the held-out documents of {', '.join(plans)} are empty or forgotten: hold out more text, with a larger "
            "validation_share"
        )
    bits: dict[str, list[Costs]] = {}
    for name, order in MODELS.items():
        symbols: Symbols = Bytes.of_texts(texts) if name == "bytes_5gram" else Tokens(len(texts))
        model = fit((symbols.of(ids) for ids in _chosen(known, most_tokens)), order, symbols.size)
        bits[name] = [one.bits(model, symbols) for one in held]
    scored = _figures(bits, held, 0)
    return Baseline(
        **{name: getattr(scored, name) for name in MODELS},
        scored=scored,
        sources={
            one.source.name: _figures({name: [row[n]] for name, row in bits.items()}, [one], 0)
            for n, one in enumerate(held)
        },
        validated=_figures(bits, held, 1) if looked_at else None,
        fitted=_fitted(known, most_tokens),
        identity=identity,
    )


@plain(frozen=True, eq=False)
class _Held:
    """Held-out text of a source. ``seen`` are the positions that a run looks at, ``amounts`` the documents, tokens and
    bytes (rows) of all text and of those (columns)."""

    source: TokenSource
    sequence: int
    seen: npt.NDArray[np.bool_]
    amounts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, source: TokenSource, texts: list[bytes], config: Config) -> "_Held":
        sequence = config.data.sequence
        seen = places(source.name, source, sequence, config.validation.samples)
        lengths = np.array([len(text) for text in texts], np.int64)
        one = cls(source, sequence, seen, np.zeros((3, 2), np.int64))
        for place, ids in documents(source):
            within = one.within(place, len(ids))
            one.amounts[:] += [
                [1, int(within.any())],
                [len(ids), int(within.sum())],
                [int(lengths[ids].sum()), int(lengths[ids[within]].sum())],
            ]
        return one

    def within(self, place: int, count: int) -> npt.NDArray[np.bool_]:
        """Which of ``count`` tokens from a place of the line on are predicted in the samples that are looked at.

        A sample predicts the token behind each of its own, so that the first one of the line is never predicted.
        """
        positions = (np.arange(place, place + count) - 1) // self.sequence
        found = np.zeros(count, bool)
        inside = (positions >= 0) & (positions < len(self.seen))
        found[inside] = self.seen[positions[inside]]
        return found

    def bits(self, model: NGram, symbols: Symbols) -> Costs:
        """What a model pays for all text, and for the samples that are looked at."""
        found = np.zeros(2)
        for place, ids in documents(self.source):
            costs = symbols.by_token(model.nats(symbols.of(ids)), ids)
            found += costs.sum(), costs[self.within(place, len(ids))].sum()
        return found / math.log(2)


def documents(source: TokenSource) -> Iterator[tuple[int, Ids]]:
    """The documents of a line that are not forgotten, read one by one: the place of the first token, and the ids."""
    place = 0
    for span in source.documents(0, source.tokens):
        ids = np.empty(span.count, np.int32)
        source.read(place, ids)
        if ids[0] != ERASED:
            yield place, ids
        place += span.count


def _chosen(sources: list[TokenSource], most_tokens: int) -> Iterator[Ids]:
    """Documents of at most so many tokens, of each source in proportion to its size and evenly spread over it."""
    total = sum(source.tokens for source in sources)
    most = min(most_tokens, total)
    for source in sources:
        left = source.tokens * most // total
        for number, (_, ids) in enumerate(documents(source)):
            if (number + 1) * most // total > number * most // total and len(ids) <= left:
                left -= len(ids)
                yield ids


def _fitted(sources: list[TokenSource], most_tokens: int) -> Fitted:
    everything = [len(ids) for source in sources for _, ids in documents(source)]
    taken = [len(ids) for ids in _chosen(sources, most_tokens)]
    return Fitted(len(taken), sum(taken), len(everything), sum(everything), most_tokens)


def _figures(bits: Mapping[str, list[Costs]], held: list[_Held], which: int) -> Figures:
    """Figures over some sources, each byte counted once; ``which`` is 0 for all text, 1 for what is looked at."""
    found, tokens, length = np.sum([one.amounts for one in held], axis=0)[:, which].tolist()
    a_byte = {name: float(np.sum(row, axis=0)[which]) / max(length, 1) for name, row in bits.items()}
    return Figures(**a_byte, documents=found, tokens=tokens, bytes=length)


def _read(path: Path) -> Baseline | None:
    """What is known already; None for a file that is missing, torn, or another's."""
    try:
        return TypeAdapter(Baseline).validate_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
