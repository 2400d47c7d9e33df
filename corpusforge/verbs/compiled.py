"""Machine code for this machine, made once after an installation, before the first build.

Compiled functions are kept beside the package by numba. Without them every worker would compile what it needs, at the
same time as the others and in silence.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import llvmlite.binding  # type: ignore[import-untyped]
import numba

from corpusforge.text.canonical import sha256

PACKAGE = Path(__file__).parents[1]
PAGES, RECIPES = 24, ("web_multi", "web_ja")
"""Demo pages and recipes of the builds that are made for it."""
UNDER_WAY = "CORPUSFORGE_COMPILING"


def make_compiled(say: Callable[[str], None]) -> None:
    """Compile what is not compiled yet, in a process of its own; a failure is left to the build to meet."""
    if UNDER_WAY in os.environ or any(stamp.exists() for stamp in _stamps()):
        return
    say("compiling for this machine, once after an installation (about half a minute) ...")
    command = [sys.executable, "-m", "corpusforge.verbs.compiled"]
    subprocess.run(command, env={**os.environ, UNDER_WAY: "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _stamps() -> list[Path]:
    """Where it is noted that all is compiled: where numba keeps its files, or in the user's cache."""
    places = (numba.config.CACHE_DIR or PACKAGE / "__pycache__", Path.home() / ".cache" / "corpusforge")
    return [Path(place) / f"compiled-{_key()}" for place in places]


@cache
def _key() -> str:
    """Another one for other code, another numba or another processor."""
    sources = (path.read_bytes() for path in sorted(PACKAGE.rglob("*.py")))
    code = b"".join(sha256(source).encode() for source in sources if b"njit" in source or b".kernels" in source)
    machine = (numba.__version__, llvmlite.binding.get_host_cpu_name(), str(numba.config.CPU_NAME), sys.version)
    return sha256(code + "\n".join(machine).encode())[:16]


def delete_machine_code(folder: Path) -> None:
    """Delete what numba keeps in a folder and those in it, as far as that can be deleted."""
    for file in folder.rglob("*.nb[ic]"):
        with suppress(OSError):
            file.unlink()


def main() -> None:
    """Build little corpora in this process, which compiles everything that a build calls, and note it.

    What older code left beside the sources is deleted first: numba looks at the file of a function, not at those of
    what it calls. In a folder of the user's own (``NUMBA_CACHE_DIR``) others may keep theirs, and nothing is deleted.
    """
    from corpusforge.demo.write import write  # noqa: PLC0415  (not for those who only ask whether it is done)
    from corpusforge.verbs.build import build  # noqa: PLC0415  (which calls this module)

    if not numba.config.CACHE_DIR:
        delete_machine_code(PACKAGE)
    with tempfile.TemporaryDirectory(prefix="corpusforge-compiling-") as folder:
        write(Path(folder) / "in", pages=PAGES)
        for recipe in RECIPES:
            build(recipe, [str(Path(folder) / "in")], Path(folder) / "out", pool="serial")
    for stamp in _stamps():
        try:
            stamp.parent.mkdir(parents=True, exist_ok=True)
            for old in stamp.parent.glob("compiled-*"):
                old.unlink()
            stamp.touch()
        except OSError:
            continue
        return


if __name__ == "__main__":
    main()
