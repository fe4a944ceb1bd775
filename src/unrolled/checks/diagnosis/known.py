"""Known mistakes: the small wrong variants that a task lists, and which of them did the same as the learner's function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import compare
from ..drawn import CONFIRMING_SEED, Drawn, drawn
from ..observe import Observation
from ..task import Case, Mistake


def known_mistakes(
    cases: Drawn, done: Sequence[tuple[Case, Observation]], call: Callable[[dict[str, Any]], Observation]
) -> list[Mistake]:
    """The known mistakes that did the same as the learner's function on every case, and on others, as one seed may hide a difference.

    done: what it did on the cheap cases. call: to see what it does on the others. Mistakes that agree to full precision silence those
    that agree only loosely.
    """
    agreeing = _agreeing(cases, cases.task.mistakes, done)
    if agreeing:
        more = drawn(cases.task, CONFIRMING_SEED)
        cheap = (case for case in (more.form, *more.values) if not case.costly)
        agreeing = _agreeing(more, agreeing, ((case, call(case.arguments)) for case in cheap))
    if not agreeing:
        return []
    closest = min(mistake.tolerance for mistake in agreeing)
    return [mistake for mistake in agreeing if mistake.tolerance == closest]


def _agreeing(cases: Drawn, mistakes: Sequence[Mistake], done: Iterable[tuple[Case, Observation]]) -> list[Mistake]:
    """The mistakes that did the same on each of these cases. What was done is not asked for any longer than one is left."""
    left = list(mistakes)
    for case, seen in done:
        left = [mistake for mistake in left if _same(mistake, case, seen, cases.variant(mistake, case))]
        if not left:
            break
    return left


def _same(mistake: Mistake, case: Case, seen: Observation, variant: Observation) -> bool:
    return mistake.agrees(case, seen, variant) if mistake.agrees else agrees(seen, variant, mistake.tolerance)


def agrees(seen: Observation, variant: Observation, tolerance: float) -> bool:
    """Whether a learner's call did the same as a known mistake's."""
    if seen.error_type != variant.error_type or seen.changed != variant.changed:
        return False
    return seen.error_type is not None or close(seen.value, variant.value, tolerance)


def close(a: Any, b: Any, tolerance: float) -> bool:
    """Whether a learner's result `a` is that of a known mistake, `b`, in form and, within the tolerance, in value."""
    if isinstance(b, (tuple, list)):
        return isinstance(a, (tuple, list)) and len(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(b, np.ndarray) and b.ndim:
        if not (isinstance(a, np.ndarray) and a.shape == b.shape and a.dtype == b.dtype):
            return False
        return a.dtype.kind in "biuf" and compare.relative_error(a, b) <= tolerance
    if isinstance(b, dict):
        if not isinstance(a, dict):
            return False
        a, b = compare.plain_keys(a), compare.plain_keys(b)
        return a.keys() == b.keys() and all(close(a[key], b[key], tolerance) for key in b)
    if compare.is_number(b):
        return (
            compare.is_number(a)
            and compare.is_integer(a) == compare.is_integer(b)
            and compare.relative_error(a, b) <= tolerance
        )
    if isinstance(b, str):
        return isinstance(a, str) and a == b
    return type(a) is type(b) and a == b if b is None or isinstance(b, bool) else False
