"""Comparing what came with what was expected: first the form, then the values."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..language import gettext, listed, ngettext, texts
from .task import RESULT, Output

PLACES = texts({"N": "sequence n={index}", "D": "feature d={index}", "E": "feature e={index}", "H": "unit h={index}", "V": "token v={index}"})
NONE = texts("None (is the return statement missing?)")


def describe(value: Any) -> str:
    """A short description of a value that came from a learner; never its whole content."""
    if isinstance(value, np.ndarray):
        return gettext("an array of shape {shape} and dtype {dtype}").format(shape=value.shape, dtype=value.dtype)
    if value is None:
        return gettext(NONE)
    if isinstance(value, (bool, int, float, complex, str)):
        return f"{type(value).__name__} {_short(value)}"
    if isinstance(value, (tuple, list)):
        return gettext("a {type} of {count}").format(type=type(value).__name__, count=len(value))
    if isinstance(value, dict):
        named = value and len(value) <= 8 and all(isinstance(key, str) and len(key) <= 20 and key.isprintable() for key in value)
        text = gettext("a dict of {count} with the keys {keys}") if named else gettext("a dict of {count}")
        return text.format(count=len(value), keys=listed(value) if named else "")
    return gettext("an object of type {type}").format(type=type(value).__name__)


def _short(value: Any) -> str:
    """The beginning of how Python writes a value."""
    try:
        text = repr(value)
    except Exception:  # Python refuses to write out whole numbers of more than 4300 digits
        return gettext("that is too long to show")
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
    name = name or output.called
    if output.kind in ("array", "ids"):
        if isinstance(value, np.ndarray):
            return None
        if shape := _shape(output, sizes):
            return gettext("{name}: expected a NumPy array of shape {shape}, received {value}.").format(name=name, shape=shape, value=describe(value))
        return gettext("{name}: expected a NumPy array, received {value}.").format(name=name, value=describe(value))
    if output.kind == "float":
        text = gettext("{name}: expected one number, received {value}.")
        return None if is_number(value) else text.format(name=name, value=describe(value))
    if output.kind == "int":
        text = gettext("{name}: expected one whole number, received {value}.")
        return None if is_integer(value) else text.format(name=name, value=describe(value))
    if output.kind == "str":
        text = gettext("{name}: expected a string, received {value}.")
        return None if isinstance(value, str) else text.format(name=name, value=describe(value))
    if not _is_container(value, output):
        whole, part = CONTAINERS[output.kind]
        names = listed(item.name for item in output.items)
        text = gettext(whole if output.name == RESULT else part)
        return text.format(name=name, count=len(output.items), names=names, value=describe(value))
    return next(
        (p for part, item, label in _parts(value, output, name) if (p := type_problem(part, item, label, sizes))), None
    )


def _shape(output: Output, sizes: dict[str, int] | None) -> str:
    """The shape that was expected; nothing where its sizes are not known."""
    try:
        return shape_text(output.axes, sizes or {})
    except (KeyError, ValueError):
        return ""


# What a result with parts should be: the whole result, and a part of it.
CONTAINERS = texts({
    "tuple": ("Expected a tuple of {count}: ({names}); received {value}.", "{name}: expected a tuple of {count}: ({names}), received {value}."),
    "dict": ("Expected a dict with the keys {names}; received {value}.", "{name}: expected a dict with the keys {names}, received {value}."),
    "list": ("Expected a list; received {value}.", "{name}: expected a list, received {value}."),
    "mapping": ("Expected a dict; received {value}.", "{name}: expected a dict, received {value}."),
})


def _is_container(value: Any, output: Output) -> bool:
    """Whether a result with parts is of the kind that it should be."""
    if output.kind == "tuple":
        return isinstance(value, (tuple, list)) and len(value) == len(output.items)
    if output.kind == "dict":
        return isinstance(value, dict) and value.keys() == {i.name for i in output.items}
    return isinstance(value, (list, tuple) if output.kind == "list" else dict)


def _parts(value: Any, output: Output, name: str) -> Iterator[tuple[Any, Output, str]]:
    """The parts of a result of the right type, each with its output and what to call it."""
    if output.kind == "tuple":
        inside = "{part}" if output.name == RESULT else gettext("{part} of {whole}")
        yield from ((part, item, inside.format(part=item.name, whole=name)) for part, item in zip(value, output.items, strict=True))
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
    name = name or output.called
    if output.kind not in ("array", "ids"):
        return next(
            (p for part, item, label in _parts(value, output, name) if (p := shape_problem(part, item, sizes, label))), None
        )
    if any("_" in axis and axis not in sizes for axis in output.axes):
        return None  # an entry more than there should be, which is told when the values are compared
    if value.shape != tuple(axis_size(axis, sizes) for axis in output.axes):
        text = gettext("{name}: expected shape {right}, received {shape}.")
        return text.format(name=name, right=shape_text(output.axes, sizes), shape=value.shape)
    if output.kind == "ids" and value.dtype.kind not in "iu":
        return gettext("{name}: expected ids, whole numbers of an integer dtype, received {dtype}.").format(name=name, dtype=value.dtype)
    if output.kind == "array" and value.dtype != np.float64:
        return gettext("{name}: expected dtype float64, received {dtype}.").format(name=name, dtype=value.dtype)
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
    name = name or output.called
    if output.kind == "array":
        error = relative_error(value, expected)
        if error > tolerance or (output.per_step and _wrong_steps(value, expected, tolerance)):
            return _where(value, np.asarray(expected), output, name, error, tolerance)
        return None
    if output.kind == "float":
        error = relative_error(value, expected)
        text = gettext("{name} is wrong; you returned {value} ({error}).")
        return text.format(name=name, value=_number(value), error=_size(error)) if error > tolerance else None
    if output.kind == "int":
        text = gettext("{name} is wrong; you returned {value}.")
        return text.format(name=name, value=_short(int(value))) if int(value) != int(expected) else None
    if output.kind == "str":
        text = gettext("{name} is wrong; you returned {value}.")
        return text.format(name=name, value=describe(value)) if value != expected else None
    if output.kind == "ids":
        return _where_ids(value, np.asarray(expected), output, name)
    if output.kind == "mapping":
        return _mapping_problem(value, expected, output, tolerance, name)
    pairs = zip(_parts(value, output, name), _parts(expected, output, name))
    problem = next((p for (v, item, label), (e, _, _) in pairs if (p := value_problem(v, e, item, tolerance, label))), None)
    if problem is None and len(value) != len(expected):
        text = ngettext("{name} has one entry where {right} are right.", "{name} has {count} entries where {right} are right.", len(value))
        return text.format(name=name, count=len(value), right=len(expected))
    return problem


def _number(value: Any) -> str:
    """A learner's number with six digits."""
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return gettext("a number beyond float64")


