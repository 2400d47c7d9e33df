"""Token shards: the index byte for byte, what is written comes back, the type of ids."""

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.engine.attempt import Output, Place
from corpusforge.schema import TOKEN_DOCUMENT
from corpusforge.storage import Store
from corpusforge.tokens.indexed import open_index
from corpusforge.tokens.megatron import SplitWriter, dtype_for, index_bytes
from tests.tokens.reading import documents_of

EOD = 3


def rows(count: int) -> pa.RecordBatch:
    text = ("id", "url", "source_file", "lang", "licence")
    columns = {name: pa.array([f"{name}-{n}" for n in range(count)], pa.string()) for name in text}
    numbers = {name: pa.array(range(count), pa.int64()) for name in ("source_offset", "source_length")}
    return pa.RecordBatch.from_pydict({**columns, **numbers, "cluster_size": pa.array([1] * count, pa.int32())})


def write(root: Path, batches: list[list[list[int]]], vocabulary: int) -> dict[str, Path]:
    out = Output(Place(Store(str(root)), "v1"), "tokens", "ja-000000", "a")
    with SplitWriter(out, "train", vocabulary, EOD) as writer:
        for batch in batches:
            writer.write(rows(len(batch)), [np.array(ids, dtype=np.uint32) for ids in batch])
    return {file.role: root / file.path for file in out.files}


def test_index_is_megatron_s_byte_for_byte() -> None:
    written_by_hand = (
        b"MMIDIDX\x00\x00"
        b"\x01\x00\x00\x00\x00\x00\x00\x00"  # version
        b"\x08"  # uint16
        b"\x03\x00\x00\x00\x00\x00\x00\x00"  # sequences
        b"\x04\x00\x00\x00\x00\x00\x00\x00"  # document entries
        b"\x02\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00"  # lengths
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"  # pointers
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"  # documents 0, 1
        b"\x02\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"  # documents 2, 3
    )
    assert index_bytes([2, 1, 4], np.dtype("<u2")) == written_by_hand


def test_pointers_and_code_of_int32() -> None:
    data = index_bytes([2, 1], np.dtype("<i4"))
    assert data[17] == 4
    assert struct.unpack_from("<2q", data, 34 + 8) == (0, 8)


@pytest.mark.parametrize(("vocabulary", "name"), [(65_499, "uint16"), (65_500, "int32"), (200_000, "int32")])
def test_small_vocabularies_take_two_bytes_an_id(tmp_path: Path, vocabulary: int, name: str) -> None:
    files = write(tmp_path, [[[vocabulary - 1, 7]]], vocabulary)
    index = open_index(files["train.idx"])
    assert index.dtype == dtype_for(vocabulary) == np.dtype(name)
    assert documents_of(files["train.bin"], files["train.idx"]) == [[vocabulary - 1, 7, EOD]]
    assert files["train.bin"].stat().st_size == 3 * np.dtype(name).itemsize


DOCUMENTS = st.lists(st.lists(st.integers(0, 65_000), max_size=20), min_size=1, max_size=30)


@given(DOCUMENTS, st.integers(1, 30), st.sampled_from([65_001, 70_000]))
@settings(max_examples=40, deadline=None)
def test_documents_come_back_whatever_the_batches_were(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]], size: int, vocabulary: int
) -> None:
    batches = [documents[n : n + size] for n in range(0, len(documents), size)]
    files = write(tmp_path_factory.mktemp("shard"), batches, vocabulary)
    index = open_index(files["train.idx"])
    assert documents_of(files["train.bin"], files["train.idx"]) == [[*ids, EOD] for ids in documents]
    assert index.documents.tolist() == list(range(len(documents) + 1))
    assert files["train.idx"].read_bytes() == index_bytes([len(ids) + 1 for ids in documents], index.dtype)
    table = pq.read_table(files["train.docs.parquet"])
    assert table.schema.equals(TOKEN_DOCUMENT)
    flat = np.fromfile(files["train.bin"], dtype=index.dtype)
    for line, ids in zip(table.to_pylist(), documents, strict=True):
        found = flat[line["token_start"] : line["token_start"] + line["token_count"]]
        assert found.tolist() == [*ids, EOD]
    assert table["document"].to_pylist() == list(range(len(documents)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "does not start with"),
        (b"RIFF" * 20, "does not start with"),
        (index_bytes([1], np.dtype("<u2"))[:-1], "promises"),
    ],
)
def test_a_broken_index_says_what_is_wrong(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "broken.idx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        open_index(path)
