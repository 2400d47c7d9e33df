"""What a worker tells about itself while it lives, and what can be read when it has died.

A Python signal handler cannot interrupt C code and a segmentation fault leaves no exception, so a worker writes which
record it is at into a small file of its attempt. Faults and what native libraries print on their way down go to a file
beside it. A watchdog thread ends a process that spends far more CPU time on one record than admitted pages need.
"""

import faulthandler
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

CPU_SECONDS = 120.0
"""CPU time one record may take before the watchdog ends the worker; admitted pages take well under 10 s."""
PLACE_BYTES = 8192
TELLING = ("memory allocation", "bad_alloc", "Fatal Python error", "Segmentation", "SIGSEGV", "SIGABRT", "panicked")
"""What the line that names a fault has in it."""
FAULT_BYTES = 1 << 16


@dataclass
class Mark:
    """The open files of one attempt: where it is, and what it said when it fell."""

    path: Path
    handle: int
    since: float = field(default_factory=time.process_time)
    place: str = ""

    def at(self, place: str) -> None:
        self.place, self.since = place, time.process_time()
        os.pwrite(self.handle, place.encode()[:PLACE_BYTES].ljust(PLACE_BYTES), 0)


_mark: Mark | None = None


def at(place: str) -> None:
    """Say that the record named ``place`` is about to be handled; ``""`` says that no single record is."""
    if _mark:
        _mark.at(place)


@contextmanager
def watched(path: Path, cpu_seconds: float = CPU_SECONDS) -> Iterator[None]:
    """Run an attempt under the guard; its two files stay only if the process dies inside."""
    global _mark
    path.parent.mkdir(parents=True, exist_ok=True)
    fault = path.with_suffix(".fault")
    reset_peak()
    handle = os.open(path, os.O_CREAT | os.O_RDWR)
    fault_handle = os.open(fault, os.O_CREAT | os.O_RDWR | os.O_APPEND)
    kept = os.dup(2)
    os.dup2(fault_handle, 2)
    faulthandler.enable(fault_handle, all_threads=False)
    _mark = Mark(path, handle)
    over = threading.Event()
    threading.Thread(target=_watch, args=(_mark, cpu_seconds, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        _mark = None
        faulthandler.disable()
        os.dup2(kept, 2)
        for open_handle in (handle, fault_handle, kept):
            os.close(open_handle)
        for name in (path, fault):
            with suppress(FileNotFoundError):
                name.unlink()


def _watch(mark: Mark, cpu_seconds: float, over: threading.Event) -> None:
    while not over.wait(1.0):
        if mark.place and time.process_time() - mark.since > cpu_seconds:
            os.write(2, b"too_dear\n")
            os._exit(86)


@dataclass(frozen=True)
class Death:
    """How a worker died: at which record (``""`` = at none), and what it said."""

    place: str
    said: str

    @property
    def too_dear(self) -> bool:
        return self.said.startswith("too_dear")

    @property
    def own_fault(self) -> bool:
        """Whether the process fell by itself, not by a kill from outside."""
        return self.too_dear or "Fatal Python error" in self.said or "Aborted" in self.said

    def cause(self) -> str:
        where = f" at record {self.place}" if self.place else ""
        if self.too_dear:
            return f"the CPU guard ended the worker{where}: it spent over {CPU_SECONDS:.0f} s of CPU time on one record"
        if "memory allocation" in self.said or "bad_alloc" in self.said or "out of memory" in self.said.lower():
            return f"out of memory{where}: a native library aborted under the worker's memory limit: {self._first()}"
        if "Fatal Python error: Aborted" in self.said:
            return f"a native library aborted{where}, most often out of memory: {self._first()}"
        if self.said:
            return f"the worker crashed{where}: {self._first()}"
        return f"the worker was killed{where} (SIGKILL: an operator, the node, or the kernel out of memory)"

    def _first(self) -> str:
        """The line that names the fault, and the two innermost places in Python."""
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        telling = [line for line in lines if any(word in line for word in TELLING)]
        stack = [line for line in lines if line.startswith("File ")]
        return " ".join([*(telling or lines)[:1], *stack[:2]])


def left(path: Path) -> Death | None:
    """What the attempt with the mark file ``path`` left, tidied away; None if it never began."""
    return death(path) if path.exists() else None


def death(path: Path) -> Death:
    """Read what the attempt with the mark file ``path`` left when its process died, and tidy it away."""
    fault = path.with_suffix(".fault")
    place = said = ""
    with suppress(FileNotFoundError):
        place = path.read_bytes()[:PLACE_BYTES].decode(errors="replace").strip()
        said = fault.read_bytes()[:FAULT_BYTES].decode(errors="replace").strip()
    for name in (path, fault):
        with suppress(FileNotFoundError):
            name.unlink()
    return Death(place, said)


def limit_memory(more_bytes: int) -> None:
    """Let this process's data grow by ``more_bytes`` over what it holds now; beyond that, allocations fail.

    RLIMIT_DATA, not RLIMIT_AS: a Ray worker maps gigabytes that it never touches.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _status_bytes("VmData") + more_bytes
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    global _allowed, _resident
    _allowed, _resident = more_bytes, _status_bytes("VmRSS")


_allowed = 0
_resident = 0
NEAR = 0.7
"""Share of the allowed memory from which a failure is told with how near the limit the worker came."""


def reset_peak() -> None:
    """Forget the peak of resident memory, so that the next one is this attempt's."""
    with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def memory_note() -> str:
    """How near its memory limit the worker came, in words, if it came near; lxml calls that a syntax error."""
    used = _status_bytes("VmHWM") - _resident
    if not _allowed or used < NEAR * _allowed:
        return ""
    return f" [most likely out of memory: the worker took {used >> 20} of the {_allowed >> 20} MiB it may take]"


def memory_is_short() -> bool:
    """Whether less than half of the memory this worker may take is left; never where there is no limit."""
    if not _allowed:
        return False
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return soft - _status_bytes("VmData") < _allowed // 2


def _status_bytes(name: str) -> int:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0
