"""Comparing what came with what was expected: first the form, then the values."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .task import Output

AXIS_WORDS = {"N": "sequence n", "D": "feature d", "E": "feature e", "H": "unit h", "V": "token v"}


def describe(value: Any) -> str:
    """A short description of a value that came from a learner; never its whole content."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if value is None:
        return "None (is the return statement missing?)"
    if isinstance(value, (bool, int, float, complex, str)):
        return f"{type(value).__name__} {_short(value)}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        named = value and len(value) <= 8 and all(isinstance(key, str) and len(key) <= 20 and key.isprintable() for key in value)
        return f"a dict of {len(value)}" + (f" with the keys {', '.join(value)}" if named else "")
    return f"an object of type {type(value).__name__}"


def _short(value: Any) -> str:
    """The beginning of how Python writes a value."""
    try:
        text = repr(value)
    except Exception:  # Python refuses to write out whole numbers of more than 4300 digits
        return "that is too long to show"
    return text if len(text) <= 40 else text[:37] + "..."


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


def axis_size(axis: str, sizes: dict[str, int]) -> int:
    """The size of an axis such as `H`, or of a multiple of one such as `4H`."""
    if axis in sizes:
        return sizes[axis]
    base = axis.lstrip("0123456789")
    return int(axis.removesuffix(base)) * sizes[base]


def shape_text(axes: tuple[str, ...], sizes: dict[str, int]) -> str:
    """A shape with the names of its axes, such as `(T=3, N=2)`; a comma after a single one as in Python."""
    inside = ", ".join(f"{axis}={axis_size(axis, sizes)}" for axis in axes)
    return f"({inside},)" if len(axes) == 1 else f"({inside})"


# --- Form --------------------------------------------------------------------------------------


def type_problem(value: Any, output: Output, name: str | None = None, sizes: dict[str, int] | None = None) -> str | None:
    """One sentence on what is wrong with the type of a result, or None. `name`: what to call it; sizes: of its axes, where known."""
    name = name or output.name
    if output.kind in ("array", "ids"):
        if isinstance(value, np.ndarray):
            return None
        return f"{name}: expected a NumPy array{_of_shape(output, sizes)}, received {describe(value)}."
    if output.kind == "float":
        return None if is_number(value) else f"{name}: expected one number, received {describe(value)}."
    if output.kind == "int":
        return None if is_integer(value) else f"{name}: expected one whole number, received {describe(value)}."
    if output.kind == "str":
        return None if isinstance(value, str) else f"{name}: expected a string, received {describe(value)}."
    wanted, right = _container(value, output)
    if not right:
        return f"{wanted[0].upper()}{wanted[1:]}; received {describe(value)}." if output.name == "the result" else (
            f"{name}: {wanted}, received {describe(value)}."
        )
    return next(
        (p for part, item, label in _parts(value, output, name) if (p := type_problem(part, item, label, sizes))), None
    )


def _of_shape(output: Output, sizes: dict[str, int] | None) -> str:
    """The shape that was expected, in words; nothing where its sizes are not known."""
    try:
        return f" of shape {shape_text(output.axes, sizes or {})}"
    except (KeyError, ValueError):
        return ""


def _container(value: Any, output: Output) -> tuple[str, bool]:
    """What a result with parts should be, in words, and whether it is."""
    names = ", ".join(item.name for item in output.items)
    if output.kind == "tuple":
        right = isinstance(value, (tuple, list)) and len(value) == len(output.items)
        return f"expected a tuple of {len(output.items)}: ({names})", right
    if output.kind == "dict":
        return f"expected a dict with the keys {names}", isinstance(value, dict) and value.keys() == {i.name for i in output.items}
    if output.kind == "list":
        return "expected a list", isinstance(value, (list, tuple))
    return "expected a dict", isinstance(value, dict)


