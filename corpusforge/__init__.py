"""CorpusForge: crawls in, clean deduplicated tokenised shards out, each with a report a person can judge."""

from corpusforge.api import BuildFailed, Run, build, documents, plan, report, verify

__version__ = "0.1.0"

__all__ = ["BuildFailed", "Run", "build", "documents", "plan", "report", "verify"]
