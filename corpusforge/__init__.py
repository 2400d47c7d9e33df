"""CorpusForge: crawls in, clean deduplicated tokenised shards out, each with a report a person can judge."""

__version__ = "0.1.0"
