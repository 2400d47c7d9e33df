"""Training runs: what they read is resolved, written down and handed to the workers."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from corpusforge.engine.run import manifests
from corpusforge.report.render import Address
from corpusforge.text.canonical import canonical_json, differences
from corpusforge.tokens.digests import file_digest
from corpusforge.tokens.encoders import ENCODERS, name_of
from corpusforge.tokens.shards import TokenSource
from corpusforge.tokens.split import TRAIN, VALIDATION
from corpusforge.train.config import Config, CorpusTokens, ExampleFiles, MegatronTokens, as_json, read_config, resolved
from corpusforge.train.plan import ExamplesPlan, Plan, TokensPlan, lasting, read_plan, write_plan
from corpusforge.train.presets import presets
from corpusforge.train.report import render_run
from corpusforge.train.trace import of_document, of_step
from corpusforge.verbs.megatron_source import megatron_source
from corpusforge.verbs.token_source import token_source, token_step
from corpusforge.versions import VersionError

CONFIG = "config.json"
FIXED = ("objective", "model", "precision", "data")
"""What a run keeps from its first step; everything else may be another when it goes on."""
FREE = {"model": ("recompute", "compile", "attention"), "data": ("mixture", "sources", "verify")}
"""Fields of those that may be others all the same; what a source holds is compared by digest."""


class NotTrained(ValueError):
    """A run cannot be trained, or not be shown, as it was asked for; the message says why and what helps."""


def train_run(
    config: str | Path | Config,
    root: str | Path,
    changes: Mapping[str, Any] | None = None,
    address: str | None = None,
    ray: bool = True,
    say: Callable[[str], None] = print,
) -> Path:
    """Train a run from a YAML file or a ``Config``, or go on with it; give its folder ``ROOT/RUN``.

    ``changes`` set single fields, ``{"batch.micro": 4}``. Workers are Ray Train's, on an embedded local Ray or the
    cluster at ``address``; without ``ray`` this process is the only one.
    """
    made = config if isinstance(config, Config) else read_config(config, changes)
    with one_message():
        made = resolved(made)
        folder = prepare(made, Path(root).absolute(), say)
        if ray:
            from corpusforge.train.launch import launch  # noqa: PLC0415  (Ray and torch only where a run needs them)

            launch(made, folder, address, say)
        else:
            from corpusforge.train.loop import train as alone  # noqa: PLC0415

            alone(made, folder, say=say)
    return folder


def train_presets() -> dict[str, str]:
    """The presets that a configuration may name, each with where its numbers are from."""
    return {name: preset["source"] for name, preset in presets().items()}


def train_report(runs: Sequence[str | Path]) -> Path:
    """Draw one run, or several beside each other, into ``report.html`` of the first; give that page."""
    page = Path(runs[0]) / "report.html"
    _known(*runs)
    page.write_text(render_run([Path(run) for run in runs] if len(runs) > 1 else Path(runs[0])), encoding="utf-8")
    return page


def train_export(run: str | Path, to: str | Path, step: int | None = None) -> Path:
    """Write the model of a run in the format of Hugging Face to the new folder ``to``."""
    _known(run)
    with one_message():
        from corpusforge.train.export import export  # noqa: PLC0415  (torch only where it is needed)

        return export(Path(run), Path(to), step)


def train_sample(
    run: str | Path, prompt: str, step: int | None = None, tokens: int = 64, count: int = 1, temperature: float = 0.8
) -> list[str]:
    """Continuations of ``prompt`` by the model of a run, or by an exported one."""
    with one_message():
        from corpusforge.train.sampling import sample  # noqa: PLC0415

        return sample(Path(run), prompt, step, tokens, count, temperature)


def trace_step(run: str | Path, step: int) -> list[dict[str, Any]]:
    """The documents of a step's batch with the loss of their sample, the dearest first."""
    _known(run)
    with one_message():
        return [asdict(reading) for reading in of_step(Path(run), step)]


def trace_document(run: str | Path, id: str) -> dict[str, Any]:
    """The samples and steps of a run that read a document, and the checkpoints that have learnt it."""
    _known(run)
    with one_message():
        return of_document(Path(run), id)


