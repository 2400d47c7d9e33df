"""The bytes of text that each token id stands for; special tokens stand for none."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

SPACE = "\u2581"
"""What stands for a space in the pieces of sentencepiece and of tokenizers made from them."""
_BYTE = re.compile("<0x([0-9A-F]{2})>")
_JOINED = frozenset(("BPE", "Unigram"))
"""Models whose tokens hold the white space between words."""


def of_json(config: Mapping[str, Any], vocabulary: int) -> list[bytes]:
    """Those of a ``tokenizer.json``, by id up to ``vocabulary``; ids without a token stand for none.

    Raises ``ValueError`` for a model whose tokens leave white space out.
    """
    model = config["model"]
    kind = model.get("type") or ("BPE" if "merges" in model else "Unigram")
    if kind not in _JOINED:
        raise ValueError(
            f"the tokens of a {kind} tokenizer leave out white space, so they do not join to the text; "
            "take a tokenizer of type BPE or Unigram"
        )
    bytewise = "ByteLevel" in {*_types(config["pre_tokenizer"]), *_types(config["decoder"])}
    fallback = bool(model.get("byte_fallback"))
    result = [b""] * vocabulary
    for token, id in _tokens(model["vocab"]):
        result[id] = _of_characters(token) if bytewise else _of_piece(token, fallback)
    for token in config["added_tokens"]:
        result[token["id"]] = b"" if token["special"] else token["content"].encode()
    return result


def of_pieces(processor: Any) -> list[bytes]:
    """Those of a sentencepiece model."""
    numbers = range(processor.vocab_size())
    silent = [processor.is_control(id) or processor.is_unknown(id) for id in numbers]
    pieces = [(processor.id_to_piece(id), processor.is_byte(id)) for id in numbers]
    return [b"" if quiet else _of_piece(*piece) for quiet, piece in zip(silent, pieces, strict=True)]


def _tokens(vocab: Any) -> Iterator[tuple[str, int]]:
    """(token, id): BPE has a mapping, Unigram a list of (token, score)."""
    if isinstance(vocab, Mapping):
        yield from vocab.items()
    else:
        yield from ((token, id) for id, (token, _) in enumerate(vocab))


def _types(part: Any) -> Iterator[str]:
    """The types of a part of a ``tokenizer.json`` and of the parts in its sequence."""
    if part:
        yield part["type"]
        for inner in (*part.get("pretokenizers", ()), *part.get("decoders", ())):
            yield from _types(inner)


def _of_piece(piece: str, fallback: bool) -> bytes:
    byte = _BYTE.fullmatch(piece) if fallback else None
    return bytes([int(byte[1], 16)]) if byte else piece.replace(SPACE, " ").encode()


def _of_characters(token: str) -> bytes:
    """A token of a byte-level model; one of other characters is its own text."""
    table = _bytes_of_characters()
    known = [table.get(character) for character in token]
    return token.encode() if None in known else bytes(byte for byte in known if byte is not None)


@cache
def _bytes_of_characters() -> dict[str, int]:
    """The byte of each character of GPT-2's alphabet: visible ones of Latin-1 are themselves, the rest from U+0100."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(0x100) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(0x100 + n): byte for n, byte in enumerate(hidden)}
