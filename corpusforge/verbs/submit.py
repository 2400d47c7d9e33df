"""Do a verb's work on a cluster, as a Ray job that is followed from here."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from corpusforge import job
from corpusforge.train.config import Config, as_json, resolved
from corpusforge.verbs.train import one_message

Say = Callable[[str], None]


def submit(recipe: str, inputs: Sequence[str], root: str, options: Sequence[str], address: str, say: Say) -> int:
    """Build on the cluster whose dashboard is at ``address`` (http://…), as a Ray job; its exit status.

    ``options`` are those of the command line's ``build``. Paths must be such that all nodes see them.
    """

    def packed(folder: Path) -> list[str]:
        there = job.pack_recipe(recipe, folder)
        given = [part for one in inputs for part in ("--input", job.everywhere(one))]
        return ["build", there, *given, "--root", job.everywhere(root), *options]

    return _followed(packed, address, say)


def train_submit(config: Config, root: str | Path, address: str, say: Say) -> int:
    """Train on the cluster whose dashboard is at ``address`` (http://…), as a Ray job; its exit status.

    The configuration goes along as it is resolved here, DeepSpeed's settings within it. Data, models and ``root`` must
    lie where all nodes see them. Raises ``NotTrained`` where something that goes along cannot be read.
    """
    with one_message():
        config = resolved(config)

    def packed(folder: Path) -> list[str]:
        job.pack(folder)
        name = f"{config.run}.yaml"
        folder.joinpath(name).write_text(json.dumps(as_json(config), ensure_ascii=False), "utf-8")  # is YAML
        verb = "sft" if config.objective.use == "instruction" else "pretrain"
        return ["train", verb, name, "--root", job.everywhere(str(root))]

    return _followed(packed, address, say)


def _followed(packed: Callable[[Path], list[str]], address: str, say: Say) -> int:
    """Run what ``packed`` puts into a folder as a job; its words are those of the command line."""
    from corpusforge.ray_pool import submit  # noqa: PLC0415  (as in Pools)

    with tempfile.TemporaryDirectory(prefix="corpusforge-job-") as folder:
        return submit(address, folder, job.command(packed(Path(folder))), say)
