"""Small training runs for tests: token shards, configurations, and workers that are real processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import corpusforge as cf
from corpusforge.demo.write import write
from corpusforge.tokens.megatron import index_bytes
from corpusforge.train.config import Config, from_json
from corpusforge.train.log import steps_of
from corpusforge.verbs.train import prepare

VOCABULARY, EOD = 60, 0
LLAMA = {"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
LLAMA |= {"num_attention_heads": 4}


RECIPE = """
corpus: words
passes:
  - name: extract
    source: {use: warc.Warc}
    stages: [main_text.MainText, language.Language]
  - {name: corpus, use: corpus}
  - {name: tokens, use: tokenize, boundaries: [words, sentences], tokenizer: {vocab_size: 1000}, validation_share: 0.2}
"""
"""Texts of the demo with the ends of words and sentences, a fifth of them held out."""


def corpus_of_words(folder: Path) -> str:
    """The address of a small corpus of demo pages, built into ``folder``."""
    write(folder / "pages", pages=80)
    (folder / "recipe.yaml").write_text(RECIPE)
    run = cf.build(str(folder / "recipe.yaml"), inputs=[str(folder / "pages")], root=folder, pool="serial")
    return run.address


def shard(prefix: Path, documents: int, seed: int) -> str:
    """Token files of documents that count upwards from a random id, with some noise: there is something to learn."""
    random = np.random.default_rng(seed)
    texts = []
    for length in random.integers(5, 60, documents):
        ids = (random.integers(1, VOCABULARY) + np.arange(length)) % (VOCABULARY - 1) + 1
        noise = random.random(length) < 0.05
        texts.append(np.append(np.where(noise, random.integers(1, VOCABULARY, length), ids), EOD).astype("<u2"))
    prefix.with_suffix(".bin").write_bytes(np.concatenate(texts).tobytes())
    prefix.with_suffix(".idx").write_bytes(index_bytes([len(text) for text in texts], np.dtype("<u2")))
    return str(prefix)


def config(folder: Path, run: str = "run", stage: int = 0, **changes: Any) -> Config:
    """A run over two sources of tokens in ``folder``, which are made where they are not there."""
    names = {name: folder / name for name in ("a", "b", "held")}
    for seed, (name, prefix) in enumerate(names.items()):
        if not prefix.with_suffix(".bin").exists():
            shard(prefix, 400 if name != "held" else 60, seed)
    source = {"eod": EOD, "vocabulary": VOCABULARY, "validation": [str(names["held"])]}
    data = {
        "sources": {name: {"megatron": [str(names[name])], **source} for name in ("a", "b")},
        "mixture": {"a": 0.75, "b": 0.25},
        "sequence": 32,
        "seed": 7,
    }
    given: dict[str, Any] = {
        "run": run,
        "data": data,
        "model": {"config": LLAMA},
        "precision": "fp32",
        "steps": 12,
        "batch": {"samples": 8, "micro": 2},
        "schedule": {"use": "wsd", "peak": 3e-3, "warmup_steps": 2, "decay_steps": 4},
        "checkpoints": {"every": 4},
        "validation": {"every": 6, "samples": 16},
        "deepspeed": {"zero_optimization": {"stage": stage}},
        "trackers": [],
    }
    return from_json({**given, **changes})


def start(made: Config, root: Path, world: int = 1) -> list[subprocess.Popen[str]]:
    """Workers of a run, one process each, as torchrun starts them."""
    folder = prepare(made, root, lambda line: None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = []
    for rank in range(world):
        ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
        more = {**ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1, "DS_ACCELERATOR": "cpu"}
        environment = {**os.environ, **{name: str(value) for name, value in more.items()}}
        command = [sys.executable, "-m", "corpusforge.train", str(folder)]
        found.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    return found


def finish(workers: Sequence[subprocess.Popen[str]]) -> str:
    """Wait for workers to end well; what the first one said."""
    said = [worker.communicate(timeout=240)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers), said
    return said[0]


def kill_at(workers: Sequence[subprocess.Popen[str]], run: Path, step: int) -> None:
    """Kill workers with SIGKILL once so many steps are logged."""
    log = run / "log" / "steps.jsonl"
    while not (log.exists() and log.read_bytes().count(b"\n") >= step):
        assert all(worker.poll() is None for worker in workers), workers[0].communicate()[0]
        time.sleep(0.01)
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    for worker in workers:
        worker.communicate()


def losses(run: Path) -> list[float]:
    """The loss of every step."""
    steps = steps_of(run)
    assert steps.step.tolist() == list(range(len(steps)))
    return steps.columns["loss"].tolist()  # type: ignore[no-any-return]


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / "log" / "events.jsonl").read_text().splitlines() if line]
    return [row for row in rows if row["kind"] == kind]
