"""Which files of a folder are inputs: those that a source takes by their endings, and none that a build wrote."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from corpusforge.decoders import SUFFIXES
from corpusforge.storage import joined

SHOWN = 3
"""Names in a message."""
OURS = re.compile(r"\d{6}\.[0-9a-f]{20}\.(?!kept\.parquet$)")
"""How a file begins that a build wrote, one with documents apart."""


def chosen(given: str, names: Sequence[str], suffixes: Sequence[str], say: Callable[[str], None]) -> list[str]:
    """Of the files below a folder those that are inputs; ``say`` gets a line for what is left out."""
    corpora = _corpora(names)
    built = {name for name in names if _within(name, corpora) or OURS.match(PurePosixPath(name).name)}
    taken = [name for name in names if name not in built and name.lower().endswith(tuple(suffixes))]
    others = [name for name in names if name not in built and not name.lower().endswith(tuple(suffixes))]
    if others and taken:
        say(f"{given}: {_counted(others, 'other file')} left out (not {kinds(suffixes)}): {listed(others)}")
    if built:
        whose = [joined(given, version) if version else given for version in sorted(corpora)]
        cure = f". To read a corpus give its version and the source corpus.Corpus: {listed(whose)}" if whose else ""
        say(f"{given}: {_counted(sorted(built), 'file')} of corpora left out{cure}")
    return taken


def kinds(suffixes: Sequence[str]) -> str:
    """The endings in words, without those that are others compressed."""
    packed = {suffix + ending for suffix in suffixes for ending in SUFFIXES}
    plain = [suffix for suffix in dict.fromkeys(suffixes) if suffix not in packed]
    short = [s for s in plain if not any(s != other and s.endswith(other) for other in plain)]
    return " or ".join(filter(None, [", ".join(short[:-1]), short[-1]])) if short else "of any kind"


def _corpora(names: Sequence[str]) -> set[str]:
    """The folders of versions: those that have a recipe, and a pass with a plan."""
    folders = {str(PurePosixPath(name).parent) for name in names if PurePosixPath(name).name == "recipe.json"}
    plans = [PurePosixPath(name) for name in names if PurePosixPath(name).name == "plan.json"]
    return {f.removeprefix(".") for f in folders if any(PurePosixPath(f) in plan.parents for plan in plans)}


def _within(name: str, folders: set[str]) -> bool:
    return any(not folder or name.startswith(f"{folder}/") for folder in folders)


def _counted(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'s' * (len(names) > 1)}"


def listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
