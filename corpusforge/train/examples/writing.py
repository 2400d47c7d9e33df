"""Conversations written by a template and tokenised, with the tokens that are learnt.

Text is cut where a response begins and ends, so that no token is half prompt and half response, and each piece is
encoded alone, as a prompt is when a model is asked. A special token is one only where the template wrote it: the same
letters in a message are text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusforge.train.examples.reading import Message, Wrong, check
from corpusforge.train.examples.spans import Marked, Turns, marked
from corpusforge.train.examples.templates import Template
from corpusforge.train.examples.tokenizer import ChatTokenizer

ANSWER: Message = {"role": "assistant", "content": "?"}
"""Stands for the response that a prompt asks for."""


@dataclass(frozen=True)
class Piece:
    """Text that is encoded alone; in a ``whole`` one special tokens are what they say, and it may stand first."""

    text: str
    whole: bool
    target: bool


@dataclass(frozen=True)
class Written:
    """The tokens of a conversation, int32, and which of them are learnt, bool of the same length."""

    ids: npt.NDArray[np.int32]
    targets: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Writer:
    """Writes conversations by ``template`` for ``tokenizer``; all ``turns`` of the assistant are learnt, or the last.

    A response is learnt with the special token that ends its turn: the template's, or where it has none that this
    tokenizer knows as one, ``eos_token``, which is then put behind the response.
    """

    tokenizer: ChatTokenizer
    template: Template
    turns: Turns = "all"

    def write(self, conversations: Sequence[tuple[Sequence[Message], Sequence[Any]]]) -> list[Written | Wrong]:
        """The tokens of conversations, given as (messages, tools), or what is wrong with each."""
        found = [self._pieces(messages, tools) for messages, tools in conversations]
        encoded = iter(self._encoded([piece for pieces in found if isinstance(pieces, list) for piece in pieces]))
        return [
            pieces if isinstance(pieces, Wrong) else self._joined(pieces, [next(encoded) for _ in pieces])
            for pieces in found
        ]

    def prompt(self, messages: Sequence[Message], tools: Sequence[Any] = ()) -> npt.NDArray[np.int32]:
        """The tokens that the assistant goes on from, as they stand before its response where that is learnt.

        Raises ``Wrong`` for turns that no response may follow.
        """
        asked = [*messages, ANSWER]
        check(asked)
        (written,) = self.write([(asked, tools)])
        if isinstance(written, Wrong):
            raise written
        earlier = np.flatnonzero(~written.targets)
        return written.ids[: earlier[-1] + 1]

    def _pieces(self, messages: Sequence[Message], tools: Sequence[Any]) -> list[Piece] | Wrong:
        try:
            found = marked(self.template, self.tokenizer.pattern, messages, tools, self.turns)
        except Wrong as error:
            return error
        return list(pieces(found, self.tokenizer))

    def _encoded(self, given: Sequence[Piece]) -> list[list[int]]:
        """The ids of pieces, each kind by its encoder at once."""
        ids: list[list[int]] = [[]] * len(given)
        for whole, encoder in ((True, self.tokenizer.whole), (False, self.tokenizer.inner)):
            chosen = [n for n, piece in enumerate(given) if piece.whole == whole]
            encodings = encoder.encode_batch_fast([given[n].text for n in chosen], add_special_tokens=False)
            for n, encoding in zip(chosen, encodings, strict=True):
                ids[n] = encoding.ids
        return ids

    def _joined(self, given: Sequence[Piece], encoded: Sequence[list[int]]) -> Written:
        ids = np.array([id for part in encoded for id in part], np.int32)
        targets = np.repeat([piece.target for piece in given], [len(part) for part in encoded])
        if self.tokenizer.lossless:
            text, back = "".join(piece.text for piece in given), self.tokenizer.decode(ids.tolist())
            if back != text:
                raise RuntimeError(f"tokens do not give their text back: {back[:200]!r} instead of {text[:200]!r}")
        if len(ids) > 1 and ids[0] == ids[1] == self.tokenizer.bos:
            raise ValueError(f"the template {self.template.name} begins the text twice; take one bos_token out of it")
        return Written(ids, targets)


def pieces(found: Marked, tokenizer: ChatTokenizer) -> Iterator[Piece]:
    """The pieces of a text up to the end of its last response; what follows is never learnt."""
    text, end = found.text, found.spans[-1][1]
    borders = {0, end, *(at for span in (*found.spans, *found.spelled) for at in span if at < end)}
    unended = {stop for (_, stop), ended in zip(found.spans, found.ended, strict=True) if not ended}
    for start, stop in pairwise(sorted(borders)):
        target = any(first <= start < last for first, last in found.spans)
        if any(first <= start < last for first, last in found.spelled):
            yield Piece(text[start:stop], False, target)
        else:
            yield from _parted(text, start, stop, tokenizer, target)
        if stop in unended:
            yield Piece(tokenizer.names["eos_token"], True, True)


def _parted(text: str, start: int, stop: int, tokenizer: ChatTokenizer, target: bool) -> Iterator[Piece]:
    """A stretch in which every special token is the template's: what precedes the first follows other text."""
    first = tokenizer.pattern.search(text, start, stop) if start else None
    cut = start if not start else first.start() if first else stop
    if start < cut:
        yield Piece(text[start:cut], False, target)
    if cut < stop:
        yield Piece(text[cut:stop], True, target)
