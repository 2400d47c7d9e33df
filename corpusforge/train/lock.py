"""A run is trained once at a time: its first worker holds a lock on its folder, which ends with the process."""

import fcntl
import os
import socket
import time
from pathlib import Path

NAME = ".lock"
PATIENCE_SECONDS = 20.0
"""How long a lock is waited for: workers that were killed, or that Ray starts again, may still be dying."""


class Held(ValueError):
    """Another process trains the run; the message says which."""


class RunLock:
    """Held until the end of a ``with`` block, or of the process.

    Raises ``Held`` naming the holder. On a file system without locks there is none, and nothing is said.
    """

    def __init__(self, folder: Path) -> None:
        self._file = open(folder / NAME, "a+")  # noqa: SIM115  (open as long as the run)
        ended = time.monotonic() + PATIENCE_SECONDS
        while not self._taken():
            if time.monotonic() > ended:
                self._file.seek(0)
                holder = self._file.read().strip() or "another process"
                self._file.close()
                raise Held(f"{folder} is being trained by {holder}: let it end or stop it, or name another run")
            time.sleep(0.2)
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}")
        self._file.flush()

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def __enter__(self) -> None:
        """Is held since it was made."""

    def __exit__(self, *error: object) -> None:
        self._file.close()


def check_free(folder: Path) -> None:
    """Raise ``Held`` where a run is being trained."""
    if (folder / NAME).exists():
        with RunLock(folder):
            return
