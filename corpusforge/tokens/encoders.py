"""Encoders: text to token ids, one thread each, the same ids whichever encoder does it.

``tokenizers`` is the reference for a ``tokenizer.json``, ``sentencepiece`` for a ``.model``. ``gigatoken`` is an order
of magnitude faster and is used only where a sample shows the reference's ids.

Text never turns into a special token: ``<|endoftext|>`` inside a document is ordinary text to every encoder here.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from tokenizers import Tokenizer

from corpusforge.tokens import token_bytes
from corpusforge.tokens.megatron import Ids

try:
    import gigatoken
except ImportError:
    gigatoken = None
try:
    import sentencepiece
except ImportError:
    sentencepiece = None  # type: ignore[assignment]

TRICKY = (
    "",
    " ",
    "\n",
    "  two spaces lead, two end  ",
    "\x00NUL\x00",
    "a" * 3000,
    "あ" * 3000,
    "=" * 3000 + "\n" * 300 + " " * 3000 + "x",
    "\r\n\r\n  \n\t x\u0085y\u2028z",
    "\u3000全角　空白\u00a0nbsp\u200b\ufeff",
    "ｶﾞｷﾞ がぎ か\u3099 e\u0301 é",
    "我々は、「人々」を〆切・ヴァイオリン〜ー、3時のコーヒー。",
    "2024年12月31日 1,234,567.89 １２３４ ٣٤٥ ²³ Ⅷ",
    "👩‍👩‍👧 🇯🇵 \U000e0001 \ue000 \U0010ffff",
    "I'LL don't DON'T ſ's '' ''s",
    "<|endoftext|> </s> <s> <unk> <pad> [MASK] <0x0A> ▁",
    "def f(x):\n    return x**2  # Привет, 세계, สวัสดี\n",
)
"""Where implementations are known to differ: special tokens, white space, digits, marks, long runs."""
RENEW_CHARACTERS = 32_000_000
"""Characters after which gigatoken is loaded anew (0.07 s): it keeps every word it has seen, 5 bytes for a byte of text
that never repeats."""


class Encoder(Protocol):
    """``vocabulary`` is the largest id + 1, ``eod`` the id that ends a document and that ``encode`` never gives,
    ``added`` are the tokens that stand beside the model's own."""

    vocabulary: int
    eod: int
    added: tuple[str, ...]

    def encode(self, texts: Sequence[str]) -> list[Ids]: ...
    def decode(self, ids: Ids) -> str: ...

    def token_bytes(self) -> list[bytes]:
        """The bytes of text that each id stands for, none for special tokens; joined they are the text."""
        ...


class DifferentIdsError(RuntimeError):
    """The fast encoder gives other ids than the reference."""


class Reference:
    """The `tokenizers` library on a ``tokenizer.json``."""

    def __init__(self, data: bytes, eod: str) -> None:
        self._config = config = settled(data, eod)
        try:
            self._tokenizer = Tokenizer.from_str(json.dumps(config))
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"the tokenizers library cannot use this tokenizer.json ({error})") from error
        self._tokenizer.encode_special_tokens = True
        self.vocabulary = 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values())
        self.added = tuple(token["content"] for token in config["added_tokens"])
        self.eod = self._id_of(eod, config)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        found = (self._tokenizer.encode(text, add_special_tokens=False) for text in texts)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in found]

    def decode(self, ids: Ids) -> str:
        return str(self._tokenizer.decode(ids.tolist(), skip_special_tokens=False))

    def token_bytes(self) -> list[bytes]:
        return token_bytes.of_json(self._config, self.vocabulary)

    def _id_of(self, eod: str, config: dict[str, Any]) -> int:
        found = self._tokenizer.token_to_id(eod)
        if found is None:
            own = ", ".join(token["content"] for token in config["added_tokens"] if token["special"]) or "none"
            raise ValueError(f"the tokenizer has no token {eod!r} to end documents; set eod to one of its own: {own}")
        return int(found)


class Fast:
    """The `gigatoken` library on a ``tokenizer.json``.

    It always turns the text of a special token into its id, so it is given the tokenizer without them.
    """

    def __init__(self, data: bytes, eod: str) -> None:
        if gigatoken is None:
            raise ModuleNotFoundError(
                "the encoder gigatoken is not installed: pip install 'corpusforge[fast]', or set encoder: tokenizers"
            )
        reference = load("tokenizers", data, eod)
        self.vocabulary, self.eod, self.added = reference.vocabulary, reference.eod, reference.added
        self.decode, self.token_bytes = reference.decode, reference.token_bytes
        config = settled(data, eod)
        ordinary = [token for token in config["added_tokens"] if not token["special"]]
        self._config = json.dumps({**config, "added_tokens": ordinary})
        self._renew()

    def _renew(self) -> None:
        self._characters = 0
        try:
            self._tokenizer = gigatoken.Tokenizer.from_json(self._config)
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"gigatoken cannot use this tokenizer ({error}); set encoder: tokenizers") from error

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        self._characters += sum(map(len, texts))
        if self._characters > RENEW_CHARACTERS:
            self._renew()
        # One call a text: it stays on this thread and gives the ids as an array.
        return [self._tokenizer.encode(text) for text in texts]


