"""What the tasks of assignment 01-language-models share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...task import Section

ASSIGNMENT = "01-language-models"
COUNTING = Section("sequences/language-models", "lm-counting", "Counting, and the first zero")


def made_up_words(rng: np.random.Generator, count: int, letters: str = "abcdefghijklmnopqrstuvwxyz") -> list[str]:
    """Made-up words of 2 to 6 letters."""
    return ["".join(rng.choice(list(letters), size=rng.integers(2, 7))) for _ in range(count)]


def quiet(function: Callable) -> Callable:
    def without_warnings(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return without_warnings
