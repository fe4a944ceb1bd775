"""One explanation for a function that failed, from the first of these that has one: an error's failing part, an argument that is never
read, a known mistake, an edit of a right answer, a simple relation to the truth, the place where it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...language import gettext, sentences, texts
from ..compare import type_problem
from ..drawn import Drawn
from ..observe import Observation
from ..task import Case, Mistake
from . import code, errors
from .location import located
from .parts import by_part
from .place import line_of
from .relations import relation
from .search import asked_cases, diagnosed_cases, edit_of, is_searched
from .sentences import filled

How = Literal["shape", "unread", "known", "edit", "relation", "location", "none"]
Done = Sequence[tuple[Case, Observation]]
Call = Callable[[dict[str, Any]], Observation]

ENDED = ("TimeUp", "Lost", "Flood")  # the errors of a function that was stopped: it is asked nothing more
SEVERAL = texts("Each of these gives exactly your results, and the cases can't tell them apart. {sentences}")
NUMBERED = texts("({number}) {sentence}")
SMALLEST = texts("Take the first case that fails, “{case}”, and compute its result on paper, or in a cell of its own, one line of the formula after another.")


@dataclass(frozen=True)
class Explanation:
    """how it was found; what the function did, in whole sentences; what to do about it; the line of the learner's code, 0 if unknown."""

    how: How
    what: str = ""
    advice: str = ""
    line: int = 0


def explain(
    cases: Drawn, done: Done, mistakes: Sequence[Mistake], source: code.Source | None, call: Call, failed: str
) -> Explanation:
    """Why a function failed. done: what it did on the cheap cases. call: to see what it does on other cases.
    failed: the name of the first case that failed."""
    smallest = gettext(SMALLEST).format(case=gettext(failed))
    return (
        _error(cases, done) or _unread(cases, source) or _known(mistakes) or _edit(cases, done, source, call) or _compared(cases, done, smallest)
        or Explanation("none", "", smallest)
    )  # fmt: skip


def _error(cases: Drawn, done: Done) -> Explanation | None:
    for case, seen in done:
        if seen.error_type is not None and errors.fits(seen.failing):
            if all(one.error_type == seen.error_type for _, one in done) or case is cases.form:
                what, advice = errors.told(seen.failing, cases.task, case)
                return Explanation("shape", what, advice, seen.failing.get("line", 0))
            return None
    return None


def _unread(cases: Drawn, source: code.Source | None) -> Explanation | None:
    names = code.unread(source, list(cases.task.arguments)) if source else []
    if not names:
        return None
    what, advice = code.listed(names)
    return Explanation("unread", what, advice, source.function.lineno)


def _known(mistakes: Sequence[Mistake]) -> Explanation | None:
    if not mistakes:
        return None
    told = [mistake.told() for mistake in mistakes]
    advice = sentences(*dict.fromkeys(todo for _, todo in told))
    if len(told) == 1:
        return Explanation("known", told[0][0], advice)
    together = sentences(*(gettext(NUMBERED).format(number=i, sentence=what) for i, (what, _) in enumerate(told, 1)))
    return Explanation("known", gettext(SEVERAL).format(sentences=together), advice)


def _edit(cases: Drawn, done: Done, source: code.Source | None, call: Call) -> Explanation | None:
    if not is_searched(cases.task.name) or done[0][1].error_type is not None:
        return None
    by_case = {id(case): seen for case, seen in done}
    results = []
    for case, truth in asked_cases(cases.task):
        seen = by_case.get(id(case)) or call(case.arguments)
        if seen.error_type in ENDED:
            return None
        results.append((seen, truth))
    found = edit_of(cases.task.name, results)
    if found is None:
        return None
    line = line_of(source, [output.name for output in cases.task.outputs], *found) if source else 0
    return Explanation("edit", *filled(*found), line)


def _compared(cases: Drawn, done: Done, smallest: str) -> Explanation | None:
    looked_at = {id(case) for case in diagnosed_cases(cases)[1:]}  # the truth of the first, on which form is looked at, isn't kept
    done = [(case, seen) for case, seen in done if id(case) in looked_at]
    if any(seen.error_type is None and type_problem(seen.value, cases.task.result) for _, seen in done):
        return None  # what is of another kind can't be compared
    with_truth = [(case, seen, cases.truth(case)) for case, seen in done]
    with np.errstate(all="ignore"):
        parts = by_part(cases.task, with_truth)
        simple = relation(parts)
        if simple:
            return Explanation("relation", *simple)
        found = located(cases.task, parts, with_truth)
    return Explanation("location", sentences(*found), smallest) if found else None
