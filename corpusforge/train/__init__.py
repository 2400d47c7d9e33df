"""Training: token shards become models, by torch and DeepSpeed, alone or as workers of Ray Train."""
