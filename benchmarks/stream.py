"""How fast one process reads samples of a token stream, beside Megatron-LM's way of sampling and a Ray Data iterator.

``python -m benchmarks.stream [--tokens N]`` · bar: 100 M tokens a CPU second. Megatron-LM's way keeps a shuffled array
of all samples; here it is written from its description, on the same memory maps. Ray Data reads the same samples from
Parquet, as lists of fixed size, in a local Ray of its own.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpusforge.tokens.megatron import index_bytes
from corpusforge.tokens.mixture import Segment
from corpusforge.tokens.shards import Shard, TokenSource
from corpusforge.tokens.stream import Stream

try:
    import ray
    import ray.data
except ImportError:
    ray = None

SEQUENCE = 2048
SAMPLES = 40_000
ROUNDS = 5
AGAIN = 4
"""How often Ray Data reads all samples in a run, so that its start counts for little."""
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
        if ray is None:
            print("Ray Data: not measured, since it is not installed: pip install 'ray[data]'")
        else:
            _show_ray(large, Path(folder, "samples"))


def _show(name: str, read: Callable[[int, int], np.ndarray], count: int) -> None:
    read(0, count)
    begun, cpu, tokens = time.perf_counter(), time.process_time(), 0
    for first in range(0, SAMPLES, count):
        tokens += read(first, count).size
    _told(name, tokens, time.perf_counter() - begun, time.process_time() - cpu)


def _told(name: str, tokens: int, seconds: float, cpu: float) -> None:
    print(f"{name}: {tokens / seconds / 1e6:,.0f} M tokens a second, {tokens / cpu / 1e6:,.0f} M a CPU second")


def _show_ray(source: TokenSource, folder: Path) -> None:
    """Ray Data over the first samples of a source, in the order of files and shuffled among a thousand, by turns.

    The first round is not counted: it is several times slower, whichever way comes first. CPU time is that of the
    process that takes the batches; Ray's own processes come on top.
    """
    _write_samples(source, folder)
    ray.init("local", include_dashboard=False, log_to_driver=False, logging_level="error")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        for column in ("lists", "tensors"):
            ways = {"in the order of files": None, "shuffled in a buffer of 1,024": 1024}
            runs = [{name: _ray_run(folder / column, size) for name, size in ways.items()} for _ in range(1 + ROUNDS)]
            for name in ways:
                _told_rounds(f"Ray Data, {column}, 64 samples a batch, {name}", [run[name] for run in runs[1:]])
    finally:
        ray.shutdown()


def _ray_run(folder: Path, buffer: int | None) -> tuple[int, float, float]:
    """Tokens, seconds and CPU seconds of one pass."""
    rows = ray.data.read_parquet(str(folder))
    begun, cpu, tokens = time.perf_counter(), time.process_time(), 0
    for batch in rows.iter_batches(batch_size=64, batch_format="numpy", local_shuffle_buffer_size=buffer):
        ids = batch["ids"]
        tokens += (np.stack(ids) if ids.dtype == object else ids).size
    wanted = AGAIN * SAMPLES * (SEQUENCE + 1)
    if tokens != wanted:
        raise RuntimeError(f"Ray Data gave {tokens:,} tokens where {wanted:,} were written")
    return tokens, time.perf_counter() - begun, time.process_time() - cpu


def _told_rounds(name: str, runs: Sequence[tuple[int, float, float]]) -> None:
    rates = sorted(tokens / seconds / 1e6 for tokens, seconds, _ in runs)
    cpu = statistics.median(tokens / cpu / 1e6 for tokens, _, cpu in runs)
    middle = statistics.median(rates)
    print(f"{name}: {middle:,.0f} M tokens a second ({rates[0]:,.0f} to {rates[-1]:,.0f}), {cpu:,.0f} M a CPU second")


def _write_samples(source: TokenSource, folder: Path) -> None:
    """Samples in their own order, int32, 4 096 a file: as fixed-size lists, and as tensors."""
    width = SEQUENCE + 1
    for column in ("lists", "tensors"):
        (folder / column).mkdir(parents=True)
    for first in range(0, SAMPLES, 4096):
        ids = np.empty((min(4096, SAMPLES - first), width), np.int32)
        for number, row in enumerate(ids):
            source.read((first + number) % source.positions(SEQUENCE) * SEQUENCE, row)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(ids.ravel()), width)
        tensors = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int32(), [width]), lists)
        for column, rows in (("lists", lists), ("tensors", tensors)):
            made = folder / column / f"0-{first:06d}.parquet"
            pq.write_table(pa.table({"ids": rows}), made)
            for turn in range(1, AGAIN):
                # Ray Data does not read a path again that is given again, but another name of the file.
                os.link(made, made.with_name(f"{turn}-{first:06d}.parquet"))


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
