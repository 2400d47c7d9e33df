"""DeepSpeed, told on a machine without GPUs that there are none, and silent but for errors: import it from here."""

import logging
import os

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("DS_ACCELERATOR", "cpu")

import deepspeed
from deepspeed.utils import logger

logger.setLevel(logging.ERROR)

__all__ = ["deepspeed"]
