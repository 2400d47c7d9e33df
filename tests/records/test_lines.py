"""Lines and where they begin: any cut points and any blocks give the same ones, and long ones are never held."""

import gzip
import io
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.records import lines as module
from corpusforge.records.compressed import Damaged
from corpusforge.records.lines import Line, lines

PIECES = st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\r", b"\xe3\x81\x82", b"long line, longer than allowed"])


def all_lines(data: bytes, edges: list[int], most: int = 20) -> list[Line]:
    return [line for start, end in pairwise(edges) for line in lines(io.BytesIO(data), "a.txt", start, end, most)]


def expected(data: bytes, most: int) -> list[Line]:
    """The lines by the plainest means."""
    found: list[Line] = []
    offset = 0
    for line in data.split(b"\n"):
        last = offset + len(line) == len(data)
        bare = line.removesuffix(b"\r")
        if line or not last:
            found.append((offset, len(line) + (not last), bare if len(bare) <= most else None))
        offset += len(line) + 1
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30), st.data())
def test_any_cut_points_give_the_same_lines(pieces: list[bytes], data: st.DataObject) -> None:
    text = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    assert all_lines(text, sorted({0, *cuts, len(text)})) == expected(text, 20)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=30), st.integers(1, 7))
def test_any_blocks_give_the_same_lines(pieces: list[bytes], size: int) -> None:
    text = b"".join(pieces)
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(module._split(blocks, 0, None, 20)) == expected(text, 20)


def test_a_mark_is_taken_off_and_offsets_stay() -> None:
    text = b"\xef\xbb\xbfone\r\ntwo\n\xef\xbb\xbfthree"
    assert all_lines(text, [0, len(text)]) == [(0, 8, b"one"), (8, 4, b"two"), (12, 8, b"\xef\xbb\xbfthree")]


def test_all_lines_of_a_compressed_file_begin_at_its_start() -> None:
    packed = gzip.compress(b"one\ntwo\nthree\n")
    whole = [(0, 4, b"one"), (4, 4, b"two"), (8, 6, b"three")]
    assert all_lines(packed, [0, len(packed)]) == whole
    assert all_lines(packed, [0, 1, 9, len(packed)]) == whole


def test_the_piece_of_a_line_before_damage_is_not_given() -> None:
    packed = gzip.compress(b"one\ntwo\nthree")
    found = lines(io.BytesIO(packed[:-8]), "a.gz", 0, None, 100)
    assert [next(found), next(found)] == [(0, 4, b"one"), (4, 4, b"two")]
    with pytest.raises(Damaged):
        next(found)


def test_a_long_line_is_never_held() -> None:
    packed = gzip.compress(b"first\n" + bytes(64 << 20) + b"\nlast\n", compresslevel=1)
    tracemalloc.start()
    found = list(lines(io.BytesIO(packed), "a.gz", 0, None, 1 << 20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(0, 6, b"first"), (6, (64 << 20) + 1, None), ((64 << 20) + 7, 5, b"last")]
    assert peak < 8 << 20
