"""Blocks keep everything but the ranges that are replaced, in sliced columns and beside null lists too."""

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.schema import BLOCK
from corpusforge.text.block_ranges import block_ranges, with_ranges

NUMBERS = st.integers(0, 10_000)
ONE = st.fixed_dictionaries(
    {
        "path": st.none() | st.text("abc/", max_size=5),
        "start": NUMBERS,
        "end": NUMBERS,
        "links": st.none() | st.integers(0, 255),
        "score": st.none() | st.integers(0, 255),
    }
)
ROWS = st.lists(st.none() | st.lists(ONE, max_size=4), min_size=1, max_size=6)


@given(ROWS, st.data())
def test_ranges_are_replaced_and_nothing_else(rows: list[list[dict[str, Any]] | None], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(rows) - 1))
    column = pa.array(rows, pa.list_(BLOCK)).slice(first)
    ranges = block_ranges(column)
    for number, row in enumerate(rows[first:]):
        assert ranges.starts[ranges.of(number)].tolist() == [block["start"] for block in row or []]
        links = [-1 if block["links"] is None else block["links"] for block in row or []]
        assert ranges.links[ranges.of(number)].tolist() == links
    moved = with_ranges(column, ranges, ranges.starts + 1, ranges.ends + 2)
    expected = [
        row if row is None else [{**block, "start": block["start"] + 1, "end": block["end"] + 2} for block in row]
        for row in rows[first:]
    ]
    assert moved.equals(pa.array(expected, pa.list_(BLOCK)))
    moved.validate(full=True)
