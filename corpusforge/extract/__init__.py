"""Main text out of HTML: one pass over the bytes, blocks with measures, a small model that says which are content."""
