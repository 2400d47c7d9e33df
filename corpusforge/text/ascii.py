"""ASCII is stepped over in blocks: it is most of any page's markup, and a processor sees a whole block at once."""

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import kernel

Bytes = NDArray[np.uint8]

BLOCK = 64
_HIGH = np.uint8(0x80)


@kernel
def is_ascii(block: Bytes) -> bool:
    """Whether a stretch of bytes is ASCII; no byte ends the loop, so that it is compiled to vector instructions."""
    seen = np.uint8(0)
    for place in range(len(block)):
        seen = np.uint8(seen | block[place])
    return bool(seen < 0x80)


@kernel
def next_high(data: Bytes, at: int) -> int:
    """The place of the first byte from ``at`` on that is not ASCII, else the number of bytes."""
    while at < len(data) and is_ascii(data[at : at + BLOCK]):
        at += BLOCK
    while at < len(data) and data[at] < 0x80:
        at += 1
    return min(at, len(data))


@kernel
def is_plain(block: Bytes) -> bool:
    """Whether no byte but the last is foreign to ASCII, or begins an escape: ``&#`` or ``\\u``."""
    seen = np.uint8(0)
    for place in range(len(block) - 1):
        byte, after = block[place], block[place + 1]
        escape = ((byte == 38) & (after == 35)) | ((byte == 92) & (after == 117))
        seen = np.uint8(seen | (byte & _HIGH) | np.uint8(escape))
    return bool(seen == 0)