def _known(*runs: str | Path) -> None:
    for run in runs:
        if not Path(run, CONFIG).is_file():
            raise NotTrained(f"{run} is no training run: it holds no {CONFIG}; name ROOT/RUN")


@contextmanager
def one_message() -> Iterator[None]:
    """A wrong value or a missing package as one message."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotTrained(f"{error}; training needs pip install torch, then pip install 'corpusforge[train]'") from error
    except ValueError as error:
        raise NotTrained(str(error)) from error


def prepare(config: Config, root: Path, say: Callable[[str], None]) -> Path:
    """Resolve and write down what a run reads; raises ``NotTrained`` where one of that name was begun otherwise."""
    folder = root / config.run
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_of(config, folder)
    told = as_json(config)
    if (folder / CONFIG).is_file():
        before = json.loads((folder / CONFIG).read_bytes())
        _compare(_fixed(before), _fixed(told), folder)
        known, now = read_plan(folder).identities(), plan.identities()
        _compare({n: d for n, d in known.items() if n in now}, {n: d for n, d in now.items() if n in known}, folder)
        for line in differences(before, told, "config"):
            say(f"changed: {line}")
    write_plan(plan, folder)
    (folder / CONFIG).write_bytes(canonical_json(told))
    return folder


def _fixed(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in told[name].items() if k not in FREE.get(name, ())}
        if isinstance(told[name], dict)
        else told[name]
        for name in FIXED
    }


def _compare(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    changed = list(differences(before, now, "config"))
    if changed:
        raise NotTrained(
            f"the run {folder} was begun otherwise: {'; '.join(changed)}. Give the changed one another name (run: …), "
            "or begin it from this one's checkpoint with start: {run: …}"
        )


def plan_of(config: Config, folder: Path) -> Plan:
    """What the sources of a configuration are now; copies their tokenizer into the run's folder."""
    plans: dict[str, TokensPlan | ExamplesPlan] = {}
    tokenizers: dict[str, tuple[str, bytes | Path, str | None]] = {}
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
        tokenizers["model"] = ("tokenizer", Path(config.model.path), None)
    return _joined(plans, tokenizers, folder)


def _joined(
    plans: dict[str, TokensPlan | ExamplesPlan],
    tokenizers: Mapping[str, tuple[str, bytes | Path, str | None]],
    folder: Path,
) -> Plan:
    """One plan of all sources, which must share their ids."""
    tokens = {name: plan for name, plan in plans.items() if isinstance(plan, TokensPlan)}
    ids = {name: (plan.eod, plan.vocabulary) for name, plan in tokens.items()}
    if (
        len(set(ids.values())) > 1
        or len({bytes(t[1]) if isinstance(t[1], bytes) else t[1] for t in tokenizers.values()}) > 1
    ):
        raise ValueError(
            f"the sources {', '.join(plans)} have different tokenizers; tokenise them with one, by "
            "tokenizer: {path: …} in the recipe"
        )
    name, data, eod_token = next(iter(tokenizers.values()), (None, b"", None))
    if name is not None:
        _copied(data, folder / name)
    eod, vocabulary = next(iter(ids.values()), (0, 1))
    return Plan(plans, vocabulary, eod, name, eod_token)


def _copied(data: bytes | Path, to: Path) -> None:
    if isinstance(data, bytes):
        to.write_bytes(data)
        return
    to.mkdir(exist_ok=True)
    for file in data.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "chat_template", "vocab", "merges", "added_tokens")):
            shutil.copy(file, to / file.name)


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


def _corpus_tokenizer(address: str) -> tuple[str, bytes, str]:
    place, parts = Address.locate(address)
    step = token_step(place, parts.step)
    (made,) = manifests(place, f"{step['name']}/tokenizer")
    roles = {role for role, _ in ENCODERS.values()}
    file = next(file for file in made.files if file.role in roles)
    return file.role, place.store.read(file.path), step["eod"]


def _given_tokenizer(path: Path, eod: int) -> tuple[str, bytes, str]:
    """A tokenizer.json or a sentencepiece model of any name."""
    role = "tokenizer.json" if path.suffix == ".json" else "tokenizer.model"
    data = path.read_bytes()
    return role, data, name_of(role, data, eod)


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
