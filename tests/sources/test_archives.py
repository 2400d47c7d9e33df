"""Archives of other projects are read as expected, and mutated records of real crawls harm nothing.

``archives.json`` has, for each file: how many records warcio 1.8.1 reads (null where it gives up), then records, rows,
marked rows and counts here. Where warcio gives a number the records were compared with it; elsewhere with the note in
``expect.json``, a sound twin of the file or its bytes. How records divide into rows and reasons is our own reading,
held fast, not another tool's.
"""

import gzip
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from fastwarc.warc import ArchiveIterator

from corpusforge.archive.framing import records
from corpusforge.archive.record import Record
from corpusforge.archive.warc import WARC
from corpusforge.demo.write import write
from corpusforge.sources import Slice
from corpusforge.sources.warc import Warc
from tests.real import DATA, real
from tests.sources.archives import Outcome, archives, outcome, read

EXPECTED = json.loads(Path(__file__).with_name("archives.json").read_text())
ROUNDS = int(os.environ.get("CORPUSFORGE_FUZZ", "300"))
SECONDS = 5.0
"""CPU time that no record may take; the guard of a build is far above."""


@pytest.mark.real
@pytest.mark.parametrize("name", EXPECTED)
def test_archives_of_other_projects_are_read_as_expected(name: str) -> None:
    path = real(name)
    theirs, *ours = EXPECTED[name]
    found = outcome(path)
    assert found == Outcome(*ours)
    assert theirs is None or found.records >= theirs
    size = path.stat().st_size
    assert read(path, (size // 3, size // 2, size - size // 5)) == read(path)


@pytest.mark.real
def test_every_archive_of_the_test_data_is_expected() -> None:
    real("warc-testfiles")
    assert {name for name, _ in archives()} == set(EXPECTED)


@pytest.mark.real
def test_the_cases_give_at_least_the_readable_responses() -> None:
    folder = real("warc-cases")
    for name, expected in json.loads((folder / "expect.json").read_text()).items():
        rows, counted = read(folder / name)
        readable = sum(row["drop"] is None for row in rows)
        elsewhere = counted["source.not_html"] + sum(row["drop"] is not None for row in rows)
        assert readable + elsewhere >= expected["good_responses"], name


@pytest.mark.real
def test_no_record_that_fastwarc_reads_is_missing() -> None:
    real("warc-testfiles")
    for name, path in archives():
        if ".arc" in name:
            continue
        try:
            with path.open("rb") as file:
                theirs = sum(1 for _ in ArchiveIterator(file, parse_http=False))
        except (OSError, RuntimeError):
            continue
        assert outcome(path).records >= theirs, name


def blocks(folder: Path) -> list[bytes]:
    """Whole records of real crawls, of the demo where there are none; at most 64 kB each."""
    sources = sorted((DATA / "warc").glob("*.warc.gz"))
    if not sources:
        write(folder / "demo", pages=200)
        sources = sorted((folder / "demo").glob("*.warc.gz"))
    found: list[bytes] = []
    for path in sources:
        with path.open("rb") as file:
            kept = 0
            for item in records(file, 0, path.stat().st_size, 1 << 17, 0, WARC):
                if isinstance(item, Record) and 1500 < item.size < 1 << 16:
                    found.append(whole(item))
                    kept += 1
                if kept >= 60:
                    break
    return found


def whole(record: Record) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in record.fields.pairs)
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + record.block + b"\r\n\r\n"


def neighbour(number: int) -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>neighbour %d</p>" % number
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:n:{number}>\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to three changes: flips, zeros, cuts, noise, repeats, swapped stretches, other numbers, other codings."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(min(len(data), 1200)) if chance.random() < 0.6 else chance.randrange(len(data))
        length = chance.choice([1, 1, 2, 16, 300])
        middle, kind = data[at : at + length], chance.randrange(9)
        if kind == 0:
            data = data[: max(at, 40)]
        elif kind == 1:
            data = swapped(data, chance)
        elif kind == 2:
            data = re_numbered(data, chance)
        else:
            made = (
                bytes(b ^ 1 << chance.randrange(8) for b in middle), bytes(len(middle)), b"", chance.randbytes(length),
                middle * 3, b"\r\n\r\n", chance.choice(TRAPS),
            )[kind - 3 if kind < 9 else 0]  # fmt: skip
            data = data[:at] + made + data[at + length :]
    return data


TRAPS = (
    b"WARC/1.0\r\n", b"\r\n\r\nWARC/1.1\r\nWARC-Type: x\r\nContent-Length: 3\r\n\r\nabc", b"\x1f\x8b\x08", b"\0" * 600,
    b"Content-Encoding: gzip\r\n", b"Content-Encoding: br, zstd, deflate\r\n", b"Transfer-Encoding: chunked\r\n",
    b"<" * 500, b"\xff\xfe", b"\x1b$B", b"Content-Length: 99999999999999\r\n",
)  # fmt: skip


def swapped(data: bytes, chance: random.Random) -> bytes:
    a, b, c = sorted(chance.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def re_numbered(data: bytes, chance: random.Random) -> bytes:
    at = data.find(b"Content-Length: ", chance.choice([0, 300]))
    end = data.find(b"\r\n", at)
    number = chance.choice([b"0", b"-1", b"1e3", b"%d" % chance.randrange(1 << 20), b"9" * 30, b""])
    return data if at < 0 or end < 0 else data[:at] + b"Content-Length: " + number + data[end:]


def packed(pieces: list[bytes], how: str, chance: random.Random) -> bytes:
    """Pieces as one file: as they are, or a member each, sometimes with the middle member mutated again."""
    if how == "plain":
        return b"".join(pieces)
    make = {"gzip": lambda data: gzip.compress(data, 1, mtime=0), "zstd": lambda data: zstandard.compress(data, 1)}[how]
    members = [make(piece) for piece in pieces]
    if chance.random() < 0.3:
        members[1] = mutated(members[1], chance)
    return b"".join(members)


def test_mutated_records_harm_nothing_and_are_accounted_for(tmp_path: Path) -> None:
    every = blocks(tmp_path)
    outcomes: Counter[str] = Counter()
    path = tmp_path / "fuzz.warc"
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        how = chance.choice(["plain", "gzip", "zstd"])
        pieces = [neighbour(1), mutated(chance.choice(every), chance), neighbour(2)]
        path.write_bytes(packed(pieces, how, chance))
        counted: Counter[str] = Counter()
        started = time.process_time()
        with path.open("rb") as file:
            piece = Slice("fuzz.warc", "f", 0, path.stat().st_size)
            rows = [row for batch in Warc().read(piece, file, counted) for row in batch.to_pylist()]
        assert time.process_time() - started < SECONDS, seed
        pages = [row["html"] for row in rows]
        assert b"<p>neighbour 1</p>" in pages, seed
        assert b"<p>neighbour 2</p>" in pages, seed
        assert len(rows) + counted.total() >= 3, seed
        outcomes.update(counted)
        outcomes.update(row["drop"] or row["damage"] or "page" for row in rows)
    assert outcomes["page"] >= 2 * ROUNDS
    print(ROUNDS, dict(outcomes.most_common()))
