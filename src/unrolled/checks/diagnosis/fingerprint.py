"""A few numbers that stand for everything a function did on all cases of a task.

Two functions with the same fingerprint did the same on every case: the same types, shapes, errors and changed inputs, and numbers
that agree to about 1e-9. Each array is divided by its norm, or by that of the truth where this is larger, and all of them together are
projected on random directions. Two results that differ by d, relative to the truth, are taken for equal with a probability of about
(1e-8 / d) ** 3. A fingerprint can be compared within a tolerance, which a hash can't, and what it stands for can't be read off it.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..compare import is_number, plain_keys

PROJECTIONS = 3
TOLERANCE = 1e-8  # of a projection; that of an array with relative errors of 1e-9 moves by about as much


def fingerprint(done: Iterable[tuple[Any, Any]]) -> tuple[int, np.ndarray]:
    """A number for the form of all results, and the projections of their values. done: pairs (observation, truth), case by case."""
    forms, numbers = [], []
    for seen, truth in done:
        form, leaves = taken_apart(seen.value) if seen.error_type is None else (f"!{seen.error_type}", [])
        forms.append(form + "".join(f"~{name}" for name in seen.changed))
        _, right = taken_apart(truth)
        like = len(right) == len(leaves)
        for i, leaf in enumerate(leaves):
            numbers.append(_scaled(leaf, _norm(right[i]) if like else 0.0))
    joined = np.concatenate(numbers) if numbers else np.zeros(0)
    with np.errstate(all="ignore"):
        return zlib.crc32("|".join(forms).encode("utf-8", "replace")), _directions(len(joined)) @ joined


@functools.lru_cache(maxsize=256)
def _directions(length: int) -> np.ndarray:
    return np.random.default_rng(length).normal(size=(PROJECTIONS, length))


def _norm(leaf: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        finite = leaf[np.isfinite(leaf)]
        largest = float(np.abs(finite).max(initial=0.0))
        return largest * float(np.linalg.norm(finite / largest)) if largest else 0.0


def _scaled(leaf: np.ndarray, right: float) -> np.ndarray:
    """An array over its norm or the truth's, whichever is larger, and how much larger its own is."""
    own = _norm(leaf)
    scale = max(own, right) or 1.0
    with np.errstate(all="ignore"):
        values = np.where(np.isnan(leaf), 0.37, np.where(np.isinf(leaf), np.sign(leaf) * 0.73, leaf / scale))
        size = np.log(scale / right) if right else np.log(scale)
    return np.append(values, size)


def taken_apart(value: Any) -> tuple[str, list[np.ndarray]]:
    """The form of a value, with everything in it that is no number, and its numbers as flat arrays. Lists and tuples are one."""
    leaves: list[np.ndarray] = []

    def form(part: Any) -> str:
        if is_number(part):
            try:
                leaves.append(np.array([float(part)]))
            except OverflowError:
                return f"n{part}"
            return "n"
        if isinstance(part, np.ndarray):
            if part.dtype.kind not in "biuf":
                return f"?{part.dtype.kind}{part.shape}"
            leaves.append(part.ravel().astype(np.float64))
            return f"a{'f' if part.dtype.kind == 'f' else 'i'}{part.shape}"
        if isinstance(part, (list, tuple)):
            if part and all(is_number(item) for item in part):
                try:
                    leaves.append(np.array([float(item) for item in part]))
                    return f"[{len(part)}]"
                except OverflowError:
                    pass
            return f"({','.join(map(form, part))})"
        if isinstance(part, dict):
            plain = plain_keys(part)
            return "{" + ",".join(f"{key!r}:{form(plain[key])}" for key in sorted(plain, key=repr)) + "}"
        if isinstance(part, (str, bool)) or part is None:
            return repr(part)
        return type(part).__name__

    return form(value), leaves


def agree(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Which rows of `points` `(rows, projections)` are one fingerprint."""
    with np.errstate(all="ignore"):
        return np.all(np.abs(points - point) <= TOLERANCE * np.maximum(1.0, np.abs(point)), axis=-1)
