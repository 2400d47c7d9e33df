"""The places that a compiled pass finds are all that the expressions behind it need."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text.mask_places import MaskPlaces, mask_places
from corpusforge.text.masks import emails, ips, phones
from corpusforge.text.words import codes

RUN = re.compile(r"[(（]?[+＋]?[(（]?[0-9０-９][0-9０-９ 　.．()（）‐‑‒–—―−ーｰ─－-]{6,}[0-9０-９]")
PIECES = (
    *(" at ", "at", "[at]", "[ at ]", "（アット）", "(あっとマーク", "[@]", "@", "＠", "@example.com", "example.com"),
    *("1.2.3.4", "133.11.0.1", "2400:4050::1", "2019:", "v1.", "連絡先 ", "tel", "ー", "－", "．", "　", "(", "taro"),
    *("03-1234-5678", "+81 90 1234 5678", "(555) 234-5678", "+1 (555) 123-4567", "2019-05-12 10", "０３"),
    *("(+", "（＋", "(("),
)
TEXTS = st.lists(
    st.sampled_from(PIECES) | st.text("0123456789 .-+()@[]<>:abcFxＡ２３_,/\n", max_size=4), max_size=14
).map("".join)


def everywhere(text: str) -> MaskPlaces:
    """Places that leave the choice to the expressions: what is found without the compiled pass."""
    runs = np.array([run.span() for run in RUN.finditer(text)], np.int32).reshape(-1, 2)
    return MaskPlaces(np.empty(0, np.int32), np.arange(len(text), dtype=np.int32), runs, bracketed=True, sixes=True)


@given(TEXTS | st.text())
@settings(max_examples=500)
def test_nothing_is_missed(text: str) -> None:
    few, every = mask_places(codes(text)), everywhere(text)
    for find in (emails, ips, phones):
        assert find(text, few) == find(text, every)


def test_prose_has_no_places() -> None:
    text = "On 2019-05-12 she was at home, see (at the end) §3.1, 12:30. Look at (example) for 1,000,000 reasons."
    found = mask_places(codes(text))
    assert [len(places) for places in (found.ats, found.fours, found.runs)] == [0, 0, 0]
    assert (found.bracketed, found.sixes) == (False, False)


def test_places_are_offsets_of_code_points() -> None:
    text = "😀 taro＠example.jp と +81 90-1234-5678、133.11.0.1"
    found = mask_places(codes(text))
    assert [text[at] for at in found.ats.tolist()] == ["＠"]
    assert [text[start:end] for start, end in found.runs.tolist()] == ["+81 90-1234-5678"]
    assert [text[at:] for at in found.fours.tolist()] == ["133.11.0.1"]
