"""A Ray cluster on this machine, started as cluster/README.md says, with a token and a home folder of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.cluster.files import CHECKOUT, CLUSTER

SCRIPT = CLUSTER / "local.sh"


@dataclass(frozen=True)
class Cluster:
    """A head without CPUs, with a home folder of its own that holds the token."""

    folder: Path
    port: int
    dashboard: int

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        return {
            **kept,
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CLUSTER_STATE": str(self.folder / "state"),
            "RAY_AUTH_MODE": "token",
            "RAY_PORT": str(self.port),
            "RAY_DASHBOARD_PORT": str(self.dashboard),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.dashboard}"

    def sh(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a person would in that home folder."""
        environment = {**self.environment, **more}
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=200)

    def join(self) -> None:
        """Add a node of one CPU."""
        done = self.sh("sh", str(SCRIPT), "join", f"127.0.0.1:{self.port}", "1")
        assert done.returncode == 0, done.stderr

    def nodes(self) -> list[int]:
        """Process groups of the nodes that live."""
        groups = [int(file.read_text()) for file in (self.folder / "state").glob("node-*.pid")]
        return [group for group in groups if living([group])]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, cpus: int = 0) -> Iterator[Cluster]:
    """A cluster whose head has so many CPUs; all of it ends with the block."""
    made = Cluster(folder, free_port(), free_port())
    assert made.sh("ray", "get-auth-token", "--generate").returncode == 0
    started = made.sh("sh", str(SCRIPT), "start", str(cpus))
    assert started.returncode == 0, started.stderr
    try:
        yield made
    finally:
        groups = [int(file.read_text()) for file in (made.folder / "state").glob("*.pid")]
        assert made.sh("sh", str(SCRIPT), "stop").returncode == 0
        until = time.monotonic() + 20
        while living(groups) and time.monotonic() < until:
            time.sleep(0.2)
        assert living(groups) == [], "stop ends all that start and join began"


def living(groups: list[int]) -> list[str]:
    """Processes of these groups that have not ended."""
    found = []
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
    return found
