"""Encoders: the reference's ids, no special tokens from text, differences found and named."""

import io
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers

from corpusforge.tokens.encoders import TRICKY, DifferentIdsError, Fast, Pieces, Reference, check, settled
from corpusforge.tokens.tokenizer import Train, train
from tests.real import real

EOD = "<|endoftext|>"
TEXTS = [
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。" * 3,
    "It was the best of times, it was the worst of times, don't you think?  " * 3,
    "2024年12月31日、株式会社ＡＢＣは「人々のコーヒー」を1,234円で発売した。\n" * 3,
]
BPE = train(Train(vocab_size=600), TEXTS, EOD)
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def lines(name: str, count: int) -> list[str]:
    raw = pa.CompressedInputStream(pa.OSFile(str(real(name))), "zstd").read()
    return [json.loads(line)["text"] for line in io.BytesIO(raw).readlines()[:count]]


FRAGMENTS = [
    EOD,
    "<|",
    "|>",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\u3000",
    "\x00",
    "7",
    "123",
    "１２",
    "'s",
    "ſ",
    "。",
    "「",
    "々",
    "ー",
]
FRAGMENTS += [
    "猫",
    "ネコ",
    "ｶﾞ",
    "ab",
    "É",
    "e\u0301",
    "\u200d",
    "👩‍👩‍👧",
    "한글",
    "ไทย",
    "\u2028",
    "\u0085",
    "---",
    "=",
    "\U0010ffff",
]


@given(st.lists(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_and_both_give_the_same_ids(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    reference, fast = Reference(BPE, EOD), Fast(BPE, EOD)
    for text, expected, found in zip(texts, reference.encode(texts), fast.encode(texts), strict=True):
        assert found.tolist() == expected.tolist()
        assert fast.decode(found) == text


@pytest.mark.parametrize("kind", [Reference, Fast])
def test_the_end_of_document_token_in_a_text_is_text(kind: type[Reference | Fast]) -> None:
    encoder = kind(BPE, EOD)
    (ids,) = encoder.encode([f"before {EOD} after{EOD}"])
    assert encoder.eod not in ids
    assert encoder.decode(ids) == f"before {EOD} after{EOD}"


def test_tricky_strings_are_equal_and_come_back() -> None:
    reference, fast = Reference(BPE, EOD), Fast(BPE, EOD)
    assert check(fast, reference, []) == len(TRICKY) + 1
    assert [reference.decode(ids) for ids in reference.encode(TRICKY)] == list(TRICKY)


@pytest.mark.real
@pytest.mark.parametrize("name", ["text-ja-wikipedia/jawiki-paragraphs.jsonl.zst", "text-en-books/books.jsonl.zst"])
def test_real_texts_give_equal_ids(name: str) -> None:
    texts = [text[:3000] for text in lines(name, 100)]
    data = train(Train(vocab_size=4000), texts, EOD)
    assert check(Fast(data, EOD), Reference(data, EOD), [(str(n), t) for n, t in enumerate(texts)]) > 100


def tokenizer_with_digits() -> bytes:
    """Digits one by one by a pre-tokenizer of their own, which gigatoken passes over in silence."""
    tokenizer = Tokenizer(models.BPE())
    cuts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Split(Regex(GPT2), "isolated")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*cuts, pre_tokenizers.ByteLevel(False, use_regex=False)])
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=[EOD], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    config = json.loads(tokenizer.to_str())
    # A merge of two digits, which the reference can never use; no built-in text has them.
    config["model"]["vocab"]["77"] = len(config["model"]["vocab"])
    config["model"]["merges"].append(["7", "7"])
    return json.dumps(config).encode()


def test_a_real_difference_ends_with_document_and_token() -> None:
    data = tokenizer_with_digits()
    fast, reference = Fast(data, EOD), Reference(data, EOD)
    assert check(fast, reference, [("equal", "no such digits: 7")]) == len(TRICKY) + 2
    (expected,), (found,) = reference.encode(["x 77"]), fast.encode(["x 77"])
    at = len(found) - 1
    assert found[:at].tolist() == expected[:at].tolist()
    with pytest.raises(
        DifferentIdsError, match=f"document abc at token {at}: {found[at]} instead of {expected[at]}; set"
    ):
        check(fast, reference, [("equal", "7"), ("abc", "x 77")])


def test_what_gigatoken_cannot_read_names_the_cure() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|\W+"), "isolated")
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(special_tokens=[EOD], show_progress=False))
    with pytest.raises(ValueError, match="set encoder: tokenizers"):
        Fast(tokenizer.to_str().encode(), EOD)


def test_a_given_tokenizer_is_used_without_truncation_padding_dropout_or_template() -> None:
    tokenizer = Tokenizer.from_str(BPE.decode())
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    tokenizer.model.dropout = 0.5
    tokenizer.add_tokens([AddedToken("《tag》", special=False, normalized=False)])
    data = tokenizer.to_str().encode()
    reference, fast = Reference(data, EOD), Fast(data, EOD)
    (ids,) = reference.encode(["吾輩は《tag》猫である" * 4])
    assert reference.decode(ids) == "吾輩は《tag》猫である" * 4
    assert list(ids).count(reference.vocabulary - 1) == 4
    assert check(fast, reference, [("a", "吾輩は《tag》猫である")]) == len(TRICKY) + 3


@pytest.mark.parametrize(
    ("library", "use", "cure"),
    [
        ("gigatoken", "encoders.Fast(b'{}', 'x')", "corpusforge[fast]', or set encoder: tokenizers"),
        ("sentencepiece", "encoders.Pieces(b'', 'x')", "corpusforge[sentencepiece]"),
        ("sentencepiece", "tokenizer.train(tokenizer.Train(kind='unigram'), [], 'x')", "or set kind: bpe"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(library: str, use: str, cure: str) -> None:
    without = f"import sys; sys.modules[{library!r}] = None; from corpusforge.tokens import encoders, tokenizer; "
    done = subprocess.run([sys.executable, "-c", without + use], capture_output=True, text=True)
    assert done.returncode == 1
    assert cure in done.stderr.strip().splitlines()[-1]


def test_a_missing_end_of_document_token_names_the_candidates() -> None:
    with pytest.raises(ValueError, match=r"no token '</s>' .* <\|endoftext\|>"):
        Reference(BPE, "</s>")


@pytest.mark.parametrize("data", [b"\xff", b"[]", b"{}", b'{"added_tokens": [], "model": {"type": "Odd"}}'])
def test_a_file_that_is_no_tokenizer_is_a_clear_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        Reference(data, EOD)
    with pytest.raises(ValueError, match="sentencepiece model"):
        Pieces(data, EOD)


def test_settled_leaves_the_vocabulary_alone() -> None:
    before = json.loads(BPE)
    assert settled(BPE, EOD)["model"] == before["model"]


def test_no_token_has_four_digits_or_punctuation_before_a_word() -> None:
    data = train(Train(vocab_size=2000), [text * 40 for text in TEXTS] + ["1234567 20241231"] * 99, EOD)
    encoder = Reference(data, EOD)
    tokens = {encoder.decode(np.array([n])) for n in range(encoder.vocabulary)}
    assert {"123", "202", "。"} < tokens
    assert max(len(token) for token in tokens if token.isdigit()) == 3
    assert not [token for token in tokens if token[0] in "。、「」" and token[1:].strip()]
