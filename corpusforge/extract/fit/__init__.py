"""Fit the extractor to pages whose main text is known."""
