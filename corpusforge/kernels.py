"""Compiled functions: what all of them are compiled with is said here, once.

No fastmath anywhere: a result never hangs on the processor. Machine code is kept beside the sources.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """A function that makes arrays."""
    return cast(Callable[P, R], njit(cache=True)(function))


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A function that makes no array and returns none.

    numba counts references to the arrays that a function is given, at every call, and where it is called from a loop
    that was a quarter of all compiled time. Who calls holds the arrays, so nothing is counted here.
    """
    return cast(Callable[P, R], njit(cache=True, _nrt=False)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A function that becomes part of those that call it."""
    return cast(Callable[P, R], njit(cache=True, inline="always")(function))
