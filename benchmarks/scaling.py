"""Whether a document costs the same in a larger input: 1 ×, 4 × and 16 × of the pages, and what Ray adds to a unit.

``python -m benchmarks.scaling`` · 1 × is every fourth page, 4 × all pages, 16 × these and three copies of each. A
copy has another record id and address, and 2 % of its words are others, so that nothing of it is found again by its
bytes. Each size is one build with our extractor, by ``--workers`` on the local Ray. What Ray and the driver add is the
CPU time of the process tree less what the units' manifests say of themselves; the difference between sizes is shared by
the added units.
"""

import argparse
import gzip
import hashlib
import json
import random
import re
import shutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import CorpusForge, address, taking
from benchmarks.marginal import RUNS, Cost, RunFailed, Say, cost_of, fresh, train_tokenizer
from benchmarks.places import NotHere
from benchmarks.wcxb_warc import Mix, mixes
from corpusforge import api

COPIES, CHANGED = 3, 0.02
_WORD = re.compile(rb"(?<=[ >])[A-Za-z]{4,12}(?=[ <,.])")


@dataclass(frozen=True)
class Size:
    """A build of one size: pages, its cost, what its units say that they cost, and how many there are."""

    name: str
    pages: int
    cost: Cost
    unit_seconds: float
    units: int


def copied(mix: Mix, files: int) -> Mix:
    """The pages of a mix and their copies, in ``files`` WARC files; kept in the cache."""
    folder = Path(mix.folder + f"-with-{COPIES}-copies")
    if not (folder / "mix.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in sorted(Path(mix.folder).glob("*.warc.gz")):
            shutil.copy(path, folder)
            for copy in range(COPIES):
                chance = random.Random(f"{path.name}/{copy}")
                with (folder / f"copy{copy}-{path.name}").open("wb") as out:
                    for record in _records(path):
                        out.write(gzip.compress(_changed(record, copy, chance), compresslevel=6, mtime=0))
        held = {
            "folder": str(folder),
            "pages": mix.pages * (COPIES + 1),
            "payload_bytes": mix.payload_bytes * (COPIES + 1),
        }
        (folder / "mix.json").write_text(json.dumps(held))
    return Mix(**json.loads((folder / "mix.json").read_text()))


def _records(path: Path) -> Iterator[bytes]:
    """The records of a file that has one gzip member each."""
    data = path.read_bytes()
    while data:
        member = zlib.decompressobj(31)
        yield member.decompress(data)
        data = member.unused_data


def _changed(record: bytes, copy: int, chance: random.Random) -> bytes:
    """The record under another id and address, with other words here and there; its lengths stay."""
    head, blank, rest = record.partition(b"\r\n\r\n")
    name = hashlib.sha256(head + bytes([copy])).hexdigest()
    head = re.sub(rb"(WARC-Record-ID: <urn:uuid:)[0-9a-fA-F-]{36}", lambda m: m[1] + _uuid(name), head)
    head = re.sub(rb"(WARC-Target-URI: <?https?://)([^/\s>]+)", lambda m: m[1] + b"copy%d." % copy + m[2], head)
    head = re.sub(rb"WARC-(?:Payload|Block)-Digest: [^\r\n]*\r\n", b"", head + b"\r\n")[:-2]
    http, line, body = rest.partition(b"\r\n\r\n")
    if b"content-encoding" in http.lower() or b"chunked" in http.lower():
        return head + blank + rest
    body = _WORD.sub(lambda m: _other(m[0], chance) if chance.random() < CHANGED else m[0], body)
    return head + blank + http + line + body


def _uuid(name: str) -> bytes:
    return "-".join((name[:8], name[8:12], name[12:16], name[16:20], name[20:32])).encode()


def _other(word: bytes, chance: random.Random) -> bytes:
    return bytes(chance.choice(b"abcdefghijklmnopqrstuvwxyz") for _ in word)


def built(name: str, mix: Mix, ours: CorpusForge, workers: int) -> Size:
    """Build a mix; its cost by the process tree and by its units."""
    out = fresh(f"scaling/{name}")
    cost = cost_of(ours.command(Path(mix.folder), out, workers), ours.surroundings, RUNS / "scaling" / f"{name}.log")
    passes = api.report(address(out))
    return Size(name, mix.pages, cost, sum(p.cpu_seconds for p in passes), sum(p.units for p in passes))


def table(sizes: Sequence[Size]) -> list[str]:
    """The sizes; from the second on what an added page costs, and what is added around each added unit."""
    lines = [
        "| | pages | CPU s | wall s | peak memory, MB | units | CPU ms an added page | around an added unit, CPU s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for before, size in zip([None, *sizes[:-1]], sizes, strict=True):
        added = around = ""
        if before is not None:
            added = f"{1000 * (size.cost.cpu_s - before.cost.cpu_s) / (size.pages - before.pages):.2f}"
            spent = (size.cost.cpu_s - before.cost.cpu_s) - (size.unit_seconds - before.unit_seconds)
            around = f"{spent / max(size.units - before.units, 1):.2f}"
        cost = size.cost
        lines.append(
            f"| {size.name} | {size.pages:,} | {cost.cpu_s:.1f} | {cost.wall_s:.1f} | {cost.peak_rss_mb:,} "
            f"| {size.units:,} | {added} | {around} |"
        )
    return lines


def scaled(pages: int | None, tokenizer: Path | None, workers: int, say: Say) -> list[Size]:
    """Build the three sizes; without a tokenizer one is trained."""
    first, second = mixes((4, 4), pages)
    ours = CorpusForge(taking(tokenizer or train_tokenizer(first, workers, say), "corpusforge"), "corpusforge")
    sizes = []
    for name, mix in (("1x", first), ("4x", second), ("16x", copied(second, 4))):
        say(f"scaling, {name}: {mix.pages:,} pages ...")
        sizes.append(built(name, mix, ours, workers))
    return sizes


def main() -> None:
    """Build the three sizes and print the table."""
    parser = argparse.ArgumentParser(description="Cost of a document in inputs of three sizes.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pages", type=int, help="take so many pages in all, for trying things out")
    given = parser.parse_args()
    try:
        sizes = scaled(given.pages, None, given.workers, lambda line: print(line, file=sys.stderr, flush=True))
    except (NotHere, RunFailed) as error:
        sys.exit(f"error: {error}")
    print("\n".join(table(sizes)))


if __name__ == "__main__":
    main()
