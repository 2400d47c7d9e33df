"""Lines and paragraphs; compressed, because nothing tells that a plain text has lost some."""

import gzip
from pathlib import Path

settings = [{"per": "paragraph"}, {"charset": "utf-8"}]


def sample(folder: Path) -> Path:
    paragraphs = [f"段落{number}の一行目。\r\n{number} is its second line, {'long ' * number}" for number in range(12)]
    text = "\ufeff" + "\r\n \r\n".join(paragraphs) + "\n\n\n没有换行"
    path = folder / "sample.txt.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path
