"""A stream gives every token once an epoch, the same samples to any reader, and knows whose tokens they are."""

import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
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


WEIGHTS = st.dictionaries(st.sampled_from(["a", "b"]), st.floats(0.01, 100), min_size=1)


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    """Segments that begin at sample 0 and rise."""
    starts = draw(st.lists(st.integers(1, 300), max_size=4, unique=True))
    return [Segment(start, draw(WEIGHTS)) for start in (0, *sorted(starts))]


@given(segments(), segments(), st.integers(1, 300))
@settings(max_examples=30)
def test_whatever_comes_after_a_sample_changes_nothing_before_it(
    sources: dict[str, TokenSource], before: list[Segment], after: list[Segment], at: int
) -> None:
    kept = [s for s in before if s.from_sample < at]
    changed = [*kept, Segment(at, after[0].weights), *(s for s in after[1:] if s.from_sample > at)]
    one, other = (Stream(sources, its, 3, 8) for its in (before, changed))
    assert one.read(0, at).tolist() == other.read(0, at).tolist()
    drawn = [{name: count for name, count in s.mixture.counts(at).items() if count} for s in (one, other)]
    assert drawn[0] == drawn[1]


@given(segments(), st.sampled_from([5, 8, 31]), st.integers(0, 400))
@settings(max_examples=15)
def test_samples_of_documents_and_documents_of_samples_undo_each_other(
    sources: dict[str, TokenSource], its: list[Segment], sequence: int, until: int
) -> None:
    stream = Stream(sources, its, 5, sequence)
    holding: dict[tuple[str, int, int], set[int]] = {}
    for sample in range(until):
        name = stream.mixture.names[int(stream.locate(sample, 1).sources[0])]
        for span in stream.documents(sample):
            key = name, sources[name].shards.index(span.shard), span.document
            holding.setdefault(key, set()).add(sample)
    for name in stream.mixture.names:
        for number, part in enumerate(sources[name].shards):
            for document in range(part.documents):
                found = stream.samples_of(name, number, document, until)
                assert found == sorted(holding.get((name, number, document), ())), (name, number, document)


@given(st.sets(st.sampled_from([(0, n) for n in range(6)] + [(2, 0), (2, 1)])), st.integers(0, 200))
@settings(max_examples=30)
def test_whichever_documents_are_forgotten_all_else_stays(
    tmp_path_factory: pytest.TempPathFactory, gone: set[tuple[int, int]], first: int
) -> None:
    root = tmp_path_factory.mktemp("gone")
    before = source(root, "a")
    after = TokenSource("a", before.shards, EOD, 1000, erased=[f"a-{part}-{n}" for part, n in gone])
    streams = [Stream({"a": s}, [Segment(0, {"a": 1})], 3, 10) for s in (before, after)]
    whole, erased = (s.read(first, 20) for s in streams)
    for row, (old, new) in enumerate(zip(whole, erased, strict=True)):
        expected, at = old.copy(), 0
        for span in streams[0].documents(first + row):
            if (before.shards.index(span.shard), span.document) in gone:
                expected[at : at + span.count] = ERASED
            at += span.count
        assert new.tolist() == expected.tolist()


@dataclass(frozen=True)
class Examples:
    """A source that has places but no line of tokens."""

    name: str
    count: int

    def positions(self, sequence: int) -> int:
        return self.count


def test_a_source_of_another_kind_is_located_and_found_again(sources: dict[str, TokenSource]) -> None:
    stream = Stream({"a": sources["a"], "e": Examples("e", 7)}, [Segment(0, {"a": 1, "e": 1})], 3, 8)
    found = stream.locate(0, 100)
    drawn = found.positions[found.sources == stream.mixture.names.index("e")].tolist()
    assert [sorted(drawn[n : n + 7]) for n in (0, 7, 14)] == [list(range(7))] * 3
    for position in range(7):
        at = stream.samples_at("e", [position], 100)
        assert at == np.flatnonzero((found.sources == 1) & (found.positions == position)).tolist()
    assert stream.samples_at("e", range(7), 100) == np.flatnonzero(found.sources == 1).tolist()
    with pytest.raises(TypeError, match="the source e is no line of tokens"):
        stream.read(0, 10)
    with pytest.raises(ValueError, match="the source none is too small"):
        Stream({"n": Examples("none", 0)}, [Segment(0, {"n": 1})], 3, 8)


def test_where_the_tokens_are_travels_and_not_the_tokens(tmp_path: Path) -> None:
    made = TokenSource("x", [shard(tmp_path, "x", [list(range(1, 60_000))], vocabulary=65_000)], EOD, 65_000)
    sent = pickle.dumps(made)
    assert len(sent) < 4_000
    assert line(pickle.loads(sent)) == line(made)


def test_other_turns_of_the_same_shards_are_another_line(tmp_path: Path) -> None:
    documents = [[1, 1], [2], [3]]
    one, other = (
        shard(tmp_path / str(n), "x", documents, clusters=sizes) for n, sizes in enumerate(([1, 2, 1], [1, 1, 2]))
    )
    assert one.sha256 == other.sha256
    sources = [TokenSource("x", [made], EOD, 1000, repeats={2: 2}) for made in (one, other)]
    assert sources[0].digest != sources[1].digest
    assert TokenSource("x", [one], EOD, 1000).digest == TokenSource("x", [other], EOD, 1000).digest


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


def test_a_sidecar_of_other_documents_is_named(tmp_path: Path) -> None:
    made, other = shard(tmp_path, "x", [[1], [2]]), shard(tmp_path, "y", [[1]])
    mixed = TokenSource("x", [replace(made, docs=other.docs)], EOD, 1000)
    with pytest.raises(ValueError, match="has 1 rows for the 2 documents of"):
        mixed.check()
    with pytest.raises(ValueError, match="has 1 rows for the 2 documents of"):
        TokenSource("x", [replace(made, docs=other.docs)], EOD, 1000, erased=["y-0"])


def test_a_file_that_was_changed_is_found_by_its_digest(tmp_path: Path) -> None:
    made = TokenSource("x", [shard(tmp_path, "x", [[1, 2, 3]])], EOD, 1000)
    made.check(full=True)
    path = made.shards[0].bin
    path.write_bytes(b"\7" + path.read_bytes()[1:])
    made.check()
    with pytest.raises(ValueError, match=rf"{path.name} has the SHA-256 [0-9a-f]{{64}}, not {made.shards[0].sha256}"):
        made.check(full=True)