def _parts(value: Any, output: Output, name: str) -> Iterator[tuple[Any, Output, str]]:
    """The parts of a result of the right type, each with its output and what to call it."""
    if output.kind == "tuple":
        inside = "" if output.name == "the result" else f" of {name}"
        yield from ((part, item, f"{item.name}{inside}") for part, item in zip(value, output.items, strict=True))
    elif output.kind == "dict":
        yield from ((value[item.name], item, f'{name}["{item.name}"]') for item in output.items)
    elif output.kind == "list":
        yield from ((part, _numbered(output.items[0], i + 1), f"{name}[{i}]") for i, part in enumerate(value))
    elif output.kind == "mapping":
        yield from ((part, output.items[0], f"{name}[{_short(key)}]") for key, part in plain_keys(value).items())


def _numbered(item: Output, k: int) -> Output:
    """An entry of a list with its own axes, `H_2` for `H_k` in the second."""
    if not any(axis.endswith("_k") for axis in item.axes):
        return item
    return replace(item, axes=tuple(f"{axis[:-1]}{k}" if axis.endswith("_k") else axis for axis in item.axes))


def plain_keys(mapping: dict) -> dict:
    """The same mapping with NumPy numbers in its keys turned into Python's."""

    def plain(key: Any) -> Any:
        if isinstance(key, tuple):
            return tuple(map(plain, key))
        return key.item() if isinstance(key, np.generic) else key

    return {plain(key): value for key, value in mapping.items()}


def shape_problem(value: Any, output: Output, sizes: dict[str, int], name: str | None = None) -> str | None:
    """One sentence on what is wrong with shape or dtype of a result of the right type, or None."""
    name = name or output.name
    if output.kind not in ("array", "ids"):
        return next(
            (p for part, item, label in _parts(value, output, name) if (p := shape_problem(part, item, sizes, label))), None
        )
    if any("_" in axis and axis not in sizes for axis in output.axes):
        return None  # an entry more than there should be, which is told when the values are compared
    if value.shape != tuple(axis_size(axis, sizes) for axis in output.axes):
        return f"{name}: expected shape {shape_text(output.axes, sizes)}, received {value.shape}."
    if output.kind == "ids" and value.dtype.kind not in "iu":
        return f"{name}: expected ids, whole numbers of an integer dtype, received {value.dtype}."
    if output.kind == "array" and value.dtype != np.float64:
        return f"{name}: expected dtype float64, received {value.dtype}."
    return None


# --- Values ------------------------------------------------------------------------------------


