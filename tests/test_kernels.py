"""Compiled functions: one that counts no references makes no array, and leaves those it is given as they were."""

import sys
from typing import Any

import numpy as np
import pytest
from numba.core.errors import TypingError
from numpy.typing import NDArray

from corpusforge.kernels import kernel


@kernel
def _sum_of_pairs(data: Any) -> int:
    found = 0
    for place in range(len(data) - 1):
        pair = data[place : place + 2]
        found += pair[0] * pair[1]
    return found


@kernel
def _makes(size: int) -> float:
    return np.zeros(size)[0]


@kernel
def _gives(data: Any) -> int:
    return data[1:]


@pytest.mark.parametrize("data", [np.arange(100), np.arange(200)[::2], np.arange(0)])
def test_nothing_is_counted_and_nothing_is_lost(data: Any) -> None:
    before = sys.getrefcount(data)
    expected = int((data[:-1] * data[1:]).sum())
    assert [_sum_of_pairs(data) for _ in range(50)] == [expected] * 50
    assert sys.getrefcount(data) == before


def test_a_kernel_that_makes_or_gives_an_array_is_refused() -> None:
    with pytest.raises(TypingError):
        _makes(3)
    with pytest.raises(TypingError):
        _gives(np.arange(3))


def test_a_kernel_says_that_it_gives_numbers() -> None:
    def gives(data: NDArray[np.uint8]) -> tuple[int, NDArray[np.uint8]]:
        return 1, data

    with pytest.raises(TypeError, match="gives gives tuple"):
        kernel(gives)
