"""Take personal contact data out of a text before it is written anywhere."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, ClassVar

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.schema import BLOCK, MASKED, is_free_text
from corpusforge.stages import STRICT, put
from corpusforge.text.block_ranges import block_ranges, with_ranges
from corpusforge.text.masks import Found, find, moved

PLACEHOLDERS = {"EMAIL": "<EMAIL>", "IP": "<IP>", "PHONE": "<PHONE>"}
WIDTHS = {kind: len(mask) for kind, mask in PLACEHOLDERS.items()}


@dataclass(frozen=True, config=STRICT)
class MaskPersonal:
    """Replace e-mail addresses, public IP addresses and phone numbers by ``<EMAIL>``, ``<IP>`` and ``<PHONE>``.

    Masked are the text, the title and every column of strings that is none of the contracts: the turns of
    ``messages``, a ``colophon``, what ``columns`` carries on; also strings in lists and structs. What is found is
    described in ``corpusforge.text.masks``. ``masked`` names every place in the written text with its kind and the
    length of what it hides; of other columns no places are kept. What it hid is written nowhere. The URL stays: it is
    the document's address.
    Runs in the extraction pass: edits count from its result.
    """

    email: bool = True
    ip: bool = True
    phone: bool = True

    revision: ClassVar[int] = 2
    masks: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("text", "title", "blocks")
    writes: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.large_string(),
        "title": pa.string(),
        "blocks": pa.list_(BLOCK),
        "masked": pa.list_(MASKED),
    }
    unrecorded: ClassVar[bool] = True

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        chosen = (("EMAIL", self.email), ("IP", self.ip), ("PHONE", self.phone))
        kinds = tuple(kind for kind, wanted in chosen if wanted)
        texts: list[str | None] = batch["text"].to_pylist()
        found = [find(text, kinds) if text else [] for text in texts]
        titles = [title and _hide(title, find(title, kinds)) for title in batch["title"].to_pylist()]
        blocks = _moved_blocks(batch["blocks"], found)
        hidden = [text and _hide(text, places) for text, places in zip(texts, found, strict=True)]
        more = {f.name: _masked_column(batch[f.name], kinds) for f in batch.schema if is_free_text(f)}
        masked = [_masked(places) for places in found]
        return put(self, batch, **more, text=hidden, title=titles, blocks=blocks, masked=masked)


def _masked_column(column: pa.Array, kinds: tuple[str, ...]) -> pa.Array:
    before = column.to_pylist()
    after = [_masked_value(value, kinds) for value in before]
    return column if after == before else pa.array(after, column.type)


def _masked_value(value: Any, kinds: tuple[str, ...]) -> Any:
    """The value with every string in it masked; tuples are the entries of a map."""
    if isinstance(value, str):
        return _hide(value, find(value, kinds))
    if isinstance(value, list | tuple):
        return type(value)(_masked_value(one, kinds) for one in value)
    if isinstance(value, dict):
        return {key: _masked_value(one, kinds) for key, one in value.items()}
    return value


def _hide(text: str, found: list[Found]) -> str:
    pieces, position = [], 0
    for start, end, kind in found:
        pieces += [text[position:start], PLACEHOLDERS[kind]]
        position = end
    return "".join([*pieces, text[position:]])


def _masked(found: list[Found]) -> list[dict[str, Any]]:
    shifts = accumulate((WIDTHS[kind] - (end - start) for start, end, kind in found), initial=0)
    places = zip(found, shifts, strict=False)
    return [{"kind": kind, "start": start + shift, "length": end - start} for (start, end, kind), shift in places]


def _moved_blocks(column: pa.Array, found: Sequence[list[Found]]) -> pa.Array:
    """The blocks with their ranges moved in the rows where something was found."""
    if not any(found):
        return column
    ranges = block_ranges(column)
    starts, ends = ranges.starts.copy(), ranges.ends.copy()
    for row, places in enumerate(found):
        if places:
            of = ranges.of(row)
            starts[of] = [moved(offset, places, WIDTHS) for offset in starts[of].tolist()]
            ends[of] = [moved(offset, places, WIDTHS) for offset in ends[of].tolist()]
    return with_ranges(column, ranges, starts, ends)
