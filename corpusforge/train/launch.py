"""Ray Train starts the workers of a run, and starts them again where they fail; it carries a path, and no data."""

import os
from pathlib import Path
from typing import Any

import ray
import ray.train
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from corpusforge.train.config import Config, as_json, from_json

POLL_SECONDS = 0.5
"""How often Ray looks after its workers; a report takes as long (measured: 2 s each at its own setting)."""
TIMEOUT_SECONDS = 1800
"""What a worker waits for the others: a checkpoint of many gigabytes may have to be converted."""


def launch(config: Config, folder: Path, address: str | None = None) -> None:
    """Train the run in ``folder``, which every node must see, on an embedded local Ray or the cluster at ``address``.

    Raises Ray's ``TrainingFailedError`` once workers have failed more often than ``retries``.
    """
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", str(POLL_SECONDS))
    ours = not ray.is_initialized()
    if ours:
        ray.init(address=address or "local", logging_level="error", include_dashboard=False if not address else None)
    try:
        _trainer(config, folder).fit()
    finally:
        if ours:
            ray.shutdown()


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

    train(from_json(told["config"]), Path(told["folder"]), _report, _say)


def _report(step: int, folder: Path, figures: dict[str, float]) -> None:
    """Tell Ray of a checkpoint that lies where it stays."""
    ray.train.report(
        figures,
        checkpoint=Checkpoint.from_directory(folder),
        checkpoint_dir_name=f"checkpoints/{folder.name}",
        checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD,
    )


def _say(line: str) -> None:
    print(line, flush=True)
