"""Main text by our extractor on sites that it has not seen, beside trafilatura and resiliparse, scored by F1.

``python -m benchmarks.extraction [--truths FOLDER] [--seeds N] [--as-given] [--peers]`` · the development pages of WCXB
(1,497 English pages), pages with truth of 1,500 others, in Japanese, Korean, Chinese, German and more, and 500 of which
passages are known. For five folds by site, over all sets and languages at once, a model is trained on four and judged
on the fifth. ``--truths`` only writes the pages as JSON Lines, which is what ``corpusforge fit extractor`` takes.

WCXB: F1 of the multisets of ``\\w+`` in small letters, a mean over pages; an empty truth scores 1 for an empty output.
Others: F1 of the multisets of 4 characters without white space, a mean over sites of means over at most 40 pages.
trafilatura-eval: F1 of passages, over all pages at once; nothing is trained on its pages.
``lead`` is how far we are before the best of the others, with a 95 % interval by drawing sites (of WCXB pages) anew.
A table is printed after each seed, of all seeds so far.
Some truths are corrected first (``corrections.jsonl``), unless ``--as-given`` is said.
"""

import argparse
import io
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from fastwarc.warc import ArchiveIterator, WarcRecordType
from zstandard import ZstdDecompressor

from benchmarks.corrections import Correction, corrected, read_corrections
from benchmarks.f1 import grams, pair, words
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

OURS = "corpusforge"
DRAWS = 2000
"""Samples of sites for an interval."""

Engine = Callable[[bytes], str]
Pairs = npt.NDArray[np.float64]
"""Of each seed and page two numbers, of which F1 is the first by the second: twice what is right; what was found and
what was wanted, together."""


