"""Every file below a folder, through links too; what cannot be looked at is an error, never passed over."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Files below a folder, in no order; a link to a folder above itself is not followed, since its files are there.

    Raises ``OSError`` for a folder that cannot be read and for a link that leads nowhere.
    """
    waiting = [(folder, frozenset({_identity(folder)}))]
    while waiting:
        here, above = waiting.pop()
        with os.scandir(here) as entries:
            found = [(Path(entry.path), entry.is_dir(), entry.is_symlink()) for entry in entries]
        for path, is_folder, is_link in found:
            if is_folder:
                identity = _identity(path)
                if identity not in above:
                    waiting.append((path, above | {identity}))
            elif path.is_file():
                yield path
            elif is_link and not path.exists():
                raise FileNotFoundError(f"{path} is a link to nothing. Mend it or take it away")


def _identity(folder: Path) -> tuple[int, int]:
    """Device and number: the same for every path to a folder."""
    state = os.stat(folder)
    return state.st_dev, state.st_ino
