"""Compiled functions: what all of them are compiled with is said here, once.

No fastmath anywhere: a result never hangs on the processor. numba keeps machine code beside the sources and makes it
anew where the file of a function changes; after a change here, or in a function that another file's calls, delete what
it keeps (``*.nbi``, ``*.nbc``). ``verbs.compiled`` does so once for every new version.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast, get_args, get_origin

import numpy as np
from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """A function that makes arrays."""
    return cast(Callable[P, R], njit(cache=True)(function))


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A function that makes no array and gives numbers or nothing; raises ``TypeError`` where it is said to give more.

    numba counts references to the arrays that a function is given, at every call, and where it is called from a loop
    that was a quarter of all compiled time. Who calls holds the arrays, so nothing is counted here; an array that is
    given back would be held by nobody.
    """
    given = function.__annotations__.get("return", Any)
    if not _is_number(given):
        raise TypeError(f"{function.__name__} gives {given}: a kernel gives numbers or nothing")
    return cast(Callable[P, R], njit(cache=True, _nrt=False)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A function that becomes part of those that call it."""
    return cast(Callable[P, R], njit(cache=True, inline="always")(function))


def _is_number(hint: Any) -> bool:
    if get_origin(hint) is tuple:
        return all(_is_number(part) for part in get_args(hint) if part is not ...)
    return hint is None or (isinstance(hint, type) and issubclass(hint, (int, float, np.generic)))
