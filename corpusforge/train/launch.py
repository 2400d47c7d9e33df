"""Ray Train starts the workers of a run, and starts them again where they fail; it carries a path, and no data."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
import ray.train
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from corpusforge.train.config import Config, as_json, from_json

POLL_SECONDS = 0.5
"""How often Ray looks after its workers; a report takes as long (measured: 2 s each at its own setting)."""
SAID = "log/said.txt"
FOLLOW_SECONDS = 0.3
TIMEOUT_SECONDS = 1800
"""What a worker waits for the others: a checkpoint of many gigabytes may have to be converted."""


_REFUSED = re.compile(r"^\s*(?:[\w.]+\.)?(?:ValueError|Held): ", re.MULTILINE)
"""A wrong value, which no other attempt makes right."""


class Failed(ValueError):
    """Workers have failed more often than the run may start them again."""


def launch(config: Config, folder: Path, address: str | None, say: Callable[[str], None]) -> None:
    """Train the run in ``folder``, which every node must see, on an embedded local Ray or the cluster at ``address``.

    Raises ``Failed`` where a machine has too little for its workers, or once they have failed more often than
    ``retries``. Ctrl-C ends the workers; what the last checkpoint holds is kept.
    """
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", str(POLL_SECONDS))
    ours = not ray.is_initialized()
    if ours:
        quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": True}
        local = {} if address else {"include_dashboard": False}
        ray.init(address=address or "local", **quiet, **local)
    # The run knows its checkpoints itself; Ray would refuse to go on where one that it remembers has been removed.
    folder.joinpath("checkpoint_manager_snapshot.json").unlink(missing_ok=True)
    try:
        _check_room(config, address, say)
        with _relayed(folder / SAID, say):
            _fit(_trainer(config, folder))
    except ray.train.TrainingFailedError as error:
        if _REFUSED.search(str(error)):
            raise Failed(_cause(error)) from None
        again = f"started again {config.retries} times. What is done is kept: give the same command to go on"
        raise Failed(f"the workers of {folder} failed and were {again}. {_cause(error)}") from None
    finally:
        if ours:
            ray.shutdown()


def _check_room(config: Config, address: str | None, say: Callable[[str], None]) -> None:
    """A machine has as many workers as it has devices; a cluster may still grow."""
    least = config.workers if isinstance(config.workers, int) else config.workers[0]
    resources = ray.cluster_resources()
    kind = "GPU" if resources.get("GPU", 0) > 0 else "CPU"
    there = int(resources.get(kind, 0))
    if least > there and not address:
        raise Failed(
            f"workers: {least} are asked for and this machine has {there} {kind}s; set workers to {there} or less"
        )
    if least > there:
        say(f"waiting for {least} {kind}s: the cluster has {there} now")


def _fit(trainer: TorchTrainer) -> None:
    """Run a trainer beside the main thread, where Ray would take Ctrl-C for itself and end with status 1."""
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            trainer.fit()
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if ended[0] is not None:
        raise ended[0]


def _cause(error: Exception) -> str:
    """The line of a worker's traceback that names its error, or the end of what Ray tells."""
    text = str(error)
    named = re.findall(r"^\s*(?:[\w.]+\.)?\w*(?:Error|Exception): (.*)$", text, re.MULTILINE)
    return named[-1][:800] if named else " ".join(text.split())[-800:]


@contextmanager
def _relayed(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Say what the first worker writes to a file, as it grows."""
    ended, at = threading.Event(), path.stat().st_size if path.exists() else 0

    def follow() -> None:
        nonlocal at
        while True:
            last = ended.wait(FOLLOW_SECONDS)
            if path.exists():
                with path.open("rb") as file:
                    file.seek(at)
                    lines = file.read()
                whole = lines[: lines.rfind(b"\n") + 1]
                at += len(whole)
                for line in whole.decode(errors="replace").splitlines():
                    say(line)
            if last:
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _trainer(config: Config, folder: Path) -> TorchTrainer:
    gpus = ray.cluster_resources().get("GPU", 0) > 0
    workers = config.workers if isinstance(config.workers, int) else tuple(config.workers)
    environment = {} if gpus else {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return TorchTrainer(
        _worker,
        train_loop_config={"config": as_json(config), "folder": str(folder)},
        torch_config=TorchConfig(backend="nccl" if gpus else "gloo", timeout_s=TIMEOUT_SECONDS),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpus),
        run_config=RunConfig(
            name=folder.name,
            storage_path=str(folder.parent),
            failure_config=FailureConfig(max_failures=config.retries),
            # The run keeps and removes its checkpoints itself, so that it does without Ray as well.
            checkpoint_config=CheckpointConfig(num_to_keep=None),
            worker_runtime_env={"env_vars": environment},
        ),
    )


def _worker(told: dict[str, Any]) -> None:
    """What each worker runs."""
    from corpusforge.train.loop import train  # noqa: PLC0415  (the driver of a cluster may have no DeepSpeed)

    folder = Path(told["folder"])
    train(from_json(told["config"]), folder, _report, lambda line: _say(folder / SAID, line))


def _report(step: int, folder: Path, figures: dict[str, float]) -> None:
    """Tell Ray of a checkpoint that lies where it stays."""
    ray.train.report(
        figures,
        checkpoint=Checkpoint.from_directory(folder),
        checkpoint_dir_name=f"checkpoints/{folder.name}",
        checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD,
    )


def _say(path: Path, line: str) -> None:
    """Leave a line for the driver; Ray's own way gives it late, in colours and with names of processes."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
