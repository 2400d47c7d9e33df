"""Staging: token files copied once to a folder on disk, where they can be mapped, each under its digest."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path

from corpusforge.engine.unit import File
from corpusforge.storage import DRAFT, Store, StoreError, joined
from corpusforge.tokens.digests import DamagedError, Progress

CHUNK = 8 << 20
COPIES = 4
"""Files copied at once; each holds two ranges of 8 MB."""


def stage(
    store: Store, files: Sequence[File], folder: Path, listen: Progress = lambda done, total: None
) -> dict[str, Path]:
    """Copy what is not there yet; give where each file lies by its path in the store.

    A file takes its name, ``SHA256.ROLE``, when all of it is there and has that digest, so what an interrupted copy
    finished is not copied again. Of several processes the first one copies and the others wait. ``listen`` is called
    after each file. Raises ``DamagedError`` for other bytes, ``StoreError`` where there is too little space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {file.path: folder / f"{file.sha256}.{file.role}" for file in files}
    left = {places[file.path]: file for file in files if not _is_there(places[file.path], file)}
    if left:
        with _alone(folder):
            still = {place: file for place, file in left.items() if not _is_there(place, file)}
            _copy_all(store, still, folder, listen)
    return places


def _copy_all(store: Store, left: dict[Path, File], folder: Path, listen: Progress) -> None:
    done, total, free = 0, sum(file.bytes for file in left.values()), shutil.disk_usage(folder).free
    if total > free:
        raise StoreError(
            f"{folder} has {free / 1e9:,.1f} GB free; the tokens that are not there yet take {total / 1e9:,.1f} GB: "
            "free some space, or stage elsewhere"
        )
    with ThreadPoolExecutor(COPIES) as pool:
        copies = {pool.submit(_copy, store, file, place): file for place, file in left.items()}
        try:
            for copy in as_completed(copies):
                copy.result()
                done += copies[copy].bytes
                listen(done, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _copy(store: Store, file: File, place: Path) -> None:
    digest, target = hashlib.sha256(), Store(str(place.parent))
    place.unlink(missing_ok=True)  # it is there with another size, or not at all
    with suppress(FileExistsError), store.open(file.path) as source, target.create(place.name) as copy:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
        if digest.hexdigest() != file.sha256:
            raise DamagedError(
                f"{joined(store.root, file.path)} has the SHA-256 {digest.hexdigest()}, not {file.sha256} "
                "as its manifest says: it is damaged there. Delete it and its manifest, and build again"
            )


def _is_there(place: Path, file: File) -> bool:
    try:
        return place.stat().st_size == file.bytes
    except FileNotFoundError:
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which goes with its process; what was being copied when that died is taken away."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if _locked(lambda: fcntl.flock(handle, fcntl.LOCK_EX)):
            for draft in folder.glob(f".*{DRAFT}"):
                draft.unlink()
        yield
    finally:
        os.close(handle)


def _locked(lock: Callable[[], None]) -> bool:
    """Whether there is a lock: without one every process copies, and the first to finish a file wins."""
    try:
        lock()
    except OSError:
        return False
    return True
