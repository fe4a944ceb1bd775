"""A check at home while it runs: which case, and since when. What takes its time is told, and what is interrupted is placed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from ..language import gettext
from ..terminal import writable
from .drawn import PUBLIC_SEED, drawn
from .observe import Clock, Observation, in_process
from .task import Task

FIRST_WORD = 2.0  # seconds of silence before a check says how far it is


class Watched:
    """A `call` for `run` that knows the case it is at and says so when it takes long. Use it in a `with`.

    In a notebook `display` is the display that the report then replaces, or None; in a terminal a line of standard error is written
    over, and taken away at the end.
    """

    def __init__(self, task: Task, function: Callable) -> None:
        self.task, self.function = task, function
        cases = drawn(task, PUBLIC_SEED)
        self.cases = [cases.form, *cases.values]
        self.place = 0
        self.display: Any = None
        self.longest = self.total = 0.0  # seconds of the calls so far
        self._call = in_process(function, Clock(self._tell))
        self._began = self._told = time.monotonic()
        self._errors = sys.stderr  # what a call writes to is another stream
        self._width = 0

    def __call__(self, arguments: dict[str, Any]) -> Observation:
        self.place = next((i for i, case in enumerate(self.cases) if case.arguments is arguments), self.place)
        began = time.monotonic()
        try:
            return self._call(arguments)
        finally:
            took = time.monotonic() - began
            self.longest, self.total = max(self.longest, took), self.total + took

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width and self._errors.isatty():
            self._errors.write("\r" + " " * self._width + "\r")
            self._errors.flush()

    def where(self) -> str:
        """The case that runs, in words."""
        text = gettext("case {number} of {count}, “{case}”")
        return text.format(number=self.place + 1, count=len(self.cases), case=gettext(self.cases[self.place].name))

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told < FIRST_WORD or os.environ.get("UNROLLED_PROGRESS") == "off" or os.environ.get("NBGRADER_EXECUTION"):
            return
        self._told = now
        text = gettext("{task}: {where}, {seconds} s so far").format(task=self.task.name, where=self.where(), seconds=f"{now - self._began:.0f}")
        if notebook := _kernel():
            shown = {"text/plain": text}
            if self.display is None:
                self.display = notebook(shown, raw=True, display_id=True)
            else:
                self.display.update(shown, raw=True)
            return
        line = writable(text, self._errors)
        end = "" if self._errors.isatty() else "\n"
        self._errors.write(f"\r{line:<{self._width}}{end}" if not end else f"{line}{end}")
        self._errors.flush()
        self._width = len(line)


def _kernel() -> Callable | None:
    """What displays in a notebook; None in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display
