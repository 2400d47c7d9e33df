"""Do a verb's work on a cluster, as a Ray job that is followed from here."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpusforge import job
from corpusforge.train.config import Config, as_json, resolved
from corpusforge.train.objectives.instruction import Instruction
from corpusforge.verbs.train import one_message

Say = Callable[[str], None]

PATHS = ("corpus", "staging", "megatron", "tokenizer", "examples", "validation")
"""Fields of a source that hold paths or addresses."""


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
        folder.joinpath(name).write_text(
            json.dumps(as_json(_everywhere(config)), ensure_ascii=False), "utf-8"
        )  # is YAML
        verb = "sft" if config.objective.use == "instruction" else "pretrain"
        return ["train", verb, name, "--root", job.everywhere(str(root))]

    return _followed(packed, address, say)


def _followed(packed: Callable[[Path], list[str]], address: str, say: Say) -> int:
    """Run what ``packed`` puts into a folder as a job; its words are those of the command line."""
    from corpusforge.ray_pool import submit  # noqa: PLC0415  (as in Pools)

    with tempfile.TemporaryDirectory(prefix="corpusforge-job-") as folder:
        return submit(address, folder, job.command(packed(Path(folder))), say)


def _everywhere(config: Config) -> Config:
    """The same configuration where the folder of this command is not the working directory."""
    sources = {name: replace(source, **_absolute(vars(source), PATHS)) for name, source in config.data.sources.items()}
    model = replace(config.model, **_absolute(vars(config.model), ("path",)))
    start = config.start and replace(config.start, **_absolute(vars(config.start), ("run",)))
    objective = config.objective
    if isinstance(objective, Instruction) and objective.template and Path(objective.template).is_file():
        objective = replace(objective, template=job.everywhere(objective.template))
    return replace(
        config,
        data=replace(config.data, sources=sources),
        model=model,
        start=start,
        objective=objective,
    )


def _absolute(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    found = {name: fields[name] for name in names if fields.get(name)}
    return {
        name: job.everywhere(given) if isinstance(given, str) else tuple(job.everywhere(path) for path in given)
        for name, given in found.items()
    }
