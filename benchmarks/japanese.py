"""Japanese text out of a crawl in many languages: pages a CPU second, ours with the early sniff and datatrove's.

``python -m benchmarks.japanese`` · the pages of ``multi-open``, ``multi-web`` and ``bench`` that the manifest does not
call Japanese, and Japanese pages of ``ja-open`` and ``ja-web``, 5 % of all. Costs as in ``benchmarks.marginal``. A
build without the sniff says which Japanese documents there are; the sniff must not lose more than 3 % of them.
"""

import hashlib
import json
import sys
from pathlib import Path

from benchmarks import peer
from benchmarks.engines import CorpusForge, Datatrove, Engine, address, taking
from benchmarks.marginal import RUNS, RunFailed, arguments, cost_of, fresh, measure, table, train_tokenizer
from benchmarks.places import DATA, NotHere
from benchmarks.wcxb_warc import BENCH, WRITER, Mix, Page, distinct, kept_mixes, shard_pages
from corpusforge import api

OTHERS = ("multi-open-00000.warc.gz", "multi-web-00000.warc.gz", *BENCH)
JAPANESE = ("ja-open-00000.warc.gz", "ja-web-00000.warc.gz")
SHARE = 0.05


def mixed() -> list[Page]:
    """Pages in other languages with ``SHARE`` of Japanese ones among them, evenly spread."""
    others = distinct(page for row, page in shard_pages(DATA / "warc", OTHERS) if row["lang"] != "ja")
    japanese = distinct(page for row, page in shard_pages(DATA / "warc", JAPANESE) if row["lang"] == "ja")
    count = round(len(others) * SHARE / (1 - SHARE))
    chosen = [japanese[len(japanese) * n // count] for n in range(count)]
    # By digest, so that every fourth page holds as many Japanese ones as all.
    return sorted([*others, *chosen], key=lambda page: page.sha1)


def japanese_documents(root: Path) -> set[str]:
    """Ids of the documents of a build."""
    return {row["id"] for row in api.documents(address(root), ["id"])}


def full_run(mix: Mix, tokenizer: Path, workers: int) -> set[str]:
    """The documents of a build that extracts every page."""
    ours = CorpusForge(taking(tokenizer, "corpusforge", keep="ja"), "corpusforge")
    out = fresh("japanese/full")
    cost_of(ours.command(Path(mix.folder), out, workers), ours.surroundings, RUNS / "japanese" / "full.log")
    return japanese_documents(out)


def main() -> None:
    """Measure and print the table."""
    given = arguments("Japanese documents out of a mixed crawl, CorpusForge and datatrove.").parse_args()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        key = hashlib.sha256(json.dumps([WRITER, *OTHERS, *JAPANESE, SHARE]).encode()).hexdigest()[:12]
        mixes = dict(zip(("1x", "4x"), kept_mixes(key, mixed, given.files), strict=True))
        tokenizer = train_tokenizer(mixes["1x"], given.workers, say)
        ours = CorpusForge(taking(tokenizer, "corpusforge", keep="ja", sniff=True), "corpusforge")
        in_turns: list[Engine] = [ours]
        if not given.alone:
            in_turns.append(Datatrove(peer.python(say), tokenizer, "ja"))
        found = measure("japanese", mixes, in_turns, given.rounds, given.workers, say)
        say("building without the sniff ...")
        every = full_run(mixes["4x"], tokenizer, given.workers)
    except (NotHere, RunFailed) as error:
        sys.exit(f"error: {error}")
    kept = japanese_documents(RUNS / "japanese" / f"{ours.slug}-4x")
    print("\n".join(table(found, mixes)))
    share = len(kept & every) / max(len(every), 1)
    print(f"\nOf the {len(every):,} documents of a build without the sniff {share:.1%} are kept with it.")


if __name__ == "__main__":
    main()
