"""The one door to bytes: local disk, by the standard library.

A name is a ``/``-separated path below the store's root. A file appears whole under its name or not at all, and no
file is ever replaced: whoever creates a name first has written it.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO


@dataclass(frozen=True)
class Store:
    """A folder of files that are written once."""

    root: str

    def path(self, name: str) -> Path:
        """Where ``name`` lies; a name never leaves the root."""
        if name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name!r} is not a name below {self.root}")
        return Path(self.root, name)

    def open(self, name: str) -> BinaryIO:
        """A seekable file for reading."""
        return self.path(name).open("rb")

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def exists(self, name: str) -> bool:
        return self.path(name).exists()

    def size(self, name: str) -> int:
        return self.path(name).stat().st_size

    def names(self, folder: str, drafts: bool = False) -> list[str]:
        """Names of the files right in ``folder``, sorted, drafts only if asked for; no folder is an empty folder."""
        try:
            entries = list(os.scandir(self.path(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(e.name for e in entries if e.is_file() and (drafts or not e.name.endswith(DRAFT)))

    def folders(self, folder: str) -> list[str]:
        """Names of the folders right in ``folder``, sorted."""
        try:
            entries = list(os.scandir(self.path(folder) if folder else self.root))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(e.name for e in entries if e.is_dir())

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """Write a new file; it takes its name when the block ends without an error.

        Raises ``FileExistsError`` if the name is taken by then; the other file stays as it is.
        """
        final = self.path(name)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft = final.with_name(f".{final.name}.{uuid.uuid4().hex[:12]}{DRAFT}")
        try:
            with draft.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, final)
            _sync_folder(final.parent)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()

    def put_if_absent(self, name: str, data: bytes) -> bool:
        """Write ``data`` under ``name`` unless the name is taken; say whether this call wrote it."""
        if self.exists(name):
            return False
        try:
            with self.create(name) as file:
                file.write(data)
        except FileExistsError:
            return False
        return True


def opened(path: str) -> BinaryIO:
    """A raw input, seekable, for reading."""
    return open(path, "rb")


def state_of(path: str) -> tuple[int, str]:
    """Bytes of a raw input, and a mark that changes when the file does."""
    found = os.stat(path)
    return found.st_size, f"{found.st_size}-{found.st_mtime_ns}"


DRAFT = ".part"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
