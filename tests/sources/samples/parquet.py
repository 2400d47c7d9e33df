"""A data set in three row groups: nested columns, nulls, several languages."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

settings = [{"id": "meta.key", "url": ["link", "meta.url"], "columns": {"meta.stars": "int32"}}]


def sample(folder: Path) -> Path:
    path = folder / "sample.parquet"
    texts = [f"{number} 番目の文書です。猫は寝ている。Text {'é' * number}" for number in range(30)]
    rows = [
        {"text": text, "url": f"http://a.example/{n}", "meta": {"key": f"k{n}", "url": None, "stars": n}}
        for n, text in enumerate(texts)
    ]
    rows[4]["text"] = None  # type: ignore[assignment]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=10, write_page_checksum=True)
    return path
