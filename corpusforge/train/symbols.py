"""The ids that an objective needs beside those of text: a tokenizer's own where it has them, else new ones behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

MULTIPLE = 64
"""Sizes of the vocabulary that matrix units like."""
NAMES = {
    "mask": ("[MASK]", "<mask>"),
    "begin": ("[CLS]", "<cls>"),
    "separator": ("[SEP]", "<sep>"),
    "padding": ("[PAD]", "<pad>"),
}


@dataclass(frozen=True)
class Symbols:
    """``vocabulary`` ids are text and ``eod`` ends a document; the others mask, begin, separate and fill up rows."""

    vocabulary: int
    eod: int
    mask: int
    begin: int
    separator: int
    padding: int

    @property
    def embeddings(self) -> int:
        """Rows of the embedding: every id, rounded up."""
        highest: int = max(vars(self).values())
        return -(-(1 + highest) // MULTIPLE) * MULTIPLE

    @property
    def ids(self) -> int:
        """The highest id of text and symbols + 1."""
        return 1 + max(self.vocabulary - 1, self.eod, self.mask, self.begin, self.separator, self.padding)


def symbols_of(vocabulary: int, eod: int, tokenizer: bytes | None = None) -> Symbols:
    """The symbols of a ``tokenizer.json``; ids that it has not follow its own, in the order of the fields."""
    known = _added(tokenizer) if tokenizer else {}
    found, free = {}, vocabulary
    for field, names in NAMES.items():
        own = next((known[name] for name in names if name in known), None)
        found[field] = free if own is None else own
        free += own is None
    return Symbols(vocabulary, eod, **found)


def _added(tokenizer: bytes) -> Mapping[str, int]:
    try:
        tokens = json.loads(tokenizer).get("added_tokens", [])
    except ValueError:
        return {}  # a sentencepiece model
    return {token["content"]: token["id"] for token in tokens}


def names_of(tokenizer: bytes) -> dict[str, str]:
    """The name of each symbol, by field: the tokenizer's own, or the one that it is to get.

    Those it has not yet, added in this order, get the ids that ``symbols_of`` gives.
    """
    known = _added(tokenizer)
    return {field: next((name for name in names if name in known), names[0]) for field, names in NAMES.items()}
