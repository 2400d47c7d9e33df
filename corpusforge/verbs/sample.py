"""Measure a sample of a build's input: a few records from each of several slices, through its first passes.

Runs in a process of its own: a record that ends its process ends no build.
"""

import io
import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpusforge.engine.tables import TableWriter
from corpusforge.engine.unit import Unit
from corpusforge.passes.ledger import Ledger, stored_schema, swept_schema
from corpusforge.passes.map import Map, complete, slices_of
from corpusforge.slices import Slice
from corpusforge.storage import opened

SECONDS = 2.0
"""CPU time that the sample takes, once models are loaded and code is compiled."""
GIVE_UP_SECONDS = 60.0
PLACES = 8
"""Slices, spread over the input, that the time is first divided among."""
READ_ROWS = 32
"""Rows that are read of a slice, though only some are sent through the passes: reading is cheap."""
BATCH_ROWS = 4
BUFFER = 16 << 10
PARQUET = b"PAR1"


class NoSample(RuntimeError):
    """The sample could not be measured; the message says why."""


@dataclass(frozen=True)
class Piece:
    """The records read from one slice of ``whole`` bytes, the bytes they take up, and CPU seconds a record."""

    whole: int
    rows: int
    bytes: int
    cpu: float

    @property
    def cost(self) -> float:
        """CPU seconds a byte of the input."""
        return self.cpu * self.rows / self.bytes


@dataclass(frozen=True)
class Sample:
    """What was measured: rows sent, bytes the passes wrote for them, of these the documents kept, and their text."""

    pieces: tuple[Piece, ...]
    sent: int
    written: int
    kept_bytes: int
    text_bytes: int


def measured(chain: Sequence[Map], units: Sequence[Unit]) -> Sample:
    """Measure a sample of ``units`` in another process; raises ``NoSample``."""
    told = pickle.dumps(sys.path) + pickle.dumps((tuple(chain), tuple(_spread(units))))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from corpusforge.verbs.sample import main; main()"],
            input=told,
            env=environment | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            capture_output=True,
            timeout=GIVE_UP_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NoSample(f"a sample of the input took over {GIVE_UP_SECONDS:.0f} s") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise NoSample(f"a sample of the input could not be measured ({last[0]})")
    found: Sample = pickle.loads(done.stdout)
    if not found.pieces:
        raise NoSample("a sample of the input holds no record")
    return found


