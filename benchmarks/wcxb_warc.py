"""Distinct pages for measuring marginal cost, as WARC files of even size.

The pages are those of ``warc/bench-00000`` and ``bench-00001`` (the set ``bench``), the development pages of WCXB (Web
Content eXtraction Benchmark, Murrough Foley 2026, CC BY 4.0; the set ``wcxb``), which are written as WARC responses
first, or both (``all``). A payload that occurs again (276 WCXB pages are in the bench files too) counts once.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow as pa

from benchmarks.places import DATA, MADE, NotHere, needed

BENCH = ("bench-00000.warc.gz", "bench-00001.warc.gz")
DATE = "2026-01-01T00:00:00Z"
"""The set says no date of crawl; a fixed one keeps the files the same from run to run."""
SETS = ("wcxb", "bench", "all")
WRITER = 2
"""Raised when other pages or bytes are written, so that mixes in the cache are made anew."""


@dataclass(frozen=True)
class Page:
    """One page as the gzip member of its WARC record; ``sha1`` and ``payload_bytes`` are of the HTTP body."""

    sha1: str
    payload_bytes: int
    member: bytes


@dataclass(frozen=True)
class Mix:
    """A folder of WARC files, the pages in them and the bytes of those pages."""

    folder: str
    pages: int
    payload_bytes: int


def json_lines(path: Path) -> Iterator[Any]:
    """The rows of a ``.jsonl.zst`` file."""
    with pa.input_stream(str(path), compression="zstd") as file:
        # By line feed only: U+2028 and its like stand inside JSON strings.
        yield from (json.loads(line) for line in file.read().split(b"\n") if line)


def wcxb_pages(path: Path) -> Iterator[Page]:
    """The pages of WCXB, each as a WARC response in a gzip member of its own."""
    for row in json_lines(path):
        payload = row["html"].encode("utf-8", "replace")
        url = row["ground"].get("url") or f"https://wcxb.example/{row['file_id']}"
        yield Page(hashlib.sha1(payload).hexdigest(), len(payload), _member(row["file_id"], url, payload))


def _member(name: str, url: str, payload: bytes) -> bytes:
    digest = base64.b32encode(hashlib.sha1(payload).digest()).decode()
    http = ["HTTP/1.1 200 OK", "Content-Type: text/html; charset=utf-8", f"Content-Length: {len(payload)}", "", ""]
    block = "\r\n".join(http).encode() + payload
    head = [
        "WARC/1.0",
        "WARC-Type: response",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'wcxb/{name}')}>",
        f"WARC-Date: {DATE}",
        f"WARC-Target-URI: {url}",
        f"WARC-Payload-Digest: sha1:{digest}",
        "WARC-Identified-Payload-Type: text/html",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(block)}",
        "",
        "",
    ]
    return gzip.compress("\r\n".join(head).encode() + block + b"\r\n\r\n", compresslevel=6, mtime=0)


def shard_pages(folder: Path, names: Sequence[str]) -> Iterator[tuple[Any, Page]]:
    """The pages of WARC files of the test data, their gzip members as they are, each with its row of the manifest,
    which says where it begins."""
    rows = list(json_lines(folder / "manifest.jsonl.zst"))
    for name in names:
        data = (folder / name).read_bytes()
        pages = sorted((row for row in rows if row["shard"] == name), key=lambda row: row["offset"])
        ends = [row["offset"] for row in pages[1:]] + [len(data)]
        for row, end in zip(pages, ends, strict=True):
            yield row, Page(row["sha1"], row["bytes"], data[row["offset"] : end])


def distinct(pages: Iterable[Page]) -> list[Page]:
    """Every payload once, where it comes first."""
    found: dict[str, Page] = {}
    for page in pages:
        found.setdefault(page.sha1, page)
    return list(found.values())


def write_evenly(pages: Sequence[Page], folder: Path, files: int) -> None:
    """Write the pages into ``files`` WARC files; each page goes to the one that has the fewest payload bytes."""
    folder.mkdir(parents=True)
    held = [0] * files
    members: list[list[bytes]] = [[] for _ in held]
    for page in pages:
        emptiest = held.index(min(held))
        held[emptiest] += page.payload_bytes
        members[emptiest].append(page.member)
    for number, its in enumerate(members):
        (folder / f"mix-{number:05d}.warc.gz").write_bytes(b"".join(its))


def mixes(files: Sequence[int], limit: int | None = None, name: str = "all") -> tuple[Mix, Mix]:
    """Every fourth page of a set (1 ×) and all of its pages (4 ×), in ``files[0]`` and ``files[1]`` WARC files.

    Of the four ways to take every fourth page the one counts whose mean payload is next to that of all pages: else the
    difference would count as fixed cost.

    ``limit`` takes that many pages, spread over all of them, for trying things out. Mixes are kept in the cache; one
    made from other inputs has another name.
    """
    sources = [needed(DATA / "warc" / name, "CORPUSFORGE_DATA") for name in (*BENCH, "manifest.jsonl.zst")]
    sources.append(needed(DATA / "wcxb" / "dev.jsonl.zst", "CORPUSFORGE_DATA"))
    made_from = json.dumps([WRITER, limit, name, *([path.name, path.stat().st_size] for path in sources)])
    key = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    return kept_mixes(key, lambda: _pages(name, sources[-1], limit), files)


def _pages(name: str, wcxb: Path, limit: int | None) -> list[Page]:
    bench = (page for _, page in shard_pages(DATA / "warc", BENCH if name != "wcxb" else ()))
    pages = distinct([*bench, *(wcxb_pages(wcxb) if name != "bench" else ())])
    return [pages[len(pages) * n // limit] for n in range(min(limit, len(pages)))] if limit else pages


def kept_mixes(key: str, pages: Callable[[], list[Page]], files: Sequence[int]) -> tuple[Mix, Mix]:
    """The 1 × and the 4 × mix of pages, made where the cache has none under ``key``."""
    folders = [MADE / "mix" / f"{key}-{times}x-{count}files" for times, count in zip((1, 4), files, strict=True)]
    if not all((folder / "mix.json").exists() for folder in folders):
        everything = pages()
        for folder, part, count in zip(folders, (_fourth(everything), everything), files, strict=True):
            _keep(part, folder, count)
    first, second = (Mix(**json.loads((folder / "mix.json").read_text())) for folder in folders)
    return first, second


def _fourth(pages: Sequence[Page]) -> Sequence[Page]:
    mean = fmean(page.payload_bytes for page in pages)
    ways = [pages[start::4] for start in range(min(4, len(pages)))]
    return min(ways, key=lambda way: abs(fmean(page.payload_bytes for page in way) - mean))


def _keep(pages: Sequence[Page], folder: Path, files: int) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    write_evenly(pages, draft, files)
    mix = Mix(str(folder), len(pages), sum(page.payload_bytes for page in pages))
    (draft / "mix.json").write_text(json.dumps(asdict(mix)))
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def main() -> None:
    """Write the two mixes and say where they are."""
    parser = argparse.ArgumentParser(description="Write the 1x and 4x mixes of distinct pages as WARC files.")
    parser.add_argument("--files", type=int, nargs=2, default=(4, 4), help="WARC files of the 1x and the 4x mix")
    parser.add_argument("--pages", type=int, help="take so many pages in all, for trying things out")
    parser.add_argument("--set", choices=SETS, default="all", help="which pages")
    given = parser.parse_args()
    try:
        for mix in mixes(given.files, given.pages, given.set):
            print(f"{mix.folder}: {mix.pages:,} pages, {mix.payload_bytes / 1e6:.1f} MB")
    except NotHere as missing:
        sys.exit(f"error: {missing}")


if __name__ == "__main__":
    main()
