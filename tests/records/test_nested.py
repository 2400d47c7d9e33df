"""Objects of nested JSON: found whatever the blocks are, bounded, and nothing beside them goes unsaid."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.records.lines import Line
from corpusforge.records.nested import WRONG, is_nested, nested

VALUES = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('a"\\{}[],\n猫'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=6)


def found(data: bytes, size: int, most: int = 1 << 20) -> list[Line]:
    return list(nested((data[at : at + size] for at in range(0, len(data), size)), most))


@settings(max_examples=200, deadline=None)
@given(objects=OBJECTS, indent=st.sampled_from([None, 0, 2]), plain=st.booleans(), size=st.integers(1, 40))
def test_objects_are_found_in_blocks_of_any_size(
    objects: list[dict[str, Any]], indent: int | None, plain: bool, size: int
) -> None:
    data = json.dumps(objects, indent=indent, ensure_ascii=plain).encode()
    lines = found(data, size)
    assert [json.loads(line) for _, _, line in lines if line is not None] == objects
    assert all(data[offset : offset + length] == line for offset, length, line in lines)


@settings(max_examples=300, deadline=None)
@given(data=st.lists(st.sampled_from([*b'{}[],:"\\a \n']), max_size=60).map(bytes), size=st.integers(1, 20))
def test_any_bytes_give_the_same_in_any_blocks(data: bytes, size: int) -> None:
    lines = found(data, size)
    assert lines == found(data, max(1, len(data)))
    ends = [0, *(offset + length for offset, length, _ in lines)]
    assert all(offset >= end for (offset, _, _), end in zip(lines, ends, strict=False)), "in order, none twice"


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b'[{"a": 1}, 5, {"b": 2}]', 1),
        (b'[{"a": 1}, "x", null\n, {"b": 2}', 2),
        (b'[{"a": 1}, {"b": 2}', 1),
        (b'[{"a": 1}, {"b": 2}]]', 1),
        (b'[{"a": 1}}, {"b": 2}] end', 2),
        (b'[{"a": 1}, {"b": 2}, {"c', 1),
        (b'\xef\xbb\xbf{"a": 1}\n{"b": 2}\n[]', 0),
    ],
)
def test_what_is_no_object_is_said(data: bytes, wrong: int) -> None:
    for size in (1, 7, 100):
        taken = [line for _, _, line in found(data, size)]
        assert taken.count(WRONG) == wrong
        assert [line for line in taken if line != WRONG] == [b'{"a": 1}', b'{"b": 2}']


def test_what_is_too_long_is_not_held() -> None:
    data = b'[{"a": "' + b"x" * 5000 + b'"}, {"b": 1}, {"c": "' + b"\\" * 5000 + b'"}]'
    taken = [(length, line) for _, length, line in found(data, 64, 100)]
    assert taken == [(5009, None), (8, b'{"b": 1}'), (5009, None)]


def test_files_of_lines_are_not_nested() -> None:
    for head in (b'{"a": 1}\n', b"{}", b"[1, 2]\n[3]", b'["id": 1}', b"{\n[1]", b"", b"text"):
        assert not is_nested(head)
    for head in (b'[{"a"', b' [\n\n  {"a"', b"[]", b'{\n  "a"', b'\xef\xbb\xbf[{"a"'):
        assert is_nested(head)
