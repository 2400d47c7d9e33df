"""Raw inputs: which files a build reads, by what names, and their fingerprints."""

import filecmp
import glob
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from corpusforge.sources import Input

BLOCK = 64 << 10
BLOCKS = 16
"""A fingerprint covers the size and the first, the last and 14 evenly spaced blocks of 64 kB."""


class InputError(ValueError):
    """An input cannot be read, or two inputs cannot be told apart."""


def resolve(given: Sequence[str], suffixes: Sequence[str], say: Callable[[str], None]) -> tuple[Input, ...]:
    """The inputs behind files, folders and globs, sorted by name and fingerprint, equal ones once.

    A file's name is relative to the folder it was given by, else its base name. ``say`` gets one line for everything
    that is left out.
    """
    found = sorted({entry for one in given for entry in _entries(one, suffixes, say)})
    for name, path in found:
        if name.encode(errors="replace").decode() != name:
            raise InputError(f"the name of input {path!r} is not UTF-8. Give the file another name")
    inputs = [Input(name, path, Path(path).stat().st_size, fingerprint(path)) for name, path in found]
    once: dict[str, Input] = {}
    for entry in sorted(inputs, key=lambda i: (i.name, i.fingerprint)):
        same = once.get(entry.fingerprint)
        if same and not filecmp.cmp(entry.path, same.path, shallow=False):
            entry = replace(entry, fingerprint=_full_digest(entry.path))
        if entry.fingerprint in once:
            say(f"{entry.path} equals {once[entry.fingerprint].path} and is read once")
        else:
            once[entry.fingerprint] = entry
    _distinct_names(list(once.values()))
    return tuple(sorted(once.values(), key=lambda i: (i.name, i.fingerprint)))


def fingerprint(path: str) -> str:
    """Hex digest of the size and sixteen blocks of a file."""
    size = Path(path).stat().st_size
    starts = sorted({max(0, (size - BLOCK) * n // (BLOCKS - 1)) for n in range(BLOCKS)})
    digest = hashlib.sha256(str(size).encode())
    try:
        with open(path, "rb") as file:
            for start in starts:
                file.seek(start)
                digest.update(file.read(BLOCK))
    except OSError as error:
        raise InputError(f"cannot read input {path}: {error.strerror}. Check its permissions") from None
    return digest.hexdigest()


def _full_digest(path: str) -> str:
    """Digest of a whole file, for one that another equals in every block of its fingerprint."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entries(given: str, suffixes: Sequence[str], say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    path = Path(given)
    if path.is_dir():
        every = sorted(p for p in path.rglob("*") if p.is_file())
        taken = [p for p in every if p.name.endswith(tuple(suffixes))]
        if not taken:
            raise InputError(f"no {' or '.join(suffixes)} file in folder {given} ({len(every)} other files)")
        if len(every) > len(taken):
            others = len(every) - len(taken)
            say(f"{given}: {others} other file{'s' * (others > 1)} left out (not {' or '.join(suffixes)})")
        yield from ((str(p.relative_to(path)), str(p)) for p in taken)
    elif path.is_file():
        yield path.name, str(path)
    else:
        matched = sorted(p for p in glob.glob(given, recursive=True) if Path(p).is_file())
        if not matched:
            raise InputError(f"no input {given}: there is no such file, folder or match. Check the path")
        yield from ((Path(p).name, p) for p in matched)


def _distinct_names(inputs: Sequence[Input]) -> None:
    for one, other in pairwise(inputs):
        if one.name == other.name:
            raise InputError(
                f"two inputs are named {one.name} and differ: {one.path} and {other.path}. "
                "Give the folder above them, so that their names differ"
            )
