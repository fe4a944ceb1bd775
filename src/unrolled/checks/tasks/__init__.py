"""Every task of the course, by name."""

from __future__ import annotations

import difflib

from ...language import gettext, listed
from ..task import Task
from . import bptt, gru_and_depth, language_models, lstm, rnn_forward, seq2seq, training, your_data

MODULES = (language_models, rnn_forward, bptt, training, lstm, gru_and_depth, seq2seq, your_data)
TASKS: dict[str, Task] = {task.name: task for module in MODULES for task in module.TASKS}


class UnknownTask(ValueError):
    """A name that is no task's. A notebook shows it as one line."""

    def _render_traceback_(self) -> list[str]:
        return [f"UnknownTask: {self}"]


def find(name: str) -> Task:
    """The task of that name. Raises UnknownTask, a ValueError, with the known names."""
    if isinstance(name, str) and name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(str(name).lower(), TASKS, n=1)
    if near:
        text = gettext("There is no task {name}; did you mean “{near}”? the tasks are: {names}.")
    else:
        text = gettext("There is no task {name}; the tasks are: {names}.")
    written = repr(name) if len(repr(name)) <= 60 else gettext("of type {type}").format(type=type(name).__name__)
    raise UnknownTask(text.format(name=written, near="".join(near), names=listed(TASKS)))
