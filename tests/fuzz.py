"""Build from mutated pages, through the whole chain, and account for every one: ``make fuzz``.

Each page of the real data (of the demo where that is not here) is changed in one to four places and stands in a record
of its own among sound ones. The build must end without a failed unit, no page may end its worker, and records must
be kept and drops together.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpusforge import api
from corpusforge.demo.records import member, record, record_id, response
from corpusforge.demo.write import write
from tests.real import DATA

PAGE_BYTES = 200_000
FILE_PAGES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="corpusforge-fuzz-"))
    chance = random.Random(given.seed)
    written = fuzz(folder / "in", given.records, chance)
    started = time.monotonic()
    build = [sys.executable, "-m", "corpusforge", "build", "web_multi", "--workers", "2"]
    subprocess.run([*build, "--input", str(folder / "in"), "--root", str(folder / "out")], check=True)
    report = api.report(str(folder / "out" / "web_multi" / "dev"))[0].report
    counts = report.counts
    drops = sum(n for name, n in counts.items() if name.startswith("drop."))
    killers = counts["drop.extract.killed_worker"] + counts["drop.extract.too_dear"]
    print(f"{written} mutated pages in {time.monotonic() - started:.0f} s: {counts['kept']} kept, {drops} dropped")
    print({name: n for name, n in sorted(counts.items()) if name.startswith("drop.")})
    if counts["records"] != written or counts["kept"] + drops != written or killers:
        sys.exit(f"fuzz FAILED (seed {given.seed}): {dict(counts)}; kept in {folder}")
    print(f"fuzz passed: seed {given.seed}")


def fuzz(folder: Path, records: int, chance: random.Random) -> int:
    """Write files of mutated pages; how many there are."""
    folder.mkdir(parents=True)
    sound = [page for page in pages(folder.parent) if page]
    for first in range(0, records, FILE_PAGES):
        with (folder / f"fuzz-{first // FILE_PAGES:03d}.warc.gz").open("wb") as file:
            for number in range(first, min(first + FILE_PAGES, records)):
                block = response(mutated(chance.choice(sound), chance), "text/html", 200)
                headers = {"WARC-Target-URI": f"https://fuzz.example/{number}", "Content-Type": "application/http"}
                file.write(member(record("response", record_id("fuzz", number), number, block, headers)))
    return records


def pages(folder: Path) -> Iterator[bytes]:
    sources = sorted((DATA / "warc").glob("*.warc.gz"))
    if not sources:
        write(folder / "demo", pages=400)
        sources = sorted((folder / "demo").glob("*.warc.gz"))
    for path in sources:
        with path.open("rb") as file:
            for number, found in enumerate(ArchiveIterator(file, record_types=WarcRecordType.response)):
                if number % 5 == 0:
                    yield found.reader.read()[:PAGE_BYTES]


def mutated(page: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(page) or 1)
        length = chance.choice([1, 2, 16, 300, 5000])
        page = page[:at] + chance.choice(CHANGES)(page[at : at + length], chance) + page[at + length :]
    return page


def flipped(part: bytes, chance: random.Random) -> bytes:
    return bytes(byte ^ 1 << chance.randrange(8) for byte in part)


def shuffled(part: bytes, chance: random.Random) -> bytes:
    tags = part.split(b"<")
    chance.shuffle(tags)
    return b"<".join(tags)


CHANGES = (
    flipped,
    shuffled,
    lambda part, chance: b"",
    lambda part, chance: bytes(len(part)),
    lambda part, chance: chance.randbytes(len(part)),
    lambda part, chance: part * chance.choice([2, 3, 50]),
    lambda part, chance: b"<div><span><table><td>" * chance.choice([3, 400, 9000]) + part,
    lambda part, chance: b"<p " + b"a=1 " * chance.choice([3, 900, 9000]) + b">" + part,
    lambda part, chance: (
        chance.choice([b"<!--", b"<script>", b"<![CDATA[", b"<title>", b"</body>", b"\xff\xfe"]) + part
    ),
    lambda part, chance: b"&#x" + b"%x;" % chance.randrange(1 << 24) + part,
    lambda part, chance: "\ufffd\u202e\u0000\ud7ff\u3042\U0001f600".encode("utf-16-le") + part,
    lambda part, chance: part.decode("utf-8", "ignore").encode("cp932", "ignore"),
)

if __name__ == "__main__":
    main()
