"""Calling a function that a learner wrote, and what one call did."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..language import again, texts
from . import stubs
from .failing import failing_part

GLOBAL_STATE = "np.random"  # what a function that gets a seed changed, beside arguments: NumPy's global random state
PRINTED_LIMIT = 1000  # characters of a learner's own output that a report keeps
ERROR_LIMIT = 600     # characters of an error's text that a report keeps
WARNING_LIMIT = 200   # characters of a warning's
WARNINGS_LIMIT = 5    # different warnings that a report keeps
CALL_SECONDS = 60.0   # for one call at home; $UNROLLED_CALL_SECONDS sets another limit
AGAIN = 0.25          # seconds after which code that swallowed the first alarm gets another


# What is said here, and by the program inside the sandbox, of a call without a result. It is English: `told` says it in another language.
SAID = texts((
    "(line {line} of the cell)",
    "(line {line} of the cell: {source})",
    "{text} ... (cut: {count} characters)",
    "no result: a call may take {seconds} s",
    "no result: a call may take {seconds} s when grading",
    "input(). A function can't ask while it is checked: all that it needs is in its arguments.",
    "TypeError: expected the call {call}",
    "EOFError: nobody types when grading",
    "ModuleNotFoundError: {module} is not there when grading: use NumPy and Python's own library only",
    "no result: the results together are larger than {size} MiB",
    "no result: {why}",
    "the time for this task was over",
    "the time for the whole notebook, {seconds} s, was over",
))


def told(error: str) -> str:
    """An observation's error in the language that is spoken now. What Python says stays as Python says it."""
    first, _, line = error.rpartition("\n")
    return "\n".join(again(part, SAID) for part in (first, line) if part)


@dataclass(frozen=True)
class Observation:
    """What one call did: its value or its error, which arguments it changed, what it printed, and what NumPy and Python warned of."""

    value: Any = None
    # "ValueError: ..." with the line it came from; for a NotImplementedError what `stubs.unwritten` says
    error: str | None = None
    error_type: str | None = None   # "ValueError"
    changed: tuple[str, ...] = ()
    printed: str = ""
    warned: tuple[str, ...] = ()
    failing: dict[str, Any] | None = None  # the part of an expression that failed, as `failing.failing_part` describes it


class Asks(RuntimeError):
    """A function waits for somebody to type while it is checked."""


class TimeUp(BaseException):
    """The time of a call is over. No subclass of Exception, so that `except Exception` does not swallow it."""


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


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


# --- Errors --------------------------------------------------------------------------------------


def clipped(text: str, limit: int = ERROR_LIMIT) -> str:
    """The beginning of a text: an array in an error's message has no end."""
    return text if len(text) <= limit else f"{text[:limit].rstrip()} ... (cut: {len(text):,} characters)"


def line_of(error: BaseException, function: Callable) -> str:
    """The deepest line of the file or cell in which `function` was written, in brackets; empty when none is in the traceback."""
    own = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    if not frames:
        return ""
    source = f": {frames[-1].line}" if frames[-1].line else ""
    return f"(line {frames[-1].lineno} of the cell{source})"


def _error_text(error: BaseException, function: Callable) -> str:
    """The error and the deepest line of the file or cell in which `function` was written."""
    if type(error) is NotImplementedError:
        return stubs.unwritten(error, _cells())
    try:
        text = clipped(f"{type(error).__name__}: {error}".strip().removesuffix(":"))
    except Exception:  # an exception that can't be written out
        text = type(error).__name__
    if isinstance(error, Asks):
        text = str(error)
    return "\n".join(filter(None, [text, line_of(error, function)]))


