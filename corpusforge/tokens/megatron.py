"""Token shards in Megatron-LM's indexed format: ``.bin`` holds the token ids, ``.idx`` says where documents lie.

The index, little-endian: magic ``MMIDIDX\\0\\0`` · version u64 = 1 · dtype code u8 (4 = int32, 8 = uint16) ·
sequences u64 · document entries u64 = documents + 1 · lengths int32[] (tokens) · pointers int64[] (bytes into the
``.bin``) · document index int64[] (one sequence a document, so 0 … n).
"""

import struct
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusforge.engine.attempt import Output
from corpusforge.engine.tables import TableWriter
from corpusforge.schema import TOKEN_DOCUMENT, TOKEN_ENDS

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
CODES: dict[str, int] = {"int32": 4, "uint16": 8}
HEADER = struct.Struct("<9sQBQQ")
SMALL_VOCABULARY = 65_500
"""Ids below this fit uint16; Megatron-LM keeps a margin below 65 536, and so do its readers."""

Ids = npt.NDArray[Any]


def dtype_for(vocabulary: int) -> np.dtype[Any]:
    """The type of ids of a vocabulary: little-endian uint16 or int32."""
    return np.dtype("<u2" if vocabulary < SMALL_VOCABULARY else "<i4")


def index_bytes(lengths: Sequence[int], dtype: np.dtype[Any]) -> bytes:
    """The whole ``.idx`` for documents of these lengths, in tokens."""
    counts = np.asarray(lengths, dtype="<i4")
    ends = np.cumsum(counts, dtype="<i8") * dtype.itemsize
    pointers = ends - counts.astype("<i8") * dtype.itemsize
    documents = np.arange(len(counts) + 1, dtype="<i8")
    header = HEADER.pack(MAGIC, VERSION, CODES[dtype.name], len(counts), len(documents))
    return b"".join([header, counts.tobytes(), pointers.astype("<i8").tobytes(), documents.tobytes()])


@dataclass(frozen=True)
class Index:
    """What an ``.idx`` says: ``lengths`` in tokens, ``pointers`` in bytes, ``documents`` as first sequence of each."""

    dtype: np.dtype[Any]
    lengths: Ids
    pointers: Ids
    documents: Ids


class SplitWriter:
    """Writes the documents of one split of a unit: ``SPLIT.bin``, ``SPLIT.docs.parquet`` and ``SPLIT.idx``.

    Token ids go straight to the file; only the lengths are held. ``ends`` names the columns of ``TOKEN_ENDS`` that the
    sidecar has.
    """

    def __init__(self, out: Output, split: str, vocabulary: int, eod: int, ends: Sequence[str] = ()) -> None:
        self.documents, self.tokens = 0, 0
        self._out, self._split = out, split
        self._dtype, self._lengths = dtype_for(vocabulary), array("i")
        self._eod = np.array([eod], dtype=self._dtype).tobytes()
        self._files = ExitStack()
        self._bin = self._files.enter_context(out.create(f"{split}.bin"))
        docs = self._files.enter_context(out.create(f"{split}.docs.parquet"))
        self._schema = pa.schema([*TOKEN_DOCUMENT, *(TOKEN_ENDS.field(name) for name in ends)])
        self._docs = self._files.enter_context(TableWriter(docs, self._schema))

    def __enter__(self) -> "SplitWriter":
        return self

    def __exit__(self, kind: Any, error: Any, at: Any) -> None:
        self._files.__exit__(kind, error, at)
        if kind is None:
            with self._out.create(f"{self._split}.idx") as file:
                file.write(index_bytes(self._lengths, self._dtype))

    def write(self, rows: pa.RecordBatch, tokens: Sequence[Ids]) -> None:
        """Add documents with their ids; the end-of-document id is appended and counted here.

        ``rows`` has the columns of a token document that do not depend on the shard, and ``ends``.
        """
        counts = np.array([len(ids) + 1 for ids in tokens], dtype=np.int64)
        for ids in tokens:
            self._bin.write(ids.astype(self._dtype, copy=False).tobytes())
            self._bin.write(self._eod)
        self._lengths.extend(counts.tolist())
        places = {
            "document": pa.array(np.arange(self.documents, self.documents + len(counts))),
            "token_start": pa.array(self.tokens + np.cumsum(counts) - counts),
            "token_count": pa.array(counts, pa.int32()),
            "split": pa.array([self._split] * len(counts), pa.string()),
        }
        columns = {**dict(zip(rows.schema.names, rows.columns, strict=True)), **places}
        names = self._schema.names
        self._docs.write(pa.RecordBatch.from_arrays([columns[name] for name in names], names))
        self.documents += len(counts)
        self.tokens += int(counts.sum())
