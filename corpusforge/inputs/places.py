"""Where inputs lie: a path, folder or glob, an object or a part of a store, a web address, a list of these."""

import fnmatch
import glob
import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from corpusforge.inputs.chosen import chosen, kinds
from corpusforge.inputs.earlier import KEPT, kept_files
from corpusforge.inputs.folders import files_below
from corpusforge.storage import joined, objects, opened
from corpusforge.storage.addresses import base_name, bucket_and_key, in_store, is_remote, on_web, shown

LIST_BYTES = 1 << 30
"""The longest list of inputs, unpacked; Common Crawl's have about 12 MB."""
GZIP = b"\x1f\x8b"
WILD = re.compile(r"[*?\[]")

Say = Callable[[str], None]


class InputError(ValueError):
    """An input cannot be read, or two inputs cannot be told apart."""


@dataclass(frozen=True)
class Entry:
    """An input that was found: its size and state if they are known, its digest and bytes if a manifest names it."""

    name: str
    path: str
    size: int | None = None
    state: str = ""
    digest: str = ""
    bytes: int = 0


def entries(given: str, suffixes: Sequence[str], base: str | None, say: Say) -> Iterator[Entry]:
    """What one ``--input`` means; ``base`` completes the relative lines of a list and shortens names."""
    base = str(Path(base)) if base and not is_remote(base) else base
    try:
        if given.startswith("@"):
            yield from _of_list(given[1:], suffixes, base, say)
        else:
            yield from (_named(entry, base) for entry in _entries(given, suffixes, say))
    except OSError as error:
        raise InputError(f"cannot read an input: {error}") from None


def _entries(given: str, suffixes: Sequence[str], say: Say) -> Iterator[Entry]:
    if KEPT in suffixes and not on_web(given) and (made := _of_corpus(given)):
        return iter(made)
    if in_store(given):
        return _in_store(given, suffixes, say)
    if on_web(given):
        return iter([_on_web(given)])
    if "://" in given:
        raise InputError(f"{given}: inputs are paths or begin with s3://, gs://, az://, https:// or http://")
    return _on_disk(given, suffixes, say)


def _of_list(address: str, suffixes: Sequence[str], base: str | None, say: Say) -> Iterator[Entry]:
    if not is_remote(address) and not Path(address).is_file():
        raise InputError(f"there is no list of inputs {address}. Check the path after the @")
    empty = True
    for number, line in enumerate(_lines(address), start=1):
        place = line.strip()
        if not place or place.startswith("#"):
            continue
        empty = False
        if place.startswith("@"):
            raise InputError(f"{shown(address)}, line {number}: a list names no other list: {place}")
        if base and not is_remote(place) and not place.startswith("/"):
            place = joined(base, place)
        if is_remote(place) and not place.endswith("/") and (on_web(place) or not WILD.search(place)):
            yield _named(Entry(base_name(place), place), base)
            continue
        try:
            yield from [_named(entry, base) for entry in _entries(place, suffixes, say)]
        except InputError as error:
            raise InputError(f"{shown(address)}, line {number}: {error}") from None
    if empty:
        raise InputError(f"the list {shown(address)} names no input")


def _lines(address: str) -> list[str]:
    with opened(address) as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        try:
            data = (gzip.open(file) if packed else file).read(LIST_BYTES + 1)  # noqa: SIM115  (``file`` is closed)
            text = data.decode("utf-8-sig")
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise InputError(f"the list {shown(address)} cannot be read as UTF-8 lines: {error}") from None
    if len(data) > LIST_BYTES:
        raise InputError(f"the list {shown(address)} has over {LIST_BYTES} bytes. Is it a list?")
    return text.splitlines()


