"""Arrow files, as Hugging Face data sets have them on disk (``save_to_disk``, the cache) and Feather: each row a text.

Streams and IPC files alike. A slice owns the record batches whose messages begin in it. A row's offset is its number in
the file, its length 1: a row has no bytes of its own in an Arrow file.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pyarrow.ipc
from pydantic import ConfigDict, PositiveInt
from pydantic.dataclasses import dataclass

from corpusforge.records.arrow_messages import BATCH, DICTIONARY, SCHEMA, Damaged, Message, Spliced, messages
from corpusforge.records.mapping import Mapped, places_of
from corpusforge.records.tables import BROKEN, BUILT_ON, check, documents
from corpusforge.sources import Input, Slice, cut, whole

BYTES_OF = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Arrow(Mapped):
    """Texts of Arrow files.

    ``text``, ``id``, ``url``, ``date``, ``title``, ``licence``, ``columns`` and ``text_bytes`` are those
    of Parquet files. A record batch is read at once; one of more than ``message_bytes`` counts its rows as
    ``source.too_large``. Batches end at ``batch_rows`` rows or ``batch_bytes`` of text.
    """

    text_bytes: PositiveInt = 16 << 20
    message_bytes: PositiveInt = 512 << 20
    slice_bytes: PositiveInt = 64 << 20
    batch_rows: PositiveInt = 256
    batch_bytes: PositiveInt = 32 << 20

    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")
    revision: ClassVar[int] = 2
    built_on: ClassVar[tuple[str, ...]] = BUILT_ON

    def plan(self, given: Input, limit: int | None) -> tuple[Slice, ...]:
        """Slices of about ``slice_bytes``; with ``limit`` one."""
        return cut(given, self.slice_bytes) if limit is None else whole(given, limit)

    def read(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[pa.RecordBatch]:
        """Rows of ``TEXTS`` and the extra columns for the record batches that begin in the slice.

        Counts in ``passed_over``: ``source.no_text``, ``source.too_large`` (record batches), ``source.not_arrow``,
        ``source.empty_file`` and ``source.damaged``, which is 1 for what lies behind a place where the file breaks off
        and else every row that is missing.
        """
        yield from documents(self, piece, self._tables(piece, file, passed_over), passed_over)

    def _tables(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        head, batches = self._messages(piece, file, passed_over)
        schema = _schema(file, head)
        if schema is None:
            if piece.start == 0:
                file.seek(0)
                passed_over["source.not_arrow" if file.read(1) else "source.empty_file"] += 1
            return
        options = pa.ipc.IpcReadOptions(included_fields=self._chosen(schema), use_threads=False)
        while batches:
            read = -1
            for read, table in _read(file, head, batches, options):
                for start in range(0, table.num_rows, self.batch_rows):
                    yield batches[read].first + start, table.slice(start, self.batch_rows)
            lost = next((n for n in range(read + 1, len(batches)) if batches[n].kind == BATCH), None)
            if lost is None:
                return
            passed_over["source.damaged"] += max(1, batches[lost].rows)
            head += [message for message in batches[:lost] if message.kind == DICTIONARY]
            batches = batches[lost + 1 :]

    def _messages(self, piece: Slice, file: BinaryIO, passed_over: Counter[str]) -> tuple[list[Message], list[Message]]:
        """The schema and the dictionaries before the slice, and what is in the slice."""
        head: list[Message] = []
        batches: list[Message] = []
        try:
            for message in messages(file):
                ours = piece.start <= message.offset < piece.end
                if message.kind == SCHEMA and head:
                    raise Damaged(message.offset)
                if message.kind != BATCH:
                    (batches if batches else head).append(message)
                elif ours and message.length > self.message_bytes:
                    passed_over["source.too_large"] += message.rows
                elif ours:
                    batches.append(message)
                if message.offset >= piece.end:
                    break
        except Damaged as damaged:
            size = file.seek(0, 2)
            if head and piece.start <= min(damaged.offset, size - 1) < piece.end:
                passed_over["source.damaged"] += 1
        return head, batches

    def _chosen(self, schema: pa.Schema) -> list[int]:
        """Of the columns that the fields look at those that are there."""
        names = {name for place in places_of(self) for name in (place, place.split(".")[0])}
        # One column must be read to know the rows.
        return [number for number, name in enumerate(schema.names) if name in names] or [0]


def _schema(file: BinaryIO, head: Sequence[Message]) -> pa.Schema | None:
    """The schema of a file, None if it begins with none or with one that Arrow does not understand."""
    if not head or head[0].kind != SCHEMA:
        return None
    data = Spliced(file, head[:1])
    try:
        schema = pa.ipc.read_schema(pa.ipc.read_message(pa.PythonFile(data, "r")))
        return schema if schema.names else None  # names that are no UTF-8 raise here
    except BROKEN as error:
        check(data, error)
        return None


def _read(
    file: BinaryIO, head: Sequence[Message], batches: Sequence[Message], options: pa.ipc.IpcReadOptions
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The record batches among ``batches``, each with its place there, up to the first that cannot be read."""
    data = Spliced(file, [*head, *batches])
    try:
        reader = pa.ipc.open_stream(pa.PythonFile(data, "r"), options=options)
        for place, message in enumerate(batches):
            if message.kind == BATCH:
                table = reader.read_next_batch()
                _validate(table)
                yield place, table
    except (*BROKEN, StopIteration) as error:
        check(data, error)


def _validate(table: pa.RecordBatch) -> None:
    """Raise for a table that is not safe to look at; strings that are not UTF-8 are, if nothing else is wrong."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        for column in table.columns:
            kind = BYTES_OF.get(column.type)
            (column if kind is None else column.view(kind)).validate(full=True)
