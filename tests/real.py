"""Where the real data lies, if it is here: ``CORPUSFORGE_DATA``, else ``../shared/data`` beside the checkout."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("CORPUSFORGE_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real(name: str) -> Path:
    """The path of a piece of the real data; the test is skipped, and says so, where it is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the real data ({name}) is not here; set CORPUSFORGE_DATA to its folder")
    return path
