"""Places of a text among its tokens: exact, or an error that names the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.alignment import Alignment, tokens_up_to
from corpusforge.tokens.encoders import Fast
from tests.tokens.test_encoders import BPE, EOD


def up_to(places: list[int], text: str, pieces: list[bytes]) -> list[int]:
    ids = np.arange(len(pieces))
    return tokens_up_to(np.array(places, np.int64), Alignment(pieces).borders("d", text, ids)).tolist()


def test_ends_inside_a_token_are_left_out() -> None:
    pieces = ["猫が".encode(), "い".encode(), "る。犬".encode()]
    assert up_to([1, 2, 3, 4, 5, 6], "猫がいる。犬", pieces) == [1, 2, 3]


def test_ends_count_characters_where_tokens_end_inside_one() -> None:
    cat, smile = "猫".encode(), "😀".encode()
    pieces = [cat[:1], cat[1:], b"a", smile[:2], smile[2:3], smile[3:] + b"b", b"c"]
    assert Alignment(pieces).borders("d", "猫a😀bc", np.arange(7)).tolist() == [-1, 1, 2, -1, -1, 4, 5]
    assert up_to([1, 3, 5], "猫a😀bc", pieces) == [2, 7]


def test_a_space_put_before_the_text_is_none_of_it() -> None:
    pieces = [" 猫".encode(), b" ", "犬".encode()]
    assert up_to([1, 2, 3], "猫 犬", pieces) == [1, 2, 3]
    assert up_to([1, 2, 3], "猫▁犬", pieces) == [1, 2, 3]


def test_an_empty_document_has_no_ends() -> None:
    assert up_to([], "", []) == []


def test_tokens_of_another_text_name_document_and_place() -> None:
    with pytest.raises(
        ValueError, match=r"document abc .* at character 1 they have 'か' where the text has 'が'.*none"
    ):
        Alignment(["猫か".encode()]).borders("abc", "猫が", np.array([0]))


FAST = Fast(BPE, EOD)
PIECES = FAST.token_bytes()


@given(st.text(), st.data())
def test_each_place_found_splits_text_and_tokens_alike(text: str, data: st.DataObject) -> None:
    text = text.encode("utf-8", "replace").decode()
    chosen = data.draw(st.sets(st.integers(1, len(text)))) if text else set()
    places = np.array(sorted({*chosen, len(text)} - {0}), np.int64)
    (ids,) = FAST.encode([text])
    ends = tokens_up_to(places, Alignment(PIECES).borders("d", text, ids)).tolist()
    starts = [text[:place].encode() for place in places.tolist()]
    assert [
        end for end in range(1, len(ids) + 1) if b"".join(PIECES[id] for id in ids[:end].tolist()) in starts
    ] == ends
    assert ends[-1:] == ([len(ids)] if text else [])
