"""Examples to learn from: conversations read, written by a chat template, tokenised with their targets, packed."""
