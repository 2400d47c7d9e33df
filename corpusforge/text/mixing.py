"""Sixty-four bits well mixed, for compiled code."""

from typing import Any

import numpy as np

from corpusforge.kernels import compiled

_FOLD = np.uint64(33)
_FINAL1, _FINAL2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


@compiled
def mixed64(value: Any) -> Any:
    """The 64-bit finalizer of MurmurHash3."""
    value = (value ^ (value >> _FOLD)) * _FINAL1
    value = (value ^ (value >> _FOLD)) * _FINAL2
    return value ^ (value >> _FOLD)
