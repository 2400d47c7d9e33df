"""Bits a byte of held-out text by n-gram models of bytes and of tokens, and what fitting and scoring cost.

``python -m benchmarks.ngram [--vocabulary N …] [--whole]`` · the livedoor news corpus (title and body; 21 MB), 5 % of
the articles held out by the hash of their names. Articles that nearly repeat across the split are not looked for. An
end id closes each document and is paid for.
"""

import argparse
import math
import resource
import tarfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from zstandard import ZstdDecompressor

from corpusforge.text.canonical import sha256
from corpusforge.text.ngram import NGram, from_bytes
from corpusforge.text.ngram_fit import fit
from corpusforge.tokens.encoders import Reference
from corpusforge.tokens.tokenizer import Train, train
from tests.real import DATA

ARCHIVE = DATA / "text-ja-livedoor-news" / "livedoor-news.tar.zst"
HELD_OUT = 5
EOD = "<|endoftext|>"
END = 256
"""The id after the last byte of a document."""

T = TypeVar("T")
Sequences = list[np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vocabulary", type=int, nargs="*", default=[8_000, 32_000], help="tokens of the BPE")
    parser.add_argument("--whole", action="store_true", help="with the lines of URL and date that open each file")
    given = parser.parse_args()
    from_bytes(fit([[0]], 2, 1).to_bytes()).nats([0])  # compiled before the clock runs
    known, unseen = _split(given.whole)
    print(f"{len(known)} documents to fit, {len(unseen)} held out of {_size(unseen) / 1e6:.2f} MB\n")
    print("| model | bits a byte | n-grams | file, MB | fit, CPU s | M ids fitted | scored, M ids a CPU s |")
    print("|---|---|---|---|---|---|---|")
    known_bytes, unseen_bytes = _bytes(known), _bytes(unseen)
    for order in (1, 5):
        _show(f"{order}-gram of bytes", order, END + 1, known_bytes, unseen_bytes, _size(unseen))
    for vocabulary in given.vocabulary:
        encoder = Reference(train(Train(vocab_size=vocabulary), known, EOD), EOD)
        known_tokens, unseen_tokens = (_tokens(encoder, texts) for texts in (known, unseen))
        for order in (1, 3, 5):
            name = f"{order}-gram of {encoder.vocabulary:,} BPE tokens"
            _show(name, order, encoder.vocabulary, known_tokens, unseen_tokens, _size(unseen))
    print(f"\nmost memory of all: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _split(whole: bool) -> tuple[list[str], list[str]]:
    known: list[str] = []
    unseen: list[str] = []
    with ARCHIVE.open("rb") as raw, tarfile.open(fileobj=ZstdDecompressor().stream_reader(raw), mode="r|") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if not member.isfile() or not name[-5].isdigit():
                continue
            content = archive.extractfile(member)
            assert content is not None
            text = content.read().decode()
            held_out = int(sha256(name.encode())[:8], 16) % 100 < HELD_OUT
            (unseen if held_out else known).append(text if whole else text.split("\n", 2)[2])
    return known, unseen


def _show(name: str, order: int, vocabulary: int, known: Sequences, unseen: Sequences, size: int) -> None:
    model, fitting = _timed(partial(fit, known, order, vocabulary))
    data = model.to_bytes()
    bits, scoring = _timed(partial(_bits, from_bytes(data), unseen))
    ids, scored = (sum(map(len, sequences)) for sequences in (known, unseen))
    cells = f"{bits / size:.4f} | {len(model.words):,} | {len(data) / 1e6:.1f} | {fitting:.1f} | {ids / 1e6:.1f}"
    print(f"| {name} | {cells} | {scored / scoring / 1e6:.1f} |", flush=True)


def _bits(model: NGram, sequences: Sequences) -> float:
    return math.fsum(math.fsum(model.nats(ids)) for ids in sequences) / math.log(2)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def _bytes(texts: Sequence[str]) -> Sequences:
    return [np.append(np.frombuffer(text.encode(), np.uint8), np.uint16(END)) for text in texts]


def _tokens(encoder: Reference, texts: Sequence[str]) -> Sequences:
    return [np.append(ids, encoder.eod) for ids in encoder.encode(texts)]


def _size(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) for text in texts)


if __name__ == "__main__":
    main()
