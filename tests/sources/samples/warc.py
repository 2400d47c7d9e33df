"""Demo pages as WARC: responses, requests, metadata, every charset."""

import shutil
from pathlib import Path

from corpusforge.demo.write import write


def sample(folder: Path) -> Path:
    write(folder / "demo", pages=40)
    return Path(shutil.copy(min((folder / "demo").glob("*.warc.gz")), folder / "sample.warc.gz"))
