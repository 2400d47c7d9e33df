"""Two workers, one process each, that train several runs one after the other: a process takes seconds to start."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from corpusforge.train.config import Config
from corpusforge.verbs.train import prepare

WORLD = 2


def train_by_two(made: Sequence[Config], root: Path) -> list[Path]:
    """Train runs in ``root`` to their ends with two workers that talk through gloo; their folders."""
    folders = [prepare(config, root, lambda line: None) for config in made]
    workers = [_worker(rank, port, folders) for port in [_free_port()] for rank in range(WORLD)]
    said = [worker.communicate(timeout=500)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * WORLD, "\n".join(text[-4000:] for text in said)
    return folders


def _worker(rank: int, port: int, folders: Sequence[Path]) -> subprocess.Popen[str]:
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": WORLD, "LOCAL_WORLD_SIZE": WORLD}
    more = {**ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1, "DS_ACCELERATOR": "cpu"}
    environment = {**os.environ, **{name: str(value) for name, value in more.items()}}
    command = [sys.executable, "-m", "tests.train.pairs", *map(str, folders)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    from corpusforge.train.export import of_run
    from corpusforge.train.loop import train

    for folder in map(Path, sys.argv[1:]):
        train(of_run(folder)[0], folder)
