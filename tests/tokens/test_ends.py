"""Ends in a token shard: bits that say what the sidecar says."""

import pickle
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.engine.attempt import Output, Place
from corpusforge.storage import Store
from corpusforge.tokens.ends import Ends, ends_of
from corpusforge.tokens.megatron import SplitWriter
from corpusforge.tokens.shards import Shard
from tests.tokens import samples

Document = tuple[int, list[int]]
"""Tokens without the one that ends it, and ends."""


def shard(root: Path, documents: Sequence[Document], column: str = "word_ends") -> Shard:
    out = Output(Place(Store(str(root)), "v1"), "tokens", "a", "a")
    count = len(documents)
    text = {name: [f"{n}" for n in range(count)] for name in ("id", "url", "source_file", "lang", "licence")}
    numbers = {name: pa.array(range(count), pa.int64()) for name in ("source_offset", "source_length")}
    ends = pa.array([ends for _, ends in documents], pa.list_(pa.int32()))
    columns = {**text, **numbers, "cluster_size": pa.array([1] * count, pa.int32()), column: ends}
    with SplitWriter(out, "train", 1000, 0, [column]) as writer:
        writer.write(pa.RecordBatch.from_pydict(columns), [np.ones(tokens, np.uint32) for tokens, _ in documents])
    paths = {file.role: root / file.path for file in out.files}
    return Shard("a", paths["train.bin"], paths["train.idx"], "", paths["train.docs.parquet"])


def test_the_sidecar_has_the_column_and_the_end_of_a_document_counts(tmp_path: Path) -> None:
    made = shard(tmp_path, [(3, [1, 3]), (0, []), (5, [2, 5])])
    assert pq.read_table(made.docs)["word_ends"].to_pylist() == [[1, 3], [], [2, 5]]
    expected = [True, False, True, True, True, False, True, False, False, True, True]
    ends = Ends(made, "word_ends")
    assert ends.within(0, 11).tolist() == expected
    assert ends.within(4, 5).tolist() == expected[4:9]
    assert ends.within(11, 0).tolist() == []
    assert ends_of(made, "word_ends") is ends_of(pickle.loads(pickle.dumps(made)), "word_ends")


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_documents_and_any_window(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    tokens = data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=40))
    tokens *= data.draw(st.sampled_from([1, 60]))  # more than one row group
    picks = np.random.default_rng(len(tokens))
    documents = [
        (n, sorted({*(np.flatnonzero(picks.random(n) < 0.4) + 1).tolist(), *([n] if n else [])})) for n in tokens
    ]
    expected = [token + 1 in ends or token == n for n, ends in documents for token in range(n + 1)]
    ends = Ends(shard(tmp_path_factory.mktemp("shard"), documents), "word_ends")
    start = data.draw(st.integers(0, len(expected)))
    count = data.draw(st.integers(0, len(expected) - start))
    assert ends.within(0, len(expected)).tolist() == expected
    assert ends.within(start, count).tolist() == expected[start : start + count]


def test_tokens_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    ends = Ends(shard(tmp_path, [(3, [3])]), "word_ends")
    for start, count in ((0, 5), (-1, 2), (3, -1)):
        with pytest.raises(IndexError, match="has 4 tokens"):
            ends.within(start, count)


def test_a_shard_without_the_column_names_the_cure(tmp_path: Path) -> None:
    made = shard(tmp_path, [(3, [3])], "sentence_ends")
    assert Ends(made, "sentence_ends").within(0, 4).tolist() == [False, False, True, True]
    with pytest.raises(ValueError, match=r"no column word_ends: build the tokens with boundaries: \[words\]"):
        Ends(made, "word_ends").within(0, 1)
    bare = Shard("b", made.bin, made.idx, "")
    with pytest.raises(ValueError, match=r"no sidecar of documents: .*boundaries: \[sentences\]"):
        Ends(bare, "sentence_ends").within(0, 1)


@pytest.mark.parametrize("other", [1, 3])
def test_a_sidecar_of_other_documents_is_an_error(tmp_path: Path, other: int) -> None:
    made = shard(tmp_path / "a", [(3, [3])] * 2)
    stranger = shard(tmp_path / "b", [(3, [3])] * other)
    with pytest.raises(ValueError, match="copy it anew"):
        Ends(Shard("a", made.bin, made.idx, "", stranger.docs), "word_ends").within(0, 1)


def test_a_shard_of_no_boundaries_has_the_columns_of_before(tmp_path: Path) -> None:
    assert "word_ends" not in pq.read_schema(samples.shard(tmp_path, "a", [[1, 2]]).docs).names


def test_millions_of_tokens_a_second(tmp_path: Path) -> None:
    made = shard(tmp_path, [(999, [*range(2, 998, 2), 999])] * 4000)
    ends = Ends(made, "word_ends")
    began = time.perf_counter()
    ends.within(0, 1)
    built = time.perf_counter() - began
    began = time.perf_counter()
    found = sum(int(ends.within(start, 4096).sum()) for start in range(0, 4_000_000 - 4096, 4096))
    read = time.perf_counter() - began
    assert found > 1_900_000
    assert 4e6 / built > 5e6, f"{4e6 / built:,.0f} tokens a second to read the sidecar"
    assert 4e6 / read > 20e6, f"{4e6 / read:,.0f} tokens a second"
    print(f"{4e6 / built:,.0f} {4e6 / read:,.0f}")
