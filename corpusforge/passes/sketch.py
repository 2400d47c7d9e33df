"""The first step of dedup: of each shard, a sketch of every row and the bands by which rows meet."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpusforge.engine.attempt import Output, Reader, Resources
from corpusforge.engine.exchange import scatter
from corpusforge.engine.tables import TableWriter, read_rows, schema_of
from corpusforge.engine.unit import Manifest, Unit
from corpusforge.report.add import Report
from corpusforge.text.minhash import SCHEME, Signatures, band_hashes, signatures
from corpusforge.text.shingles import Keys, digest, keys_of

EXACT_BAND, SAME_ID_BAND = -1, -2
"""Bands that are no MinHash: digest of the normalised text; the document's id."""

BANDS = pa.schema([("key", pa.uint64()), ("check", pa.uint64()), ("band", pa.int16()), ("address", pa.uint64())])
"""One line per band of a row; rows with equal ``key``, ``check`` (128 bits of hash) and ``band`` meet."""

ROW_BITS = 32
"""An address is ``shard << 32 | row``: local to one version, never more than a way to find the row."""

TOGETHER = 64
"""Documents that are sketched together: their numbers stay in the processor's cache."""
COLUMNS = ("id", "text", "date", "source_file", "source_offset")


def sketch_schema(permutations: int) -> pa.Schema:
    """One line per row of the shard, in order.

    ``signature`` is little-endian uint32, all ones without shingles; ``digest`` is that of the normalised text, by
    which exact duplicates meet, ``text_digest`` that of the text itself, which breaks ties.
    """
    return pa.schema(
        [
            ("id", pa.string()),
            ("row", pa.int64()),
            ("signature", pa.binary(permutations * 4)),
            ("shingles", pa.int32()),
            ("digest", pa.binary(16)),
            ("text_digest", pa.binary(16)),
            ("characters", pa.int32()),
            ("bytes", pa.int64()),
            ("date", pa.string()),
            ("source_file", pa.string()),
            ("source_offset", pa.int64()),
        ]
    )


def shards_of(reads: Sequence[str], inputs: Mapping[str, Sequence[Manifest]]) -> list[tuple[str, Manifest]]:
    """The shards that dedup reads with the names of their units, in the order of the plans; the index is the shard."""
    if len(reads) == 1:
        return [(m.unit, m) for m in inputs[reads[0]]]
    return [(f"{m.step.replace('/', '.')}.{m.unit}", m) for step in reads for m in inputs[step]]