def _mapping_problem(value: dict, expected: dict, output: Output, tolerance: float, name: str) -> str | None:
    value, expected = plain_keys(value), plain_keys(expected)
    strangers = [key for key in value if key not in expected]
    if strangers:
        text = ngettext("{name} has a key that should not be there, such as {key}.", "{name} has {count} keys that should not be there, such as {key}.",
                        len(strangers))  # fmt: skip
        return text.format(name=name, count=len(strangers), key=_short(strangers[0]))
    if missing := len(expected.keys() - value.keys()):
        text = ngettext("{name} lacks a key: you have {mine} of {right}.", "{name} lacks {count} keys: you have {mine} of {right}.", missing)
        return text.format(name=name, count=missing, mine=len(value), right=len(expected))
    for key, part in value.items():
        if problem := value_problem(part, expected[key], output.items[0], tolerance, f"{name}[{_short(key)}]"):
            return problem
    return None


def _where_ids(part: np.ndarray, truth: np.ndarray, output: Output, name: str) -> str | None:
    wrong = np.argwhere(part != truth)
    if not len(wrong):
        return None
    place = tuple(int(i) for i in wrong[0])
    text = gettext("{name} first differs at [{place}], axes ({axes}); you have {value} there.")
    return text.format(name=name, place=", ".join(map(str, place)), axes=", ".join(output.axes), value=int(part[place]))


def _wrong_steps(part: np.ndarray, truth: np.ndarray, tolerance: float) -> list[int]:
    """The steps at which an array differs from the truth by more than the tolerance, relative to that step's own norm."""
    return [t for t in range(len(part)) if relative_error(part[t], truth[t]) > tolerance]


def _size(error: float) -> str:
    if not np.isfinite(error):
        return gettext("not a finite number")
    if error < 1e-4:
        text = gettext("relative error {error}, where float64 work has less than 1e-9: is something float32, or an epsilon added?")
        return text.format(error=f"{error:.1e}")
    return gettext("relative error {error}").format(error=f"{error:.2g}")


def _where(part: np.ndarray, truth: np.ndarray, output: Output, name: str, error: float, tolerance: float) -> str:
    """Say where an array first differs: the first step in time, then the largest difference in it."""
    t = 0
    if output.axes[:1] == ("T",):
        wrong = _wrong_steps(part, truth, tolerance)
        if not wrong:  # only all steps together exceed the tolerance
            wrong = [int(np.argmax([relative_error(part[t], truth[t]) for t in range(len(part))]))]
        t = wrong[0]
        place = (t, *_largest(part[t], truth[t]))
        error = max(error, relative_error(part[t], truth[t])) if output.per_step else error
    else:
        place = _largest(part, truth)
    named = [_axis_place(axis, index) for axis, index in zip(output.axes, place, strict=True) if axis != "T"]
    if output.axes[:1] == ("T",) and named:
        text = gettext("{name} first differs at step {step} of {steps}, {name}[{t}] in code, most at {place}; you have {value} there ({error}).")
    elif output.axes[:1] == ("T",):
        text = gettext("{name} first differs at step {step} of {steps}, {name}[{t}] in code; you have {value} there ({error}).")
    elif named:
        text = gettext("{name} differs, most at {place}; you have {value} there ({error}).")
    else:
        text = gettext("{name} differs; you have {value} there ({error}).")
    steps = len(part) if output.axes[:1] == ("T",) else 0
    return text.format(name=name, step=t + 1, steps=steps, t=t, place=listed(named), value=f"{part[place]:.6g}", error=_size(error))


def _axis_place(axis: str, index: int) -> str:
    """A place on an axis in words: `unit h=3` on `H` or `H_2`, `column 3 of 2H` on a multiple."""
    if axis[0].isdigit():
        return gettext("column {index} of {axis}").format(index=index, axis=axis)
    words = PLACES.get(axis.split("_")[0])
    return gettext(words).format(index=index) if words else f"{axis}={index}"


def _largest(part: np.ndarray, truth: np.ndarray) -> tuple[int, ...]:
    with np.errstate(all="ignore"):
        difference = np.abs(part - truth)
    difference = np.where(np.isfinite(difference), difference, np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))
