"""Token files as tests read them."""

from pathlib import Path

from corpusforge.tokens.shards import Shard


def documents_of(ids: Path, index: Path) -> list[list[int]]:
    """The tokens of every document of a ``.bin`` and its ``.idx``."""
    shard = Shard("read", ids, index, "")
    return [shard.ids[begin:end].tolist() for begin, end in zip(shard.starts[:-1], shard.starts[1:], strict=True)]
