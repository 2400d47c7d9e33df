"""How fast one process reads samples of a token stream, beside Megatron-LM's way of sampling on the same files.

``python -m benchmarks.stream [--tokens N]`` · bar: 100 M tokens a CPU second. Megatron-LM's way keeps a shuffled array
of all samples; here it is written from its description, on the same memory maps.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from corpusforge.tokens.megatron import index_bytes
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.shards import Shard, TokenSource
from corpusforge.tokens.stream import Stream

SEQUENCE = 2048
SAMPLES = 40_000
EOD, VOCABULARY = 0, 65_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=200_000_000, help="tokens of the larger of two sources")
    tokens = parser.parse_args().tokens
    with tempfile.TemporaryDirectory() as folder:
        parts = [_shard(Path(folder), f"large-{n}", tokens // 4) for n in range(4)]
        large = TokenSource("large", parts, EOD, VOCABULARY)
        small = TokenSource("small", [_shard(Path(folder), "small", tokens // 10)], EOD, VOCABULARY)
        segments = [Segment(0, {"large": 0.9, "small": 0.1})]
        stream = Stream({"large": large, "small": small}, segments, 0, SEQUENCE)
        for count in (8, 64, 512):
            _show(f"stream, two sources, {count} samples a read", stream.read, count)
        _show("Megatron-LM's sampling, one source, 64 samples a read", _megatron(large), 64)


def _show(name: str, read: Callable[[int, int], np.ndarray], count: int) -> None:
    read(0, count)
    begun, tokens = time.process_time(), 0
    for first in range(0, SAMPLES, count):
        tokens += read(first, count).size
    print(f"{name}: {tokens / (time.process_time() - begun) / 1e6:,.0f} M tokens a CPU second")


def _megatron(source: TokenSource) -> Callable[[int, int], np.ndarray]:
    order = np.random.RandomState(0).permutation(source.positions(SEQUENCE)).astype(np.uint32)

    def read(first: int, count: int) -> np.ndarray:
        ids = np.empty((count, SEQUENCE + 1), np.int32)
        for row, sample in zip(ids, range(first, first + count), strict=True):
            source.read(int(order[sample % len(order)]) * SEQUENCE, row)
        return ids

    return read


def _shard(folder: Path, name: str, tokens: int) -> Shard:
    random = np.random.default_rng(len(name))
    lengths = np.diff([0, *np.sort(random.choice(tokens - 1, tokens // 1000, replace=False) + 1), tokens])
    ids = random.integers(1, VOCABULARY, tokens, dtype=np.uint16)
    ids[np.cumsum(lengths) - 1] = EOD
    (folder / f"{name}.bin").write_bytes(ids.tobytes())
    (folder / f"{name}.idx").write_bytes(index_bytes(lengths.tolist(), ids.dtype))
    return Shard(name, folder / f"{name}.bin", folder / f"{name}.idx", name)


if __name__ == "__main__":
    main()
