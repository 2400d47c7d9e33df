"""Token shards of documents that tell where they are from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusforge.engine.attempt import Output, Place
from corpusforge.storage import Store
from corpusforge.tokens.megatron import SplitWriter
from corpusforge.tokens.shards import Shard

EOD = 0


def shard(
    root: Path, name: str, documents: Sequence[Sequence[int]], clusters: Sequence[int] = (), vocabulary: int = 1000
) -> Shard:
    """A token shard ``name`` of documents with ids ``NAME-0``, ``NAME-1`` …, all in the split ``train``."""
    text = {key: [f"{name}-{n}" for n in range(len(documents))] for key in ("id", "url", "source_file")}
    same = {"lang": ["ja"] * len(documents), "licence": ["cc0"] * len(documents)}
    numbers = {key: pa.array(range(len(documents)), pa.int64()) for key in ("source_offset", "source_length")}
    sizes = pa.array([*clusters] or [1] * len(documents), pa.int32())
    rows = pa.RecordBatch.from_pydict({**text, **same, **numbers, "cluster_size": sizes})
    out = Output(Place(Store(str(root)), "v1"), "tokens", name, "a")
    with SplitWriter(out, "train", vocabulary, EOD) as writer:
        writer.write(rows, [np.array(ids, dtype=np.uint32) for ids in documents])
    files = {file.role: file for file in out.files}
    paths = (root / files[f"train.{kind}"].path for kind in ("bin", "idx"))
    return Shard(name, *paths, files["train.bin"].sha256, root / files["train.docs.parquet"].path)
