"""What a model is trained to do: from the numbers of samples to a micro-batch, and nothing else.

A micro-batch is a pure function of stream, seed and sample numbers, so that a replay sees the same masks and pairs
whatever the number of workers.
"""
