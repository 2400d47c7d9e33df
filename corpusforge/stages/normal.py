"""Bring extracted text into the form in which it is stored."""

from typing import ClassVar

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.schema import BLOCK
from corpusforge.stages import STRICT, put
from corpusforge.text.normal import normalise, normalise_with


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
        texts, blocks = batch["text"].to_pylist(), batch["blocks"].to_pylist()
        rows = [_row(text, block) for text, block in zip(texts, blocks, strict=True)]
        return put(self, batch, text=[text for text, _ in rows], title=titles, blocks=[block for _, block in rows])


def _row(text: str | None, blocks: list[dict[str, int]] | None) -> tuple[str | None, list[dict[str, int]] | None]:
    if not text or not blocks:
        return text and normalise(text), blocks
    offsets = [block[side] for block in blocks for side in ("start", "end")]
    text, moved = normalise_with(text, offsets)
    pairs = zip(blocks, moved[::2], moved[1::2], strict=True)
    return text, [{**block, "start": start, "end": end} for block, start, end in pairs]
