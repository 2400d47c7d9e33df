"""Ends of words and sentences in a token shard, as the tokenize pass wrote them with ``boundaries``."""

from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from corpusforge.tokens.shards import Shard

Column = Literal["word_ends", "sentence_ends"]
OPTIONS: dict[str, str] = {"word_ends": "words", "sentence_ends": "sentences"}
"""What ``boundaries`` of the tokenize pass must name for a column to be there."""


class Ends:
    """Behind which tokens of a shard a word or a sentence ends; the token that ends a document always counts.

    One bit a token is kept from the first use on.
    """

    def __init__(self, shard: Shard, column: Column) -> None:
        self.shard, self.column = shard, column

    def within(self, start: int, count: int) -> npt.NDArray[np.bool_]:
        """Whether an end lies behind each of ``count`` tokens of the shard from ``start`` on."""
        tokens = int(self.shard.starts[-1])
        if not 0 <= start <= start + count <= tokens:
            raise IndexError(
                f"{self.shard.bin} has {tokens:,} tokens; {start:,} to {start + count:,} are not all there"
            )
        first = start >> 3
        bits = np.unpackbits(self._bits[first : (start + count + 7) >> 3], bitorder="little")
        return bits[start - 8 * first :][:count].view(np.bool_)

    @cached_property
    def _bits(self) -> npt.NDArray[np.uint8]:
        """The ends of the whole shard, eight tokens a byte, the first one lowest; row groups are read one by one."""
        starts = self.shard.starts
        bits = np.zeros((int(starts[-1]) + 7) >> 3, np.uint8)
        document = 0
        for lists in self._lists():
            begins, last = starts[document : document + len(lists)], document + len(lists)
            if last >= len(starts):
                raise ValueError(f"{self.shard.docs} has more rows than {self.shard.bin} has documents: copy it anew")
            _mark(bits, begins, int(starts[last]), lists)
            document = last
        if document != self.shard.documents:
            raise ValueError(
                f"{self.shard.docs} has {document:,} rows for the {self.shard.documents:,} documents of "
                f"{self.shard.bin}: copy it anew"
            )
        # Documents of no tokens begin where the one before them ends.
        borders = starts[1:][starts[1:] > starts[:-1]] - 1
        np.bitwise_or.at(bits, borders >> 3, (1 << (borders & 7)).astype(np.uint8))
        return bits

    def _lists(self) -> Any:
        """The column, one array of lists for each row group."""
        if self.shard.docs is None:
            raise ValueError(f"the token shard {self.shard.bin} has no sidecar of documents: {self._cure}")
        with pq.ParquetFile(self.shard.docs) as file:
            if self.column not in file.schema_arrow.names:
                raise ValueError(f"{self.shard.docs} has no column {self.column}: {self._cure}")
            for group in range(file.metadata.num_row_groups):
                yield file.read_row_group(group, columns=[self.column])[self.column].combine_chunks()

    @property
    def _cure(self) -> str:
        return f"build the tokens with boundaries: [{OPTIONS[self.column]}] in the tokenize pass"


@cache
def ends_of(shard: Shard, column: Column) -> Ends:
    """The ends of a shard, once a process: 1/16 of the size of its ``.bin`` of uint16 stays in memory."""
    return Ends(shard, column)


def _mark(bits: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], stop: int, lists: Any) -> None:
    """Set the bits of the ends of documents that begin at ``begins`` and end before token ``stop``."""
    if not len(begins):
        return
    first = int(begins[0]) >> 3
    flags = np.zeros(((stop + 7) >> 3 << 3) - 8 * first, np.bool_)
    offsets = lists.offsets.to_numpy()
    ends = lists.values.to_numpy()[offsets[0] : offsets[-1]]
    flags[np.repeat(begins - 8 * first, np.diff(offsets)) + ends - 1] = True
    bits[first : first + len(flags) // 8] |= np.packbits(flags, bitorder="little")