def _spread(units: Sequence[Unit], most: int = 64) -> Iterator[Unit]:
    """At most ``most`` units in an order in which every beginning is spread over all of them."""
    many = min(len(units), most)
    places = sorted(range(many), key=lambda n: f"{n:06b}"[::-1])
    yield from (units[len(units) * place // many] for place in places)


class Taken(TableWriter):
    """A writer that also hands on what was written."""

    def __init__(self, schema: pa.Schema) -> None:
        self.file = io.BytesIO()
        super().__init__(self.file, schema)
        self.batches: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        super().write(batch)
        self.batches.append(batch)

    def size(self) -> int:
        """Bytes that the rows take, without what a file without rows has."""
        self.__exit__(None, None, None)
        empty = io.BytesIO()
        TableWriter(empty, self.schema).__exit__(None, None, None)
        return len(self.file.getvalue()) - len(empty.getvalue())


class Chain:
    """The passes, each with writers for what it keeps and sweeps."""

    def __init__(self, passes: Sequence[Map]) -> None:
        self._passes, columns = passes, dict[str, pa.DataType]()
        self._given: list[dict[str, pa.DataType]] = []
        self._writers: list[tuple[Taken, Taken]] = []
        self._ledgers: list[Ledger] = []
        for made in passes:
            given = made.given(columns)
            schema = stored_schema(given, {n: t for stage in made.stages for n, t in stage.writes.items()})
            kept, swept = Taken(schema), Taken(swept_schema(schema))
            self._given.append(given)
            self._writers.append((kept, swept))
            self._ledgers.append(Ledger(kept, swept, made.counted))
            columns = {f.name: f.type for f in schema}

    def put(self, batch: pa.RecordBatch) -> None:
        """Send rows through all passes."""
        batches = [batch]
        for made, given, ledger, (kept, swept) in zip(
            self._passes, self._given, self._ledgers, self._writers, strict=True
        ):
            kept.batches, swept.batches = [], []
            for one in batches:
                made.through(complete(one, given), ledger, Counter())
            batches = kept.batches

    def sample(self, pieces: Sequence[Piece]) -> Sample:
        sizes = [(kept.size(), swept.size()) for kept, swept in self._writers]
        counts = self._ledgers[-1].report.counts
        written = sum(kept + swept for kept, swept in sizes)
        rows = self._ledgers[0].report.counts["records"]
        return Sample(tuple(pieces), rows, written, sizes[-1][0], counts["text_bytes"])


class Counting(io.RawIOBase):
    """A file that knows how far it was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.reached = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.reached = max(self.reached, self._file.tell())
        return len(data)


def taken(passes: Sequence[Map], units: Sequence[Unit], seconds: float) -> Sample:
    """Read records of the units in turn, for ``seconds`` in all, and send them through the passes."""
    # Models, tables and compiled code are loaded by the first records, which are not counted.
    _piece(Chain(passes), passes[0], units[0], 0.0)
    chain, pieces = Chain(passes), []
    until = time.process_time() + seconds
    for number, unit in enumerate(units):
        if number >= PLACES and time.process_time() > until:
            break
        pieces.append(_piece(chain, passes[0], unit, seconds / min(PLACES, len(units))))
    return chain.sample([piece for piece in pieces if piece.rows])


def _piece(chain: Chain, first: Map, unit: Unit, seconds: float) -> Piece:
    """Measure one slice: its first batch pays for finding the first record, and is not timed where more follow."""
    piece = slices_of(unit)[0]
    offsets: list[int] = []
    sent = 0
    sending = reading = 0.0
    with opened(unit.places[piece.name][0]) as file:
        counting = Counting(file)
        batches = _small(first.reader_of(piece.name)).read(piece, io.BufferedReader(counting, BUFFER), Counter())
        began = time.process_time()
        while batch := next(batches, None):
            read = time.process_time()
            if len(offsets) <= batch.num_rows:
                sent, sending, reading = 0, 0.0, 0.0
            reading += read - began
            offsets += batch["source_offset"].to_pylist()
            if sending <= seconds:
                chain.put(batch)
                sent += batch.num_rows
                sending += time.process_time() - read
            elif len(offsets) >= READ_ROWS:
                break
            began = time.process_time()
        cpu = sending / sent + reading / len(offsets) if sent else 0.0
        size = piece.end - piece.start if batch is None else _bytes_of(file, piece, offsets, counting.reached)
        return Piece(piece.end - piece.start, len(offsets), max(size, 1), cpu)


def _small(source: Any) -> Any:
    """The source with small batches, so that a few records can be read."""
    return replace(source, batch_rows=BATCH_ROWS) if "batch_rows" in [f.name for f in fields(source)] else source


def _bytes_of(file: BinaryIO, piece: Slice, offsets: Sequence[int], reached: int) -> int:
    """The bytes of the input that the records read from a slice take up, with what lies between them.

    Offsets may count what a compressed file inflates to, which is more than what was read of it; then the bytes read,
    a little ahead of the records, are nearer. Rows of tables are numbered.
    """
    many = len(offsets)
    file.seek(0)
    if file.read(len(PARQUET)) == PARQUET:
        rows: int = pq.ParquetFile(file).metadata.num_rows
        return file.seek(0, io.SEEK_END) * many // max(rows, 1)
    read, between = reached - piece.start, offsets[-1] - offsets[0]
    return read if between < many else min(between * many // (many - 1), read)


def main() -> None:
    """Read what to measure from standard input, write the sample to standard output."""
    result = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.extend(p for p in pickle.load(sys.stdin.buffer) if p not in sys.path)
    passes, units = pickle.load(sys.stdin.buffer)
    with result:
        pickle.dump(taken(passes, units, SECONDS), result)
