"""Raw inputs: which files a build reads, by what names, and their fingerprints."""

import glob
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from corpusforge.sources import Input
from corpusforge.storage import opened, state_of

BLOCK = 64 << 10
CHUNK = 1 << 20
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
    inputs = [_input(name, path) for name, path in found]
    once: dict[str, Input] = {}
    for entry in sorted(inputs, key=lambda i: (i.name, i.fingerprint)):
        same = once.get(entry.fingerprint)
        if same and not _equal(entry, same):
            entry = replace(entry, fingerprint=_full_digest(entry.path))
        if entry.fingerprint in once:
            say(f"{entry.path} equals {once[entry.fingerprint].path} and is read once")
        else:
            once[entry.fingerprint] = entry
    _distinct_names(list(once.values()))
    return tuple(sorted(once.values(), key=lambda i: (i.name, i.fingerprint)))


def _input(name: str, path: str) -> Input:
    try:
        size, state = state_of(path)
        return Input(name, path, size, fingerprint(path, size), state)
    except OSError as error:
        raise InputError(f"cannot read input {path}: {error.strerror or error}. Check its permissions") from None


def fingerprint(path: str, size: int) -> str:
    """Hex digest of the size and sixteen blocks of a file."""
    starts = sorted({max(0, (size - BLOCK) * n // (BLOCKS - 1)) for n in range(BLOCKS)})
    digest = hashlib.sha256(str(size).encode())
    with opened(path) as file:
        for start in starts:
            file.seek(start)
            digest.update(file.read(BLOCK))
    return digest.hexdigest()


def _equal(one: Input, other: Input) -> bool:
    return _full_digest(one.path) == _full_digest(other.path)


def _full_digest(path: str) -> str:
    """Digest of a whole file, for one that another equals in every block of its fingerprint."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _entries(given: str, suffixes: Sequence[str], say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    path = Path(given)
    if path.is_dir():
        every = sorted(p for p in path.rglob("*") if p.is_file())
        taken = [p for p in every if p.name.lower().endswith(tuple(suffixes))]
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
