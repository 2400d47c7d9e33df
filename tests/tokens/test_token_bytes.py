"""Bytes of tokens: joined they are the text, whatever the encoder."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers

from corpusforge.tokens.encoders import TRICKY, Encoder, Fast, Pieces, Reference
from corpusforge.tokens.tokenizer import Train, train
from tests.tokens.test_encoders import BPE, EOD, FRAGMENTS, TEXTS

UNIGRAM = train(Train(kind="unigram", vocab_size=700), TEXTS, EOD)


def joined(encoder: Encoder, text: str) -> bytes:
    (ids,) = encoder.encode([text])
    found = encoder.token_bytes()
    assert len(found) == encoder.vocabulary
    return b"".join(found[id] for id in ids.tolist())


@pytest.mark.parametrize("encoder", [Reference(BPE, EOD), Fast(BPE, EOD)], ids=["tokenizers", "gigatoken"])
def test_tricky_texts_come_back_byte_for_byte(encoder: Encoder) -> None:
    assert [joined(encoder, text).decode() for text in TRICKY] == list(TRICKY)


def test_pieces_give_a_space_for_a_block_and_all_else_as_it_was() -> None:
    pieces = Pieces(UNIGRAM, EOD)
    assert [joined(pieces, text).decode() for text in TRICKY] == [text.replace("▁", " ") for text in TRICKY]


@given(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert joined(Fast(BPE, EOD), text) == text.encode()
    assert joined(Pieces(UNIGRAM, EOD), text) == text.replace("▁", " ").encode()


def test_special_tokens_stand_for_nothing_and_added_ones_for_themselves() -> None:
    tokenizer = Tokenizer.from_str(BPE.decode())
    tokenizer.add_tokens([AddedToken("《tag》", special=False, normalized=False)])
    tokenizer.add_special_tokens(["[MASK]"])
    reference = Reference(tokenizer.to_str().encode(), EOD)
    found = reference.token_bytes()
    assert found[reference.eod] == b""
    assert found[-2:] == ["《tag》".encode(), b""]
    assert joined(reference, f"猫《tag》 [MASK] {EOD}") == f"猫《tag》 [MASK] {EOD}".encode()
    pieces = Pieces(UNIGRAM, EOD)
    assert pieces.token_bytes()[pieces.eod] == b""


def test_every_byte_is_a_token_of_its_own() -> None:
    found = set(Reference(BPE, EOD).token_bytes())
    assert {bytes([byte]) for byte in range(256)} <= found


def test_a_json_of_pieces_with_byte_fallback_reads_like_a_model() -> None:
    """As the tokenizer.json of Llama 2: ▁ for spaces, <0xNN> for bytes."""
    letters = {letter: 300 + n for n, letter in enumerate("▁abcd")}
    vocab = {"<unk>": 0, "</s>": 1} | {f"<0x{byte:02X}>": 2 + byte for byte in range(256)} | letters | {"▁a": 310}
    tokenizer = Tokenizer(models.BPE(vocab, [("▁", "a")], byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(["</s>"])
    reference = Reference(tokenizer.to_str().encode(), "</s>")
    assert joined(reference, "b a猫\nd") == "b a猫\nd".encode()
    (ids,) = reference.encode(["b a"])
    assert ids.tolist() == [302, 310]


def test_a_json_of_unigram_numbers_its_tokens_by_place() -> None:
    tokenizer = Tokenizer(models.Unigram([("</s>", 0.0), ("▁the", -1.0), ("▁", -2.0), ("猫", -3.0)], 0, False))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.add_special_tokens(["</s>"])
    assert Reference(tokenizer.to_str().encode(), "</s>").token_bytes() == [b"", b" the", b" ", "猫".encode()]


def test_a_model_that_leaves_white_space_out_is_refused() -> None:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(special_tokens=[EOD, "[UNK]"], show_progress=False))
    with pytest.raises(ValueError, match="WordPiece tokenizer leave out white space"):
        Reference(tokenizer.to_str().encode(), EOD).token_bytes()


def test_ids_without_a_token_stand_for_nothing() -> None:
    config = json.loads(BPE)
    config["model"]["vocab"]["Ġzz"] = 900
    found = Reference(json.dumps(config).encode(), EOD).token_bytes()
    assert (len(found), found[899], found[900]) == (901, b"", b" zz")
    assert np.flatnonzero([not one for one in found]).size > 200
