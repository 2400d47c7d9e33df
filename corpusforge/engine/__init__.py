"""Runs the units of a pass and commits each once; it never sees a document."""