class Pieces:
    """The `sentencepiece` library on a ``.model``; its end-of-sentence piece ends documents."""

    def __init__(self, data: bytes, eod: str) -> None:
        if sentencepiece is None:
            raise ModuleNotFoundError("sentencepiece is not installed: pip install 'corpusforge[sentencepiece]'")
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=data)
        except RuntimeError as error:
            raise ValueError(f"this is not a sentencepiece model ({error})") from error
        self.vocabulary: int = self._processor.vocab_size()
        self.eod: int = self._processor.eos_id()
        self.added: tuple[str, ...] = ()
        if self.eod < 0:
            raise ValueError("the sentencepiece model has no end-of-sentence piece; train one with eos_id set")

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        return [np.array(self._processor.encode(text), dtype=np.int64) for text in texts]

    def decode(self, ids: Ids) -> str:
        return str(self._processor.decode(ids.tolist()))

    def token_bytes(self) -> list[bytes]:
        return token_bytes.of_pieces(self._processor)


ENCODERS: dict[str, tuple[str, type[Reference] | type[Fast] | type[Pieces]]] = {
    "tokenizers": ("tokenizer.json", Reference),
    "gigatoken": ("tokenizer.json", Fast),
    "sentencepiece": ("tokenizer.model", Pieces),
}
"""Encoders by the name that a recipe uses: the role of the file each reads, and its class."""


@lru_cache(maxsize=2)
def load(name: str, data: bytes, eod: str) -> Encoder:
    """The encoder on the content of a tokenizer file, once a process: loading takes longer than a small unit."""
    return ENCODERS[name][1](data, eod)


def name_of(role: str, data: bytes, id: int) -> str:
    """The token of an id in a tokenizer file; raises ``ValueError`` where there is none."""
    if role == "tokenizer.json":
        found = Tokenizer.from_buffer(data).id_to_token(id)
    else:
        pieces = Pieces(data, "")
        found = pieces._processor.id_to_piece(id) if 0 <= id < pieces.vocabulary else None
    if found is None:
        raise ValueError(
            f"the tokenizer has no token of id {id}, which is to end documents; set eod to one that it has"
        )
    return str(found)


def settled(data: bytes, eod: str) -> dict[str, Any]:
    """A ``tokenizer.json`` as it is used here: nothing cut, padded or left to chance, and ``eod`` a special token."""
    try:
        config: dict[str, Any] = json.loads(data)
        added, model = config["added_tokens"], config["model"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"this is not a tokenizer.json of the tokenizers library ({error!r})") from error
    tokens = [{**token, "special": token["special"] or token["content"] == eod} for token in added]
    if "dropout" in model:
        model = {**model, "dropout": None}
    return {**config, "added_tokens": tokens, "model": model, "truncation": None, "padding": None}


def check(encoder: Encoder, reference: Encoder, samples: Iterable[tuple[str, str]]) -> int:
    """Compare ids on ``samples`` of (name, text), on tricky strings and on every added token; give texts compared.

    Raises ``DifferentIdsError`` naming the document and the first differing token.
    """
    own = [(f"built-in text {n}", text) for n, text in enumerate(TRICKY)]
    added = [(f"added token {token!r}", f"x {token} y{token}") for token in reference.added]
    compared = 0
    for name, text in [*own, *added, *samples]:
        (found,), (expected,) = encoder.encode([text]), reference.encode([text])
        if not np.array_equal(found, expected):
            raise DifferentIdsError(_difference(name, found.tolist(), expected.tolist()))
        compared += 1
    return compared


def _difference(name: str, found: list[int], expected: list[int]) -> str:
    pairs = zip(found, expected, strict=False)
    shorter = min(len(found), len(expected))
    at = next((n for n, (a, b) in enumerate(pairs) if a != b), shorter)
    ids = [str(ids[at]) if at < len(ids) else "no token" for ids in (found, expected)]
    return (
        f"gigatoken differs from tokenizers in document {name} at token {at}: {ids[0]} instead of {ids[1]}; "
        "set encoder: tokenizers"
    )
