"""zlib-ng stands for zlib: every step of every stream, sound or damaged, gives the same."""

import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from zlib_ng import zlib_ng

WORDS = (b"<p>", b"</p>\n", "雪国".encode(), b"the ", b"\0\0\0\0", b"abcdefgh" * 40)
PLAIN = st.lists(st.sampled_from(WORDS) | st.binary(max_size=40), max_size=200).map(b"".join)
CHANGES = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=3), st.integers(0, 4)), max_size=3)
SETTINGS = st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from((0, 1, 2, 3, 4)))


def packed(plain: bytes, window: int, settings: tuple[int, int, int]) -> bytes:
    level, memory, strategy = settings
    packer = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
    half = len(plain) // 2
    start = packer.compress(plain[:half]) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + packer.compress(plain[half:]) + packer.flush()


def changed(data: bytes, changes: list[tuple[int, bytes, int]]) -> bytes:
    for at, put, removed in changes:
        at %= len(data) + 1
        data = data[:at] + put + data[at + removed :]
    return data


def steps(library: Any, data: bytes, window: int, feed: int, at_most: int) -> list[Any]:
    """What each step gave, and last the error, if there was one."""
    stream, given_so_far, found = library.decompressobj(window), 0, list[Any]()
    while not stream.eof and (stream.unconsumed_tail or given_so_far < len(data)):
        more = b"" if stream.unconsumed_tail else data[given_so_far : given_so_far + feed]
        given_so_far += len(more)
        try:
            out = stream.decompress(stream.unconsumed_tail + more, at_most)
        except library.error as error:
            return [*found, str(error)]
        found.append((out, stream.eof, stream.unused_data, stream.unconsumed_tail))
    return found


@given(
    PLAIN,
    st.sampled_from((31, 15, -15)),
    SETTINGS,
    CHANGES,
    st.sampled_from((7, 64, 1 << 14, 1 << 15)),
    st.sampled_from((100, 258, 1 << 12, 1 << 20)),
)
def test_zlib_ng_steps_as_zlib_does(
    plain: bytes,
    window: int,
    settings: tuple[int, int, int],
    changes: list[tuple[int, bytes, int]],
    feed: int,
    at_most: int,
) -> None:
    data = changed(packed(plain, window, settings) + b"what follows", changes)
    assert steps(zlib_ng, data, window, feed, at_most) == steps(zlib, data, window, feed, at_most)