@dataclass(frozen=True)
class Passages(Truth):
    """A page of which no more is known than passages that are main text and others that are not."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truths", type=Path, help="write the pages to this folder and do nothing else")
    parser.add_argument("--seeds", type=int, default=1, help="models a fold; their scores are averaged")
    parser.add_argument("--as-given", action="store_true", help="without corrections of truths")
    parser.add_argument("--peers", action="store_true", help="the other engines only: nothing is trained")
    given = parser.parse_args()
    truths = [*wcxb(), *others({} if given.as_given else read_corrections())]
    if given.truths:
        _write(given.truths, [truth for truth in truths if not isinstance(truth, Passages)])
        return
    peers: dict[str, Engine] = {
        "trafilatura": _text_of(Trafilatura(False, True, ELEMENTS, DEPTH)),
        "its precision": _text_of(Trafilatura(True, True, ELEMENTS, DEPTH)),
        "resiliparse": _text_of(Resiliparse()),
    }
    scores = {name: _scored(truths, [engine] * len(truths), name) for name, engine in peers.items()}
    if given.peers:
        _show(truths, scores)
        return
    found: list[Pairs] = []
    for its in _held_out(truths, given.seeds):
        found.append(its)
        _show(truths, {OURS: np.concatenate(found), **scores})


def wcxb() -> Iterator[Truth]:
    """The development pages of WCXB (CC BY 4.0, Murrough Foley)."""
    for row in _lines(DATA / "wcxb" / "dev.jsonl.zst"):
        ground = json.loads(row["ground"]) if isinstance(row["ground"], str) else row["ground"]
        text = (ground.get("ground_truth") or {}).get("main_content") or ""
        kind = ((ground.get("_internal") or {}).get("page_type") or {}).get("primary", "article")
        host = urlsplit(ground.get("url") or "").hostname or row["file_id"]
        yield Truth(row["file_id"], row["html"].encode("utf-8", "replace"), text, host, "wcxb", "en", kind)


def others(corrections: Mapping[str, Correction]) -> Iterator[Truth]:
    """Pages of other sets, in the encoding they came in; those that WCXB has too are left out."""
    rows = _lines(DATA / "extraction-gt" / "gt.jsonl.zst")
    known = {row["url"]: row for row in rows if row["source"] != "wcxb" and (row.get("text") or row.get("with"))}
    changed = 0
    for path in sorted((DATA / "warc").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response):
                row = known.get(record.headers.get("WARC-Target-URI"))
                if row:
                    truth = _truth(row, decide(record.reader.read(), None).utf8, corrections)
                    changed += truth.text != row.get("text", "")
                    yield truth
    print(f"{changed:,} truths were corrected")


def _truth(row: Mapping[str, Any], html: bytes, corrections: Mapping[str, Correction]) -> Truth:
    url, host, source, lang = row["url"], urlsplit(row["url"]).netloc, row["source"], row["lang"]
    if row["gt_kind"] == "snippets":
        wanted, unwanted = tuple(row["with"]), tuple(row["without"])
        return Passages(url, html, "", host, source, lang, wanted=wanted, unwanted=unwanted)
    text = corrected(row, html, corrections)
    return Truth(url, html, row["text"] if text is None else text, host, source, lang)


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


def _held_out(truths: Sequence[Truth], seeds: int) -> Iterator[Pairs]:
    """For each seed the scores of each page by models that were not shown its site."""
    fold = folds(truth.host for truth in truths)
    whole = np.array([not isinstance(truth, Passages) for truth in truths])
    pages = labelled_all([truth for truth in truths if not isinstance(truth, Passages)], 2)
    for seed in range(seeds):
        networks = by_folds(pages, fold[whole], Course(seed=seed), lambda line: print(line, flush=True))
        yield _scored(truths, [_ours(networks[its]) for its in fold.tolist()], f"{OURS}, seed {seed}")


def _ours(network: Network) -> Engine:
    return lambda html: extract(html, network).text


def _scored(truths: Sequence[Truth], engines: Sequence[Engine], name: str) -> Pairs:
    engines[0](truths[0].html)  # what is compiled or loaded once is not a page's cost
    scores, spent = [], 0.0
    for truth, engine in zip(truths, engines, strict=True):
        began = time.process_time()
        text = engine(truth.html)
        spent += time.process_time() - began
        scores.append(_score(truth, text))
    print(f"{name}: {1000 * spent / len(truths):.2f} CPU ms a page", flush=True)
    return np.array([scores], np.float64)


def _score(truth: Truth, text: str) -> tuple[int, int]:
    if isinstance(truth, Passages):
        bare = " ".join(text.split())
        hits, mistakes = (
            sum(" ".join(each.split()) in bare for each in them) for them in (truth.wanted, truth.unwanted)
        )
        return 2 * hits, hits + mistakes + len(truth.wanted)
    parts = words if truth.source == "wcxb" else grams
    return pair(parts(text), parts(truth.text))


def _show(truths: Sequence[Truth], scores: Mapping[str, Pairs]) -> None:
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, truth in enumerate(truths):
        names = ("wcxb", f"wcxb {truth.kind}") if truth.source == "wcxb" else (f"{truth.source} {truth.lang}",)
        for name in names:
            # A mean over pages is one over sites where every page is a site of its own.
            site = groups[name][truth.id if truth.source == "wcxb" else truth.host]
            if len(site) < PAGES_OF_A_SITE:
                site.append(number)
    print(f"\n| pages with truth | pages | sites | {' | '.join(scores)} | lead |")
    print(f"|---|---:|---:|{'---:|' * len(scores)}---:|")
    for name, sites in sorted(groups.items()):
        numbers = list(chain.from_iterable(sites.values()))
        if len(numbers) >= LEAST_PAGES:
            mean = _of_all if isinstance(truths[numbers[0]], Passages) else _of_sites
            means = [mean(own, list(sites.values())) for own in scores.values()]
            shown = " | ".join(f"**{mean:.3f}**" if mean == max(means) else f"{mean:.3f}" for mean in means)
            lead = _lead(scores, list(sites.values())) if mean is _of_sites and OURS in scores else ""
            print(f"| {name} | {len(numbers):,} | {len(sites):,} | {shown} | {lead} |", flush=True)


def _of_sites(pairs: Pairs, sites: Sequence[Sequence[int]]) -> float:
    return float(_means_of_sites(pairs, sites).mean())


def _means_of_sites(pairs: Pairs, sites: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    shares = (pairs[..., 0] / pairs[..., 1]).mean(axis=0)
    return np.array([fmean(shares[n] for n in site) for site in sites])


def _lead(scores: Mapping[str, Pairs], sites: Sequence[Sequence[int]]) -> str:
    """Our score less that of the best other engine, and the interval of it."""
    means = {name: _means_of_sites(pairs, sites) for name, pairs in scores.items()}
    best = max((name for name in means if name != OURS), key=lambda name: means[name].mean())
    ahead = means[OURS] - means[best]
    drawn = np.random.default_rng(0).integers(len(ahead), size=(DRAWS, len(ahead)))
    low, high = np.percentile(ahead[drawn].mean(axis=1), (2.5, 97.5))
    return f"{ahead.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def _of_all(pairs: Pairs, sites: Sequence[Sequence[int]]) -> float:
    right, total = pairs[:, list(chain.from_iterable(sites))].sum(axis=1).T
    return float((right / total).mean())


if __name__ == "__main__":
    main()
