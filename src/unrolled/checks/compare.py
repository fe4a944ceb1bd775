"""Comparing what came with what was expected: first the form, then the values."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from .task import Output

AXIS_WORDS = {"N": "sequence n", "D": "feature d", "H": "unit h", "V": "token v"}


def describe(value: Any) -> str:
    """A short description of a value that came from a learner; never its whole content."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if value is None:
        return "None (is the return statement missing?)"
    if isinstance(value, (bool, int, float, complex, str)):
        text = repr(value)
        return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of type {type(value).__name__}"


def is_number(value: Any) -> bool:
    """True for a real number as Python, NumPy or 0-dimensional array; not for a bool."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "iuf"
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))


def is_integer(value: Any) -> bool:
    """True for a whole number of any integer type, 0-dimensional arrays among them; not for a bool."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "iu"
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))


def shape_text(axes: tuple[str, ...], sizes: dict[str, int]) -> str:
    """A shape with the names of its axes, such as `(T=3, N=2)`; a comma after a single one as in Python."""
    inside = ", ".join(f"{axis}={sizes[axis]}" for axis in axes)
    return f"({inside},)" if len(axes) == 1 else f"({inside})"


def split_outputs(value: Any, outputs: tuple[Output, ...]) -> list[Any] | None:
    """The values of a result, one an output; None if the result does not have that many parts."""
    if len(outputs) == 1:
        return [value]
    if isinstance(value, (tuple, list)) and len(value) == len(outputs):
        return list(value)
    return None


def type_problem(value: Any, outputs: tuple[Output, ...]) -> str | None:
    """One sentence on what is wrong with the type of a result, or None."""
    parts = split_outputs(value, outputs)
    if parts is None:
        names = ", ".join(output.name for output in outputs)
        return f"Expected a tuple of {len(outputs)}: ({names}); received {describe(value)}."
    for part, output in zip(parts, outputs, strict=True):
        if output.kind == "array" and not isinstance(part, np.ndarray):
            return f"{output.name}: expected a NumPy array, received {describe(part)}."
        if output.kind == "float" and not is_number(part):
            return f"{output.name}: expected one number, received {describe(part)}."
        if output.kind == "int" and not is_integer(part):
            return f"{output.name}: expected one whole number, received {describe(part)}."
    return None


def shape_problem(value: Any, outputs: tuple[Output, ...], sizes: dict[str, int]) -> str | None:
    """One sentence on what is wrong with shape or dtype of a result of the right type, or None."""
    for part, output in zip(split_outputs(value, outputs), outputs, strict=True):
        if output.kind != "array":
            continue
        expected = tuple(sizes[axis] for axis in output.axes)
        if part.shape != expected:
            return f"{output.name}: expected shape {shape_text(output.axes, sizes)}, received {part.shape}."
        if part.dtype != np.float64:
            return f"{output.name}: expected dtype float64, received {part.dtype}."
    return None


def relative_error(part: Any, expected: Any) -> float:
    """Norm of the difference over the norm of `expected` (over 1 if that is zero); infinite where only one is finite."""
    part, expected = np.asarray(part, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    with np.errstate(all="ignore"):
        same = (part == expected) | (np.isnan(part) & np.isnan(expected))
        finite = np.isfinite(part) & np.isfinite(expected)
        if not np.all(same | finite):
            return float("inf")
        norm = np.linalg.norm(np.where(finite, expected, 0.0))
        error = np.linalg.norm(np.where(finite, part - expected, 0.0))
        return float(error / norm) if norm > 0 else float(error)


def value_problem(
    value: Any, expected: Any, outputs: tuple[Output, ...], tolerance: float
) -> str | None:
    """One or two sentences on where a result of the right form first differs, or None. Never shows what was expected."""
    pairs = zip(split_outputs(value, outputs), split_outputs(expected, outputs), outputs, strict=True)
    for part, truth, output in pairs:
        error = relative_error(part, truth)
        if output.kind == "int":
            if int(part) != int(truth):
                return f"{output.name} is wrong; you returned {int(part)}."
        elif output.kind == "float":
            if error > tolerance:
                return f"{output.name} is wrong; you returned {float(part):.6g} ({_size(error)})."
        elif error > tolerance:
            return _where(np.asarray(part), np.asarray(truth), output, error, tolerance)
    return None


def _size(error: float) -> str:
    if not np.isfinite(error):
        return "not a finite number"
    if error < 1e-4:
        return f"relative error {error:.1e}, where float64 work has less than 1e-9: is something float32, or an epsilon added?"
    return f"relative error {error:.2g}"


def _where(part: np.ndarray, truth: np.ndarray, output: Output, error: float, tolerance: float) -> str:
    """Say where an array first differs: the first step in time, then the largest difference in it."""
    if output.axes[:1] == ("T",):
        wrong = [t for t in range(len(part)) if relative_error(part[t], truth[t]) > tolerance]
        if not wrong:  # only all steps together exceed the tolerance
            wrong = [int(np.argmax([relative_error(part[t], truth[t]) for t in range(len(part))]))]
        t = wrong[0]
        place = (t, *_largest(part[t], truth[t]))
        when = f"{output.name} first differs at step {t + 1} of {len(part)}, {output.name}[{t}] in code"
    else:
        place = _largest(part, truth)
        when = f"{output.name} differs"
    named = [
        f"{AXIS_WORDS.get(axis, axis)}={index}"
        for axis, index in zip(output.axes, place, strict=True)
        if axis != "T"
    ]
    there = f", most at {', '.join(named)}" if named else ""
    return f"{when}{there}; you have {part[place]:.6g} there ({_size(error)})."


def _largest(part: np.ndarray, truth: np.ndarray) -> tuple[int, ...]:
    with np.errstate(all="ignore"):
        difference = np.abs(part - truth)
    difference = np.where(np.isfinite(difference), difference, np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))
