"""Real pages for the tests of the extraction pass, in UTF-8 as a source hands them on."""

import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard
from fastwarc.warc import ArchiveIterator, WarcRecordType

from tests.real import real


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from map(
            json.loads, io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8", newline="\n")
        )


@cache
def _facts() -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["shard"], row["url"]): row for row in json_lines(real("warc/manifest.jsonl.zst"))}


def real_pages(shard: str, every: int) -> list[tuple[bytes, dict[str, Any]]]:
    """Every n-th page of a shard: bytes in UTF-8 by the manifest's encoding, and the manifest's row."""
    pages = []
    with real(f"warc/{shard}.warc.gz").open("rb") as file:
        for number, record in enumerate(ArchiveIterator(file, record_types=WarcRecordType.response)):
            facts = _facts().get((f"{shard}.warc.gz", record.headers["WARC-Target-URI"]))
            if number % every or not facts or not facts["actual_charset"]:
                continue
            charset = {"shift_jis": "cp932"}.get(facts["actual_charset"].lower(), facts["actual_charset"])
            pages.append((record.reader.read().decode(charset, "replace").encode(), facts))
    return pages


def html_batch(*pages: bytes | str | None) -> pa.RecordBatch:
    """A batch of pages as the first stages of the extraction pass read it."""
    html = [page.encode() if isinstance(page, str) else page for page in pages]
    columns = {
        "id": pa.array([f"{i:032x}" for i in range(len(html))], pa.string()),
        "html": pa.array(html, pa.large_binary()),
        "source_file": pa.array(["made.warc"] * len(html), pa.string()),
        "source_offset": pa.array(range(len(html)), pa.int64()),
        "drop": pa.array([None] * len(html), pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)
