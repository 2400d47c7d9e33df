"""Scripts are counted as Python would count them one character at a time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text.scripts import NAMES, RANGES, scripts, scripts_of_bytes


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x3FFFF)))
def test_counts_are_those_of_a_slow_count(text: str) -> None:
    slow = {n: sum(any(a <= ord(c) <= b for a, b in RANGES[n]) for c in text) for n in NAMES}
    seen = scripts(text)
    assert {name: getattr(seen, name) for name in NAMES} == slow
    assert seen.letters == sum(slow.values())


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_survived(data: bytes) -> None:
    assert scripts_of_bytes(data).letters <= len(data)


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("猫はねこ", "han", 1),
        ("ネコーｶﾅ", "katakana", 5),
        ("고양이", "hangul", 3),
        ("été", "latin", 3),
        ("12 ！?", "latin", 0),
    ],
)
def test_examples(text: str, name: str, count: int) -> None:
    assert getattr(scripts(text), name) == count


def test_shares() -> None:
    assert scripts("猫cat").share("latin") == 0.75
    assert scripts("").share("latin") == 0
