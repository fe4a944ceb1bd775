"""Checks of a learner's functions: `check("rnn_forward", rnn_forward)`; `check()` alone shows what stands; `hint("rnn_forward")` helps.

The same line serves the learner at home, `nbgrader validate`, and the grade.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from ..language import gettext, listed_long
from ..terminal import writable
from . import hints as _hints
from . import run as _run
from . import limits, met, uses
from .drawn import PUBLIC_SEED, Drawn
from .observe import copy_of, line_of, told
from .report import Overview, Report, headline, points_text
from .run import Record
from .task import Case, Task
from .tasks import TASKS, UnknownTask, find
from .watch import Watched

__all__ = ["TASKS", "CheckFailed", "Interrupted", "Record", "Task", "UnknownTask", "case", "check", "find", "hint"]


class CheckFailed(Exception):
    """A check did not pass. A notebook shows it as one line; the report above it says why."""

    def _render_traceback_(self) -> list[str]:
        return [f"CheckFailed: {self}"]


def _in_ipython() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


_standing: dict[str, Record] = {}  # the last record of every task that was checked in this process
_asked: dict[str, int] = {}        # how many hints were asked for since then


NOT_GIVEN = object()  # for an argument: None is what a function gives that returns nothing


class Interrupted(KeyboardInterrupt):
    """A check was stopped by hand. A notebook shows it as one line."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


def check(name: str | None = None, function: Any = NOT_GIVEN) -> None:
    """Judge a function that a learner wrote, show the report, and raise `CheckFailed` unless everything passed.

    name: the task's name, which is the function's name. Raises ValueError for a name that is no task. The function may be left out where
    the caller has one of that name. While nbgrader executes the notebook the points come first, as the one result of the cell.
    Without arguments: list the tasks and what stands, as they were last checked.
    """
    caller = sys._getframe(1)
    if name is None and function is NOT_GIVEN:
        _show(_overview(caller))
        return
    if function is NOT_GIVEN and callable(name):
        name, function = getattr(name, "__name__", name), name
    task = find(name)
    if function is NOT_GIVEN:
        function = _of_caller(caller, task.name)
    if function is NOT_GIVEN:
        text = gettext('There is no function {task} yet. Run the cell that defines it, then: check("{task}", {task}).')
        raise CheckFailed(text.format(task=task.name))
    shown = None
    if callable(function):
        with Watched(task, function) as watched:
            try:
                record = _run.run(task, watched)
                when_graded = limits.otherwise(function, watched.longest, watched.total)
                record = uses.at_home(task, function, watched, record, _standing, find)
                record.when_graded = when_graded
            except KeyboardInterrupt as error:
                line = line_of(error, function)
                text = gettext("{task} was stopped at {case} {line}.") if line else gettext("{task} was stopped at {case}.")
                raise Interrupted(text.format(task=task.name, case=watched.where(), line=told(line))) from None
        shown = watched.display
    else:
        record = _run.not_a_function(task, function)
    _standing[task.name], _asked[task.name] = record, 0
    if _in_ipython():
        met.remember(record)
    if os.environ.get("NBGRADER_EXECUTION"):
        sys.displayhook(float(points_text(record.points)))
    _show(Report(record), shown)
    if not record.passed:
        raise CheckFailed(gettext("{points}. The report above says what differs.").format(points=headline(record)))


def case(name: str, which: str | int | None = None) -> dict[str, Any]:
    """The inputs of a public case of a task, by the arguments' names: `rnn_step(**check.case("rnn_step"))` calls your function on them.

    which: the case's name as the report has it, or its number among the cases that carry points, from 1; without it, the case at which
    the last check stopped. Each call gives fresh arrays. Raises ValueError for a case that does not exist.
    """
    task = find(name)
    cases = _run.drawn(task, PUBLIC_SEED)
    chosen = _failed_case(task, cases) if which is None else _named_case(cases, which)
    print(writable(gettext("{task}: the case “{case}”").format(task=task.name, case=gettext(chosen.name))))
    return copy_of(chosen.arguments)


def _failed_case(task: Task, cases: Drawn) -> Case:
    """The case at which the last check of a task stopped; the first one when nothing failed, or nothing was checked."""
    record = _standing.get(task.name)
    place = next((i for i, step in enumerate(record.steps) if step.status == "failed"), None) if record else None
    if place is None:
        return cases.values[0]
    forms = sum(step.kind == "form" for step in record.steps)
    return cases.form if place < forms else cases.values[place - forms]


def _named_case(cases: Drawn, which: str | int) -> Case:
    if isinstance(which, int) and 1 <= which <= len(cases.values):
        return cases.values[which - 1]
    for chosen in [*cases.values, cases.form]:
        if which in (chosen.name, gettext(chosen.name)):
            return chosen
    names = listed_long(gettext("{number} “{case}”").format(number=i, case=gettext(chosen.name)) for i, chosen in enumerate(cases.values, 1))
    raise ValueError(gettext("{task} has no case {asked}; its cases are: {names}.").format(task=cases.task.name, asked=repr(which), names=names))


check.case = case  # type: ignore[attr-defined]


def hint(name: str) -> None:
    """Show the next hint for a task whose check failed: the idea to look at, then the mistake in words, then the line of code.

    It costs no points. Each new check begins again with the first hint. Raises ValueError for a name that is no task.
    """
    task = find(name)
    record = _standing.get(task.name)
    texts = _hints.hints(record) if record else []
    if texts:
        place = min(_asked[task.name], len(texts) - 1)
        _asked[task.name] = place + 1
        _show(_hints.Hint(_hints.numbered(texts, place), record.reread if place == 0 else []))
    else:
        _show(_hints.Hint(gettext(_hints.PASSED if record and record.passed else _hints.NOT_CHECKED).format(task=task.name)))


check.hint = hint  # type: ignore[attr-defined]  # notebooks import `check` alone


def _of_caller(caller: FrameType, name: str) -> Any:
    """The function of that name where `check` was called, if a learner wrote one."""
    found = caller.f_locals.get(name, caller.f_globals.get(name))
    return found if _is_written(found) else NOT_GIVEN


def _show(shown: Report | Overview | _hints.Hint, place: Any = None) -> None:
    """In a notebook as HTML beside the text, elsewhere as text. place: the display that told of the check's progress."""
    if _in_ipython():
        from IPython.display import display

        place.update(shown) if place is not None else display(shown)
    else:
        print(writable(str(shown)))


def _overview(caller: FrameType) -> Overview:
    """The tasks of the assignments that were checked here; if none was, of those whose functions the caller has written."""
    names = _standing or [name for name in TASKS if _is_written(caller.f_locals.get(name, caller.f_globals.get(name)))]
    assignments = {TASKS[name].assignment for name in names}
    return Overview([task for task in TASKS.values() if not assignments or task.assignment in assignments], dict(_standing))


def _is_written(value: object) -> bool:
    """Whether a value is a function, and not one of the package's own that was imported."""
    return callable(value) and not (getattr(value, "__module__", None) or "").startswith("unrolled")
