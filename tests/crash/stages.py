"""Stages of a user's own that die in the ways that stages die, on pages whose URL names the peril."""

from dataclasses import field
from typing import ClassVar

import pyarrow as pa
from lxml import html as lxml_html
from pydantic.dataclasses import dataclass

from corpusforge.engine import guard
from corpusforge.stages import STRICT
from tests.crash.passes import meet


@dataclass(frozen=True, config=STRICT)
class Peril:
    """Meet the peril that a page's URL names, unless it is ``cured``; segfaults are met as extraction meets them."""

    cured: bool = field(default=False)
    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("url",)
    writes: ClassVar[dict[str, pa.DataType]] = {}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for row in batch.select(["url", "source_file", "source_offset"]).to_pylist():
            peril = row["url"].rpartition("peril=")[2]
            if self.cured or peril == "none":
                continue
            if peril in ("segfault", "kill"):
                guard.at(f"{row['source_file']}:{row['source_offset']}")
            if peril == "lxml":
                lxml_html.fromstring("<p>a" * 2_400_000)
            else:
                meet(peril)
        guard.at("")
        return batch
