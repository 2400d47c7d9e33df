"""What a run reads, resolved: files with their digests, so that every worker opens the same and nothing is looked up.

The plan lies in the run's folder; Ray carries its path and never data.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from corpusforge.text.canonical import canonical_json, identity_of
from corpusforge.tokens.shards import Shard, TokenSource

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
    """A source of examples to tune on: files and their digests."""

    name: str
    train: tuple[Path, ...]
    digests: tuple[str, ...]
    validation: tuple[Path, ...] = ()
    too_long: Literal["drop", "cut"] = "drop"
    allow_bad: int = 0

    def identity(self) -> dict[str, Any]:
        return {"digests": list(self.digests), "too_long": self.too_long}


@dataclass(frozen=True, config=STRICT)
class Plan:
    """Sources by name, and the tokenizer file beside the plan that all of them share."""

    sources: dict[str, TokensPlan | ExamplesPlan]
    vocabulary: int
    eod: int
    tokenizer: str | None = None
    eod_token: str | None = None

    def identities(self) -> dict[str, str]:
        """What each source is, whatever its path."""
        return {name: identity_of(source.identity()) for name, source in self.sources.items()}


def write_plan(plan: Plan, folder: Path) -> None:
    folder.joinpath(PLAN).write_bytes(canonical_json(TypeAdapter(Plan).dump_python(plan, mode="json")))


def read_plan(folder: Path) -> Plan:
    """The plan of a run; raises ``ValueError`` where there is none."""
    path = folder / PLAN
    if not path.is_file():
        raise ValueError(f"{folder} is no training run: it holds no {PLAN}")
    return TypeAdapter(Plan).validate_python(json.loads(path.read_bytes()))


def lasting(shard: Shard) -> Shard:
    """A shard by absolute paths, as a plan names it."""
    docs = shard.docs.absolute() if shard.docs else None
    return replace(shard, bin=shard.bin.absolute(), idx=shard.idx.absolute(), docs=docs)
