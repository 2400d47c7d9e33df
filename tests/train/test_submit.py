"""A training run as a job of a Ray cluster: submitted with what it needs, followed, left alone, and its end told."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpusforge.train.config import as_json
from tests.cluster.local import Cluster, running
from tests.train.runs import config, finish, losses, start

pytest.importorskip("deepspeed")
pytestmark = [pytest.mark.train, pytest.mark.ray, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("home"), cpus=2) as made:
        yield made


def submitted(cluster: Cluster, folder: Path, *more: str, verb: str = "pretrain") -> subprocess.Popen[str]:
    """The command line in ``folder``, with the configuration, its data and DeepSpeed's settings by relative paths."""
    file = folder / "my.yaml"
    if not file.exists():
        told = as_json(config(folder, "my"))
        for source in told["data"]["sources"].values():
            source |= {name: [Path(path).name for path in source[name]] for name in ("megatron", "validation")}
        file.write_text(json.dumps({**told, "deepspeed": "zero1.json"}))  # JSON is YAML
        folder.joinpath("zero1.json").write_text('{"zero_optimization": {"stage": 1}}')
    command = [sys.executable, "-m", "corpusforge", "train", verb, "my.yaml", "--root", "runs"]
    return subprocess.Popen(
        [*command, "--address", cluster.url, *more],
        cwd=folder,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_submitted_run_is_followed_and_gives_the_losses_of_one_without_ray(cluster: Cluster, tmp_path: Path) -> None:
    made = config(tmp_path, "alone", steps=6)
    finish(start(made, tmp_path))
    said, _ = (job := submitted(cluster, tmp_path, "--set", "steps=6")).communicate(timeout=240)
    assert job.returncode == 0, said
    assert f"is submitted to {cluster.url}" in said
    assert "step 6/6, loss" in said
    run = tmp_path / "runs" / "my"
    assert f"corpusforge train report {run}" in said
    assert losses(run) == pytest.approx(losses(tmp_path / "alone"), abs=1e-6)
    kept = json.loads((run / "config.json").read_bytes())
    assert kept["deepspeed"] == {"zero_optimization": {"stage": 1}}
    assert kept["data"]["sources"]["a"]["megatron"] == [str(tmp_path / "a")]


def test_control_c_ends_the_following_and_not_the_job(cluster: Cluster, tmp_path: Path) -> None:
    job = submitted(cluster, tmp_path, "--set", "steps=60")
    assert job.stdout is not None
    line = ""
    while "weights" not in line:
        line = job.stdout.readline()
        assert line, "it ended before the run began"
    os.kill(job.pid, signal.SIGINT)
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 130, said
    assert "Go on with:" in said
    (name,) = re.findall(r"the job goes on. Follow it: ray job logs -f (\S+) ", said)
    told = cluster.sh("ray", "job", "logs", "--follow", name, "--address", cluster.url)
    assert "succeeded" in told.stdout + told.stderr
    assert len(losses(tmp_path / "runs" / "my")) == 60


def test_a_job_that_fails_says_why(cluster: Cluster, tmp_path: Path) -> None:
    wrong = ("--set", "model.config.model_type=nothing", "--set", "retries=0")
    said, _ = (job := submitted(cluster, tmp_path, *wrong)).communicate(timeout=240)
    assert job.returncode == 1, said
    assert "model.config: transformers knows no model_type 'nothing'" in said


def test_what_cannot_be_sent_is_said_before_anything_starts(cluster: Cluster, tmp_path: Path) -> None:
    for given, message in (("nowhere.json", "nowhere.json cannot be read"), ("my.yaml.bak", "holds no mapping")):
        (tmp_path / "my.yaml.bak").write_text("[]")
        said, _ = (job := submitted(cluster, tmp_path, "--set", f"deepspeed={given}")).communicate(timeout=60)
        assert (job.returncode, message in said, "submitted" in said) == (1, True, False), said
    said, _ = (job := submitted(cluster, tmp_path, verb="sft")).communicate(timeout=60)
    assert (job.returncode, "use `corpusforge train pretrain`" in said) == (2, True), said
