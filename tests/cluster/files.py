"""The files of cluster/ as tests read them."""

import re
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[2]
CLUSTER = CHECKOUT / "cluster"
TEXTS = sorted(p for p in CLUSTER.rglob("*") if p.is_file())
YAMLS = [p for p in TEXTS if p.suffix == ".yaml"]
KUBERAY = CLUSTER / "kuberay"
MEMORY = {"Gi": 1 << 30, "Mi": 1 << 20}


def load(path: Path, *variants: str) -> Any:
    """A YAML file; lines that are marked ``# VARIANT | …`` for one of ``variants`` are taken in."""
    text = path.read_text("utf-8")
    for variant in variants:
        text, found = re.subn(rf"^( *)# {variant} \| ", r"\1", text, flags=re.MULTILINE)
        assert found, f"{path.name} has no variant {variant!r}"
    return yaml.safe_load(text)


def size(quantity: str) -> int:
    """Bytes of a Kubernetes quantity."""
    return int(quantity[:-2]) * MEMORY[quantity[-2:]]


def pinned(library: str) -> str:
    """The version that constraints.txt has of a library."""
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    (version,) = [line.split("==")[1] for line in lines if line.lower().startswith(f"{library}==")]
    return version
