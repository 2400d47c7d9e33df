"""Loaded models of this process, found by digest: a stage names its model and holds no loaded state."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Model:
    """A model file; ``path`` lies in ``package`` where one is given. Only name and digest are identity."""

    name: str
    sha256: str
    path: str
    package: str = ""

    def file(self) -> Path:
        """Where the model lies on this machine."""
        return Path(str(files(self.package) / self.path)) if self.package else Path(self.path)


_loaded: dict[str, Any] = {}


def load(model: Model, loader: Callable[[Path], T]) -> T:
    """The loaded model: read once in a process, after its digest was checked.

    One digest has one loader: the first call decides what is held. Raises ``FileNotFoundError`` for a missing file
    and ``ValueError`` for a file that is not the model named.
    """
    if model.sha256 not in _loaded:
        path = model.file()
        found = sha256(path.read_bytes()).hexdigest()
        if found != model.sha256:
            raise ValueError(f"{path} is not {model.name}: its SHA-256 is {found}, not {model.sha256}")
        _loaded[model.sha256] = loader(path)
    held: T = _loaded[model.sha256]
    return held


def evict() -> None:
    """Let go of every loaded model: the next pass has other models and needs the memory."""
    _loaded.clear()