def _cells() -> list[str]:
    """The cells that ran in this notebook, if it is one, the last ones first."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return [cell for cell in reversed(shell.user_ns.get("In", [])) if isinstance(cell, str)] if shell else []


# --- Calls ---------------------------------------------------------------------------------------


class _Nobody(io.TextIOBase):
    """Standard input while a function is checked."""

    def readable(self) -> bool:
        return True

    def readline(self, *_: Any) -> str:  # type: ignore[override]
        _ask()

    read = readline


def _ask(*_: Any) -> Any:
    raise Asks("input(). A function can't ask while it is checked: all that it needs is in its arguments.")


@contextlib.contextmanager
def _nobody_types() -> Iterator[None]:
    before = builtins.input, sys.stdin
    builtins.input, sys.stdin = _ask, _Nobody()
    try:
        yield
    finally:
        builtins.input, sys.stdin = before


def call_seconds() -> float:
    """How long one call may take at home."""
    try:
        return float(os.environ.get("UNROLLED_CALL_SECONDS") or CALL_SECONDS)
    except ValueError:
        return CALL_SECONDS


class Clock:
    """Ends a call that takes too long, and asks `watch` again and again to tell of one that takes its time.

    By a timer signal where there is one. Elsewhere (on Windows, in the browser, in a thread) a call can't be ended: `watch` is asked, and
    the time found to be over, when the call returns.
    """

    def __init__(self, watch: Callable[[], None] = lambda: None) -> None:
        self.watch = watch

    @contextlib.contextmanager
    def running(self, seconds: float) -> Iterator[None]:
        """Raises TimeUp inside after `seconds`, again and again until it is heard; where there is no timer, at the end."""
        end = time.monotonic() + seconds
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            yield
            self.watch()
            if time.monotonic() >= end:
                raise TimeUp
            return

        def ring(*_: Any) -> None:
            if time.monotonic() >= end:
                raise TimeUp
            self.watch()

        before = signal.signal(signal.SIGALRM, ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, min(AGAIN, seconds), AGAIN)
            yield
        finally:
            self._stop(before)

    @staticmethod
    def _stop(before: Any) -> None:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
                return
            except TimeUp:  # it rang on the way out
                continue


def global_draws() -> bytes:
    """NumPy's global random state, to compare: it changes when somebody seeds it or draws from it."""
    _, state, place, *rest = np.random.get_state()
    return state.tobytes() + repr((place, rest)).encode()


def in_process(function: Callable, clock: Clock | None = None) -> Callable[[dict[str, Any]], Observation]:
    """A `call` for a function that lives in this process. Its output and warnings are kept, not shown.

    clock: what ends a call that takes too long; after one that did, no other call is made. Without it a call may take for ever.
    """
    over: list[Observation] = []

    def call(arguments: dict[str, Any]) -> Observation:
        if over:
            return over[0]
        given = copy_of(arguments)
        drawn_before = global_draws() if "seed" in arguments else None
        output = io.StringIO()
        seconds = call_seconds()
        value = error_text = error_type = failing = None
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            warnings.catch_warnings(record=True) as caught,
            _nobody_types(),
        ):
            warnings.simplefilter("default")
            try:
                with clock.running(seconds) if clock else contextlib.nullcontext():
                    value = function(*given.values())
                value = copy_of(value)
            except TimeUp as error:
                error_text = "\n".join(filter(None, [f"no result: a call may take {seconds:g} s", line_of(error, function)]))
                error_type = "TimeUp"
            except (Exception, SystemExit) as error:
                error_text, error_type = _error_text(error, function), type(error).__name__
                failing = failing_part(error, function)
        changed = [name for name in arguments if not same(arguments[name], given[name])]
        if drawn_before is not None and global_draws() != drawn_before:
            changed.append(GLOBAL_STATE)
        seen = Observation(
            value=value,
            error=error_text,
            error_type=error_type,
            changed=tuple(changed),
            printed=output.getvalue()[: PRINTED_LIMIT + 1],
            warned=tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}"[:WARNING_LIMIT] for w in caught))[:WARNINGS_LIMIT],
            failing=failing,
        )
        if error_type == "TimeUp":
            over.append(seen)
        return seen

    call.function = function  # whose source a diagnosis reads
    return call
