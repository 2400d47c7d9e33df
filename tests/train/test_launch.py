"""Ray Train starts the workers, and starts them again where one is killed."""

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from corpusforge.train.config import as_json
from tests.train.runs import config, events, finish, losses, start

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.ray, pytest.mark.timeout(600)]


def worker_of(driver: int) -> psutil.Process:
    """A worker of the Ray that a driver has started; there is one once training has begun."""
    for process in psutil.Process(driver).children(recursive=True):
        with suppress(psutil.Error):
            if "RayTrainWorker" in " ".join(process.cmdline()):
                return process
    raise AssertionError("no worker of Ray Train is there")


def test_a_worker_that_is_killed_is_started_again_and_no_loss_changes(tmp_path: Path) -> None:
    made = config(tmp_path, stage=2, workers=2, steps=40, checkpoints={"every": 5}, validation={"every": 20})
    finish(start(made, tmp_path / "whole", world=2))
    file = tmp_path / "config.yaml"  # JSON is YAML
    file.write_text(json.dumps(as_json(made)))
    command = [sys.executable, "-m", "corpusforge", "train", "pretrain", str(file), "--root", str(tmp_path)]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = tmp_path / "run" / "log" / "steps.jsonl"
    while not (log.exists() and log.read_bytes().count(b"\n") >= 7):
        assert driver.poll() is None, driver.communicate()[0]
        time.sleep(0.02)
    worker_of(driver.pid).kill()
    said = driver.communicate(timeout=300)[0]
    assert driver.returncode == 0, said
    assert "resume: goes on from step" in said
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole" / "run"), abs=1e-6, rel=0)
    assert len(events(tmp_path / "run", "resume")) == 1


def test_a_run_goes_on_after_its_old_checkpoints_were_removed(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    for steps, workers in ((6, 2), (10, [1, 2])):
        made = config(tmp_path, steps=steps, workers=workers, stage=1, checkpoints={"every": 2, "keep": 1})
        file.write_text(json.dumps(as_json(made)))
        command = [sys.executable, "-m", "corpusforge", "train", "pretrain", str(file), "--root", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
    assert len(losses(tmp_path / "run")) == 10


def test_a_run_that_always_fails_says_why(tmp_path: Path) -> None:
    made = config(tmp_path, retries=0, batch={"samples": 8, "micro": 2}, model={"config": {"model_type": "nothing"}})
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(as_json(made)))
    command = [sys.executable, "-m", "corpusforge", "train", "pretrain", str(file), "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "model.config: transformers knows no model_type 'nothing'" in done.stderr


def _interruptible() -> None:
    """A shell has what it runs in the background ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_the_workers_and_says_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(as_json(config(tmp_path, steps=5000, checkpoints={"every": 2}))))
    command = [sys.executable, "-m", "corpusforge", "train", "pretrain", str(file), "--root", str(tmp_path)]
    piped: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    driver = subprocess.Popen(command, preexec_fn=_interruptible, **piped)
    log = tmp_path / "run" / "log" / "steps.jsonl"
    while not (log.exists() and log.read_bytes().count(b"\n") >= 5):
        assert driver.poll() is None, driver.communicate()[0]
        time.sleep(0.05)
    worker = worker_of(driver.pid)
    driver.send_signal(signal.SIGINT)
    said = driver.communicate(timeout=60)[0]
    assert driver.returncode == 130, said
    assert "Go on with:" in said
    worker.wait(30)


def test_more_workers_than_a_machine_has_room_for_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(as_json(config(tmp_path, workers=4096))))
    command = [sys.executable, "-m", "corpusforge", "train", "pretrain", str(file), "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "workers: 4096 are asked for and this machine has" in done.stderr
