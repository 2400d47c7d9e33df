"""datatrove beside us: an environment of its own under out/bench, and the command that runs its chain."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.places import LANGUAGE_MODEL, MADE, PEER_SCRIPT, NotHere, needed

PACKAGES = (
    "datatrove[io,processing]==0.10.1",
    "lxml_html_clean",
    "requests",
    "aiohttp",
    "spacy[ja]",
    "sudachidict_core",
)
"""What the shared peer script asks for; datatrove 0.10.1 pins trafilatura below 1.12."""
SECONDS = 3600
"""A worker of datatrove that dies makes its run hang, so each run is ended after this time."""


def python(say: Callable[[str], None]) -> Path:
    """The Python of datatrove's environment, which is made the first time. Raises ``NotHere`` where that fails."""
    needed(PEER_SCRIPT, "CORPUSFORGE_BENCH")
    return environment("datatrove", PACKAGES, say) / "python"


def environment(name: str, packages: Sequence[str], say: Callable[[str], None]) -> Path:
    """The ``bin`` of an environment under out/bench with these packages, made the first time; raises ``NotHere``."""
    folder = MADE / f"venv-{name}"
    stamp = folder / f".installed-{hashlib.sha256(repr(packages).encode()).hexdigest()[:12]}"
    if stamp.exists():
        return folder / "bin"
    say(f"installing {' '.join(packages)} in {folder} (up to 800 MB, a few minutes, once) ...")
    log = MADE / f"install-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", *packages],
        ):
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode:
                raise NotHere(f"{name} could not be installed; {log} says why")
    stamp.touch()
    return folder / "bin"


def command(binary: Path, pages: Path, out: Path, tokenizer: Path, workers: int, lang: str) -> list[str]:
    """Read, extract, filter, deduplicate and tokenise; the tokenizer is that of the build compared."""
    arguments = [pages, out, LANGUAGE_MODEL, tokenizer, "--workers", workers, "--lang", lang, "--until", "tokens"]
    return ["timeout", "--kill-after=30", str(SECONDS), str(binary), str(PEER_SCRIPT), *map(str, arguments)]


def surroundings() -> Mapping[str, str]:
    """Environment variables of its runs: caches under out/bench, no look at a hub."""
    return {**os.environ, "HF_HOME": str(MADE / "huggingface"), "HF_HUB_OFFLINE": "1"}


def version(binary: Path, package: str) -> str:
    """The version of a package in the peer's environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([str(binary), "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def results(out: Path) -> dict[str, int]:
    """Pages read, documents after its filters and after dedup, and tokens, from what a run left."""
    steps = json.loads((out / "logs" / "filter" / "stats.json").read_text())
    extractor = next(step for step in steps if "Trafilatura" in step["name"])
    sizes = [path.stat().st_size for path in sorted((out / "tokens").glob("*.ds"))]
    return {
        "pages": _total(extractor["stats"]["total"]),
        "cleaned": _lines(out / "docs"),
        "documents": _lines(out / "dedup"),
        "tokens": sum(sizes) // 2,
    }


def _total(stat: int | Mapping[str, int]) -> int:
    return stat if isinstance(stat, int) else stat["total"]


def _lines(folder: Path) -> int:
    count = 0
    for path in sorted(folder.glob("*.jsonl.gz")):
        with pa.input_stream(str(path), compression="gzip") as file:
            count += file.read().count(b"\n")
    return count
