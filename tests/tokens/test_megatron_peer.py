"""Our token files as Megatron-LM's readers see them, and theirs as we do; what cannot be trusted is refused by name."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corpusforge as cf
from corpusforge.tokens.indexed import open_index
from tests.tokens.samples import EOD, shard

TYPES = {1: "<u1", 2: "<i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2"}
GOLDEN_BIN = bytes.fromhex("0500 0600 0700 0000 0900 0000")
GOLDEN_IDX = bytes.fromhex(
    "4d4d4944494458 0000 0100000000000000 08"
    "0300000000000000 0300000000000000"
    "03000000 01000000 02000000"
    "0000000000000000 0600000000000000 0800000000000000"
    "0000000000000000 0200000000000000 0300000000000000"
)
"""What megatron-core 0.16.1 wrote for two documents in uint16: 5 6 7 | 0, in two sequences, and 9 0."""


def parsed(prefix: Path) -> tuple[list[list[int]], list[int]]:
    """The sequences of a file and where documents begin, read from the published table of the format alone."""
    data, ids = Path(f"{prefix}.idx").read_bytes(), Path(f"{prefix}.bin").read_bytes()
    assert data[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, entries = struct.unpack("<QBQQ", data[9:34])
    assert version == 1
    assert len(data) == 34 + 12 * sequences + 8 * entries
    lengths = struct.unpack_from(f"<{sequences}i", data, 34)
    pointers = struct.unpack_from(f"<{sequences}q", data, 34 + 4 * sequences)
    documents = struct.unpack_from(f"<{entries}q", data, 34 + 12 * sequences)
    found = [np.frombuffer(ids, TYPES[code], n, at).tolist() for n, at in zip(lengths, pointers, strict=True)]
    return found, list(documents)


def written(prefix: Path, documents: list[list[list[int]]], code: int, **other: Any) -> Path:
    """Documents of sequences, written from the table; ``other`` puts something else in place of an array or type."""
    sequences = [sequence for document in documents for sequence in document]
    lengths, size = [len(s) for s in sequences], np.dtype(TYPES[code]).itemsize
    pointers = [size * sum(lengths[:n]) for n in range(len(lengths))]
    borders = [sum(map(len, documents[:n])) for n in range(len(documents) + 1)]
    arrays = {"lengths": lengths, "pointers": pointers, "borders": borders, "modes": [], **other}
    kinds = {"lengths": "<i4", "pointers": "<i8", "borders": "<i8", "modes": "<i1"}
    head = struct.pack("<9sQBQQ", b"MMIDIDX\0\0", 1, other.get("type", code), len(sequences), len(arrays["borders"]))
    body = b"".join(np.array(arrays[key], kind).tobytes() for key, kind in kinds.items())
    Path(f"{prefix}.idx").write_bytes(head + body)
    Path(f"{prefix}.bin").write_bytes(np.array([t for s in sequences for t in s], TYPES[code]).tobytes())
    return prefix


def line(source: Any) -> list[int]:
    out = np.empty(source.tokens, np.int32)
    source.read(0, out)
    return out.tolist()


IDS = st.lists(st.integers(1, 120), max_size=12)


@given(st.lists(IDS, min_size=1, max_size=12), st.sampled_from([1000, 70_000]))
@settings(max_examples=30)
def test_what_we_write_is_what_the_format_says(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]], vocabulary: int
) -> None:
    made = shard(tmp_path_factory.mktemp("ours"), "x", documents, vocabulary=vocabulary)
    sequences, borders = parsed(made.bin.with_suffix(""))
    assert sequences == [[*ids, EOD] for ids in documents]
    assert borders == list(range(len(documents) + 1))


@given(st.lists(st.lists(IDS, max_size=3), min_size=1, max_size=8), st.sampled_from(sorted(TYPES)))
@settings(max_examples=60)
def test_what_others_write_is_read_whatever_its_type(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[list[int]]], code: int
) -> None:
    ended = [[*document, [EOD]] for document in documents]
    prefix = written(tmp_path_factory.mktemp("theirs") / "x", ended, code)
    source = cf.megatron_source(prefix, EOD, 121)
    flat = [[token for sequence in document for token in sequence] for document in ended]
    assert line(source) == [token for document in flat for token in document]
    spans = list(source.documents(0, source.tokens))
    assert [(s.document, s.start, s.count) for s in spans] == [(n, 0, len(d)) for n, d in enumerate(flat)]


def test_bytes_that_megatron_wrote(tmp_path: Path) -> None:
    (tmp_path / "g.bin").write_bytes(GOLDEN_BIN)
    (tmp_path / "g.idx").write_bytes(GOLDEN_IDX)
    source = cf.megatron_source(tmp_path / "g", 0, 10)
    assert line(source) == [5, 6, 7, 0, 9, 0]
    assert [(s.document, s.count) for s in source.documents(0, 6)] == [(0, 4), (1, 2)]
    assert source.name == "g"


def test_megatron_s_own_reader_and_writer(tmp_path: Path) -> None:
    theirs = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason="megatron-core is not installed")
    torch = pytest.importorskip("torch")
    made = shard(tmp_path / "ours", "x", [[5, 6], [], [7]])
    read = theirs.IndexedDataset(str(made.bin.with_suffix("")))
    assert [read[n].tolist() for n in range(len(read))] == [[5, 6, EOD], [EOD], [7, EOD]]
    builder = theirs.IndexedDatasetBuilder(str(tmp_path / "g.bin"), dtype=np.uint16)
    builder.add_document(torch.tensor([5, 6, 7, 0]), [3, 1])
    builder.add_document(torch.tensor([9, 0]), [2])
    builder.finalize(str(tmp_path / "g.idx"))
    assert (tmp_path / "g.idx").read_bytes() == GOLDEN_IDX
    assert (tmp_path / "g.bin").read_bytes() == GOLDEN_BIN


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"modes": [0, 1, 0]}, "is multimodal: not every sequence is text"),
        ({"pointers": [0, 8, 4]}, "sequence 1 begins at byte 8, not at 4 where the one before it ends"),
        ({"lengths": [2, -1, 5]}, "has a sequence of -1 tokens"),
        ({"borders": [0, 2, 2]}, "its document index does not rise from 0 to its 3 sequences"),
        ({"borders": [0]}, "its document index does not rise from 0 to its 3 sequences"),
        ({"borders": []}, "its document index does not rise from 0 to its 3 sequences"),
        ({"borders": [0, 3, 2, 3]}, "its document index does not rise from 0 to its 3 sequences"),
        ({"type": 7}, "holds float32, which are no token ids"),
        ({"type": 9}, "holds the unknown type 9"),
    ],
)
def test_an_index_that_cannot_be_trusted_is_refused(tmp_path: Path, other: dict[str, Any], message: str) -> None:
    prefix = written(tmp_path / "x", [[[1, 2], [3, 0]], [[4, 0]]], 8, **other)
    with pytest.raises(ValueError, match=message):
        cf.megatron_source(prefix, EOD, 10)


def test_a_cut_index_and_another_version_are_refused(tmp_path: Path) -> None:
    data = written(tmp_path / "x", [[[1, 0]]], 8).with_suffix(".idx").read_bytes()
    for broken, message in (
        (data[:-1], "its header promises 62"),
        (data[:9] + b"\x02" + data[10:], "has version 2; known is 1"),
        (b"TNTIDX\x00\x00" + data, "does not start with"),
    ):
        (tmp_path / "x.idx").write_bytes(broken)
        with pytest.raises(ValueError, match=message):
            open_index(tmp_path / "x.idx")


@pytest.mark.parametrize(
    ("documents", "code", "more", "message"),
    [
        ([[[1, -1, 0]]], 4, {}, "holds the ids -1 to 1, which are not all in a vocabulary of 10"),
        ([[[1, 10, 0]]], 5, {}, "holds the ids 0 to 10, which are not all in a vocabulary of 10"),
        ([[[1, 1 << 40, 0]]], 5, {}, "which are not all in a vocabulary"),
        ([[[1, 2]], [[3, 5]]], 8, {}, "none of 2 documents .* ends with the token 0; their last tokens are 2, 5"),
        ([[[1, 0]]], 8, {"erased": ["a"]}, "has no sidecar of documents"),
        ([[[1, 0]]], 8, {"repeats": {2: 2}}, "has no sidecar of documents"),
    ],
)
def test_files_that_do_not_fit_what_is_said_of_them(
    tmp_path: Path, documents: list[list[list[int]]], code: int, more: dict[str, Any], message: str
) -> None:
    prefix = written(tmp_path / "x", documents, code)
    with pytest.raises(ValueError, match=message):
        cf.megatron_source([prefix], EOD, 10, **more)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    written(tmp_path / "x", [[[1, 0]]], 8)
    (tmp_path / "x.idx").unlink()
    with pytest.raises(ValueError, match=r"there is no .*x\.idx: a prefix is"):
        cf.megatron_source(tmp_path / "x", EOD, 10)
    with pytest.raises(OSError, match="s3://b/x is not on a disk"):
        cf.megatron_source("s3://b/x", EOD, 10)
    with pytest.raises(ValueError, match="at least one"):
        cf.megatron_source([], EOD, 10)


def test_our_own_files_are_read_by_prefix_and_know_their_documents(tmp_path: Path) -> None:
    made = shard(tmp_path, "x", [[5, 6], [7]], clusters=[1, 2])
    source = cf.megatron_source(str(made.bin), EOD, 1000, repeats={2: 2}, erased=["x-0"])
    assert line(source) == [-1, -1, -1, 7, EOD, 7, EOD]
    assert source.shards[0].sha256 == made.sha256


def test_a_file_is_told_apart_by_what_it_holds(tmp_path: Path) -> None:
    one = cf.megatron_source(written(tmp_path / "a", [[[1, 0]]], 8), EOD, 10)
    same = cf.megatron_source(written(tmp_path / "b", [[[1, 0]]], 8), EOD, 10, name="other")
    other = cf.megatron_source(written(tmp_path / "c", [[[2, 0]]], 8), EOD, 10)
    assert one.digest == same.digest != other.digest