def _named(entry: Entry, base: str | None) -> Entry:
    """The entry under its name below ``base``, if it lies there."""
    if base is None or entry.digest:
        return entry
    if is_remote(base):
        above = f"{base.rstrip('/')}/"
        path = entry.path.partition("?")[0] if on_web(entry.path) else entry.path
        return replace(entry, name=path[len(above) :]) if path.startswith(above) else entry
    there, folder = Path(entry.path), Path(base)
    below = there.is_absolute() == folder.is_absolute() and there.is_relative_to(folder)
    return replace(entry, name=str(there.relative_to(folder))) if below and not is_remote(entry.path) else entry


def _of_corpus(given: str) -> list[Entry]:
    try:
        return [Entry(name, path, digest=file.sha256, bytes=file.bytes) for name, path, file in kept_files(given)]
    except ValueError as error:
        raise InputError(str(error)) from None


def _in_store(given: str, suffixes: Sequence[str], say: Say) -> Iterator[Entry]:
    bucket, key = bucket_and_key(given)
    if key and not given.endswith("/"):
        try:
            whole = objects.found(given)
        except FileNotFoundError:
            pass
        else:
            yield Entry(base_name(given), given, whole.size, whole.state)
            return
    wild = WILD.search(key)
    folder = key[: key.rfind("/", 0, wild.start()) + 1] if wild else key.rstrip("/")
    every = sorted(objects.listed(f"{bucket}/{folder}"))
    above = len(folder) + 1 if folder else 0
    if wild:
        taken = [one for one in every if _matches(one.key, key)]
    else:
        inputs = set(chosen(given, [one.key[above:] for one in every], suffixes, say))
        taken = [one for one in every if one.key[above:] in inputs]
    if not taken:
        raise InputError(f"no input {given}: the store has no such object, and no match below it. Check the address")
    for one in taken:
        name = one.key.rpartition("/")[2] if wild else one.key[above:]
        yield Entry(name, f"{bucket}/{one.key}", one.size, one.state)


def _matches(key: str, pattern: str) -> bool:
    """Whether a key matches a glob: ``*``, ``?`` and ``[…]`` stay within a name, ``**`` stands for any folders."""
    names, parts = key.split("/"), pattern.split("/")
    return _match(names, parts)


def _match(names: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_match(names[n:], parts[1:]) for n in range(len(names) + 1)) or len(parts) == 1
    return bool(names) and fnmatch.fnmatchcase(names[0], parts[0]) and _match(names[1:], parts[1:])


def _on_web(given: str) -> Entry:
    name = base_name(given)
    if not name or given.endswith("/") or "*" in name:
        raise InputError(f"{shown(given)}: a web server lists nothing. Name each file, or give a list: @list.txt")
    return Entry(name, given)


def _on_disk(given: str, suffixes: Sequence[str], say: Say) -> Iterator[Entry]:
    path = Path(given)
    if path.is_dir():
        yield from _in_folder(path, given, suffixes, say)
    elif path.is_file():
        yield Entry(path.name, str(path))
    else:
        matched = [Path(p) for p in sorted(glob.glob(given, recursive=True))]
        # ``**`` gives what lies in a folder beside the folder, and under links; other globs mean what they match.
        files = [p for p in matched if not p.is_dir()]
        folders = [] if "**" in given else [p for p in matched if p.is_dir()]
        if not files and not folders:
            raise InputError(f"no input {given}: there is no such file, folder or match. Check the path")
        for file in files:
            if not file.exists():
                raise InputError(f"input {file} is a link to nothing. Mend it or take it away")
            yield Entry(file.name, str(file))
        for folder in folders:
            try:
                yield from _in_folder(folder, str(folder), suffixes, say)
            except InputError as error:
                if len(matched) == 1:
                    raise
                say(str(error))


def _in_folder(path: Path, given: str, suffixes: Sequence[str], say: Say) -> Iterator[Entry]:
    every = sorted(p.relative_to(path) for p in files_below(path))
    taken = chosen(given, [p.as_posix() for p in every], suffixes, say)
    if not taken:
        raise InputError(f"no {kinds(suffixes)} file in folder {given} ({len(every)} other files)")
    yield from (Entry(name, str(path / name)) for name in taken)
