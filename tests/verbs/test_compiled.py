"""Code is compiled once after an installation, and that is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpusforge.demo.write import write
from corpusforge.verbs.compiled import PACKAGE, delete_machine_code


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_first_build_compiles_and_says_so_and_the_next_does_not(tmp_path: Path) -> None:
    write(tmp_path / "in", pages=8)
    beside = set(PACKAGE.rglob("*.nbc"))
    fresh = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    build = [sys.executable, "-m", "corpusforge", "build", "web_multi", "--input", str(tmp_path / "in")]
    said = [
        subprocess.run([*build, "--root", str(tmp_path / name)], env=fresh, capture_output=True, text=True, check=True)
        for name in ("first", "second")
    ]
    assert ["compiling for this machine, once" in done.stdout for done in said] == [True, False]
    assert list((tmp_path / "cache").glob("compiled-*"))
    assert beside <= set(PACKAGE.rglob("*.nbc"))


def test_machine_code_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "text" / "__pycache__"
    folder.mkdir(parents=True)
    for name in ("scripts._holds-1.py311.nbi", "scripts._holds-1.py311.1.nbc", "scripts.cpython-311.pyc", "compiled-1"):
        (folder / name).touch()
    delete_machine_code(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["compiled-1", "scripts.cpython-311.pyc"]
