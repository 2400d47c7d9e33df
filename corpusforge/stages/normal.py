"""Bring extracted text into the form in which it is stored."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.schema import BLOCK
from corpusforge.stages import STRICT, put
from corpusforge.text.block_ranges import block_ranges, with_ranges
from corpusforge.text.normal import normalise, normalise_and_move


@dataclass(frozen=True, config=STRICT)
class Normalise:
    """Normalise text and title as ``corpusforge.text.normal`` says, and move the blocks with the text.

    Runs in the extraction pass: edits count from its result.
    """

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text", "title", "blocks")
    writes: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.large_string(),
        "title": pa.string(),
        "blocks": pa.list_(BLOCK),
    }
    unrecorded: ClassVar[bool] = True

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        titles = [title and normalise(title) for title in batch["title"].to_pylist()]
        texts, ranges = batch["text"].to_pylist(), block_ranges(batch["blocks"])
        starts, ends = ranges.starts.copy(), ranges.ends.copy()
        for row, text in enumerate(texts):
            if text:
                of = ranges.of(row)
                texts[row], moved = normalise_and_move(text, np.concatenate((starts[of], ends[of])))
                starts[of], ends[of] = np.split(moved, 2)
        return put(self, batch, text=texts, title=titles, blocks=with_ranges(batch["blocks"], ranges, starts, ends))
