"""Checks of a learner's functions: `check("rnn_forward", rnn_forward)`.

The same line serves the learner at home, `nbgrader validate`, and the grade.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from . import run as _run
from .report import Report, as_text, headline, points_text
from .run import Record
from .task import Task
from .tasks import TASKS, find

__all__ = ["TASKS", "CheckFailed", "Record", "Task", "check", "find"]


class CheckFailed(Exception):
    """A check did not pass. A notebook shows it as one line; the report above it says why."""

    def _render_traceback_(self) -> list[str]:
        return [f"CheckFailed: {self}"]


def _in_ipython() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def check(name: str, function: Callable) -> None:
    """Judge a function that a learner wrote, show the report, and raise `CheckFailed` unless everything passed.

    name: the task's name, which is the function's name. Raises ValueError for a name that is no task.
    While nbgrader executes the notebook the points come first, as the one result of the cell.
    """
    task = find(name)
    record = _run.run(task, _run.in_process(function)) if callable(function) else _run.not_a_function(task, function)
    if os.environ.get("NBGRADER_EXECUTION"):
        sys.displayhook(float(points_text(record.points)))
    if _in_ipython():
        from IPython.display import display

        display(Report(record))
    else:
        print(as_text(record))
    if not record.passed:
        raise CheckFailed(f"{headline(record)}. The report above says what differs.")
