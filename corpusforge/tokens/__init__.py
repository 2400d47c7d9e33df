"""Token shards: train or take a tokenizer, encode documents, split off validation, write Megatron files."""
