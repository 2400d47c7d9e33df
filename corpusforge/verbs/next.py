"""What to paste next."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from corpusforge.storage import joined, parted
from corpusforge.verbs.build import Run


def program() -> str:
    """How this command line is called: its bare name where the shell finds it, else the path of its file."""
    beside = Path(sys.executable).with_name("corpusforge")
    return "corpusforge" if shutil.which("corpusforge") or not beside.exists() else os.path.relpath(beside)


def next_commands(run: Run) -> Iterator[str]:
    """What to paste after a build: open the report, show drops, find the tokens."""
    yield f"report:  {program()} report {run.address}"
    yield f"drops:   {program()} report {run.address}/{_most_drops(run)}"
    files = [f.path for o in run.outcomes for m in o.manifests for f in m.files if f.role.endswith(".bin")]
    if files:
        yield f"tokens:  {parted(joined(run.root, run.corpus, files[0]))[0]}/"


def _most_drops(run: Run) -> str:
    """The pass that dropped most; the first of those that dropped as many."""
    drops = {o.step: sum(n for m in o.manifests for k, n in m.counts.items() if _is_drop(k)) for o in run.outcomes}
    return max(drops, key=lambda step: drops[step], default="extract")


def _is_drop(count: str) -> bool:
    return count.startswith("drop.") and count != "drop.source.not_content"
