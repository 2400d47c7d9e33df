"""CorpusForge: crawls in, clean deduplicated tokenised shards out, each with a report a person can judge."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corpusforge.api import (
        BuildFailed,
        Run,
        build,
        documents,
        dropped,
        megatron_source,
        plan,
        token_source,
        tombstone,
        train_run,
        verify,
    )

__version__ = "0.1.0"

__all__ = ["BuildFailed", "Run", "build", "documents", "dropped", "megatron_source", "plan", "token_source"]
__all__ += ["tombstone", "train_run", "verify"]


def __getattr__(name: str) -> Any:
    """Load the engine when one of its names is first used, so that importing one room loads that room only."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("corpusforge.api"), name)
