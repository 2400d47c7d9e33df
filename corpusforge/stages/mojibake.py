"""Mend what is left of wrong decodings in a text: single lines and words, quoted or pasted from elsewhere."""

from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from corpusforge.schema import EDIT
from corpusforge.stages import STRICT, put
from corpusforge.text.edits import Edit, apply
from corpusforge.text.mojibake import is_misread, repairs


@dataclass(frozen=True, config=STRICT)
class Mojibake:
    """Read back runs of UTF-8 that were read as windows-1252 (``cafÃ©``), where that round-trips; drop what stays.

    Whole pages of mojibake are read back by the source (``charset_by`` is ``repaired``); this is for pieces, and each
    is an edit. A single pair of characters proves nothing (``ESPAÑ”`` is Spanish): it is mended only beside two more
    in the same text. ``repaired`` counts the runs, ``undecodable`` the characters U+FFFD. Reasons: ``misread`` (a
    fifth of the foreign characters are signs of mojibake that cannot be read back), ``undecodable`` (more than
    ``undecodable_at_most`` of the characters are U+FFFD).
    """

    undecodable_at_most: float = Field(default=0.01, ge=0, le=1)

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text", "edits")
    writes: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.large_string(),
        "edits": pa.list_(EDIT),
        "repaired": pa.int32(),
        "undecodable": pa.int32(),
        "drop": pa.string(),
    }

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns: dict[str, list[Any]] = {name: [] for name in self.writes}
        for text, edits in zip(batch["text"].to_pylist(), batch["edits"].to_pylist(), strict=True):
            for name, value in zip(self.writes, self._mend(text, edits or []), strict=True):
                columns[name].append(value)
        return put(self, batch, **columns)

    def _mend(self, text: str | None, before: list[Edit]) -> tuple[str | None, list[Edit], int, int, str | None]:
        if not text:
            return text, before, 0, 0, None
        changes = repairs(text)
        mended, edits = apply(type(self).__name__, text, changes) if changes else (text, [])
        lost = mended.count("\ufffd")
        reason = "undecodable" if lost > self.undecodable_at_most * len(mended) else None
        if is_misread(mended):
            reason = "misread"
        return mended, before + edits, len(changes), lost, reason
