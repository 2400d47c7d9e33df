"""cluster/README.md: what can run here is run in order, as printed; every other command and file exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from corpusforge.demo.write import write
from tests.cluster.files import CHECKOUT, CLUSTER, KUBERAY, load
from tests.cluster.local import free_port

TEXT = (CLUSTER / "README.md").read_text("utf-8")
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
NEEDED = ("corpusforge", "jobs", "cluster", "pyproject.toml", "README.md")
"""What of the checkout a reader's commands use."""


def commands(language: str) -> list[str]:
    """The commands of all blocks of a language, continued lines joined."""
    text = "".join(block for kind, block in FENCE.findall(TEXT) if kind == language)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each command of the page prints, run one after the other in one shell, in a checkout and home of its own."""
    reader = tmp_path_factory.mktemp("reader")
    for name in NEEDED:
        copy = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
        copy(CHECKOUT / name, reader / name)
    write(reader / "demo", pages=60)
    (reader / "demo" / "demo-00000.warc.gz").rename(reader / "my.warc.gz")
    dashboard, port = free_port(), free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_") and k != "PYTHONPATH"}
    environment |= {
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RAY_PORT": str(port),
        "RAY_DASHBOARD_PORT": str(dashboard),
        "RAY_TMPDIR": str(tmp_path_factory.mktemp("r")),
        "CLUSTER_STATE": str(reader / "state"),
    }
    found = commands("sh")
    there = [line.replace(":8265", f":{dashboard}").replace(":6379", f":{port}") for line in found]
    script = "set -e\n" + "".join(f"echo '<<{number}>>'\n{line}\n" for number, line in enumerate(there))
    try:
        done = subprocess.run(["bash", "-c", script], cwd=reader, env=environment, capture_output=True, text=True)
    finally:
        subprocess.run(["sh", "cluster/local.sh", "stop"], cwd=reader, env=environment, check=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    parts = re.split(r"^<<(\d+)>>\n", done.stdout, flags=re.MULTILINE)[1:]
    return {found[int(number)]: text for number, text in zip(parts[::2], parts[1::2], strict=True)}


def of(said: dict[str, str], start: str) -> str:
    """What the first command that begins like this has printed."""
    return next(text for command, text in said.items() if command.startswith(start))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_for_this_machine_runs(said: dict[str, str]) -> None:
    assert list(said) == commands("sh")
    assert "my.warc.gz" not in of(said, "corpusforge verify")
    assert "extract" in of(said, "corpusforge build")


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_submitted_job_is_followed_listed_and_stopped(said: dict[str, str]) -> None:
    assert "extract" in of(said, "ray job logs")
    assert "succeeded" in of(said, "ray job status").lower()
    assert "web-ja" in of(said, "ray job list")
    assert "stop" in of(said, "ray job stop").lower()


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_node_joins_and_the_state_of_the_cluster_is_told(said: dict[str, str]) -> None:
    assert "has joined 127.0.0.1:" in of(said, "cluster/local.sh join")
    # Ray's table is some seconds old: it may not have the new node yet.
    assert re.search(r"/[23]\.0 CPU", of(said, "cluster/local.sh status"))


@pytest.mark.parametrize("command", [c for c in commands("console") if c.startswith("ray ")])
def test_the_commands_of_ray_have_these_options(command: str) -> None:
    words = shlex.split(command)
    help_text = subprocess.run(
        [Path(sys.executable).parent / "ray", words[1], "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert {word for word in words if word.startswith("--") and word not in help_text} == set()
    assert all((CHECKOUT / word).is_file() for word in words if word.endswith(".yaml"))


def test_the_files_and_names_of_the_page_exist() -> None:
    for target in re.findall(r"(?<![\w/])cluster/[\w./-]+\w", TEXT):
        assert (CHECKOUT / target).is_file(), target
    for target in re.findall(r"`([\w-]+(?:\.yaml|\.sh|/)|Dockerfile)`", TEXT):
        assert (CLUSTER / target).exists(), target
    for anchor in re.findall(r"\]\(#([\w-]+)\)", TEXT):
        titles = [
            re.sub(r"[^\w -]", "", t).strip().lower().replace(" ", "-") for t in re.findall(r"^#+ (.*)$", TEXT, re.M)
        ]
        assert anchor in titles


def test_kubernetes_objects_are_named_as_in_the_manifests() -> None:
    names = {p.name: load(p)["metadata"]["name"] for p in KUBERAY.glob("*.yaml")}
    assert f"kubectl get rayjob {names['rayjob.yaml']}\n" in TEXT
    assert f"job-name={names['rayjob.yaml']}\n" in TEXT
    assert f"kubectl get rayjob {names['rayjob-train.yaml']}\n" in TEXT
    assert f"job-name={names['rayjob-train.yaml']}\n" in TEXT
    assert f"kubectl get secret {names['raycluster.yaml']} " in TEXT
    assert f"service/{names['raycluster.yaml']}-head-svc" in TEXT
    group = load(KUBERAY / "rayjob-train.yaml")["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]
    config = next(v["configMap"]["name"] for v in group["template"]["spec"]["volumes"] if "configMap" in v)
    assert f"kubectl create configmap {config} --from-file=train.yaml=" in TEXT
    head = load(KUBERAY / "raycluster.yaml")["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    assert f"secret generic {head['envFrom'][0]['secretRef']['name']} " in TEXT


def test_workers_asked_for_are_those_the_files_allow() -> None:
    aws = yaml.safe_load((CLUSTER / "aws.yaml").read_text("utf-8"))
    cpus = aws["max_workers"] * aws["available_node_types"]["worker"]["resources"]["CPU"]
    assert f"--workers {cpus} " in TEXT


def test_every_image_of_the_page_is_the_image_of_the_files() -> None:
    images = set(re.findall(r"registry\.example\.com/\S+", TEXT))
    aws = yaml.safe_load((CLUSTER / "aws.yaml").read_text("utf-8"))
    train = load(KUBERAY / "rayjob-train.yaml")["spec"]["submitterPodTemplate"]["spec"]["containers"][0]["image"]
    assert images == {aws["docker"]["image"], train}
