"""Rows keep every token, know their documents, and packed examples fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.packing import IGNORED, best_fit, cut
from corpusforge.tokens.shards import ERASED

EOD = 0
TWO_DOCUMENTS_AND_A_START = np.array([[7, 8, EOD, 5, EOD, 6]], np.int32)


def test_a_document_sees_no_other() -> None:
    rows = cut(TWO_DOCUMENTS_AND_A_START, EOD)
    assert rows.inputs.tolist() == [[7, 8, EOD, 5, EOD]]
    assert rows.labels.tolist() == [[8, EOD, 5, EOD, 6]], "its first token is predicted from the end of the one before"
    assert rows.positions.tolist() == [[0, 1, 0, 1, 0]]
    assert rows.documents.tolist() == [[0, 0, 1, 1, 2]]


def test_without_boundaries_a_row_is_one_document() -> None:
    rows = cut(TWO_DOCUMENTS_AND_A_START, EOD, boundaries=False)
    assert rows.labels.tolist() == [[8, EOD, 5, EOD, 6]]
    assert rows.positions.tolist() == [[0, 1, 2, 3, 4]]
    assert rows.documents.tolist() == [[0] * 5]


@pytest.mark.parametrize("boundaries", [True, False])
def test_erased_tokens_are_neither_shown_nor_predicted(boundaries: bool) -> None:
    ids = np.array([[7, EOD, ERASED, ERASED, 5, EOD]], np.int32)
    rows = cut(ids, EOD, boundaries)
    assert rows.inputs.tolist() == [[7, EOD, EOD, EOD, 5]]
    assert rows.labels.tolist() == [[EOD, IGNORED, IGNORED, 5, EOD]]
    if boundaries:
        assert rows.documents.tolist() == [[0, 1, 1, 2, 2]], "the next document does not see the erased one"
    assert ERASED not in rows.inputs
    assert ERASED not in rows.labels


@given(st.lists(st.integers(1, 50), max_size=200), st.integers(50, 80))
def test_packed_examples_fit_and_waste_little(lengths: list[int], capacity: int) -> None:
    sizes = np.array(lengths, np.int64)
    rows = best_fit(sizes, capacity)
    filled = np.bincount(rows, sizes) if lengths else np.array([])
    assert (filled <= capacity).all()
    assert (filled > 0).all()
    fewest = -(-sum(lengths) // capacity)
    assert len(filled) <= 11 / 9 * max(fewest, 0) + 6 / 9 + sum(2 * n > capacity for n in lengths)
    assert sum(filled[:-1] <= capacity / 2) <= 1, "two half-empty rows would have been one"


def test_each_goes_to_the_fullest_row_that_takes_it() -> None:
    assert best_fit(np.array([6, 3, 5, 4, 2]), 10).tolist() == [0, 1, 1, 0, 1]


def test_an_example_that_fits_nowhere_is_named() -> None:
    with pytest.raises(ValueError, match="example 1 has 11 tokens, more than 10 in a row"):
        best_fit(np.array([3, 11]), 10)
