"""Main text by our extractor on sites that it has not seen, beside trafilatura and resiliparse, scored by F1.

``python -m benchmarks.extraction [--truths FOLDER] [--seeds N]`` · the development pages of WCXB (1,497 English
pages) and pages with truth of 1,500 others, in Japanese, Korean, Chinese, German and more. For five folds by site,
over all sets and languages at once, a model is trained on four and judged on the fifth. ``--truths`` only writes the
pages as JSON Lines, which is what ``corpusforge fit extractor`` takes.

WCXB: F1 of the multisets of ``\\w+`` in small letters, a mean over pages; an empty truth scores 1 for an empty output.
Others: F1 of the multisets of 4 characters without white space, a mean over sites of means over at most 40 pages.
"""

import argparse
import io
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from fastwarc.warc import ArchiveIterator, WarcRecordType
from zstandard import ZstdDecompressor

from corpusforge.extract.by_resiliparse import Resiliparse
from corpusforge.extract.by_trafilatura import Trafilatura
from corpusforge.extract.extractor import extract
from corpusforge.extract.fit.fitting import by_folds, labelled_all
from corpusforge.extract.fit.training import Course
from corpusforge.extract.fit.truths import Truth, folds
from corpusforge.extract.network import Network
from corpusforge.text.charset import decide
from tests.real import DATA

ELEMENTS, DEPTH = 100_000, 200
"""What trafilatura is given at most; the limits of ``MainText`` are lower."""
PAGES_OF_A_SITE = 40
LEAST_PAGES = 10
"""Groups of fewer pages are not shown."""

Parts = Counter[Any]
Engine = Callable[[bytes], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truths", type=Path, help="write the pages to this folder and do nothing else")
    parser.add_argument("--seeds", type=int, default=1, help="models a fold; their scores are averaged")
    given = parser.parse_args()
    truths = [*wcxb(), *others()]
    if given.truths:
        _write(given.truths, truths)
        return
    peers: dict[str, Engine] = {
        "trafilatura": _text_of(Trafilatura(False, True, ELEMENTS, DEPTH)),
        "its precision": _text_of(Trafilatura(True, True, ELEMENTS, DEPTH)),
        "resiliparse": _text_of(Resiliparse()),
    }
    scores = {name: _scored(truths, [engine] * len(truths), name) for name, engine in peers.items()}
    scores = {"corpusforge": _held_out(truths, given.seeds), **scores}
    _show(truths, scores)


def wcxb() -> Iterator[Truth]:
    """The development pages of WCXB (CC BY 4.0, Murrough Foley)."""
    for row in _lines(DATA / "wcxb" / "dev.jsonl.zst"):
        ground = json.loads(row["ground"]) if isinstance(row["ground"], str) else row["ground"]
        text = (ground.get("ground_truth") or {}).get("main_content") or ""
        kind = ((ground.get("_internal") or {}).get("page_type") or {}).get("primary", "article")
        host = urlsplit(ground.get("url") or "").hostname or row["file_id"]
        yield Truth(row["file_id"], row["html"].encode("utf-8", "replace"), text, host, "wcxb", "en", kind)


def others() -> Iterator[Truth]:
    """Pages of other sets, in the encoding they came in; those that WCXB has too are left out."""
    known = {row["url"]: row for row in _lines(DATA / "extraction-gt" / "gt.jsonl.zst") if row.get("text")}
    for path in sorted((DATA / "warc").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response):
                row = known.get(record.headers.get("WARC-Target-URI"))
                if row and row["source"] != "wcxb":
                    html = decide(record.reader.read(), None).utf8
                    yield Truth(row["url"], html, row["text"], urlsplit(row["url"]).netloc, row["source"], row["lang"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in io.TextIOWrapper(ZstdDecompressor().stream_reader(file), "utf-8", newline="\n"):
            if line.strip():
                yield json.loads(line)


def _write(folder: Path, truths: Sequence[Truth]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pages.jsonl").open("w", encoding="utf-8") as file:
        for truth in truths:
            url = truth.id if "://" in truth.id else f"https://{truth.host}/"
            row = {**vars(truth), "url": url, "html": truth.html.decode("utf-8", "replace")}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{len(truths):,} pages in {folder / 'pages.jsonl'}")


def _text_of(engine: Any) -> Engine:
    return lambda html: engine(html, "a page").text or ""


def _held_out(truths: Sequence[Truth], seeds: int) -> list[float]:
    """The mean score of each page by models of ``seeds`` seeds that were not shown its site."""
    pages, fold = labelled_all(truths, 2), folds(truth.host for truth in truths)
    found = []
    for seed in range(seeds):
        networks = by_folds(pages, fold, Course(seed=seed), print)
        found.append(_scored(truths, [_ours(networks[its]) for its in fold.tolist()], f"corpusforge, seed {seed}"))
    return np.mean(found, axis=0).tolist()  # type: ignore[no-any-return]


def _ours(network: Network) -> Engine:
    return lambda html: extract(html, network).text


def _scored(truths: Sequence[Truth], engines: Sequence[Engine], name: str) -> list[float]:
    engines[0](truths[0].html)  # what is compiled or loaded once is not a page's cost
    scores, spent = [], 0.0
    for truth, engine in zip(truths, engines, strict=True):
        began = time.process_time()
        text = engine(truth.html)
        spent += time.process_time() - began
        parts = _words if truth.source == "wcxb" else _grams
        scores.append(_f1(parts(text), parts(truth.text)))
    print(f"{name}: {1000 * spent / len(truths):.2f} CPU ms a page", flush=True)
    return scores


def _words(text: str) -> Parts:
    return Counter(re.findall(r"\w+", text.lower()))


def _grams(text: str) -> Parts:
    bare = re.sub(r"\s+", "", text)
    return Counter(bare[at : at + 4] for at in range(len(bare) - 3))


def _f1(found: Parts, wanted: Parts) -> float:
    if not found.total() or not wanted.total():
        return float(found.total() == wanted.total())
    return 2 * (found & wanted).total() / (found.total() + wanted.total())


def _show(truths: Sequence[Truth], scores: dict[str, list[float]]) -> None:
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, truth in enumerate(truths):
        names = ("wcxb", f"wcxb {truth.kind}") if truth.source == "wcxb" else (f"{truth.source} {truth.lang}",)
        for name in names:
            # A mean over pages is one over sites where every page is a site of its own.
            site = groups[name][truth.id if truth.source == "wcxb" else truth.host]
            if len(site) < PAGES_OF_A_SITE:
                site.append(number)
    print(f"\n| pages with truth | pages | sites | {' | '.join(scores)} |\n|---|---:|---:|{'---:|' * len(scores)}")
    for name, sites in sorted(groups.items()):
        count = sum(map(len, sites.values()))
        if count >= LEAST_PAGES:
            means = [fmean(fmean(own[n] for n in site) for site in sites.values()) for own in scores.values()]
            shown = " | ".join(f"**{mean:.3f}**" if mean == max(means) else f"{mean:.3f}" for mean in means)
            print(f"| {name} | {count:,} | {len(sites):,} | {shown} |")


if __name__ == "__main__":
    main()
