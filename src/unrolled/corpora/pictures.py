"""Pictures as sequences: handwritten digits of 8×8 pixels."""

from typing import NamedTuple

import numpy as np

from ._carried import carried

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Digits(NamedTuple):
    """images: (1797, 8, 8) float64 in [0, 1], 1 is ink. labels: (1797,) int64, 0 to 9. words: the word for each
    label, so `words[labels[i]]` names picture i."""

    images: np.ndarray
    labels: np.ndarray
    words: tuple[str, ...]


def digits() -> Digits:
    """1797 handwritten digits: the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and
    Kaynak, 1998), as bundled with scikit-learn; rows are in its order, and its 0 to 16 is scaled to 0 to 1.

    Raises ModuleNotFoundError when scikit-learn is missing.
    """
    if path := carried("digits.npz"):
        with np.load(path) as arrays:
            return Digits(arrays["images"], arrays["labels"], WORDS)
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "The digits come with scikit-learn, but it is not installed here; run `pip install scikit-learn`."
        ) from error
    bundled = load_digits()
    return Digits(bundled.images.astype(np.float64) / 16.0, bundled.target.astype(np.int64), WORDS)
