"""What a micro-batch of each objective holds, and that it hangs on the sample alone."""

from collections.abc import Callable

import numpy as np
import pytest

import corpusforge as cf
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.packing import IGNORED
from corpusforge.tokens.shards import TokenSource
from corpusforge.tokens.stream import Stream
from corpusforge.train.objectives.causal import Causal
from corpusforge.train.objectives.masked import Masked, word_ends
from corpusforge.train.objectives.micro_batch import Material, empty
from corpusforge.train.objectives.next_sentence import FOLLOWS, RANDOM, NextSentence
from corpusforge.train.symbols import symbols_of
from tests.train.runs import corpus_of_words

SEQUENCE = 64


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> TokenSource:
    return cf.token_source(corpus_of_words(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(scope="module")
def material(source: TokenSource) -> Material:
    symbols = symbols_of(source.vocabulary, source.eod)
    return Material(Stream({"web": source}, [Segment(0, {"web": 1.0})], 3, SEQUENCE), symbols, 3)


def test_causal_rows_predict_the_next_token(material: Material) -> None:
    batch = Causal().batch(material, 5, 4)
    ids = material.stream.read(5, 4)
    assert (batch.inputs["input_ids"] == ids[:, :-1]).all()
    assert (batch.labels == ids[:, 1:]).all()
    assert (batch.inputs["position_ids"][batch.inputs["input_ids"] == material.symbols.eod] == 0).all()


@pytest.mark.parametrize("objective", [Causal(), Masked(), NextSentence()], ids=lambda made: made.use)
def test_a_sample_is_the_same_in_any_micro_batch(material: Material, objective: Causal) -> None:
    together, alone = objective.batch(material, 0, 6), [objective.batch(material, n, 1) for n in range(6)]
    for name, array in together.inputs.items():
        assert (array == np.concatenate([batch.inputs[name] for batch in alone])).all(), name
    assert (together.labels == np.concatenate([batch.labels for batch in alone])).all()


def test_masks_hide_a_share_of_the_tokens_as_devlin_does(material: Material) -> None:
    batch = Masked(whole_words=False).batch(material, 0, 400)
    ids = material.stream.read(0, 400)[:, :-1]
    hidden = batch.labels != IGNORED
    assert 0.14 < hidden.mean() < 0.16
    assert (batch.labels[hidden] == ids[hidden]).all()
    shown = batch.inputs["input_ids"]
    assert (shown[~hidden] == ids[~hidden]).all()
    assert 0.78 < (shown[hidden] == material.symbols.mask).mean() < 0.82
    assert 0.09 < (shown[hidden] == ids[hidden]).mean() < 0.12
    assert not (ids[hidden] == material.symbols.eod).any()


def test_whole_words_are_hidden_together(material: Material) -> None:
    batch = Masked().batch(material, 0, 50)
    hidden = batch.labels != IGNORED
    assert 0.12 < hidden.mean() < 0.16
    for row in range(50):
        ends = np.concatenate([word_ends(span) for span in material.stream.documents(row)])[:-1]
        words = np.concatenate([[0], np.cumsum(ends)[:-1]])
        for word in np.unique(words):
            assert len(set(hidden[row, words == word])) == 1, "a word is hidden whole or not at all"


def test_half_of_the_pairs_are_random_and_all_are_true(material: Material) -> None:
    objective, found = NextSentence(), []
    for sample in range(300):
        pair = objective.pair(material, sample)
        if pair is None:
            continue
        found.append(pair.follows)
        same = pair.first.shard is pair.second.shard and pair.first.document == pair.second.document
        assert same == (pair.follows == FOLLOWS)
        assert pair.first.count >= 1 <= pair.second.count
        assert pair.first.count + pair.second.count <= SEQUENCE - 3
        if pair.follows == FOLLOWS:
            assert pair.second.start >= pair.first.start + pair.first.count
    assert len(found) > 280
    assert 0.4 < np.mean(np.array(found) == RANDOM) < 0.65


def test_a_pair_is_written_as_bert_reads_it(material: Material) -> None:
    batch, symbols = NextSentence(whole_words=False).batch(material, 0, 8), material.symbols
    for row in range(8):
        length = int(batch.inputs["attention_mask"][row].sum())
        ids, types = batch.inputs["input_ids"][row], batch.inputs["token_type_ids"][row]
        assert ids[0] == symbols.begin
        assert ids[length - 1] == symbols.separator
        (border, _) = np.flatnonzero(ids[:length] == symbols.separator)
        assert (types[: border + 1] == 0).all()
        assert (types[border + 1 : length] == 1).all()
        assert (ids[length:] == symbols.padding).all()
        assert (batch.labels[row, [0, border, length - 1]] == IGNORED).all()


@pytest.mark.parametrize("objective", [Causal, Masked, NextSentence])
def test_a_forgotten_document_is_never_seen_again(
    material: Material, source: TokenSource, objective: Callable[[], Causal]
) -> None:
    made = objective()
    gone = next(iter(made.documents(material, 4)))
    id = gone.shard.column("id")["id"][gone.document].as_py()
    erased = TokenSource(source.name, source.shards, source.eod, source.vocabulary, erased=[id])
    stream = Stream({"web": erased}, material.stream.mixture.segments, 3, SEQUENCE)
    after = Material(stream, material.symbols, 3)
    touched = [
        sample
        for sample in range(60)
        if any(span.document == gone.document and span.shard.name == gone.shard.name
               for span in made.documents(material, sample))
    ]  # fmt: skip
    assert 4 in touched
    for sample in range(60):
        before, now = made.batch(material, sample, 1), made.batch(after, sample, 1)
        if sample not in touched:
            assert (before.inputs["input_ids"] == now.inputs["input_ids"]).all()
            assert (before.labels == now.labels).all()
        elif objective is not NextSentence:
            assert (now.labels != IGNORED).sum() < (before.labels != IGNORED).sum()


def test_rows_that_fill_up_predict_nothing(material: Material) -> None:
    batch = empty(Causal().batch(material, 0, 2), 4)
    assert batch.labels.shape == (4, SEQUENCE)
    assert batch.counts().tolist()[2:] == [[0], [0]]
