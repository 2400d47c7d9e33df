"""Files on local disks, by the standard library: written aside, synced, and linked to their names."""

import errno
import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from corpusforge.storage.failures import StoreError, Unwritable, writing

DRAFT = ".part"


class Stored(NamedTuple):
    """A file of a store: its name below the root, its bytes, and when it was written, in seconds since 1970."""

    name: str
    bytes: int
    written: float


class Draft(io.FileIO):
    """A file that is written aside, for writing only; says where and why it cannot be."""

    def write(self, data: Any) -> int:
        with writing(os.fsdecode(self.name)):
            return super().write(data)


@dataclass(frozen=True)
class Local:
    """A folder on disk."""

    root: str

    def prove(self) -> None:
        """Raise ``StoreError`` unless files can be written and linked here; a link fails where its name is taken."""
        name = f".probe-{uuid.uuid4().hex}"
        try:
            with self.create(name) as file:
                file.write(b"first")
        except Unwritable:
            raise
        except OSError as error:
            links = error.errno in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
            cure = "Choose a file system that has hard links" if links else "Choose another place"
            raise StoreError(f"{self.root} cannot be a root: {error.strerror or error}. {cure}") from None
        self.path(name).unlink()

    def path(self, name: str) -> Path:
        """Where ``name`` lies."""
        return Path(self.root, name)

    def open(self, name: str) -> BinaryIO:
        return self.path(name).open("rb")

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def exists(self, name: str) -> bool:
        return self.path(name).exists()

    def size(self, name: str) -> int:
        return self.path(name).stat().st_size

    def names(self, folder: str, drafts: bool = False) -> list[str]:
        try:
            entries = list(os.scandir(self.path(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(e.name for e in entries if e.is_file() and (drafts or not e.name.endswith(DRAFT)))

    def folders(self, folder: str) -> list[str]:
        try:
            entries = list(os.scandir(self.path(folder) if folder else self.root))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(e.name for e in entries if e.is_dir())

    def walk(self, folder: str) -> Iterator[Stored]:
        for above, _, names in os.walk(self.path(folder)):
            for name in names:
                path = Path(above, name)
                with suppress(FileNotFoundError):
                    found = path.stat()
                    yield Stored(str(path.relative_to(self.root)), found.st_size, found.st_mtime)

    def delete(self, name: str) -> None:
        path = self.path(name)
        with suppress(FileNotFoundError):
            path.unlink()
        with suppress(OSError):  # the first folder that is not empty, or not there, ends it
            for folder in path.relative_to(self.root).parents[:-1]:
                Path(self.root, folder).rmdir()

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        final = self.path(name)
        draft = final.with_name(f".{final.name}.{uuid.uuid4().hex[:12]}{DRAFT}")
        with writing(str(final)):
            final.parent.mkdir(parents=True, exist_ok=True)
            raw = Draft(draft, "x")
        try:
            with io.BufferedWriter(raw) as file:
                yield file
                with writing(str(final)):
                    file.flush()
                    os.fsync(file.fileno())
            with writing(str(final)):
                os.link(draft, final)
                _sync_folder(final.parent)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()

    def put_if_absent(self, name: str, data: bytes) -> bool:
        if self.exists(name):
            return False
        try:
            with self.create(name) as file:
                file.write(data)
        except FileExistsError:
            return False
        return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
