"""What a Ray job takes to a cluster: this package, the recipe and the modules of its own stages, and its command."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import corpusforge
from corpusforge.passes.map import Map
from corpusforge.recipe import Recipe, read_recipe, shipped

NOT_TAKEN = shutil.ignore_patterns("__pycache__", ".*")


class NoCluster(RuntimeError):
    """No cluster answers at an address, or it wants a token that is not here."""


def pack(recipe: str, folder: Path) -> str:
    """Put into ``folder`` what the job needs of this machine; give the recipe's name or path there.

    The package goes along, so that driver and workers run the code of this machine; its libraries must be installed on
    the nodes.
    """
    made = read_recipe(recipe)
    for module in {"corpusforge", *_own_modules(made)}:
        _copy(module, folder)
    if recipe in shipped():
        return recipe
    name = "recipe.yaml" if Path(recipe).stem in os.listdir(folder) else Path(recipe).name
    shutil.copy(recipe, folder / name)
    return name


def command(recipe: str, inputs: Sequence[str], root: str, options: Sequence[str]) -> str:
    """The shell command of the job; paths of local files are made absolute, since the job runs elsewhere."""
    given = [part for one in inputs for part in ("--input", everywhere(one))]
    words = ["python", "-m", "corpusforge", "build", recipe, *given, "--root", everywhere(root), *options]
    return shlex.join([*words, "--address", "auto"])


def everywhere(path: str) -> str:
    """A path as every node understands it: URLs stay, others become absolute; ``@`` marks a list of inputs."""
    if "://" in path:
        return path
    if path.startswith("@"):
        return "@" + everywhere(path[1:])
    return os.path.abspath(path)


def _own_modules(recipe: Recipe) -> Iterator[str]:
    """Top-level modules of the recipe's stages and sources that are not of this package."""
    parts: list[Any] = [part for p in recipe.passes if isinstance(p, Map) for part in (*p.source, *p.stages)]
    yield from (type(part).__module__.split(".")[0] for part in parts)


def _copy(module: str, folder: Path) -> None:
    found = corpusforge if module == "corpusforge" else sys.modules[module]
    for place in getattr(found, "__path__", ()):
        shutil.copytree(place, folder / module, ignore=NOT_TAKEN, dirs_exist_ok=True)
    if not hasattr(found, "__path__") and found.__file__:
        shutil.copy(found.__file__, folder)