def relative_error(part: Any, expected: Any) -> float:
    """Norm of the difference over the norm of `expected` (over 1 if that is zero); infinite where only one is finite."""
    try:
        part, expected = np.asarray(part, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except OverflowError:  # a whole number beyond float64
        return 0.0 if part == expected else float("inf")
    with np.errstate(all="ignore"):
        same = (part == expected) | (np.isnan(part) & np.isnan(expected))
        finite = np.isfinite(part) & np.isfinite(expected)
        if not np.all(same | finite):
            return float("inf")
        difference, expected = np.where(finite, part - expected, 0.0), np.where(finite, expected, 0.0)
        largest = np.abs(expected).max(initial=0.0)
        if largest > 0:  # squares of numbers beyond 1e154 overflow
            difference, expected = difference / largest, expected / largest
            return float(np.linalg.norm(difference) / np.linalg.norm(expected))
        return float(np.linalg.norm(difference))


def value_problem(value: Any, expected: Any, output: Output, tolerance: float, name: str | None = None) -> str | None:
    """One or two sentences on where a result of the right form first differs, or None. Never shows what was expected."""
    name = name or output.name
    if output.kind == "array":
        error = relative_error(value, expected)
        if error > tolerance or (output.per_step and _wrong_steps(value, expected, tolerance)):
            return _where(value, np.asarray(expected), output, name, error, tolerance)
        return None
    if output.kind == "float":
        error = relative_error(value, expected)
        return f"{name} is wrong; you returned {_number(value)} ({_size(error)})." if error > tolerance else None
    if output.kind == "int":
        return f"{name} is wrong; you returned {_short(int(value))}." if int(value) != int(expected) else None
    if output.kind == "str":
        return f"{name} is wrong; you returned {describe(value)}." if value != expected else None
    if output.kind == "ids":
        return _where_ids(value, np.asarray(expected), output, name)
    if output.kind == "mapping":
        return _mapping_problem(value, expected, output, tolerance, name)
    pairs = zip(_parts(value, output, name), _parts(expected, output, name))
    problem = next((p for (v, item, label), (e, _, _) in pairs if (p := value_problem(v, e, item, tolerance, label))), None)
    if problem is None and len(value) != len(expected):
        return f"{name} has {len(value)} entries where {len(expected)} are right."
    return problem


def _number(value: Any) -> str:
    """A learner's number with six digits."""
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return "a number beyond float64"


def _mapping_problem(value: dict, expected: dict, output: Output, tolerance: float, name: str) -> str | None:
    value, expected = plain_keys(value), plain_keys(expected)
    strangers = [key for key in value if key not in expected]
    if strangers:
        return f"{name} has {_keys(len(strangers))} that should not be there, such as {_short(strangers[0])}."
    if missing := len(expected.keys() - value.keys()):
        return f"{name} lacks {_keys(missing)}: you have {len(value)} of {len(expected)}."
    for key, part in value.items():
        if problem := value_problem(part, expected[key], output.items[0], tolerance, f"{name}[{_short(key)}]"):
            return problem
    return None


def _keys(count: int) -> str:
    return "a key" if count == 1 else f"{count} keys"


def _where_ids(part: np.ndarray, truth: np.ndarray, output: Output, name: str) -> str | None:
    wrong = np.argwhere(part != truth)
    if not len(wrong):
        return None
    place = tuple(int(i) for i in wrong[0])
    return f"{name} first differs at [{', '.join(map(str, place))}], axes ({', '.join(output.axes)}); you have {int(part[place])} there."


def _wrong_steps(part: np.ndarray, truth: np.ndarray, tolerance: float) -> list[int]:
    """The steps at which an array differs from the truth by more than the tolerance, relative to that step's own norm."""
    return [t for t in range(len(part)) if relative_error(part[t], truth[t]) > tolerance]


def _size(error: float) -> str:
    if not np.isfinite(error):
        return "not a finite number"
    if error < 1e-4:
        return f"relative error {error:.1e}, where float64 work has less than 1e-9: is something float32, or an epsilon added?"
    return f"relative error {error:.2g}"


def _where(part: np.ndarray, truth: np.ndarray, output: Output, name: str, error: float, tolerance: float) -> str:
    """Say where an array first differs: the first step in time, then the largest difference in it."""
    if output.axes[:1] == ("T",):
        wrong = _wrong_steps(part, truth, tolerance)
        if not wrong:  # only all steps together exceed the tolerance
            wrong = [int(np.argmax([relative_error(part[t], truth[t]) for t in range(len(part))]))]
        t = wrong[0]
        place = (t, *_largest(part[t], truth[t]))
        error = max(error, relative_error(part[t], truth[t])) if output.per_step else error
        when = f"{name} first differs at step {t + 1} of {len(part)}, {name}[{t}] in code"
    else:
        place = _largest(part, truth)
        when = f"{name} differs"
    named = [_axis_place(axis, index) for axis, index in zip(output.axes, place, strict=True) if axis != "T"]
    there = f", most at {', '.join(named)}" if named else ""
    return f"{when}{there}; you have {part[place]:.6g} there ({_size(error)})."


def _axis_place(axis: str, index: int) -> str:
    """A place on an axis in words: `unit h=3` on `H` or `H_2`, `column 3 of 2H` on a multiple."""
    if axis[0].isdigit():
        return f"column {index} of {axis}"
    return f"{AXIS_WORDS.get(axis.split('_')[0], axis)}={index}"


def _largest(part: np.ndarray, truth: np.ndarray) -> tuple[int, ...]:
    with np.errstate(all="ignore"):
        difference = np.abs(part - truth)
    difference = np.where(np.isfinite(difference), difference, np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))
