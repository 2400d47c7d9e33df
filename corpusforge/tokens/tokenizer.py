"""Tokenizers: trained on a sample of the corpus, or taken from a file.

Both end as one committed file, ``tokenizer.json`` or ``tokenizer.model``, whose digest goes into the identity of every
token shard.
"""

import heapq
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpusforge.engine.unit import Manifest
from corpusforge.text.canonical import sha256 as digest_of
from corpusforge.tokens.split import hash_of

try:
    import sentencepiece
except ImportError:
    sentencepiece = None  # type: ignore[assignment]

# A worker has one CPU; the result is the same with any number of threads.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

STRICT = ConfigDict(extra="forbid")
SPLITS = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
)
"""Where text is cut before merging: digits in threes; runs of kanji and kana, apart from Latin letters and from
punctuation, so that 。我々 is no token. It is the split of DeepSeek-V3 to the letter: gigatoken knows splits by their
exact text."""
TOKEN_BYTES = 48
"""Longest token, 16 kana: runs of kana and kanji are not cut at words, so whole slogans would become tokens."""
MIN_FREQUENCY = 2
READ_MORE = 8
"""Text looked through for each byte of the sample: a large corpus is not read whole for it."""
SAMPLE_CHARACTERS = 100_000
"""One document gives at most its beginning to the sample."""


@dataclass(frozen=True, config=STRICT)
class Train:
    """Train on the documents with the smallest hash of id, ``sample_bytes`` of text in all.

    ``bpe`` is byte-level: any text comes back as it was. ``unigram`` is sentencepiece's, with byte fallback. A small
    corpus gives fewer tokens than ``vocab_size``. Training takes 0.8 CPU-seconds and 65 MB of memory for a megabyte of
    sample (32 000 tokens, Japanese and English, measured up to 27 MB).
    """

    kind: Literal["bpe", "unigram"] = "bpe"
    vocab_size: int = Field(default=32_000, ge=512)
    sample_bytes: int = Field(default=16 << 20, ge=1)

    @property
    def memory(self) -> int:
        """What training may need, in bytes, with room to spare."""
        return (1 << 30) + 96 * self.sample_bytes

    @property
    def role(self) -> str:
        return "tokenizer.json" if self.kind == "bpe" else "tokenizer.model"


@dataclass(frozen=True, config=STRICT)
class Take:
    """Take a ``tokenizer.json`` or a sentencepiece ``.model``; ``sha256``, if given, must be the file's."""

    path: str
    sha256: str | None = None

    @property
    def role(self) -> str:
        suffix = Path(self.path).suffix
        if suffix not in (".json", ".model"):
            raise ValueError(f"{self.path}: a tokenizer file is a tokenizer.json or a sentencepiece .model")
        return f"tokenizer{suffix}"

    def read(self, sha256: str | None = None) -> bytes:
        """The file's content; an unreadable file, or another digest than ``sha256``, is an error that says the cure."""
        try:
            data = Path(self.path).read_bytes()
        except OSError as error:
            cause = error.strerror or error
            raise ValueError(f"the tokenizer {self.path} cannot be read ({cause}); correct tokenizer.path") from error
        found, wanted = digest_of(data), sha256 or self.sha256
        if wanted and found != wanted:
            raise ValueError(
                f"the tokenizer {self.path} has the digest {found}, not {wanted}; "
                "take the file that is meant, or correct tokenizer.sha256"
            )
        return data


def by_series(shards: Sequence[Manifest]) -> Iterator[tuple[str, list[Manifest]]]:
    """Shards by series: ``ja`` for ``ja-000000``."""
    ordered = sorted(shards, key=lambda m: (_series_of(m), m.unit))
    for series, run in groupby(ordered, key=_series_of):
        yield series, list(run)


def _series_of(shard: Manifest) -> str:
    series, _, number = shard.unit.rpartition("-")
    return series or number


def sampled(shards: Sequence[Manifest], sample_bytes: int) -> Iterator[tuple[Manifest, int]]:
    """Shards to sample for the tokenizer and the text to take from each.

    Every series gives its share of the text. Of a series much larger than its share only some shards are looked
    through, those with the smallest digests.
    """
    total = sum(m.counts.get("text_bytes", 0) for m in shards)
    for _, run in by_series(shards):
        wanted = sample_bytes * sum(m.counts.get("text_bytes", 0) for m in run) // max(total, 1)
        chosen: list[Manifest] = []
        for shard in sorted(run, key=lambda m: m.file("kept.parquet").sha256):
            if sum(m.counts.get("text_bytes", 0) for m in chosen) >= READ_MORE * wanted:
                break
            chosen.append(shard)
        held = sum(m.counts.get("text_bytes", 0) for m in chosen)
        for shard in sorted(chosen, key=lambda m: m.unit):
            share = wanted * shard.counts.get("text_bytes", 0) // max(held, 1)
            if share:
                yield shard, share


def smallest(batches: Iterable[pa.RecordBatch], sample_bytes: int) -> list[tuple[int, str, str]]:
    """(hash, id, text) of the documents with the smallest hash of id that together reach ``sample_bytes``.

    Streams; the order of rows does not matter.
    """
    kept: list[tuple[int, str, str]] = []
    held = 0
    for batch in batches:
        for id, text in zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True):
            piece = text[:SAMPLE_CHARACTERS]
            heapq.heappush(kept, (-hash_of(id, b"sample"), id, piece))
            held += _size(piece)
            while held - _size(kept[0][2]) >= sample_bytes:
                held -= _size(heapq.heappop(kept)[2])
    return [(-key, id, text) for key, id, text in kept]


def train(how: Train, texts: Sequence[str], eod: str) -> bytes:
    """The tokenizer file trained on ``texts``: equal texts in equal order give equal bytes."""
    return _train_bpe(how, texts, eod) if how.kind == "bpe" else _train_unigram(how, texts)


def _train_bpe(how: Train, texts: Sequence[str], eod: str) -> bytes:
    tokenizer = Tokenizer(models.BPE())
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in SPLITS]
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*cuts, to_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=how.vocab_size,
        min_frequency=MIN_FREQUENCY,
        special_tokens=[eod],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=TOKEN_BYTES,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str()).encode()


def _train_unigram(how: Train, texts: Sequence[str]) -> bytes:
    if sentencepiece is None:
        raise ModuleNotFoundError(
            "kind: unigram needs sentencepiece: pip install 'corpusforge[sentencepiece]', or set kind: bpe"
        )
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_lines(texts),
        model_writer=model,
        model_type="unigram",
        vocab_size=how.vocab_size,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=0.9995,
        split_digits=True,
        user_defined_symbols=["\n", "\t"],
        # Text is normalised before it is stored; here it must come back as it went in.
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        num_threads=1,
        max_sentence_length=8 * SAMPLE_CHARACTERS,
        minloglevel=2,
    )
    return model.getvalue()


def _lines(texts: Iterable[str]) -> Iterator[str]:
    return (line for text in texts for line in text.split("\n") if line)


def _size(text: str) -> int:
    return len(text.encode())
