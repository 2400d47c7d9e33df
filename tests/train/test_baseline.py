"""The yardstick of a run: n-grams of its training documents, scored on its held-out ones."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpusforge import api
from corpusforge.text.ngram_fit import fit
from corpusforge.tokens.encoders import Reference
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.stream import Stream
from corpusforge.train.baseline import END, Bytes, Tokens
from corpusforge.train.config import Config, from_json
from corpusforge.train.held_out import SEED
from corpusforge.train.log import RunLog
from corpusforge.train.plan import read_plan
from corpusforge.train.token_lengths import token_lengths
from corpusforge.verbs.train import prepare
from tests.train.runs import LLAMA, config, corpus_of_words

EOD = "<|endoftext|>"


def causal(corpus: str, **changes: Any) -> Config:
    given: dict[str, Any] = {
        "run": "run",
        "data": {"sources": {"web": {"corpus": corpus}}, "sequence": 64},
        "model": {"config": LLAMA},
        "validation": {"samples": 5},
    }
    return from_json({**given, **changes})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return corpus_of_words(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def run(corpus: str, tmp_path: Path) -> Path:
    return prepare(causal(corpus), tmp_path, lambda line: None)


def texts(corpus: str, split: str) -> list[str]:
    """The text of each document of a split, by way of the corpus and not of the tokens."""
    source = api.token_source(corpus, split)
    ids = [id for shard in source.shards for id in shard.column("id")["id"].to_pylist()]
    known = {row["id"]: row["text"] for row in api.documents(corpus, ["id", "text"])}
    return [known[id] for id in ids]


def of_bytes(text: str) -> list[int]:
    return [*text.encode(), END]


def expected(known: Sequence[Any], unseen: Sequence[Any], order: int, size: int, length: int) -> float:
    model = fit(known, order, size)
    return sum(math.fsum(model.nats(ids)) for ids in unseen) / math.log(2) / length


def test_figures_are_those_of_the_texts_themselves(run: Path, corpus: str) -> None:
    told = api.train_baseline(run)
    known, unseen = texts(corpus, "train"), texts(corpus, "validation")
    length = sum(len(text.encode()) for text in unseen)
    assert (told.scored.documents, told.scored.bytes) == (len(unseen), length)
    assert (told.fitted.documents, told.fitted.all_documents) == (len(known), len(known))
    assert told.bytes_5gram == pytest.approx(
        expected([of_bytes(text) for text in known], [of_bytes(text) for text in unseen], 5, 257, length)
    )
    encoder = Reference((run / "tokenizer.json").read_bytes(), EOD)

    def tokens(text: str) -> list[int]:
        return [*encoder.encode([text])[0].tolist(), encoder.eod]

    for order, value in ((5, told.tokens_5gram), (1, told.unigram)):
        fitted, scored = ([tokens(text) for text in split] for split in (known, unseen))
        assert value == pytest.approx(expected(fitted, scored, order, encoder.vocabulary, length))
    assert told.tokens_5gram < told.unigram


def test_the_samples_that_validation_looks_at_are_told_apart(run: Path, corpus: str, tmp_path: Path) -> None:
    """Checked by way of the samples: the labels of the first five, in the order that every run has."""
    told = api.train_baseline(run).validated
    assert told is not None
    source = api.token_source(corpus, "validation")
    read = Stream({"web": source}, [Segment(0, {"web": 1.0})], SEED, 64).read(0, 5)
    lengths = token_lengths(read_plan(run), run)
    assert lengths is not None
    assert (told.tokens, told.bytes) == (5 * 64, int(lengths[read[:, 1:]].sum()))
    everything = prepare(causal(corpus, run="all", validation={"samples": 10**6}), tmp_path, lambda line: None)
    whole = api.train_baseline(everything)
    assert whole.validated is not None
    # All but the first token, and what is less than a sample at the end.
    assert 0 < whole.scored.tokens - whole.validated.tokens <= 64
    assert whole.validated.bytes_5gram == pytest.approx(whole.scored.bytes_5gram, rel=0.02)
    assert whole.sources == {"web": whole.scored}


def test_the_file_is_what_the_report_draws(run: Path) -> None:
    told = api.train_baseline(run)
    written = json.loads((run / "baseline.json").read_bytes())
    assert {name: value for name, value in written.items() if isinstance(value, int | float)} == {
        "bytes_5gram": told.bytes_5gram,
        "tokens_5gram": told.tokens_5gram,
        "unigram": told.unigram,
    }
    assert not list(run.glob("*.part"))
    with RunLog(run, 1) as log:
        for step in (1, 2):
            log.validation(step, {"web": {"loss": 2.0, "bits_per_byte": 2.5}}, {"loss": 2.0, "bits_per_byte": 2.5})
    page = api.train_report([run]).read_text(encoding="utf-8")
    assert f"5-gram of bytes {told.bytes_5gram:.3f}" in page


def test_a_file_of_the_same_texts_is_taken_and_a_stale_one_written_anew(run: Path) -> None:
    told = api.train_baseline(run)
    path = run / "baseline.json"
    marked = {**json.loads(path.read_bytes()), "unigram": 1.25}
    path.write_text(json.dumps(marked))
    assert api.train_baseline(run).unigram == 1.25
    for stale in ({**marked, "identity": "another"}, {"unigram": 1.25}):
        path.write_text(json.dumps(stale))
        assert api.train_baseline(run) == told
    path.write_text(json.dumps(marked)[:40])
    assert api.train_baseline(run) == told


def test_a_bound_on_tokens_is_kept_and_told(run: Path) -> None:
    whole = api.train_baseline(run)
    some = api.train_baseline(run, most_tokens=whole.fitted.tokens // 3)
    assert whole.fitted.tokens // 4 < some.fitted.tokens <= whole.fitted.tokens // 3
    assert some.fitted.all_tokens == whole.fitted.tokens
    assert some.scored.tokens == whole.scored.tokens
    assert some.tokens_5gram > whole.tokens_5gram
    with pytest.raises(api.NotTrained, match="most_tokens is 0"):
        api.train_baseline(run, most_tokens=0)


def test_a_forgotten_document_is_neither_fitted_nor_scored(run: Path, corpus: str) -> None:
    told = api.train_baseline(run)
    forgotten = [
        api.token_source(corpus, split).shards[0].column("id")["id"][0].as_py() for split in ("train", "validation")
    ]
    plan = json.loads((run / "plan.json").read_bytes())
    plan["sources"]["web"]["erased"] = forgotten
    (run / "plan.json").write_text(json.dumps(plan))
    left = api.train_baseline(run)
    assert left.fitted.documents == told.fitted.documents - 1
    assert left.scored.documents == told.scored.documents - 1
    assert left.identity != told.identity


def test_bytes_of_tokens_are_those_of_the_text() -> None:
    symbols = Bytes.of_texts([b"", b"ab", b"c", b"def"])
    ids = np.array([3, 1, 0, 2], np.int32)
    assert symbols.of(ids).tolist() == [*b"defab", END, *b"c"]
    costs = np.arange(7, dtype=np.float64)
    assert symbols.by_token(costs, ids).tolist() == [0 + 1 + 2, 3 + 4, 5, 6]
    assert Tokens(4).by_token(costs[:4], ids).tolist() == [0, 1, 2, 3]


def test_a_run_that_has_no_yardstick_says_why(corpus: str, tmp_path: Path) -> None:
    def refused(made: Config, why: str) -> None:
        folder = prepare(made, tmp_path, lambda line: None)
        with pytest.raises(api.NotTrained, match=why):
            api.train_baseline(folder)
        assert not (folder / "baseline.json").exists()

    refused(causal(corpus, run="masked", objective={"use": "masked"}), "objective masked, and n-gram models")
    refused(config(tmp_path, "megatron"), "knows no tokenizer that tells the bytes")
    bare = prepare(causal(corpus, run="bare"), tmp_path, lambda line: None)
    plan = json.loads((bare / "plan.json").read_bytes())
    plan["sources"]["web"]["validation"] = []
    (bare / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(api.NotTrained, match="web hold no held-out text: tokenise with a validation_share"):
        api.train_baseline(bare)
    with pytest.raises(api.NotTrained, match=r"no training run: it holds no config\.json"):
        api.train_baseline(tmp_path)
