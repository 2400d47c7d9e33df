"""Places of a text found again among its tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.tokens.megatron import Ids
from corpusforge.tokens.token_bytes import SPACE

Places = npt.NDArray[np.int32]


class Alignment:
    """Where the tokens of a document lie in its text, for a tokenizer whose ids stand for ``token_bytes``."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        self._bytes = token_bytes
        self._lengths = np.array([len(found) for found in token_bytes], np.int64)

    def borders(self, document: str, text: str, ids: Ids) -> npt.NDArray[np.int64]:
        """Characters of the text up to the end of each token, -1 for a token that ends inside a character.

        Raises ``ValueError`` that names the document if its tokens do not join to its text. A space that the
        tokenizer puts before the text counts as none of it, and a ``▁`` in the text may come back as a space.
        """
        joined = b"".join([self._bytes[id] for id in ids.tolist()])
        put = _put_before(document, text, joined)
        begins = (np.frombuffer(joined, np.uint8) & 0xC0) != 0x80
        characters = np.concatenate([[0], np.cumsum(begins)]) - put
        ends = np.cumsum(self._lengths[ids])
        whole = np.append(begins, True)[ends]
        return np.where(whole, characters[ends], -1)


def tokens_up_to(places: npt.NDArray[Any], borders: npt.NDArray[np.int64]) -> Places:
    """Tokens up to each of ``places`` at which one of them ends; the places between are left out.

    ``places`` are characters of the text, ascending; ``borders`` are the document's.
    """
    whole = np.flatnonzero(borders >= 0)
    at = np.searchsorted(borders[whole], places, "right") - 1
    there = at >= 0
    there[there] = borders[whole][at[there]] == places[there]
    return (whole[at[there]] + 1).astype(np.int32)


def _put_before(document: str, text: str, joined: bytes) -> int:
    """Spaces that the tokenizer put before the text: none or one."""
    if joined == text.encode():
        return 0
    found = joined.decode("utf-8", "replace")
    plain = text.replace(SPACE, " ")
    for put in (0, 1):
        if found == " " * put + plain:
            return put
    same = next((n for n, (a, b) in enumerate(zip(found, plain, strict=False)) if a != b), min(len(found), len(plain)))
    raise ValueError(
        f"the tokens of document {document} do not join to its text: at character {same:,} they have "
        f"{found[same : same + 10]!r} where the text has {plain[same : same + 10]!r}. The tokenizer changes text, so "
        "where its words end is not known: set boundaries: none, or take a tokenizer that keeps text as it is"
    )
