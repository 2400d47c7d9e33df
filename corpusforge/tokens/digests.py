"""Digests of token files: taken while their ids are looked through, kept beside them, compared with what is there."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

CHUNK = 8 << 20
"""Bytes read at once; a whole number of ids of any type."""
SETTLED_SECONDS = 2.0
"""Some file systems count time in steps as long: a file that changed since then may change again with no other mark."""
THREADS = 8

Progress = Callable[[int, int], None]
"""Called with the bytes that are done and those there are in all."""


class DamagedError(ValueError):
    """A file does not hold the bytes that its manifest names."""


@dataclass(frozen=True)
class Content:
    """What a file of token ids holds: its SHA-256, and its smallest and largest id, 0 and 0 if it is empty."""

    sha256: str
    smallest: int
    largest: int


def content_of(path: Path, dtype: np.dtype[Any]) -> Content:
    """The content of a file of ids, read through once, at about 1 GB a second.

    It is kept in ``PATH.content.json`` with the file's size and times of change, and taken from there while these are
    the same; where nothing can be written it is found anew every time.
    """
    kept, state = path.with_name(f"{path.name}.content.json"), _state(path)
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(kept.read_bytes())
        if found["state"] == state:
            return Content(**found["content"])
    begun = time.time()
    content = _read_through(path, dtype)
    if _state(path) != state:
        raise DamagedError(f"{path} changed while it was read: let its writer finish, and begin again")
    if begun - path.stat().st_mtime > SETTLED_SECONDS:
        _keep(kept, {"state": state, "content": asdict(content)})
    return content


def prove(files: Sequence[tuple[Path, str]], listen: Progress = lambda done, total: None) -> None:
    """Raise ``DamagedError`` for the first of the files, with the SHA-256 of each, that holds other bytes.

    Several are read at once; ``listen`` is called after each.
    """
    sizes = [path.stat().st_size for path, _ in files]
    done, total = 0, sum(sizes)
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for (path, expected), size, found in zip(files, sizes, _digests(pool, files), strict=True):
            if found != expected:
                pool.shutdown(wait=False, cancel_futures=True)
                raise DamagedError(
                    f"{path} has the SHA-256 {found}, not {expected}, with which it was written: "
                    "copy it anew, or delete it and stage or build it again"
                )
            done += size
            listen(done, total)


def _digests(pool: ThreadPoolExecutor, files: Sequence[tuple[Path, str]]) -> Iterator[str]:
    return pool.map(file_digest, (path for path, _ in files))


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_through(path: Path, dtype: np.dtype[Any]) -> Content:
    digest, low, high = hashlib.sha256(), [], []
    buffer = memoryview(bytearray(CHUNK))
    with path.open("rb", buffering=0) as file:
        while held := _fill(file, buffer):
            digest.update(buffer[:held])
            ids = np.frombuffer(buffer[: held - held % dtype.itemsize], dtype)
            low.append(int(ids.min()))
            high.append(int(ids.max()))
    return Content(digest.hexdigest(), min(low, default=0), max(high, default=0))


def _fill(file: Any, buffer: memoryview) -> int:
    """Read until the buffer is full or the file ends; give the bytes that are in it."""
    held = 0
    while held < len(buffer) and (count := file.readinto(buffer[held:])):
        held += count
    return held


def _state(path: Path) -> list[int]:
    """Size and times of change; the second one cannot be set back."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _keep(path: Path, value: Any) -> None:
    draft = path.with_name(f".{path.name}.{uuid4().hex[:12]}.part")
    with suppress(OSError):
        draft.write_text(json.dumps(value))
        draft.replace(path)
