"""The one door to bytes: local disks, object stores and, for reading, web servers.

A name is a ``/``-separated path below the store's root. A file appears whole under its name or not at all, and no
file is ever replaced: whoever creates a name first has written it.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from corpusforge.storage import objects, web
from corpusforge.storage.addresses import in_store, is_remote, joined, on_web, parted
from corpusforge.storage.failures import Changed, StoreError, Unwritable
from corpusforge.storage.local import DRAFT, Local, Stored
from corpusforge.storage.objects import Objects
from corpusforge.storage.remote import Ranges, fetch_all, reader

__all__ = ["DRAFT", "Changed", "Store", "StoreError", "Stored", "Unwritable"]
__all__ += ["joined", "opened", "parted", "read_spans", "state_of"]

READERS = 32
"""Small files of an object store that are read at once."""


@dataclass(frozen=True)
class Store:
    """A folder of files that are written once; ``root`` is a path, or ``s3://``, ``gs://`` or ``az://``."""

    root: str

    @property
    def _files(self) -> Local | Objects:
        if on_web(self.root):
            raise StoreError(f"{self.root} cannot be a root: nothing can be written there")
        return Objects(self.root) if in_store(self.root) else Local(self.root)

    @property
    def on_disk(self) -> bool:
        """Whether every machine that uses the store sees it as a folder."""
        return not is_remote(self.root)

    def prove(self) -> None:
        """Raise ``StoreError`` unless the first writer of a name wins here."""
        self._files.prove()

    def path(self, name: str) -> Path:
        """Where ``name`` lies on disk."""
        files = self._files
        if isinstance(files, Objects):
            raise StoreError(f"{joined(self.root, name)} is not on a disk")
        return files.path(self._checked(name))

    def scratch(self, name: str) -> Path:
        """Where this machine may write a file bit by bit: below the root, or beside it if that is not on a disk."""
        if self.on_disk:
            return self.path(name)
        mark = hashlib.sha256(self.root.encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"corpusforge-{os.getuid()}", mark, self._checked(name))

    def open(self, name: str) -> BinaryIO:
        """A seekable file for reading."""
        return self._files.open(self._checked(name))

    def read(self, name: str) -> bytes:
        return self._files.read(self._checked(name))

    def read_each(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """The contents of small files in the order of their names; None for one that is not there."""
        if self.on_disk or len(names) == 1:
            yield from map(self._read_or_none, names)
            return
        with ThreadPoolExecutor(READERS) as pool:
            for first in range(0, len(names), 64 * READERS):
                yield from pool.map(self._read_or_none, names[first : first + 64 * READERS])

    def _read_or_none(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return self.read(name)
        return None

    def exists(self, name: str) -> bool:
        return self._files.exists(self._checked(name))

    def size(self, name: str) -> int:
        return self._files.size(self._checked(name))

    def names(self, folder: str, drafts: bool = False) -> list[str]:
        """Names of the files right in ``folder``, sorted, drafts only if asked for; no folder is an empty folder."""
        return self._files.names(self._checked(folder), drafts)

    def folders(self, folder: str) -> list[str]:
        """Names of the folders right in ``folder``, sorted."""
        return self._files.folders(self._checked(folder))

    def walk(self, folder: str) -> Iterator[Stored]:
        """Every file below ``folder``, drafts too, in no order."""
        return self._files.walk(self._checked(folder))

    def delete(self, name: str) -> None:
        """Take a file away, if it is there; a folder on disk that is empty then goes with it."""
        self._files.delete(self._checked(name))

    def create(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Write a new file; it takes its name when the block ends without an error.

        Raises ``FileExistsError`` if the name is taken by then; the other file stays as it is.
        """
        return self._files.create(self._checked(name))

    def put_if_absent(self, name: str, data: bytes) -> bool:
        """Write ``data`` under ``name`` unless the name is taken; say whether this call wrote it."""
        return self._files.put_if_absent(self._checked(name), data)

    def _checked(self, name: str) -> str:
        """The name, which never leaves the root."""
        if name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name!r} is not a name below {self.root}")
        return name


def opened(path: str) -> BinaryIO:
    """A raw input, seekable, for reading."""
    if not is_remote(path):
        return open(path, "rb")
    ranges = _ranges(path)
    if isinstance(ranges, web.WebRanges) and not ranges.ranged:
        return ranges.spooled()
    return reader(ranges)


def state_of(path: str) -> tuple[int, str]:
    """Bytes of a raw input, and a mark that changes when the file does."""
    if is_remote(path):
        ranges = _ranges(path)
        return ranges.size, ranges.state
    found = os.stat(path)
    return found.st_size, f"{found.st_size}-{found.st_mtime_ns}"


def read_spans(path: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
    """Bytes ``start <= n < end`` of several spans of a raw input, cut off at its end."""
    ranges = _ranges(path) if is_remote(path) else None
    if ranges is None or (isinstance(ranges, web.WebRanges) and not ranges.ranged):
        with opened(path) as file:
            return [file.read(end - start) for start, end in spans if file.seek(start) == start]
    inside = [(min(start, ranges.size), min(end, ranges.size)) for start, end in spans]
    return fetch_all(ranges, inside)


def _ranges(path: str) -> Ranges:
    return web.found(path) if on_web(path) else objects.found(path)
