"""Training and taking tokenizers: equal bytes in every process, samples that do not depend on order."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.encoders import Pieces, Reference
from corpusforge.tokens.split import hash_of
from corpusforge.tokens.tokenizer import Take, Train, smallest, train

EOD = "<|endoftext|>"
TRAINING = """
import hashlib, random, sys
from corpusforge.tokens.tokenizer import Train, train
words = ["猫", "である", "名前", "コーヒー", "the", "quick", "don't", "2024", "。", "、", " ", "\\n", "株式会社"]
draw = random.Random(7)
texts = ["".join(draw.choice(words) for _ in range(200)) for _ in range(60)]
print(hashlib.sha256(train(Train(kind=sys.argv[1], vocab_size=700), texts, "<|endoftext|>")).hexdigest())
"""


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_training_gives_the_same_bytes_in_every_process(kind: str) -> None:
    settings = [{"PYTHONHASHSEED": "1", "TOKENIZERS_PARALLELISM": "true"}, {"PYTHONHASHSEED": "2"}]
    digests = {
        subprocess.run(
            [sys.executable, "-c", TRAINING, kind], env=env, capture_output=True, text=True, check=True
        ).stdout
        for env in settings
    }
    assert len(digests) == 1


def batch(documents: list[tuple[str, str]]) -> pa.RecordBatch:
    ids, texts = zip(*documents, strict=True) if documents else ((), ())
    return pa.RecordBatch.from_pydict({"id": pa.array(ids, pa.string()), "text": pa.array(texts, pa.large_string())})


@given(
    st.dictionaries(st.text("abcdef0123456789", min_size=1, max_size=8), st.text(max_size=30), max_size=40),
    st.integers(1, 300),
    st.randoms(use_true_random=False),
)
def test_sample_is_the_smallest_hashes_whatever_the_order(
    documents: dict[str, str], sample_bytes: int, draw: random.Random
) -> None:
    rows = list(documents.items())
    draw.shuffle(rows)
    cut = draw.randint(0, len(rows))
    found = smallest([batch(rows[:cut]), batch(rows[cut:])], sample_bytes)
    ordered = sorted((hash_of(id, b"sample"), id, text) for id, text in documents.items())
    wanted, held = [], 0
    for line in ordered:
        if held >= sample_bytes:
            break
        wanted.append(line)
        held += len(line[2].encode())
    assert [line for line in sorted(found) if line[2]] == [line for line in wanted if line[2]]


def test_a_small_corpus_gives_a_small_vocabulary() -> None:
    encoder = Reference(train(Train(vocab_size=32_000), ["短い文。"] * 3, EOD), EOD)
    assert 257 <= encoder.vocabulary < 300


def test_nothing_to_train_on_still_encodes_bytes() -> None:
    encoder = Reference(train(Train(), [], EOD), EOD)
    assert encoder.vocabulary == 257
    assert len(encoder.encode(["あ"])[0]) == 3


def test_unigram_gives_text_back() -> None:
    texts = ["吾輩は猫である。名前はまだ無い。", "The quick brown fox 12345."] * 50
    encoder = Pieces(train(Train(kind="unigram", vocab_size=800), texts, EOD), EOD)
    for text in ("  吾輩は\n\n\t猫 である", "未知の字：龘、👩‍👩‍👧\x00", "</s> <s>", "ＡＢＣ e\u0301", "x" * 5000):
        (ids,) = encoder.encode([text])
        assert encoder.decode(ids) == text
        assert encoder.eod not in ids


def test_take_reads_the_file_it_was_promised(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b"{}")
    digest = hashlib.sha256(b"{}").hexdigest()
    assert Take(str(path), digest).read() == b"{}"
    with pytest.raises(ValueError, match=r"digest .* correct tokenizer\.sha256"):
        Take(str(path), "0" * 64).read()
    with pytest.raises(ValueError, match=r"cannot be read .* correct tokenizer\.path"):
        Take(str(tmp_path / "none.json")).read()
    with pytest.raises(ValueError, match=r"tokenizer\.json or a sentencepiece"):
        _ = Take("tokenizer.bin").role
