"""Where the benchmarks find things: data and shared scripts beside the checkout, what they make under out/bench."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
DATA = Path(os.environ.get("CORPUSFORGE_DATA") or SHARED / "data")
SCRIPTS = Path(os.environ.get("CORPUSFORGE_BENCH") or SHARED / "bench")
MADE = CHECKOUT / "out" / "bench"

RECIPE = CHECKOUT / "benchmarks" / "web_bench.yaml"
LANGUAGE_MODEL = CHECKOUT / "corpusforge" / "models" / "lid.176.ftz"
TREE_COST = SCRIPTS / "tree_cost.py"
PEER_SCRIPT = SCRIPTS / "peer_datatrove.py"


class NotHere(RuntimeError):
    """Something that a benchmark needs is not on this machine; the message says how to name its place."""


def needed(path: Path, variable: str) -> Path:
    """``path`` if it is there; else an error that names the environment variable for its folder."""
    if not path.exists():
        raise NotHere(f"{path} is not here; set {variable} to the folder that holds it")
    return path
