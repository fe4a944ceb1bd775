"""Each task on its own: one that fails is judged once more with right versions of the earlier tasks that it calls.

A task is given them only along the edges that it declares (`Task.uses`), from a later task to an earlier one and never back. It earns
something new only if everything passes that is asked then: all cases but the costly ones, whose share of the points stays with the
learner's own versions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import run
from .observe import Clock, in_process
from .record import Record
from .task import Task


def wrong_uses(task: Task, standing: Mapping[str, Record]) -> list[str]:
    """The earlier tasks that this one may call and that were judged and are not right by themselves."""
    return [name for name in task.uses if name in standing and (not standing[name].passed or standing[name].given)]


def judged_on_its_own(task: Task, record: Record, wrong: list[str], again: Callable[[list[str]], tuple[Record, set[str]]]) -> Record:
    """The record of a task, or of judging it again where it failed and that passes.

    again(names): judges it with right versions of these tasks; returns the record, and which of them were called.
    """
    if record.passed or not wrong or record.unwritten == task.name:
        return record
    second, called = again(wrong)
    given = [name for name in wrong if name in called]
    if not given or any(step.status == "failed" for step in second.steps) or second.points <= record.points:
        return record
    second.given = given
    return second


def in_order(task: Task, given: tuple, named: Mapping[str, Any]) -> list[Any]:
    """The arguments of a call in the order of the task's. Raises TypeError where they are others."""
    names = list(task.arguments)
    values = [*given, *(named[name] for name in names[len(given) :] if name in named)]
    if len(values) != len(names) or not named.keys() <= set(names[len(given) :]):
        raise TypeError(f"expected the call {task.signature}")
    return values


# --- In this process ---------------------------------------------------------------------------


def at_home(
    task: Task, function: Callable, call: Callable, record: Record, standing: Mapping[str, Record], find: Callable[[str], Task]
) -> Record:  # fmt: skip
    """The record of a function of this process, judged on its own. An earlier task that was not checked yet is checked for this.

    call(arguments): calls the function, as it did when the record was made.
    """
    space = getattr(function, "__globals__", None)
    if record.passed or not task.uses or not isinstance(space, dict):
        return record
    records = {name: standing[name] if name in standing else _checked(find(name), space.get(name)) for name in task.uses}

    def again(names: list[str]) -> tuple[Record, set[str]]:
        called: set[str] = set()
        with _bound(space, {name: _right_version(find(name), called) for name in names}):
            return run.run(task, call, without_costly=True), called

    return judged_on_its_own(task, record, wrong_uses(task, records), again)


def _checked(task: Task, function: Any) -> Record:
    return run.run(task, in_process(function, Clock())) if callable(function) else run.not_a_function(task, function)


def _right_version(task: Task, called: set[str]) -> Callable:
    def right(*given: Any, **named: Any) -> Any:
        called.add(task.name)
        return task.solution(*in_order(task, given, named))

    return right


@contextlib.contextmanager
def _bound(space: dict[str, Any], names: dict[str, Any]) -> Iterator[None]:
    """These names in a namespace, and afterwards what was there before."""
    before = {name: space[name] for name in names if name in space}
    space.update(names)
    try:
        yield
    finally:
        for name in names:
            space.pop(name, None)
        space.update(before)
