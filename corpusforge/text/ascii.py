"""ASCII is stepped over eight bytes at a time: it is most of any page's markup."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Eights = NDArray[np.uint64]

_HIGH = np.uint64(0x8080808080808080)


def eights(data: bytes) -> tuple[Bytes, Eights]:
    """The bytes one by one, and the whole eights of them."""
    return np.frombuffer(data, np.uint8), np.frombuffer(data, np.uint64, len(data) // 8)


@njit(cache=True)  # type: ignore[untyped-decorator]
def next_high(data: Bytes, whole: Eights, at: int) -> int:
    """The place of the next byte from ``at`` on that is not ASCII, else the number of bytes."""
    size = len(data)
    while at < size and at & 7:
        if data[at] >= 0x80:
            return at
        at += 1
    eight = at >> 3
    while eight < len(whole) and whole[eight] & _HIGH == 0:
        eight += 1
    at = max(at, eight << 3)
    while at < size and data[at] < 0x80:
        at += 1
    return at
