"""Word F1 of finished documents: how much of what each engine kept is what a person took from the page.

For WCXB's pages: the multisets of ``\\w+`` in small letters, a mean over the documents that an engine's filters and
dedup left, and over those that all engines left.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean

from benchmarks.engines import address
from benchmarks.f1 import Parts, f1, words
from benchmarks.places import DATA
from benchmarks.wcxb_warc import json_lines
from corpusforge import api


def truths() -> dict[str, Parts]:
    """The words of each page's main text by its address; of pages that share one none."""
    grounds = [row["ground"] for row in json_lines(DATA / "wcxb" / "dev.jsonl.zst") if row["ground"].get("url")]
    count = Counter(ground["url"] for ground in grounds)
    return {
        ground["url"]: words((ground.get("ground_truth") or {}).get("main_content") or "")
        for ground in grounds
        if count[ground["url"]] == 1
    }


def scores(texts: Iterator[tuple[str, str]], truths: Mapping[str, Parts]) -> dict[str, float]:
    """F1 by address."""
    return {url: f1(words(text), truths[url]) for url, text in texts if url in truths}


def ours(root: Path) -> Iterator[tuple[str, str]]:
    """Address and text of the documents of a build."""
    yield from ((row["url"], row["text"]) for row in api.documents(address(root), ["url", "text"]))


def datatrove(out: Path) -> Iterator[tuple[str, str]]:
    """Address and text of the documents that datatrove left."""
    for path in sorted((out / "dedup").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                yield row["metadata"]["url"], row["text"]


def table(roots: Mapping[str, Path]) -> list[str]:
    """The scores of each engine's documents, by the folder that it made."""
    known = truths()
    found = {
        slug: scores(datatrove(root) if slug == "datatrove" else ours(root), known) for slug, root in roots.items()
    }
    common = set.intersection(*(set(its) for its in found.values()))
    lines = ["| | documents with truth | word F1 | word F1 of the documents that all kept |", "|---|---:|---:|---:|"]
    for slug, its in found.items():
        both = fmean(its[url] for url in common) if common else 0.0
        mean = fmean(its.values()) if its else 0.0
        lines.append(f"| {slug} | {len(its):,} | {mean:.3f} | {both:.3f} ({len(common):,}) |")
    return lines
