"""Code is compiled once after an installation, and that is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpusforge.demo.write import write


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_first_build_compiles_and_says_so_and_the_next_does_not(tmp_path: Path) -> None:
    write(tmp_path / "in", pages=8)
    fresh = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    build = [sys.executable, "-m", "corpusforge", "build", "web_multi", "--input", str(tmp_path / "in")]
    said = [
        subprocess.run([*build, "--root", str(tmp_path / name)], env=fresh, capture_output=True, text=True, check=True)
        for name in ("first", "second")
    ]
    assert ["compiling for this machine, once" in done.stdout for done in said] == [True, False]
    assert list((tmp_path / "cache").glob("compiled-*"))
