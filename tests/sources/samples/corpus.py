"""A shard of a corpus: extracted blocks, an edit, a measurement, where each document was from."""

from pathlib import Path

import pyarrow as pa

from corpusforge.engine.tables import TableWriter
from corpusforge.schema import DOCUMENT
from corpusforge.text.canonical import sha256

settings = [
    {"columns": {"quality": "float32", "title": "string"}},
    {"split": "paragraphs"},
    {"split": "lines", "columns": {"quality": "float32"}},
    {"split": {"characters": 7}},
]


def sample(folder: Path) -> Path:
    path = folder / "000000.abc.kept.parquet"
    schema = pa.schema([*(f for f in DOCUMENT if f.name != "drop"), ("quality", pa.float32())])
    rows = [
        {
            "id": sha256(b"%d" % n)[:32],
            "url": f"http://a.example/{n}",
            "text": f"第{n}章\n一行目です。\n\n二段落目。{'猫' * n}" + "\n\nthe end " * n,
            "lang": "ja",
            "source_file": path.name,
            "source_offset": n * 100,
            "source_length": 100,
            "blocks": [{"path": "p", "start": 0, "end": 3, "links": 0, "score": 9}],
            "edits": [{"stage": "A", "start": 0, "end": 0, "removed": "x", "put": ""}],
            "quality": n / 8,
        }
        for n in range(12)
    ]
    with path.open("wb") as file, TableWriter(file, schema) as writer:
        writer.write(pa.RecordBatch.from_pylist(rows, schema))
    return path
