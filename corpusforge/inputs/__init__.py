"""Raw inputs: which files a build reads, by what names, and their fingerprints."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

from corpusforge.inputs.chosen import kinds, listed
from corpusforge.inputs.places import Entry, InputError, entries
from corpusforge.slices import Input
from corpusforge.storage import opened, read_spans, state_of
from corpusforge.storage.addresses import is_remote, shown

__all__ = ["InputError", "fingerprint", "has_fingerprint", "resolve"]

BLOCK = 64 << 10
CHUNK = 1 << 20
BLOCKS = 16
"""A fingerprint covers the size and the first, the last and 14 evenly spaced blocks of 64 kB."""
AT_ONCE = 16
"""Remote inputs that are fingerprinted at once."""
TELL_SECONDS = 10.0

Say = Callable[[str], None]


def resolve(
    given: Sequence[str],
    suffixes: Sequence[str],
    say: Say,
    base: str | None = None,
    tell: Say = lambda line: None,
) -> tuple[Input, ...]:
    """The inputs behind files, folders, globs, URLs and lists, sorted by name and fingerprint, equal ones once.

    A file's name is relative to the folder it was given by, or to ``base`` where it lies there, else its base name.
    ``say`` gets one line for everything that is left out, ``tell`` a line now and then while many are looked at.
    """
    found = {(e.name, e.path): e for one in given for e in entries(one, suffixes, base, say)}
    for name, path in found:
        if name.encode(errors="replace").decode() != name:
            raise InputError(f"the name of input {path!r} is not UTF-8. Give the file another name")
    _tell_strangers([name for name, _ in sorted(found)], suffixes, say)
    inputs = list(_measured([found[key] for key in sorted(found)], tell))
    once: dict[str, Input] = {}
    for entry in sorted(inputs, key=lambda i: (i.name, i.fingerprint)):
        same = once.get(entry.fingerprint)
        if same and not _equal(entry, same):
            entry = replace(entry, fingerprint=_full_digest(entry.path))
        if entry.fingerprint in once:
            say(f"{shown(entry.path)} equals {shown(once[entry.fingerprint].path)} and is read once")
        else:
            once[entry.fingerprint] = entry
    _distinct_names(list(once.values()))
    return tuple(sorted(once.values(), key=lambda i: (i.name, i.fingerprint)))


def _tell_strangers(names: Sequence[str], suffixes: Sequence[str], say: Say) -> None:
    """Say which files were named although no source takes their endings."""
    strangers = [name for name in names if suffixes and not name.lower().endswith(tuple(suffixes))]
    if strangers:
        say(f"not {kinds(suffixes)}, and read all the same, as it was named: {listed(strangers)}")


def fingerprint(path: str, size: int) -> str:
    """Hex digest of the size and sixteen blocks of a file."""
    starts = sorted({max(0, (size - BLOCK) * n // (BLOCKS - 1)) for n in range(BLOCKS)})
    spans = [(start, min(start + BLOCK, size)) for start in starts]
    if size <= BLOCKS * BLOCK:
        (whole,) = read_spans(path, [(0, size)])
        blocks = [whole[start:end] for start, end in spans]
    else:
        blocks = read_spans(path, spans)
    digest = hashlib.sha256(str(size).encode())
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def has_fingerprint(path: str, size: int, expected: str) -> bool:
    """Whether a file is still the one of that fingerprint, or of that full digest where it is known by one."""
    return fingerprint(path, size) == expected or _full_digest(path) == expected


def _measured(found: Sequence[Entry], tell: Say) -> Iterator[Input]:
    if not any(is_remote(entry.path) for entry in found):
        yield from map(_input, found)
        return
    began = told = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, made in enumerate(pool.map(_input, found), start=1):
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                left = (told - began) / done * (len(found) - done)
                tell(f"looked at {done:,} of {len(found):,} inputs, about {left:.0f} s left")
            yield made


def _input(entry: Entry) -> Input:
    path = entry.path
    try:
        size, state = state_of(path) if entry.size is None else (entry.size, entry.state)
        if entry.digest and size != entry.bytes:
            raise InputError(f"{path} has {size} bytes and its manifest says {entry.bytes}. Run `corpusforge verify`")
        return Input(entry.name, path, size, entry.digest or fingerprint(path, size), state)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: OSError) -> InputError:
    if error.errno is None:
        return InputError(f"cannot read an input: {error}")
    return InputError(f"cannot read input {path}: {error.strerror or error}. Check its permissions")


def _equal(one: Input, other: Input) -> bool:
    return _full_digest(one.path) == _full_digest(other.path)


def _full_digest(path: str) -> str:
    """Digest of a whole file, for one that another equals in every block of its fingerprint."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _distinct_names(inputs: Sequence[Input]) -> None:
    for one, other in pairwise(inputs):
        if one.name == other.name:
            raise InputError(
                f"two inputs are named {one.name} and differ: {shown(one.path)} and {shown(other.path)}. "
                "Give the folder above them, so that their names differ"
            )
