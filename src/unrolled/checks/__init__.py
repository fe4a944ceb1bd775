"""Checks of a learner's functions: `check("rnn_forward", rnn_forward)`; `check()` alone shows what stands.

The same line serves the learner at home, `nbgrader validate`, and the grade.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType

from . import run as _run
from .report import Overview, Report, headline, points_text
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


_standing: dict[str, Record] = {}  # the last record of every task that was checked in this process


def check(name: str | None = None, function: Callable | None = None) -> None:
    """Judge a function that a learner wrote, show the report, and raise `CheckFailed` unless everything passed.

    name: the task's name, which is the function's name. Raises ValueError for a name that is no task.
    While nbgrader executes the notebook the points come first, as the one result of the cell.
    Without arguments: list the tasks and what stands, as they were last checked.
    """
    if name is None and function is None:
        _show(_overview(sys._getframe(1)))
        return
    task = find(name)
    record = _run.run(task, _run.in_process(function)) if callable(function) else _run.not_a_function(task, function)
    _standing[task.name] = record
    if os.environ.get("NBGRADER_EXECUTION"):
        sys.displayhook(float(points_text(record.points)))
    _show(Report(record))
    if not record.passed:
        raise CheckFailed(f"{headline(record)}. The report above says what differs.")


def _show(shown: Report | Overview) -> None:
    """In a notebook as HTML beside the text, elsewhere as text."""
    if _in_ipython():
        from IPython.display import display

        display(shown)
    else:
        print(shown)


def _overview(caller: FrameType) -> Overview:
    """The tasks of the assignments that were checked here; if none was, of those whose functions the caller has written."""
    names = _standing or [name for name in TASKS if _is_written(caller.f_locals.get(name, caller.f_globals.get(name)))]
    assignments = {TASKS[name].assignment for name in names}
    return Overview([task for task in TASKS.values() if not assignments or task.assignment in assignments], dict(_standing))


def _is_written(value: object) -> bool:
    """Whether a value is a function, and not one of the package's own that was imported."""
    return callable(value) and not (getattr(value, "__module__", None) or "").startswith("unrolled")
