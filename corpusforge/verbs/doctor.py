"""Look at this machine as a build would meet it: what is well, what is doubtful, what is wrong, each with its cure."""

import importlib
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from corpusforge.extract.by_corpusforge import EXTRACTOR
from corpusforge.job import NoCluster
from corpusforge.models.cache import Model
from corpusforge.parts import parts_in
from corpusforge.storage import Store, StoreError

State = Literal["ok", "warning", "error"]

WORKER_BYTES = 3 << 30
"""What a worker of the shipped recipes may take."""
SHARED_BYTES = 256 << 20
"""Ray's object store here has 100 MiB; with less shared memory than this Ray falls back to the disk."""
FREE_BYTES = 5 << 30
TEMPORARY_BYTES = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``cure`` says what to do about a state that is not ``ok``."""

    what: str
    state: State
    found: str
    cure: str = ""

    def line(self) -> str:
        return f"{self.state:8} {self.what}: {self.found}" + (f". {self.cure}" if self.cure else "")


def doctor(root: str | None = None, address: str | None = None, ray: bool = False) -> Iterator[Finding]:
    """Every finding in turn; ``ray`` starts a local Ray, ``root`` and ``address`` are those of a build."""
    yield _python()
    yield from _libraries()
    yield _memory()
    yield _shared()
    yield _free(Path(tempfile.gettempdir()), "temporary folder", TEMPORARY_BYTES)
    yield from _models()
    yield _ray(ray)
    if root is not None:
        yield from _root(root)
    if address is not None:
        yield from _cluster(address)


def _python() -> Finding:
    found, wanted = platform.python_version(), metadata("corpusforge")["Requires-Python"]
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Finding("python", "ok", f"{found}, {sys.executable}")
    return Finding("python", "error", f"{found}, and {wanted} is needed", "Make an environment with one of these")


def _libraries() -> Iterator[Finding]:
    """Every library that the installed package needs, against the bounds it states."""
    faults = []
    needed = [Requirement(line) for line in requires("corpusforge") or ()]
    core = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    for one in core:
        try:
            have = version(one.name)
        except PackageNotFoundError:
            faults.append(Finding(one.name, "error", "it is not installed", f"pip install '{one}'"))
            continue
        if not one.specifier.contains(have, prereleases=True):
            faults.append(Finding(one.name, "error", f"{have}, and {one.specifier} is needed", f"pip install '{one}'"))
    yield from faults or [Finding("libraries", "ok", f"all {len(core)} are here, in versions that fit")]


def _memory() -> Finding:
    cpus = len(os.sched_getaffinity(0))
    total, free = (_meminfo(name) for name in ("MemTotal", "MemAvailable"))
    limit = _cgroup_bytes()
    total, free = (min(total, limit), min(free, limit)) if limit else (total, free)
    found = f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB of it free, for {cpus} CPUs"
    if free >= cpus * WORKER_BYTES:
        return Finding("memory", "ok", found)
    fit = max(1, int(free // WORKER_BYTES))
    cure = f"A worker may take 3 GiB: build with --workers {fit}"
    return Finding("memory", "error" if free < WORKER_BYTES // 3 else "warning", found, cure)


def _shared() -> Finding:
    try:
        size = shutil.disk_usage("/dev/shm").total
    except OSError as error:
        return Finding(
            "shared memory", "warning", f"/dev/shm: {error.strerror}", "Ray will use the disk, which is slower"
        )
    found = f"/dev/shm has {size / 1e6:,.0f} MB"
    if size >= SHARED_BYTES:
        return Finding("shared memory", "ok", found)
    return Finding("shared memory", "warning", found, "In a container, start it with --shm-size=1g")


def _free(folder: Path, what: str, needed: int) -> Finding:
    usage = shutil.disk_usage(folder)
    found = f"{folder} has {usage.free / 1e9:,.1f} GB free"
    if usage.free >= needed:
        return Finding(what, "ok", found)
    return Finding(what, "warning", found, f"Free some space: under {needed / 1e9:.0f} GB builds may stop")


def _models() -> Iterator[Finding]:
    """Every model that a shipped stage names, or may be told to use, against its digest."""
    fixed = (getattr(part, "models", ()) for part in parts_in("corpusforge.stages").values())
    named: set[Model] = {EXTRACTOR, *(model for models in fixed if isinstance(models, tuple) for model in models)}
    for model in sorted(named, key=lambda m: m.name):
        try:
            right = sha256(model.file().read_bytes()).hexdigest() == model.sha256
            fault = "" if right else f"{model.file()} has another digest"
        except OSError as error:
            fault = f"{model.file()}: {error.strerror}"
        what = f"model {model.name}"
        if fault:
            yield Finding(what, "error", fault, "Install corpusforge anew")
        else:
            yield Finding(what, "ok", "its digest is the one named")


def _ray(start: bool) -> Finding:
    try:
        pool = importlib.import_module("corpusforge.ray_pool")
        more = " starts here" if start and pool.starts() else "; --ray tries to start it"
    except Exception as error:
        cure = "See /tmp/ray/session_latest/logs, or build with --pool serial"
        return Finding("ray", "error", f"it does not start: {' '.join(str(error).split())[:300]}", cure)
    return Finding("ray", "ok", f"{version('ray')}{more}")


def _root(root: str) -> Iterator[Finding]:
    store = Store(root)
    try:
        store.prove()
    except (StoreError, OSError) as error:
        yield Finding("root", "error", str(error))
        return
    yield Finding("root", "ok", f"{root} can be written, and the first writer of a name wins there")
    if store.on_disk:
        yield _free(Path(root), "disk", FREE_BYTES)


def _cluster(address: str) -> Iterator[Finding]:
    mode = os.environ.get("RAY_AUTH_MODE")
    token = os.environ.get("RAY_AUTH_TOKEN")
    where = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray/auth_token")
    if mode != "token":
        yield Finding("token mode", "error", f"RAY_AUTH_MODE is {mode or 'not set'}", "export RAY_AUTH_MODE=token")
    else:
        yield Finding("token mode", "ok", "RAY_AUTH_MODE=token")
    if token:
        yield Finding("token", "ok", "in RAY_AUTH_TOKEN")
    elif not where.is_file() or not where.stat().st_size:
        yield Finding("token", "error", f"there is none in {where}", "Copy it from the head of the cluster")
    elif stat.S_IMODE(where.stat().st_mode) & 0o077:
        yield Finding("token", "warning", f"others may read {where}", f"chmod 600 {where}")
    else:
        yield Finding("token", "ok", f"in {where}")
    yield _answers(address)


def _answers(address: str) -> Finding:
    try:
        importlib.import_module("corpusforge.ray_pool").prove_cluster(address)
    except NoCluster as error:
        return Finding("cluster", "error", str(error))
    return Finding("cluster", "ok", f"{address} answers, and takes what is here for a token")


def _meminfo(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _cgroup_bytes() -> int:
    """The memory limit of this container, 0 without one."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < 1 << 60:
            return int(text)
    return 0
