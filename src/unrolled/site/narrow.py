"""NumPy where an index has 32 bits, as in a page's Python: the functions that refuse 64-bit integers there take them, as they do elsewhere.

Ids from `rng.integers` have 64 bits everywhere. `np.bincount(ids)` and `np.repeat(a, counts)` ask for integers of the size of an index and
call anything wider unsafe, whatever its values. So a right function of a learner would fail in the page alone. The page's wheel holds this module
and calls it when the course is imported.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

# The functions, and the place and the name of the argument that is counted or indexed by.
FUNCTIONS = {"bincount": (0, "x"), "repeat": (1, "repeats")}


def widen(numpy: Any = np, index: type = np.intp) -> None:
    """Let the functions of `numpy` take wider integers than `index`, if their values fit."""
    for name, (place, keyword) in FUNCTIONS.items():
        setattr(numpy, name, _taking_wide(getattr(numpy, name), place, keyword, index))


def _taking_wide(function: Callable, place: int, keyword: str, index: type) -> Callable:
    @functools.wraps(function)
    def taking_wide(*arguments: Any, **named: Any) -> Any:
        if len(arguments) > place:
            arguments = (*arguments[:place], narrowed(arguments[place], index), *arguments[place + 1 :])
        elif keyword in named:
            named[keyword] = narrowed(named[keyword], index)
        return function(*arguments, **named)

    return taking_wide


def narrowed(value: Any, index: type = np.intp) -> Any:
    """An array of integers in the size of an index, if all its values fit; anything else as it is."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or np.can_cast(array.dtype, index):
        return value
    fitting = array.astype(index)
    return fitting if np.array_equal(fitting, array) else value
