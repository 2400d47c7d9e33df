"""Files of 2 GB through their sources, one after another: megabytes a second, and the most memory that reading took.

``python -m benchmarks.large`` makes each file in the temporary folder, reads it in a process of its own and deletes it;
``python -m benchmarks.large jsonl.zst --bytes 100000000`` does so for one kind and size. It prints a Markdown table.
"""

import argparse
import bz2
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from corpusforge.slices import Input
from corpusforge.sources.jsonl import Jsonl
from corpusforge.sources.wiki import Wiki
from corpusforge.storage import state_of

BYTES = 2 << 30
"""Of what a file inflates to."""
POOL = 300
STREAM_PAGES = 100
"""Pages of one bz2 stream, as Wikimedia writes them."""
WORDS = [
    "猫は",
    "山の",
    "静かな",
    "川が",
    "流れる。",
    "東京で",
    "学校に",
    "行く。",
    "歴史を",
    "調べた。",
    "the ",
    "river ",
    "town ",
]
HEAD = (
    '<mediawiki xml:lang="ja">\n<siteinfo><sitename>W</sitename><base>https://ja.example/wiki/Main</base>'
    '<namespaces><namespace key="0" /><namespace key="10">Template</namespace></namespaces></siteinfo>\n'
)


def prose(chance: random.Random, words: int) -> str:
    return "".join(chance.choices(WORDS, k=words))


def lines() -> Iterator[bytes]:
    """JSON Lines of 300 bytes to 30 kB, half of them below 2 kB."""
    chance = random.Random(1)
    pool = [prose(chance, int(20 * 100 ** chance.random())) for _ in range(POOL)]
    number = 0
    while True:
        record = {"id": number, "url": f"https://a.example/{number}", "text": f"{chance.choice(pool)}{number}"}
        yield json.dumps(record, ensure_ascii=False).encode() + b"\n"
        number += 1


def pages() -> Iterator[bytes]:
    """Pages of a dump: of six one is a redirect, one a template, four are articles of about 2,500 characters."""
    chance = random.Random(2)
    pool = [article(chance) for _ in range(POOL)]
    number = 0
    while True:
        text = "#転送 [[猫]]" if number % 6 == 0 else chance.choice(pool)
        yield (
            f"  <page>\n    <title>記事 {number}</title>\n    <ns>{10 if number % 6 == 3 else 0}</ns>\n"
            f"    <id>{number}</id>\n    <revision><id>{number}</id><timestamp>2026-01-01T00:00:00Z</timestamp>"
            f'<model>wikitext</model><text xml:space="preserve">{text}</text></revision>\n  </page>\n'
        ).encode()
        number += 1


def article(chance: random.Random) -> str:
    """Escaped wikitext: a box, sections of linked prose with references, a list, a table."""
    box = "{{Infobox\n" + "".join(f"| key{n} = [[{prose(chance, 2)}]]\n" for n in range(8)) + "}}\n"
    parts = [box]
    for section in range(5):
        linked = "".join(
            f"'''{prose(chance, 3)}'''[[{prose(chance, 2)}|{prose(chance, 1)}]]{prose(chance, 12)}"
            f"&lt;ref&gt;{{{{cite|{prose(chance, 4)}}}}}&lt;/ref&gt;"
            for _ in range(6)
        )
        items = "".join(f"* [[{prose(chance, 2)}]] {{{{lang|en|{prose(chance, 2)}}}}}\n" for _ in range(4))
        parts.append(f"== {prose(chance, 2)}{section} ==\n{linked}\n\n{items}")
    table = '{| class="wikitable"\n' + "|-\n| a || b\n" * 5 + "|}\n[[Category:猫]]\n"
    return "".join(parts) + table


def write_lines(path: Path, size: int) -> int:
    """Write lines, compressed by zstd; the bytes they have plain."""
    done = 0
    with path.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as packed:
        for line in lines():
            done += packed.write(line)
            if done >= size:
                return done
    return done


def write_plain(path: Path, size: int) -> int:
    with path.open("wb") as file:
        done = file.write(HEAD.encode())
        for page in pages():
            done += file.write(page)
            if done >= size:
                return done + file.write(b"</mediawiki>\n")
    return done


def write_streams(path: Path, size: int) -> int:
    """Write a dump of many bz2 streams; the bytes it has plain."""
    every = pages()
    with path.open("wb") as file:
        file.write(bz2.compress(HEAD.encode()))
        done = len(HEAD.encode())
        while done < size:
            group = b"".join(next(every) for _ in range(STREAM_PAGES))
            file.write(bz2.compress(group))
            done += len(group)
        file.write(bz2.compress(b"</mediawiki>\n"))
    return done


KINDS: dict[str, tuple[Any, Callable[[Path, int], int]]] = {
    "jsonl.zst": (Jsonl(), write_lines),
    "xml": (Wiki(), write_plain),
    "xml.bz2": (Wiki(), write_streams),
}


def read(path: Path, kind: str) -> dict[str, Any]:
    """Read a file slice by slice: rows, what gave none, seconds, and kB of memory at most and before."""
    source = KINDS[kind][0]
    size, state = state_of(str(path))
    given = Input(path.name, str(path), size, "0" * 64, state)
    passed_over: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, rows = time.process_time(), 0
    pieces = source.plan(given, None)
    for piece in pieces:
        with given.open() as file:
            rows += sum(batch.num_rows for batch in source.read(piece, file, passed_over))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.process_time() - began
    return {
        "rows": rows, "slices": len(pieces), "passed_over": dict(passed_over),
        "seconds": seconds, "peak": peak, "before": before,
    }  # fmt: skip


def measured(kind: str, size: int, folder: Path) -> str:
    """One line of the table."""
    path = folder / f"large.{kind}"
    plain = KINDS[kind][1](path, size)
    there = path.stat().st_size
    command = [sys.executable, "-m", "benchmarks.large", kind, "--read", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    path.unlink()
    rate = plain / 1e6 / found["seconds"]
    others = ", ".join(f"{reason} {count:,}" for reason, count in sorted(found["passed_over"].items()))
    cells = [
        f"`.{kind}`",
        f"{plain / 1e9:.2f} GB ({there / 1e6:,.0f} MB)",
        str(found["slices"]),
        f"{found['rows']:,}",
        others,
        f"{rate:.0f}",
        f"{found['peak'] / 1024:.0f} MB ({found['before'] / 1024:.0f})",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[])
    parser.add_argument("--bytes", type=int, default=BYTES)
    parser.add_argument("--read", type=Path)
    given = parser.parse_args()
    if given.read:
        print(json.dumps(read(given.read, given.kinds[0])))
        return
    print("| file | plain (on disk) | slices | rows | counted without a row | MB/s a core | most memory (before) |")
    print("|---|---:|---:|---:|---|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="corpusforge-large-") as folder:
        for kind in given.kinds or KINDS:
            print(measured(kind, given.bytes, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
