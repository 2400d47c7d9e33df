"""Where rows end: kept or swept, each written once and counted, so that records = kept + drops."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpusforge.engine.tables import TableWriter
from corpusforge.report.add import EXCERPT, Report
from corpusforge.schema import DOCUMENT
from corpusforge.text.canonical import sha256

LEADING = tuple(name for name in DOCUMENT.names if name != "drop")
SERIES = re.compile(r"[a-z0-9_]{1,24}")


def stored_schema(columns: dict[str, pa.DataType], more: dict[str, pa.DataType] | None = None) -> pa.Schema:
    """The schema of a kept file: contract columns first, then measurements as they come; never html or drop."""
    every = {**columns, **(more or {})}
    every.pop("html", None)
    every.pop("drop", None)
    names = [n for n in LEADING if n in every] + [n for n in every if n not in LEADING]
    return pa.schema([(name, every[name]) for name in names])


def swept_schema(kept: pa.Schema, more: Sequence[tuple[str, pa.DataType]] = ()) -> pa.Schema:
    """A swept file has every column of the kept one, those not reached yet being null, and the reason."""
    fields = [*((f.name, f.type) for f in kept), *more, ("drop", pa.string())]
    return pa.schema(list({name: (name, kind) for name, kind in fields}.values()))


def without_html(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without its pages, which are large, are never written, and would be copied by every filter."""
    return batch.select([name for name in batch.schema.names if name != "html"])


class Ledger:
    """Writes kept and swept rows and counts them into a report."""

    def __init__(self, kept: TableWriter, swept: TableWriter, counted: Sequence[str]) -> None:
        self.report = Report()
        self._kept, self._swept, self._counted = kept, swept, counted
        self._kept_schema, self._swept_schema = kept.schema, swept.schema

    def split(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Sweep the marked rows of a batch; give the others."""
        drop = batch["drop"]
        if drop.null_count == batch.num_rows:
            return batch
        self.sweep(without_html(batch).filter(drop.is_valid()))
        return batch.filter(drop.is_null())

    def sweep(self, batch: pa.RecordBatch) -> None:
        """Write dropped rows with their reason, count and sample them."""
        self._swept.write(_fitted(batch, self._swept_schema))
        reasons = batch["drop"].to_pylist()
        for reason in reasons:
            self.report.count(f"drop.{reason}")
        self.report.count("records", batch.num_rows)
        self._samples(batch, [f"drop.{reason}" for reason in reasons])
        self._measure(batch)

    def keep(self, batch: pa.RecordBatch) -> None:
        """Write kept rows, count and sample them."""
        if not batch.num_rows:
            return
        self._kept.write(_fitted(batch, self._kept_schema))
        self.report.count("records", batch.num_rows)
        self.report.count("kept", batch.num_rows)
        self.report.count("documents", batch.num_rows)
        self._samples(batch, ["kept"] * batch.num_rows)
        self._measure(batch)
        self._count_text(batch)

    def passed_over(self, reason: str, records: int, file: str, offset: int) -> None:
        """Count records that never became rows; the sample says in which slice they are."""
        self.report.count("records", records)
        self.report.count(f"drop.{reason}", records)
        place = {"source_file": file, "source_offset": offset}
        self.report.sample(f"drop.{reason}", id=sha256(f"{file}:{offset}".encode())[:32], records=records, **place)

    def _count_text(self, batch: pa.RecordBatch) -> None:
        if "text" not in batch.schema.names:
            return
        sizes = pc.fill_null(pc.binary_length(batch["text"]), 0)
        characters = pc.fill_null(pc.utf8_length(batch["text"]), 0)
        self.report.count("text_bytes", pc.sum(sizes).as_py())
        self.report.count("characters", pc.sum(characters).as_py())
        self.report.bins("kept characters", _powers(characters.to_numpy(zero_copy_only=False)))
        for column in self._counted:
            if column in batch.schema.names:
                self._count_values(column, batch[column].to_pylist(), sizes.to_pylist())
        for url in batch["url"].to_pylist():
            self.report.seen("hosts", _host(url))

    def _count_values(self, column: str, values: Sequence[Any], sizes: Sequence[int]) -> None:
        for value, size in zip(values, sizes, strict=True):
            self.report.count(f"by.{column}.{value}.documents")
            self.report.count(f"by.{column}.{value}.text_bytes", size)

    def _measure(self, batch: pa.RecordBatch) -> None:
        for field in batch.schema:
            if field.name.startswith("source_"):
                continue
            if pa.types.is_floating(field.type):
                values = batch[field.name].drop_null().to_numpy(zero_copy_only=False)
                self.report.bins(field.name, _twentieths(values))
            elif pa.types.is_integer(field.type):
                values = batch[field.name].drop_null().to_numpy(zero_copy_only=False)
                self.report.bins(field.name, _powers(values))

    def _samples(self, batch: pa.RecordBatch, groups: Sequence[str]) -> None:
        texts: Sequence[str | None] = [None] * len(groups)
        if "text" in batch.schema.names:
            texts = pc.utf8_slice_codeunits(batch["text"], 0, EXCERPT).to_pylist()
        ids, urls = batch["id"].to_pylist(), batch["url"].to_pylist()
        files, offsets = batch["source_file"].to_pylist(), batch["source_offset"].to_pylist()
        for group, identity, url, text, file, offset in zip(groups, ids, urls, texts, files, offsets, strict=True):
            place = {"source_file": file, "source_offset": offset}
            self.report.sample(group, id=identity, url=url, text=text or "", **place)


def _host(url: str | None) -> str:
    try:
        return urlsplit(url or "").netloc
    except ValueError:
        return ""


def series_name(value: str) -> str:
    """A partition value as the first part of a shard's name."""
    return value if SERIES.fullmatch(value) else "x" + sha256(value.encode())[:24]


def _fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with exactly the columns of ``schema``; those it does not have are null."""
    names = batch.schema.names
    arrays = [batch[f.name].cast(f.type) if f.name in names else pa.nulls(batch.num_rows, f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _powers(values: Any) -> list[str]:
    """Bin labels ``0``, ``1``, ``2``, ``4`` …: the largest power of two that is not above the value."""
    whole = np.maximum(values.astype(np.int64), 0)
    return [str(1 << (int(v).bit_length() - 1)) if v else "0" for v in whole.tolist()]


def _twentieths(values: Any) -> list[str]:
    """Bin labels ``0.00``, ``0.05`` … of scores, ``1.00`` and above in one bin per unit."""
    return [_twentieth(value) for value in values.tolist()]


@lru_cache(1 << 14)
def _twentieth(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{int(value * 20) / 20:.2f}" if value < 1 else f"{int(value)}.00"
