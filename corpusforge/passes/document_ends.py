"""Ends of words and sentences of the documents that the tokenize pass encodes, in tokens."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from corpusforge.passes.specs import library_version
from corpusforge.report.add import Report
from corpusforge.schema import TOKEN_ENDS
from corpusforge.text.boundaries import LIBRARIES, Places, need_dictionary, word_ends
from corpusforge.text.sentences import sentence_ends
from corpusforge.tokens.alignment import Alignment, tokens_up_to
from corpusforge.tokens.encoders import Encoder
from corpusforge.tokens.megatron import Ids

Boundary = Literal["words", "sentences"]
ENDS: Mapping[Boundary, str] = {"words": "word_ends", "sentences": "sentence_ends"}
"""The column of each kind of boundary."""
FOUND: Mapping[str, Callable[[str, str | None], Places]] = {
    "word_ends": word_ends,
    "sentence_ends": lambda text, lang: sentence_ends(text),
}
"""What finds the ends of a column in a text of a language."""


class DocumentEnds:
    """Columns of ends for documents and their ids; without ``columns`` it gives none and costs nothing."""

    def __init__(self, columns: Sequence[str], encoder: Encoder) -> None:
        self._columns = columns
        self._alignment = Alignment(encoder.token_bytes()) if columns else None

    def columns(self, batch: pa.RecordBatch, tokens: Sequence[Ids], report: Report) -> dict[str, pa.Array]:
        """One list of ends a document for each column; ``COLUMN.found`` and ``COLUMN.kept`` are counted."""
        if self._alignment is None:
            return {}
        found: dict[str, list[Places]] = {column: [] for column in self._columns}
        rows = zip(batch["id"].to_pylist(), batch["text"].to_pylist(), batch["lang"].to_pylist(), tokens, strict=True)
        for id, text, lang, ids in rows:
            borders = self._alignment.borders(id, text, ids)
            for column in self._columns:
                places = FOUND[column](text, lang)
                found[column].append(tokens_up_to(places, borders))
                report.count(f"{column}.found", len(places))
                report.count(f"{column}.kept", len(found[column][-1]))
        return {column: _lists(ends, TOKEN_ENDS.field(column).type) for column, ends in found.items()}


def ends_spec(columns: Sequence[str]) -> dict[str, Any]:
    """The part of an identity that the ends make up; ``ValueError`` if a library they need is not installed."""
    spec: dict[str, Any] = {"columns": list(columns), "revision": 1}
    if "word_ends" not in columns:
        return spec
    need_dictionary()
    return {**spec, "built_on": {library: library_version(library) for library in LIBRARIES}}


def _lists(ends: Sequence[Places], kind: pa.DataType) -> pa.Array:
    offsets = np.cumsum([0, *map(len, ends)], dtype=np.int32)
    values = np.concatenate([np.empty(0, np.int32), *ends])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, pa.int32()), type=kind)
