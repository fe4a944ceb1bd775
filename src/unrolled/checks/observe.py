"""Calling a function that a learner wrote, and what one call did."""

from __future__ import annotations

import contextlib
import io
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PRINTED_LIMIT = 1000  # characters of a learner's own output that a report keeps


@dataclass(frozen=True)
class Observation:
    """What one call did: its value or its error, which arguments it changed, and what it printed."""

    value: Any = None
    error: str | None = None        # "ValueError: ..." with the line it came from; for a NotImplementedError the function's name
    error_type: str | None = None   # "ValueError"
    changed: tuple[str, ...] = ()
    printed: str = ""


def copy_of(value: Any) -> Any:
    """A copy that shares no memory with `value`, as plain arrays, lists, tuples and dicts whatever subclass came."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, list):
        return [copy_of(item) for item in value]
    if isinstance(value, tuple):
        return tuple(copy_of(item) for item in value)
    if isinstance(value, dict):
        return {key: copy_of(item) for key, item in value.items()}
    return value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return a == b


def _unwritten(error: NotImplementedError) -> str:
    """The name of the function that is not written yet: the one that raised, which another may have called."""
    return traceback.extract_tb(error.__traceback__)[-1].name


def _error_text(error: BaseException, function: Callable) -> str:
    """The error and the deepest line of the file or cell in which `function` was written."""
    if isinstance(error, NotImplementedError):
        return _unwritten(error)
    text = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    own = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    if not frames:
        return text
    source = f": {frames[-1].line}" if frames[-1].line else ""
    return f"{text}\n(line {frames[-1].lineno} of the cell{source})"


def in_process(function: Callable) -> Callable[[dict[str, Any]], Observation]:
    """A `call` for a function that lives in this process. Its output and warnings are kept, not shown."""

    def call(arguments: dict[str, Any]) -> Observation:
        given = copy_of(arguments)
        output = io.StringIO()
        value = error_text = error_type = None
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("default")
            try:
                value = copy_of(function(*given.values()))
            except (Exception, SystemExit) as error:
                error_text, error_type = _error_text(error, function), type(error).__name__
        lines = [output.getvalue()] + [f"{w.category.__name__}: {w.message}\n" for w in caught]
        return Observation(
            value=value,
            error=error_text,
            error_type=error_type,
            changed=tuple(name for name in arguments if not _same(arguments[name], given[name])),
            printed="".join(lines)[: PRINTED_LIMIT + 1],
        )

    return call
