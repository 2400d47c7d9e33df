"""What a Ray job takes to a cluster: this package, what its command reads here, and the command."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import corpusforge
from corpusforge.passes.map import Map
from corpusforge.recipe import Recipe, read_recipe, shipped

NOT_TAKEN = shutil.ignore_patterns("__pycache__", ".*")


class NoCluster(RuntimeError):
    """No cluster answers at an address, or it wants a token that is not here."""


def takes_jobs(address: str | None) -> bool:
    """Whether an address is that of a cluster's dashboard, to which jobs are submitted; others make a driver of us."""
    return address is not None and address.startswith(("http://", "https://"))


def pack(folder: Path, modules: Iterable[str] = ()) -> None:
    """Put this package and other modules into ``folder``.

    So driver and workers run the code of this machine; its libraries must be installed on the nodes.
    """
    for module in {"corpusforge", *modules}:
        _copy(module, folder)


def pack_recipe(recipe: str, folder: Path) -> str:
    """Put a recipe, the modules of its own stages and this package into ``folder``; its name or path there."""
    pack(folder, _own_modules(read_recipe(recipe)))
    if recipe in shipped():
        return recipe
    name = "recipe.yaml" if Path(recipe).stem in os.listdir(folder) else Path(recipe).name
    shutil.copy(recipe, folder / name)
    return name


def command(words: Sequence[str]) -> str:
    """The shell command of a job that is this command line with ``words``, on the cluster that runs it."""
    return shlex.join(["python", "-m", "corpusforge", *words, "--address", "auto"])


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
