"""A stream gives every token once an epoch, the same samples to any reader, and knows whose tokens they are."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.shards import ERASED, TokenSource
from corpusforge.tokens.stream import Stream
from tests.tokens.samples import EOD, shard

LENGTHS = {"a": [[5, 40, 1, 17, 90, 3], [], [33, 8]], "b": [[12, 60, 7]]}


def documents(name: str, part: int) -> list[list[int]]:
    """Documents whose every token differs from all others of its source."""
    begun = sum(map(sum, LENGTHS[name][:part]))
    counts = LENGTHS[name][part]
    return [list(range(1 + begun + sum(counts[:n]), 1 + begun + sum(counts[: n + 1]))) for n in range(len(counts))]


def source(root: Path, name: str, erased: tuple[str, ...] = ()) -> TokenSource:
    folder = root.parent / f"{root.name}-{name}-{len(erased)}"
    shards = [shard(folder, f"{name}-{n}", documents(name, n)) for n in range(len(LENGTHS[name]))]
    return TokenSource(name, shards, EOD, 1000, erased=erased)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TokenSource]:
    return {name: source(tmp_path_factory.mktemp("s"), name) for name in LENGTHS}


def line(source: TokenSource) -> list[int]:
    out = np.empty(source.tokens, np.int32)
    source.read(0, out)
    return out.tolist()


def test_the_line_is_every_document_and_its_end(sources: dict[str, TokenSource]) -> None:
    expected = [t for part in range(3) for d in documents("a", part) for t in (*d, EOD)]
    assert line(sources["a"]) == expected


@given(st.data())
def test_any_stretch_is_a_piece_of_the_line(sources: dict[str, TokenSource], data: st.DataObject) -> None:
    a = sources["a"]
    start = data.draw(st.integers(0, a.tokens))
    out = np.empty(data.draw(st.integers(0, a.tokens - start)), np.int32)
    a.read(start, out)
    assert out.tolist() == line(a)[start : start + len(out)]
    spans = list(a.documents(start, len(out)))
    assert sum(span.count for span in spans) == len(out)
    again = [token for s in spans for token in s.shard.ids[s.shard.starts[s.document] + s.start :][: s.count].tolist()]
    assert again == out.tolist()


def test_an_epoch_gives_every_position_once(sources: dict[str, TokenSource]) -> None:
    stream = Stream({"a": sources["a"]}, [Segment(0, {"a": 1})], 3, 10)
    n = sources["a"].positions(10)
    orders = [stream.locate(epoch * n, n).positions.tolist() for epoch in range(3)]
    assert [sorted(order) for order in orders] == [list(range(n))] * 3
    assert orders[0] != orders[1] != orders[2] != list(range(n))
    ids = stream.read(0, n)
    whole = line(sources["a"])
    assert ids.tolist() == [whole[p * 10 : p * 10 + 11] for p in orders[0]]


@given(st.integers(0, 500), st.integers(1, 64), st.integers(1, 8))
def test_how_many_read_changes_nothing(sources: dict[str, TokenSource], first: int, count: int, readers: int) -> None:
    stream = Stream(sources, [Segment(0, {"a": 3, "b": 1}), Segment(100, {"b": 1})], 3, 8)
    parts = [stream.read(first + n, min(readers, count - n)) for n in range(0, count, readers)]
    assert np.concatenate(parts).tolist() == stream.read(first, count).tolist()


def test_new_weights_and_new_sources_disturb_nothing_before_them(sources: dict[str, TokenSource]) -> None:
    early = Stream({"a": sources["a"]}, [Segment(0, {"a": 1})], 3, 8)
    late = Stream(sources, [Segment(0, {"a": 1}), Segment(50, {"a": 1, "b": 9})], 3, 8)
    assert early.read(0, 50).tolist() == late.read(0, 50).tolist()
    names = [late.mixture.names[n] for n in late.locate(50, 100).sources]
    assert 88 <= names.count("b") <= 92
    seen = late.locate(0, 150)
    first_epoch = seen.positions[(seen.sources == 0) & (seen.epochs == 0)].tolist()
    assert len(set(first_epoch)) == len(first_epoch), "a source goes on where it was"


def test_seeds_and_sources_have_orders_of_their_own(sources: dict[str, TokenSource]) -> None:
    def order(name: str, seed: int) -> list[int]:
        return Stream({name: sources["a"]}, [Segment(0, {name: 1})], seed, 8).locate(0, 20).positions.tolist()

    assert order("a", 1) == order("a", 1)
    assert order("a", 1) != order("a", 2)
    assert order("a", 1) != order("x", 1)


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_samples_of_a_document_are_those_that_hold_it(sources: dict[str, TokenSource], name: str) -> None:
    stream = Stream(sources, [Segment(0, {"a": 2, "b": 1}), Segment(70, {"b": 1}), Segment(90, {"a": 1})], 5, 8)
    until = 200
    holding: dict[tuple[str, int], list[int]] = {}
    for sample in range(until):
        source_name = stream.mixture.names[int(stream.locate(sample, 1).sources[0])]
        if source_name == name:
            for span in stream.documents(sample):
                holding.setdefault((span.shard.name, span.document), []).append(sample)
    for number, its in enumerate(sources[name].shards):
        for document in range(len(its.index.lengths)):
            found = stream.samples_of(name, number, document, until)
            assert found == holding.get((its.name, document), []), (its.name, document)


def test_a_forgotten_document_is_never_seen_and_all_else_stays(tmp_path: Path) -> None:
    before, after = source(tmp_path, "a"), source(tmp_path, "a", ("a-0-1", "a-2-0"))
    gone = {*documents("a", 0)[1], *documents("a", 2)[0]}
    streams = [Stream({"a": s}, [Segment(0, {"a": 1})], 3, 10) for s in (before, after)]
    whole, erased = (s.read(0, 60).ravel() for s in streams)
    assert not gone & set(erased.tolist())
    assert gone & set(whole.tolist())
    kept = erased != ERASED
    assert (whole[kept] == erased[kept]).all()
    assert (~kept).sum() == sum(t in gone for t in whole) + _ends(before, whole, gone)
    assert before.digest == after.digest


def _ends(source: TokenSource, tokens: np.ndarray, gone: set[int]) -> int:
    """Ends of forgotten documents in rows of eleven: an end is erased with its document, also where it opens a row."""
    lasts = {documents("a", 0)[1][-1], documents("a", 2)[0][-1]}
    inside = sum(t in lasts and (n + 1) % 11 != 0 for n, t in enumerate(tokens.tolist()))
    whole = line(source)
    opening = {tuple(whole[p : p + 11]) for p in range(1, len(whole)) if whole[p] == EOD and whole[p - 1] in lasts}
    return inside + sum(tuple(row) in opening for row in tokens.reshape(-1, 11).tolist())


def test_repeated_documents_follow_in_layers_of_their_own(tmp_path: Path) -> None:
    made = shard(tmp_path, "x", [[1, 1], [2], [3, 3, 3], [4]], clusters=[1, 2, 9, 12])
    twice = TokenSource("x", [made], EOD, 1000, repeats={2: 2, 10: 3})
    once = [1, 1, EOD, 2, EOD, 3, 3, 3, EOD, 4, EOD]
    assert line(twice) == [*once, 2, EOD, 3, 3, 3, EOD, 4, EOD, 4, EOD]
    assert twice.places(0, 3) == [(9, 2), (17, 2), (19, 2)]
    assert twice.places(0, 2) == [(5, 4), (13, 4)]
    assert [s.document for s in twice.documents(11, 10)] == [1, 2, 3, 3]


def test_a_source_that_is_too_short_is_named(tmp_path: Path) -> None:
    short = TokenSource("tiny", [shard(tmp_path, "t", [[1, 2]])], EOD, 1000)
    with pytest.raises(ValueError, match="the source tiny is too small for one sample of 8 tokens"):
        Stream({"tiny": short}, [Segment(0, {"tiny": 1})], 0, 8)


def test_a_source_that_is_not_there_is_named(sources: dict[str, TokenSource]) -> None:
    with pytest.raises(ValueError, match=r"names \['c'\], which are not among the sources: \['a', 'b'\]"):
        Stream(sources, [Segment(0, {"a": 1, "c": 1})], 0, 8)


def test_a_file_that_was_cut_is_named(tmp_path: Path) -> None:
    made = shard(tmp_path, "x", [[1, 2, 3]])
    made.bin.write_bytes(made.bin.read_bytes()[:-2])
    with pytest.raises(ValueError, match="is 6 bytes long; its index promises 8: copy it anew"):
        TokenSource("x", [made], EOD, 1000)
