"""Pages with truth from files: JSON Lines, plain or compressed."""

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from zstandard import ZstdDecompressor

from corpusforge.extract.fit.files import files_of
from corpusforge.extract.fit.truths import Truth


def read_truths(folder: Path) -> Iterator[Truth]:
    """The truths of every JSON Lines file in a folder, in the order of names and lines.

    A line has ``url``, ``html`` and ``text``, and may have ``id``, ``source``, ``lang`` and ``kind``. Raises
    ``ValueError`` naming file, line and what is missing.
    """
    for path in files_of(folder):
        for number, line in enumerate(_lines(path), 1):
            yield _truth(line, f"{path}, line {number}")


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        plain: Any = file
        if path.suffix == ".gz":
            plain = gzip.GzipFile(fileobj=file)
        elif path.suffix == ".zst":
            plain = io.BufferedReader(_decompressed(file))
        for line in io.TextIOWrapper(plain, "utf-8", newline="\n"):
            if line.strip():
                yield line


def _decompressed(file: BinaryIO) -> Any:
    return ZstdDecompressor().stream_reader(file)


def _truth(line: str, place: str) -> Truth:
    try:
        row = json.loads(line)
        url, html, text = (str(row[name]) for name in ("url", "html", "text"))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{place} is no page with truth ({error}): write url, html and text as JSON") from None
    more = {name: str(row.get(name) or "") for name in ("source", "lang", "kind")}
    host = urlsplit(url).hostname or url
    return Truth(str(row.get("id") or url), html.encode("utf-8", "replace"), text, host, **more)