@dataclass(frozen=True)
class Sketch:
    """Write ``sketch.parquet`` and ``bands.parquet`` for every shard."""

    name: str
    reads: tuple[str, ...]
    exact: bool
    near: bool
    bands: int
    rows: int
    seed: int
    shingle_words: int
    shingle_characters: int

    @property
    def resources(self) -> Resources:
        return Resources()

    @property
    def permutations(self) -> int:
        return self.bands * self.rows

    def spec(self) -> dict[str, Any]:
        return {
            "pass": "dedup.sketch",
            "revision": 1,
            "exact": self.exact,
            "near": self.near,
            "bands": self.bands,
            "rows": self.rows,
            "seed": self.seed,
            "shingle_words": self.shingle_words,
            "shingle_characters": self.shingle_characters,
            "scheme": SCHEME,
            "built_on": {"unicode": unicodedata.unidata_version},
        }

    def plan(self, inputs: Mapping[str, Sequence[Manifest]]) -> Sequence[Unit]:
        found = [(name, m.file("kept.parquet")) for name, m in shards_of(self.reads, inputs)]
        return [Unit(name, {"shard": n}, (file,), file.bytes) for n, (name, file) in enumerate(found)]

    def work(self, unit: Unit, inputs: Reader, out: Output) -> Report:
        report, meeting = Report(), [BANDS.empty_table()]
        first = unit.spec["shard"] << ROW_BITS
        with (
            inputs.open(unit.reads[0]) as opened,
            out.create("sketch.parquet") as file,
            TableWriter(file, sketch_schema(self.permutations)) as writer,
        ):
            for batch in _batches(opened):
                ids, keys, table = self._sketched(batch)
                writer.write(_lines(batch, writer.rows, keys, table))
                meeting.append(self._meeting(first, ids, keys, table))
                first += batch.num_rows
                report.count("duplicates.compared", int(np.count_nonzero(keys.shingles())))
                report.count("duplicates.too_short", int(np.count_nonzero(keys.shingles() == 0)))
        met = pa.concat_tables(meeting)
        scatter(out, "bands.parquet", met)
        out.counts["band_rows"] = met.num_rows
        return report

    def _sketched(self, batch: pa.RecordBatch) -> tuple[list[str], Keys, Signatures]:
        if batch["id"].null_count:
            raise ValueError("a document without an id cannot be compared: its source must give every record one")
        texts = [text or "" for text in batch["text"].to_pylist()]
        keys = keys_of(texts, self.shingle_words, self.shingle_characters)
        return batch["id"].to_pylist(), keys, signatures(keys.hashes, keys.hash_starts, self.permutations, self.seed)

    def _meeting(self, first: int, ids: Sequence[str], keys: Keys, table: Signatures) -> pa.Table:
        """The lines of ``bands.parquet`` for one batch, whose first row has the address ``first``."""
        addresses = np.arange(first, first + len(ids), dtype=np.uint64)
        parts = [_whole(SAME_ID_BAND, addresses, [digest(i.encode()) for i in ids])]
        if self.exact:
            chosen = keys.characters() > 0
            digests = [d for d, wanted in zip(keys.digests(), chosen, strict=True) if wanted]
            parts.append(_whole(EXACT_BAND, addresses[chosen], digests))
        if self.near:
            chosen = keys.shingles() > 0
            key, check = band_hashes(table[chosen], self.bands)
            numbers = np.tile(np.arange(self.bands, dtype=np.int16), len(key))
            parts.append(_met(key.ravel(), check.ravel(), numbers, np.repeat(addresses[chosen], self.bands)))
        return pa.concat_tables(parts)


def _batches(file: Any) -> Iterator[pa.RecordBatch]:
    """The columns that a sketch needs; those that the shard does not have are null."""
    there = schema_of(file).names
    for batch in read_rows(file, columns=[c for c in COLUMNS if c in there]):
        for name, kind in (("date", pa.string()), ("source_file", pa.string()), ("source_offset", pa.int64())):
            if name not in there:
                batch = batch.append_column(name, pa.nulls(batch.num_rows, kind))
        for start in range(0, batch.num_rows, TOGETHER):
            yield batch.slice(start, TOGETHER)


def _lines(batch: pa.RecordBatch, first: int, keys: Keys, table: Signatures) -> pa.RecordBatch:
    """The lines of ``sketch.parquet`` for one batch."""
    columns = {
        "id": batch["id"],
        "row": pa.array(range(first, first + batch.num_rows), pa.int64()),
        "signature": fixed_binary(table.astype("<u4", copy=False).tobytes(), table.shape[1] * 4),
        "shingles": pa.array(keys.shingles(), pa.int32()),
        "digest": pa.array(keys.digests(), pa.binary(16)),
        "text_digest": pa.array(
            [digest(t or b"") for t in batch["text"].cast(pa.large_binary()).to_pylist()], pa.binary(16)
        ),
        "characters": pa.array(keys.characters(), pa.int32()),
        "bytes": pc.fill_null(pc.binary_length(batch["text"]), 0),
        **{name: batch[name] for name in COLUMNS[2:]},
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def fixed_binary(data: bytes, width: int) -> pa.Array:
    """An array of values of ``width`` bytes over ``data``."""
    return pa.Array.from_buffers(pa.binary(width), len(data) // width, [None, pa.py_buffer(data)])


def _whole(band: int, addresses: NDArray[np.uint64], digests: Sequence[bytes]) -> pa.Table:
    """Lines of a band whose key and check are a digest of 16 bytes."""
    halves = np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2)
    return _met(halves[:, 0], halves[:, 1], np.full(len(digests), band, np.int16), addresses)


def _met(key: Any, check: Any, band: Any, address: Any) -> pa.Table:
    arrays = [pa.array(np.ascontiguousarray(values)) for values in (key, check, band, address)]
    return pa.Table.from_arrays(arrays, schema=BANDS)
