"""Every file of cluster/: it parses, pins what it names, agrees with the project, and starts no Ray without a token."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.cluster.files import CHECKOUT, CLUSTER, TEXTS, YAMLS, pinned

PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
IMAGE = re.compile(r"^\s*(?:#.*\| *)?(?:FROM|image:|head_image:|worker_image:) *(\S+)", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(CLUSTER))


def commands() -> list[tuple[str, str]]:
    """Each command of a cluster file in which Ray is started, with the file's name."""
    found = []
    for path in TEXTS:
        text = re.sub(r"^ *#.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        joined = re.sub(r"\\?\n +", " ", text) if path.suffix == ".yaml" else text
        found += [(name_of(path), line) for line in joined.splitlines() if re.search(r"\bray start\b", line)]
    return found


@pytest.mark.parametrize("path", YAMLS, ids=name_of)
def test_a_file_is_yaml_without_tabs_or_duplicate_keys(path: Path) -> None:
    def unique(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{name_of(path)}:{node.start_mark.line + 1}: {keys}"
            for _, value in node.value:
                unique(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                unique(value)

    text = path.read_text("utf-8")
    assert "\t" not in text
    unique(yaml.compose(text))


def test_every_image_is_named_by_a_version() -> None:
    images = [(name_of(p), image) for p in TEXTS for image in IMAGE.findall(p.read_text("utf-8"))]
    assert len(images) >= 7
    for name, image in images:
        tag = image.rpartition(":")[2]
        assert re.match(r"\d+\.\d+\.\d+", tag), f"{name}: {image} floats"
        if "corpusforge" in image:
            assert tag == PROJECT["version"], f"{name}: {image}"


def test_ray_and_python_are_those_of_the_project() -> None:
    for path in YAMLS:
        for version in re.findall(r"rayVersion: *\"?([\d.]+)", path.read_text("utf-8")):
            assert version == pinned("ray"), name_of(path)
    (python,) = re.findall(r"^FROM python:([\d.]+)-", (CLUSTER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert python in SpecifierSet(PROJECT["requires-python"])


def test_the_extras_that_nodes_get_exist() -> None:
    (extras,) = re.findall(r"^extras=([\w,]+)", (CLUSTER / "install.sh").read_text("utf-8"), re.MULTILINE)
    given = re.findall(r"EXTRAS=([\w,]+)", "".join(path.read_text("utf-8") for path in TEXTS))
    assert given
    assert {*extras.split(","), *given} <= set(PROJECT["optional-dependencies"])


def test_every_start_of_ray_asks_for_token_authentication() -> None:
    found = commands()
    assert {name for name, _ in found} >= {"aws.yaml", "on-premises.yaml", "local.sh"}
    for name, command in found:
        if name == "local.sh":
            continue  # sets it for all that it starts, as tests/crash/test_cluster.py shows
        if name == "README.md":
            assert "RAY_AUTH_MODE=token" in (CLUSTER / name).read_text("utf-8")
            continue
        assert re.search(r"RAY_AUTH_MODE=token \S*ray start", command), f"{name}: {command}"
    assert re.search(r"^ENV RAY_AUTH_MODE=token\b", (CLUSTER / "Dockerfile").read_text("utf-8"), re.MULTILINE)


def test_no_file_turns_authentication_off_or_holds_a_token() -> None:
    for path in TEXTS:
        text = path.read_text("utf-8")
        assert not re.search(r"AUTH_MODE[\"']?\s*[:=]\s*[\"']?disabled|mode: *disabled", text), name_of(path)
        assert not re.search(r"RAY_AUTH_TOKEN=[^\s$\"']", text), name_of(path)
        assert not re.search(r"\b[0-9a-f]{32,}\b|\bAKIA[0-9A-Z]{16}\b", text), name_of(path)


@pytest.mark.parametrize("script", [p for p in TEXTS if p.suffix == ".sh"], ids=name_of)
def test_a_script_can_be_run_and_is_portable_shell(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(script)], check=True)
