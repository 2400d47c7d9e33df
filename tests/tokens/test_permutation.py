"""A permutation visits every place once, comes back, and looks like none in particular."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.permutation import LARGEST, Permutation

KEYS = st.integers(0, 2**64 - 1)


@given(st.integers(1, 3000), KEYS)
def test_every_place_is_visited_once(size: int, key: int) -> None:
    order = Permutation(size, key)(np.arange(size))
    assert sorted(order.tolist()) == list(range(size))


@given(st.integers(1, LARGEST), KEYS, st.data())
def test_the_inverse_comes_back(size: int, key: int, data: st.DataObject) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20)))
    order = Permutation(size, key)
    there = order(places)
    assert ((there >= 0) & (there < size)).all()
    assert order.inverse(there).tolist() == places.tolist()


@pytest.mark.parametrize("size", [2, 3, 5, 16, 257])
def test_every_place_goes_everywhere_equally_often(size: int) -> None:
    """Chi-squared over 20 000 keys: below its mean + 5 standard deviations, for the first place and the last."""
    keys = 20_000
    for place in (0, size - 1):
        went = np.bincount([int(Permutation(size, key)(np.array([place]))[0]) for key in range(keys)], minlength=size)
        expected = keys / size
        chi = float(((went - expected) ** 2 / expected).sum())
        assert chi < (size - 1) + 5 * (2 * (size - 1)) ** 0.5 + 5


def test_neighbours_do_not_stay_neighbours() -> None:
    order = Permutation(1_000_003, 7)(np.arange(1_000_003))
    assert np.corrcoef(order[:-1], order[1:])[0, 1] == pytest.approx(0, abs=0.005)
    assert (np.abs(np.diff(order)) == 1).mean() < 1e-5


def test_the_order_of_a_key_is_for_ever() -> None:
    assert Permutation(10, 1)(np.arange(10)).tolist() == [5, 0, 6, 4, 2, 1, 3, 9, 8, 7]


@pytest.mark.parametrize("size", [0, -1, LARGEST + 1])
def test_a_size_that_is_none_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="places, not"):
        Permutation(size, 0)
