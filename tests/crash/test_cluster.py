"""Ray clusters on this machine, started as cluster/README.md says: tokens, jobs, and nodes that go and come."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import corpusforge as cf
from corpusforge.demo.write import write
from tests.cluster.local import SCRIPT, Cluster, free_port, running

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

PAGES = 120


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("home")) as made:
        yield made


def holders_of(cluster: Cluster) -> list[int]:
    """Process groups of the nodes on which a worker is at a unit: it holds the unit's mark open."""
    return [group for group in cluster.nodes() if any(name.endswith(".mark") for name in open_files(group))]


def processes(node: int) -> list[psutil.Process]:
    """What runs on a node; its workers have process groups of their own."""
    with suppress(psutil.Error):
        return [psutil.Process(node), *psutil.Process(node).children(recursive=True)]
    return []


def open_files(node: int) -> list[str]:
    found = []
    for process in processes(node):
        with suppress(psutil.Error):
            found += [file.path for file in process.open_files()]
    return found


def kill(node: int) -> None:
    """End a node as a power cut does: a worker left alone would commit its unit before it missed the node."""
    for process in processes(node):
        with suppress(psutil.Error):
            process.kill()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write(folder, pages=PAGES)
    return folder


@pytest.fixture(scope="module")
def serial(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    run = cf.build("web_multi", inputs=[str(pages)], root=tmp_path_factory.mktemp("serial"), pool="serial")
    return str(cf.verify(run.address)["digest"])


def digest_of(root: Path) -> dict[str, Any]:
    return cf.verify(str(root / "web_multi" / "dev"))


def test_no_cluster_is_started_without_a_token(tmp_path: Path) -> None:
    made = Cluster(tmp_path, free_port(), free_port())
    started = made.sh("sh", str(SCRIPT), "start", "1")
    assert started.returncode == 1
    assert "no token in" in started.stderr
    assert "ray get-auth-token --generate" in started.stderr
    refused = made.sh("sh", str(SCRIPT), "start", "1", RAY_AUTH_MODE="disabled")
    assert refused.returncode == 1
    assert "Set RAY_AUTH_MODE=token" in refused.stderr


def test_a_second_start_leaves_the_first_alone(cluster: Cluster) -> None:
    before = (cluster.folder / "state" / "head.pid").read_text()
    again = cluster.sh("sh", str(SCRIPT), "start", "0")
    assert (again.returncode, "the head runs already" in again.stderr) == (1, True)
    assert (cluster.folder / "state" / "head.pid").read_text() == before


def test_a_job_submitted_from_a_working_directory_gives_the_digest_of_a_serial_run(
    cluster: Cluster, pages: Path, serial: str, tmp_path: Path
) -> None:
    cluster.join()
    job = ["web_multi", "--input", str(pages), "--root", str(tmp_path)]
    submit = ["ray", "job", "submit", "--address", cluster.url, "--working-dir", "."]
    refused = cluster.sh(*submit, "--", "python", "jobs/build.py", *job, HOME=str(tmp_path))
    assert refused.returncode != 0
    assert "token" in refused.stdout + refused.stderr
    done = cluster.sh(*submit, "--", "python", "jobs/build.py", *job)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "extract: 4/4 units" in done.stdout
    assert digest_of(tmp_path)["digest"] == serial


@pytest.mark.parametrize("gone", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_nodes_that_go_away_and_one_that_joins_change_no_digest(
    cluster: Cluster, pages: Path, serial: str, tmp_path: Path, gone: int
) -> None:
    while len(cluster.nodes()) < 2:
        cluster.join()
    command = [sys.executable, "-m", "corpusforge", "build", "web_multi", "--input", str(pages)]
    command += ["--root", str(tmp_path), "--address", cluster.url]
    with (tmp_path / "log").open("w") as log:
        build = subprocess.Popen(command, cwd=tmp_path, env=cluster.environment, stdout=log, stderr=log)
        while len(holders := holders_of(cluster)) < gone:
            assert build.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        for node in holders[:gone]:
            kill(node)
        cluster.join()
        assert build.wait(300) == 0, (tmp_path / "log").read_text()
    found = digest_of(tmp_path)
    assert (found["digest"], found["undone"]) == (serial, [])
    assert "went away; trying again" in (tmp_path / "log").read_text()


def test_the_command_line_says_what_is_wrong_with_a_cluster(cluster: Cluster, pages: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "corpusforge", "build", "web_multi", "-i", str(pages), "--root", str(tmp_path)]
    nobody = cluster.sh(*build, "--address", f"http://127.0.0.1:{free_port()}")
    assert (nobody.returncode, "no Ray cluster takes jobs at" in nobody.stderr) == (1, True)
    nowhere = cluster.sh(*build, "--address", f"127.0.0.1:{free_port()}")
    assert (nowhere.returncode, "no Ray cluster answers at" in nowhere.stderr) == (1, True)
    for address in (cluster.url, f"127.0.0.1:{cluster.port}"):
        stranger = cluster.sh(*build, "--address", address, HOME=str(tmp_path))
        assert (stranger.returncode, "wants its token" in stranger.stderr) == (1, True), stranger.stderr
    assert not list(tmp_path.rglob("*.parquet"))
