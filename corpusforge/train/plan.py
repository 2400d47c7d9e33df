"""What a run reads, resolved: files with their digests, so that every worker opens the same and nothing is looked up.

The plan lies in the run's folder; Ray carries its path and never data.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from corpusforge.text.canonical import canonical_json, identity_of
from corpusforge.tokens.shards import Shard, TokenSource
from corpusforge.tokens.stream import Source
from corpusforge.train.config import Config

PLAN = "plan.json"
STRICT = ConfigDict(extra="forbid")
Split = Literal["train", "validation"]


@dataclass(frozen=True, config=STRICT)
class TokensPlan:
    """A source of tokens: its shards of each split, and the documents that are forgotten."""

    name: str
    eod: int
    vocabulary: int
    train: tuple[Shard, ...]
    validation: tuple[Shard, ...] = ()
    repeats: dict[int, int] = Field(default_factory=dict)
    erased: tuple[str, ...] = ()
    corpus: str | None = None
    """The address that a document's text, licence and origin are found by."""

    def source(self, split: Split) -> TokenSource:
        repeats = self.repeats if split == "train" else None
        return TokenSource(self.name, getattr(self, split), self.eod, self.vocabulary, repeats, self.erased)

    def identity(self) -> dict[str, Any]:
        """What decides over the samples; a forgotten document does not."""
        return {"train": [s.sha256 for s in self.train], "eod": self.eod, "repeats": sorted(self.repeats.items())}


@dataclass(frozen=True, config=STRICT)
class ExamplesPlan:
    """A source of examples to tune on: files and their digests, in whose order they are read."""

    name: str
    train: tuple[Path, ...]
    digests: tuple[str, ...]
    validation: tuple[Path, ...] = ()
    too_long: Literal["drop", "cut"] = "drop"
    allow_bad: int = 0

    def identity(self) -> dict[str, Any]:
        """What decides over the samples; names of files do not."""
        return {"digests": sorted(self.digests), "too_long": self.too_long}


@dataclass(frozen=True, config=STRICT)
class Plan:
    """Sources by name, and the tokenizer file beside the plan that all of them share."""

    sources: dict[str, TokensPlan | ExamplesPlan]
    vocabulary: int
    eod: int
    tokenizer: str | None = None
    eod_token: str | None = None

    def held_out(self) -> dict[str, TokenSource]:
        """The held-out text of the sources of tokens that have some."""
        tokens = {name: source for name, source in self.sources.items() if isinstance(source, TokensPlan)}
        return {name: source.source("validation") for name, source in tokens.items() if source.validation}

    def identities(self) -> dict[str, str]:
        """What each source is, whatever its path."""
        return {name: identity_of(source.identity()) for name, source in self.sources.items()}


def write_plan(plan: Plan, folder: Path) -> None:
    write_whole(folder / PLAN, canonical_json(TypeAdapter(Plan).dump_python(plan, mode="json")))


def read_plan(folder: Path) -> Plan:
    """The plan of a run; raises ``ValueError`` where there is none or it cannot be read."""
    path = folder / PLAN
    if not path.is_file():
        raise ValueError(f"{folder} is no training run: it holds no {PLAN}")
    try:
        return TypeAdapter(Plan).validate_python(json.loads(path.read_bytes()))
    except ValueError as error:
        raise ValueError(unreadable(path, error)) from error


def unreadable(path: Path, error: ValueError) -> str:
    """What is said of a configuration or a plan that is damaged."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    else:
        why = str(error)
    return (
        f"{path} cannot be read ({why}): put a copy back, or remove it and train the run with the configuration that "
        "it was begun with, which writes it anew"
    )


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Put a file there whole or not at all, whatever was there before."""
    aside = path.with_name(f"{path.name}.aside")
    with open(aside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def check_patience(config: Config, held_out: Mapping[str, Source]) -> None:
    """Raise ``ValueError`` where a run is to stop once its validations get no better and there are none."""
    patience, sequence = config.validation.patience, config.data.sequence
    if patience and not any(source.positions(sequence) for source in held_out.values()):
        raise ValueError(
            f"validation.patience is {patience} and nothing is validated: no source holds out a whole sample of "
            f"{sequence:,} tokens. Hold more text out (validation_share of the tokenize pass, or validation: [FILES]), "
            "or leave patience out"
        )


def lasting(shard: Shard) -> Shard:
    """A shard by absolute paths, as a plan names it."""
    docs = shard.docs.absolute() if shard.docs else None
    return replace(shard, bin=shard.bin.absolute(), idx=shard.idx.absolute(), docs=docs)
