"""What the sources of a training run are now: their files and digests, and the tokenizer that they share."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from corpusforge.engine.run import manifests
from corpusforge.report.render import Address
from corpusforge.tokens.digests import file_digest
from corpusforge.tokens.encoders import ENCODERS, name_of
from corpusforge.tokens.shards import TokenSource
from corpusforge.tokens.split import TRAIN, VALIDATION
from corpusforge.train.config import Config, CorpusTokens, ExampleFiles, MegatronTokens
from corpusforge.train.plan import ExamplesPlan, Plan, TokensPlan, lasting, write_whole
from corpusforge.verbs.megatron_source import megatron_source
from corpusforge.verbs.token_source import token_source, token_step
from corpusforge.versions import VersionError

OF_TOKENIZERS = ("tokenizer", "special_tokens", "chat_template", "vocab", "merges", "added_tokens")
"""How the files of a tokenizer begin in a folder of Hugging Face."""


class Tokenizer(NamedTuple):
    """A tokenizer as a run keeps it: the name of its file or folder there, what it is now, its end of documents."""

    name: str
    data: bytes | Path
    eod_token: str | None


def plan_of(config: Config) -> tuple[Plan, Tokenizer | None]:
    """What the sources of a configuration are now, and their tokenizer, which ``keep`` puts beside the plan."""
    plans: dict[str, TokensPlan | ExamplesPlan] = {}
    tokenizers: dict[str, Tokenizer] = {}
    for name, source in config.data.sources.items():
        if isinstance(source, CorpusTokens):
            plans[name] = _corpus(name, source, config.data.verify)
            tokenizers[name] = _corpus_tokenizer(source.corpus)
        elif isinstance(source, MegatronTokens):
            plans[name] = _megatron(name, source)
            if source.tokenizer:
                tokenizers[name] = _given_tokenizer(Path(source.tokenizer), source.eod)
        else:
            plans[name] = _examples(name, source)
    if config.model.path and not tokenizers:
        if not Path(config.model.path).is_dir():
            raise ValueError(f"model.path: {config.model.path} is no folder; name that of a Hugging Face checkpoint")
        tokenizers["model"] = Tokenizer("tokenizer", Path(config.model.path), None)
    return _joined(plans, tokenizers)


def _joined(
    plans: dict[str, TokensPlan | ExamplesPlan], tokenizers: Mapping[str, Tokenizer]
) -> tuple[Plan, Tokenizer | None]:
    """One plan of all sources, which must share their ids."""
    tokens = {name: plan for name, plan in plans.items() if isinstance(plan, TokensPlan)}
    ids = {name: (plan.eod, plan.vocabulary) for name, plan in tokens.items()}
    if len(set(ids.values())) > 1 or len({tokenizer.data for tokenizer in tokenizers.values()}) > 1:
        raise ValueError(
            f"the sources {', '.join(plans)} have different tokenizers; tokenise them with one, by "
            "tokenizer: {path: …} in the recipe"
        )
    eod, vocabulary = next(iter(ids.values()), (0, 1))
    shared = next(iter(tokenizers.values()), None)
    return Plan(plans, vocabulary, eod, shared and shared.name, shared and shared.eod_token), shared


def keep(tokenizer: Tokenizer, folder: Path) -> None:
    """Copy a tokenizer into a run's folder."""
    to = folder / tokenizer.name
    if isinstance(tokenizer.data, bytes):
        write_whole(to, tokenizer.data)
        return
    aside = folder / f"{tokenizer.name}.aside"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for file in tokenizer.data.iterdir():
        if file.name.startswith(OF_TOKENIZERS):
            shutil.copy(file, aside / file.name)
    shutil.rmtree(to, ignore_errors=True)
    aside.rename(to)


def _corpus(name: str, source: CorpusTokens, verify: bool) -> TokensPlan:
    """Both splits of a corpus; one without held-out text has none."""
    how: Literal["sizes", "full"] = "full" if verify else "sizes"
    train = token_source(source.corpus, TRAIN, source.series, source.repeats, staging=source.staging, verify=how)
    try:
        held_out = token_source(source.corpus, VALIDATION, source.series, staging=source.staging, verify=how).shards
    except VersionError:
        held_out = ()
    erased = tuple(sorted(train.erased))
    return _tokens(name, train, held_out, source.repeats, erased, source.corpus)


def _tokens(
    name: str,
    train: TokenSource,
    held_out: Any,
    repeats: Mapping[int, int],
    erased: tuple[str, ...],
    corpus: str | None,
) -> TokensPlan:
    shards = [tuple(lasting(shard) for shard in part) for part in (train.shards, held_out)]
    return TokensPlan(name, train.eod, train.vocabulary, shards[0], shards[1], dict(repeats), erased, corpus)


def _corpus_tokenizer(address: str) -> Tokenizer:
    place, parts = Address.locate(address)
    step = token_step(place, parts.step)
    (made,) = manifests(place, f"{step['name']}/tokenizer")
    roles = {role for role, _ in ENCODERS.values()}
    file = next(file for file in made.files if file.role in roles)
    return Tokenizer(file.role, place.store.read(file.path), step["eod"])


def _given_tokenizer(path: Path, eod: int) -> Tokenizer:
    """A tokenizer.json or a sentencepiece model of any name."""
    role = "tokenizer.json" if path.suffix == ".json" else "tokenizer.model"
    data = path.read_bytes()
    return Tokenizer(role, data, name_of(role, data, eod))


def _megatron(name: str, source: MegatronTokens) -> TokensPlan:
    train = megatron_source(source.megatron, source.eod, source.vocabulary, name)
    held_out = (
        megatron_source(source.validation, source.eod, source.vocabulary, name).shards if source.validation else ()
    )
    return _tokens(name, train, held_out, {}, (), None)


def _examples(name: str, source: ExampleFiles) -> ExamplesPlan:
    files = tuple(Path(file).absolute() for file in source.examples)
    digests = tuple(sorted(file_digest(file) for file in files))
    validation = tuple(Path(file).absolute() for file in source.validation)
    return ExamplesPlan(name, files, digests, validation, source.too_long, source.allow_bad)
