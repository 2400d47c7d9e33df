"""A data set as Hugging Face writes it: a stream of record batches, a dictionary among the columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

settings = [{"id": "key", "columns": {"topic": "string"}}]


def sample(folder: Path) -> Path:
    path = folder / "data-00000-of-00001.arrow"
    table = pa.table(
        {
            "key": [f"k{n}" for n in range(40)],
            "text": [f"{n} 番目の文書です。" + "猫" * n if n != 7 else None for n in range(40)],
            "topic": pa.array(["空", "海"] * 20).dictionary_encode(),
        }
    )
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return path
