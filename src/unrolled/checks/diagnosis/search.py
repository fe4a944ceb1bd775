"""The mistake that nobody listed: which edit of a right answer gives exactly these results?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..task import Case
from . import table
from .fingerprint import fingerprint
from .sentences import filled


def diagnosed_cases(cases: Any) -> list[Case]:
    """The cases of a `Drawn` that a diagnosis looks at: those that are cheap, and whose truth is computed; none where all are random."""
    found = [case for case in cases.values if not case.costly and case.judge is None]
    return [cases.form, *found] if found else []


def is_searched(task: str) -> bool:
    """Whether the table knows edits of a task's right answers."""
    return table.rows_of(task) is not None


def edit_of(task: str, done: Sequence[tuple[Any, Any]]) -> tuple[str, str] | None:
    """What the function did, and what to do about it, where its results are those of an edit on every public case.

    done: pairs (observation, truth) of the public cases that `diagnosed_cases` names, in order.
    """
    hit = table.look_up(task, *fingerprint(done))
    return filled(*hit) if hit else None
