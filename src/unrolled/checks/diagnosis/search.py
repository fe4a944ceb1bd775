"""The mistake that nobody listed: which edit of a right answer gives exactly these results?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..drawn import CONFIRMING_SEED, PUBLIC_SEED, drawn
from ..task import Case, Task
from . import table
from .fingerprint import fingerprint


def diagnosed_cases(cases: Any) -> list[Case]:
    """The cases of a `Drawn` that a diagnosis looks at: those that are cheap, and whose truth is computed; none where all are random."""
    found = [case for case in cases.values if not case.costly and case.judge is None]
    return [cases.form, *found] if found else []


def asked_cases(task: Task) -> list[tuple[Case, Any]]:
    """Pairs (case, truth) by which edits are told apart: the public cases, and others, as results may agree on one seed by chance.

    The truth of the others is None: it would only say what is small, and it isn't recorded.
    """
    public = drawn(task, PUBLIC_SEED)
    return [(case, public.truth(case)) for case in diagnosed_cases(public)] + [(case, None) for case in diagnosed_cases(drawn(task, CONFIRMING_SEED))]


def is_searched(task: str) -> bool:
    """Whether the table knows edits of a task's right answers."""
    return table.rows_of(task) is not None


def edit_of(task: str, done: Sequence[tuple[Any, Any]]) -> tuple[str, dict[str, str]] | None:
    """The template of a sentence, and what fills it, where a function's results are those of an edit on every case.

    done: pairs (observation, truth) of the cases that `asked_cases` names, in order.
    """
    return table.look_up(task, *fingerprint(done))
