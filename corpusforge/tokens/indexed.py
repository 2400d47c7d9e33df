"""Megatron-LM's index as anybody may have written it: any type of ids, documents of several sequences.

After the header (see ``corpusforge.tokens.megatron``): lengths int32[] · pointers int64[] · document index int64[], the
first sequence of each document and, last, the number of sequences; a multimodal index goes on with modes int8[].
"""

from os import PathLike
from typing import Any

import numpy as np

from corpusforge.tokens.megatron import HEADER, MAGIC, VERSION, Ids, Index

DTYPES = {1: "<u1", 2: "<i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2"}
NOT_TOKENS = {6: "float64", 7: "float32"}


def open_index(path: str | PathLike[str]) -> Index:
    """Memory-map an ``.idx`` and prove that sequences and documents follow one another without gaps.

    Raises ``ValueError`` that names the file and what is wrong: nothing is read that may be other than it seems.
    """
    with open(path, "rb") as file:
        head = file.read(HEADER.size)
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        raise ValueError(f"{path} is not a Megatron index: it does not start with {MAGIC!r}")
    _, version, code, sequences, entries = HEADER.unpack(head)
    if version != VERSION or code not in DTYPES:
        kind = f"{NOT_TOKENS[code]}, which are no token ids" if code in NOT_TOKENS else f"the unknown type {code}"
        what = f"holds {kind}" if version == VERSION else f"has version {version}; known is {VERSION}"
        raise ValueError(f"{path} {what}: give the index of a file of tokens")
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    expected = HEADER.size + 12 * sequences + 8 * entries
    if sequences and len(raw) == expected + sequences:
        raise ValueError(f"{path} is multimodal: not every sequence is text, so it cannot be read as tokens alone")
    if len(raw) != expected:
        raise ValueError(f"{path} is {len(raw)} bytes long; its header promises {expected}: copy it anew")
    lengths, pointers, documents = np.split(raw[HEADER.size :], [4 * sequences, 12 * sequences])
    index = Index(np.dtype(DTYPES[code]), lengths.view("<i4"), pointers.view("<i8"), documents.view("<i8"))
    _prove(path, index)
    return index


def _prove(path: Any, index: Index) -> None:
    if len(index.lengths) and int(index.lengths.min()) < 0:
        raise ValueError(f"{path} has a sequence of {int(index.lengths.min())} tokens: write it anew")
    ends = np.cumsum(index.lengths, dtype=np.int64) * index.dtype.itemsize
    begins = ends - index.lengths.astype(np.int64) * index.dtype.itemsize
    if not np.array_equal(index.pointers, begins):
        number = int(np.flatnonzero(index.pointers != begins)[0])
        found, wanted = int(index.pointers[number]), int(begins[number])
        raise ValueError(
            f"{path}: sequence {number:,} begins at byte {found:,}, not at {wanted:,} where the one before it ends; "
            "only files whose sequences lie end to end are read: write it anew in their order"
        )
    if not _are_borders(index.documents, len(index.lengths)):
        raise ValueError(
            f"{path}: its document index does not rise from 0 to its {len(index.lengths):,} sequences, "
            "so where documents end is not known: write it anew, with the end of each document"
        )


def _are_borders(documents: Ids, sequences: int) -> bool:
    ends = documents[:1].tolist() + documents[-1:].tolist()
    return ends == [0, sequences] and bool((np.diff(documents) >= 0).all())
