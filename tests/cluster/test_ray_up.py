"""The files for `ray up`: they fit Ray's own schema, share the token, and their commands refuse to go on without it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ray.autoscaler._private.util import prepare_config, validate_config

from corpusforge.engine.attempt import Resources
from tests.cluster.files import CHECKOUT, CLUSTER, load

NAMES = ("aws.yaml", "on-premises.yaml")
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")
GIB_OF = {"m7i.large": 8, "m7i.2xlarge": 32}
"""Memory of an instance, as AWS lists it."""


def config(name: str) -> dict[str, Any]:
    made: dict[str, Any] = load(CLUSTER / name)
    return made


def run(command: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a node the way Ray does, in a home folder of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    kept |= {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **more}
    return subprocess.run(["bash", "-c", command], env=kept, cwd=home, capture_output=True, text=True, timeout=120)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The home of a node to which Ray has copied what on-premises.yaml names, all but the token."""
    (tmp_path / "corpusforge").symlink_to(CHECKOUT)
    (tmp_path / "corpusforge-env").symlink_to(sys.prefix)
    return tmp_path


def give_token(home: Path) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("a token for this test")


@pytest.mark.parametrize("name", NAMES)
def test_ray_takes_the_file(name: str) -> None:
    prepared = prepare_config(config(name))
    validate_config(prepared)
    assert prepared["max_workers"] >= 1
    assert config(name).keys() <= prepared.keys() | {"min_workers"}


@pytest.mark.parametrize("name", NAMES)
def test_ray_refuses_a_field_it_does_not_know(name: str) -> None:
    prepared = prepare_config({**config(name), "max_wrokers": 3})
    with pytest.raises(Exception, match="max_wrokers"):
        validate_config(prepared)


@pytest.mark.parametrize("name", NAMES)
def test_every_node_gets_the_token_as_a_file(name: str) -> None:
    assert config(name)["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", ["setup_commands", *STARTS])
def test_the_first_command_stops_a_node_without_a_token(name: str, step: str, node: Path) -> None:
    check = config(name)[step][0]
    refused = run(check, node, RAY_AUTH_MODE="token")
    assert refused.returncode == 1
    assert "error: " in refused.stderr
    assert "token" in refused.stderr
    give_token(node)
    assert run(check, node, RAY_AUTH_MODE="token").returncode == 0


@pytest.mark.parametrize("step", ["setup_commands", *STARTS])
def test_a_container_without_token_mode_is_stopped(step: str, node: Path) -> None:
    give_token(node)
    for mode in ({}, {"RAY_AUTH_MODE": "disabled"}):
        assert run(config("aws.yaml")[step][0], node, **mode).returncode == 1


@pytest.mark.ray
@pytest.mark.parametrize("name", NAMES)
def test_ray_itself_refuses_to_start_a_head_without_a_token(name: str, node: Path) -> None:
    # The check before it is left out, and so is `ray stop`, which would end every Ray of this machine.
    start = config(name)[STARTS[0]][-1].replace("--port=6379", "--port=0")
    refused = run(start, node, RAY_TMPDIR=str(node / "r"))
    assert refused.returncode != 0
    assert "token" in refused.stdout + refused.stderr
    assert "Ray runtime started" not in refused.stdout


def test_workers_on_aws_are_spot_and_the_head_is_not() -> None:
    types = config("aws.yaml")["available_node_types"]
    assert types["worker"]["node_config"]["InstanceMarketOptions"]["MarketType"] == "spot"
    assert "InstanceMarketOptions" not in types["head"]["node_config"]
    assert types["head"]["resources"]["CPU"] == 0
    for node in types.values():
        assert node["node_config"]["IamInstanceProfile"]["Arn"].startswith("arn:aws:iam::")
        assert node["node_config"]["MetadataOptions"]["HttpTokens"] == "required"


def test_nodes_on_aws_know_the_region_of_the_bucket() -> None:
    made = config("aws.yaml")
    assert made["docker"]["run_options"] == [f"--env AWS_REGION={made['provider']['region']}"]
    assert all(zone.startswith(made["provider"]["region"]) for zone in made["provider"]["availability_zone"].split(","))


def test_a_machine_on_aws_has_memory_for_its_workers() -> None:
    worker = config("aws.yaml")["available_node_types"]["worker"]
    room = GIB_OF[worker["node_config"]["InstanceType"]] * 0.95
    assert worker["resources"]["CPU"] * (Resources().memory / 2**30 + 0.5) + 1 <= room


def test_on_premises_machines_are_all_kept() -> None:
    made = config("on-premises.yaml")
    assert made["min_workers"] == made["max_workers"] == len(made["provider"]["worker_ips"])


def test_what_ray_up_leaves_on_the_laptop_is_not_needed_on_a_node() -> None:
    left = set(config("on-premises.yaml")["rsync_exclude"])
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True).stdout.splitlines()
    assert not [path for path in tracked if left & set(Path(path).parts)]


@pytest.mark.parametrize(("gib", "cpus"), [(4, 1), (2, 1), (16, 4), (32, 8), (64, 17)])
def test_a_node_gives_no_more_cpus_than_it_has_memory_for(gib: int, cpus: int, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal:       {gib << 20} kB\nMemFree: 1 kB\n")
    (tmp_path / "nproc").write_text("#!/bin/sh\necho 64\n")
    (tmp_path / "nproc").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run(str(CLUSTER / "cpus.sh"), tmp_path, MEMINFO=str(tmp_path / "meminfo"), PATH=path)
    assert int(done.stdout) == cpus
    here = run(str(CLUSTER / "cpus.sh"), tmp_path)
    assert 1 <= int(here.stdout) <= len(os.sched_getaffinity(0))


def test_a_config_survives_the_way_to_the_head() -> None:
    """Ray ships the file to the head as JSON."""
    for name in NAMES:
        assert json.loads(json.dumps(config(name))) == config(name)
