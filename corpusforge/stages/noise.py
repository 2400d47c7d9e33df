"""Lines that are not part of what a page says: menus, share and login lines, notices, ads, lists of other pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.schema import EDIT
from corpusforge.stages import STRICT, put
from corpusforge.text.addresses import without_addresses
from corpusforge.text.block_ranges import BlockRanges, block_ranges
from corpusforge.text.edits import Edit, apply
from corpusforge.text.lines import line_ranges
from corpusforge.text.noise import line_links, noise_lines
from corpusforge.text.noise_words import WORDS


@dataclass(frozen=True, config=STRICT)
class NoiseLines:
    """Remove noise lines (see ``text/noise.py``); count them in ``noise_lines`` and ``noise_characters``.

    Comes first in its pass: link shares are read from ``blocks``, whose offsets hold in the text that extraction wrote,
    so they are left out where ``edits`` already stand. A text with no letter or digit left is dropped as
    ``only_noise``, one that lost more than ``at_most`` of its characters as ``mostly_noise``: what little remains of a
    page of menus is seldom a text. (DCLM drops at 5 % of words; there a line goes on much weaker evidence.)
    """

    at_most: float = 0.8
    revision: ClassVar[int] = 2
    data: ClassVar[tuple[Path, ...]] = (WORDS,)
    reads: ClassVar[tuple[str, ...]] = ("text", "lang", "blocks", "edits")
    writes: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.large_string(),
        "edits": pa.list_(EDIT),
        "noise_lines": pa.int32(),
        "noise_characters": pa.int32(),
        "drop": pa.string(),
    }

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns: dict[str, list[Any]] = {name: [] for name in self.writes}
        blocks = block_ranges(batch["blocks"])
        rows = zip(*(batch[name].to_pylist() for name in ("text", "lang", "edits")), strict=True)
        for row, (text, lang, edits) in enumerate(rows):
            for name, value in zip(self.writes, self._clean(text, lang, blocks, row, edits or []), strict=True):
                columns[name].append(value)
        return put(self, batch, **columns)

    def _clean(
        self, text: str | None, lang: str | None, blocks: BlockRanges, row: int, before: list[Edit]
    ) -> tuple[str | None, list[Edit], int, int, str | None]:
        if not text:
            return text, before, 0, 0, None
        lines = text.split("\n")
        ranges = line_ranges(lines)
        of = slice(0) if before else blocks.of(row)
        links = line_links(ranges, blocks.starts[of], blocks.ends[of], blocks.links[of])
        noise = noise_lines([without_addresses(line) for line in lines], lang, links)
        if not any(noise):
            return text, before, 0, 0, None
        kept, edits = apply(type(self).__name__, text, removals(text, ranges.tolist(), noise))
        removed = len(text) - len(kept)
        return kept, before + edits, sum(noise), removed, self._reason(text, kept, removed)

    def _reason(self, text: str, kept: str, removed: int) -> str | None:
        if not removed:
            return None
        if not any(character.isalnum() for character in kept):
            return "only_noise"
        return "mostly_noise" if removed > self.at_most * len(text) else None


def removals(text: str, ranges: Sequence[tuple[int, int]], noise: Sequence[bool]) -> list[tuple[int, int, str]]:
    """Ranges to cut: each run of noise lines with its line feeds; at the end of the text also the line feed before."""
    cuts: list[tuple[int, int, str]] = []
    for (start, end), is_noise in zip(ranges, noise, strict=True):
        if not is_noise:
            continue
        after = min(end + 1, len(text))
        if cuts and cuts[-1][1] == start:
            cuts[-1] = (cuts[-1][0], after, "")
        else:
            cuts.append((start, after, ""))
    if cuts and cuts[-1][1] == len(text) and cuts[-1][0] > 0 and text[-1] != "\n":
        cuts[-1] = (cuts[-1][0] - 1, len(text), "")
    return cuts
