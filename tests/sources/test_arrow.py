"""Arrow files as texts: streams, IPC files and Feather, whatever the cut points, with damage counted to the batch."""

import io
import struct
from collections import Counter
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpusforge.records.arrow_messages import messages
from corpusforge.sources import Slice
from corpusforge.sources.arrow import Arrow

Rows = list[dict[str, Any]]
TABLE = pa.table(
    {
        "text": [f"{n} 番目の文書" for n in range(50)],
        "topic": pa.array(["海", "空"] * 25).dictionary_encode(),
        "meta": [{"url": f"http://a.example/{n}"} for n in range(50)],
    }
)


def read(data: bytes, source: Arrow | None = None, edges: list[int] | None = None) -> tuple[Rows, Counter[str]]:
    source, passed_over, rows = source or Arrow(), Counter[str](), []
    for start, end in pairwise(edges or [0, len(data)]):
        for batch in source.read(Slice("a.arrow", "f", start, end), io.BytesIO(data), passed_over):
            rows += batch.to_pylist()
    return rows, passed_over


def stream(table: pa.Table, rows: int = 10, **options: Any) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return file.getvalue()


def ipc_file(table: pa.Table, rows: int = 10) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return file.getvalue()


def feather(table: pa.Table, rows: int = 10) -> bytes:
    file = io.BytesIO()
    pyarrow.feather.write_feather(table, file, compression="zstd", chunksize=rows)
    return file.getvalue()


@pytest.mark.parametrize("form", [stream, ipc_file, feather])
@given(cuts=st.lists(st.integers(1, 8000), max_size=6), rows=st.integers(1, 60))
def test_every_form_gives_the_same_rows_for_any_cuts(form: Any, cuts: list[int], rows: int) -> None:
    data = form(TABLE, rows)
    edges = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    found, passed_over = read(data, Arrow(url="meta.url", columns={"topic": "string"}), edges)
    assert [r["text"] for r in found] == TABLE["text"].to_pylist()
    assert [r["topic"] for r in found] == ["海", "空"] * 25
    assert (found[49]["url"], found[49]["source_offset"], passed_over) == ("http://a.example/49", 49, Counter())


def test_the_old_format_and_dictionaries_that_grow() -> None:
    old = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4, use_legacy_format=True)
    file = io.BytesIO()
    with pa.ipc.new_stream(file, TABLE.schema, options=old) as writer:
        writer.write_table(TABLE, max_chunksize=10)
    assert len(read(file.getvalue())[0]) == 50
    topics = pa.chunked_array([pa.array([str(n)]).dictionary_encode() for n in range(5)])
    data = stream(pa.table({"text": ["t"] * 5, "id": list("abcde"), "topic": topics}), unify_dictionaries=False)
    for edges in ([0, len(data)], [0, len(data) // 2, len(data)]):
        rows, _ = read(data, Arrow(columns={"topic": "string"}), edges)
        assert [row["topic"] for row in rows] == list("01234")


def test_a_damaged_batch_counts_its_rows_and_the_others_stay() -> None:
    data = bytearray(stream(TABLE, compression="zstd"))
    third = [m for m in messages(io.BytesIO(data)) if m.rows][2]
    data[third.offset + third.length - 250 : third.offset + third.length] = b"\xff" * 250
    rows, passed_over = read(bytes(data), Arrow(columns={"topic": "string"}))
    assert passed_over == Counter({"source.damaged": 10})
    assert [row["source_offset"] for row in rows] == [*range(20), *range(30, 50)]
    assert {row["topic"] for row in rows} == {"海", "空"}


def test_a_cut_file_is_damaged_even_where_a_message_ends() -> None:
    data = stream(TABLE)
    ends = [message.offset + message.length for message in messages(io.BytesIO(data))]
    for end in (ends[-1], ends[-1] + 4, ends[-2], ends[-2] + 9):
        rows, passed_over = read(data[:end])
        assert len(rows) >= 40
        assert passed_over == Counter({"source.damaged": 1})
    assert read(ipc_file(TABLE)[:-1])[1] == Counter({"source.damaged": 1})


def test_offsets_that_point_outside_are_damage() -> None:
    data = stream(pa.table({"text": ["abc", "def", "ghi"]}))
    offsets = struct.pack("<4i", 0, 3, 6, 9)
    assert offsets in data
    hurt = data.replace(offsets, struct.pack("<4i", 0, 3, 1 << 30, 9))
    assert read(hurt) == ([], Counter({"source.damaged": 3}))


def test_text_that_is_not_utf8_counts_and_its_neighbours_stay() -> None:
    texts = pa.array([b"good", b"\xff\xfe", "良い".encode()]).view(pa.string())
    rows, passed_over = read(stream(pa.table({"text": texts})))
    assert ([row["text"] for row in rows], passed_over) == (["good", "良い"], Counter({"source.damaged": 1}))


def test_what_is_no_arrow_file() -> None:
    for data in (b"no arrow file", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1" + bytes(40)):
        assert read(data) == ([], Counter({"source.not_arrow": 1}))


def test_a_batch_too_large_counts_its_rows() -> None:
    assert read(stream(TABLE), Arrow(message_bytes=100)) == ([], Counter({"source.too_large": 50}))


@example(b"\x80", 280, False)  # in the name of a column
@given(st.binary(max_size=300), st.integers(0, 6000), st.booleans())
def test_any_bytes_anywhere_are_survived(noise: bytes, at: int, insert: bool) -> None:
    data = stream(TABLE)
    at = min(at, len(data))
    read(data[:at] + noise + data[at + (0 if insert else len(noise)) :], Arrow(columns={"topic": "string"}))
