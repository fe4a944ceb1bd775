"""The named parts of a learner's results beside those of the truth, over all cases of a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...language import gettext, listed, texts
from .. import compare
from ..task import RESULT, Case, Output, Task

BLOCKS = texts({4: ("the input gate", "the forget gate", "the candidate", "the output gate"), 3: ("the reset gate", "the update gate", "the candidate"),
          2: ("the forward half", "the backward half")})


@dataclass(frozen=True)
class Seen:
    """One part of the result in one case. value and truth have one form, and one shape where they are arrays."""

    case: Case
    sizes: dict[str, int]
    output: Output
    value: Any
    truth: Any
    right: bool

    @property
    def is_array(self) -> bool:
        return self.output.kind == "array"


def by_part(task: Task, done: Iterable[tuple[Case, Any, Any]]) -> dict[str, list[Seen]]:
    """Each part of the result by its name, case by case; done: triples (case, observation, truth). Cases without a result of the
    right type are left out."""
    found: dict[str, list[Seen]] = {}
    for case, seen, truth in done:
        if seen.error_type is not None or compare.type_problem(seen.value, task.result):
            continue
        sizes = task.sizes(case)
        for name, output, value, expected in _leaves(task.result, seen.value, truth, task.result.name):
            found.setdefault(name, []).append(Seen(case, sizes, output, value, expected, _right(value, expected, output, task.tolerance)))
    return found


def _leaves(output: Output, value: Any, truth: Any, name: str) -> Iterator[tuple[str, Output, Any, Any]]:
    if output.kind in ("tuple", "dict"):
        for place, item in enumerate(output.items):
            key = item.name if output.kind == "dict" else place
            inside = item.name if output.name == RESULT else f'{name}["{item.name}"]' if output.kind == "dict" else item.name
            yield from _leaves(item, value[key], truth[key], inside)
    else:
        yield name, output, value, truth


def _right(value: Any, truth: Any, output: Output, tolerance: float) -> bool:
    if output.kind in ("array", "ids") and np.shape(value) != np.shape(truth):
        return False
    try:
        return compare.value_problem(value, truth, output, tolerance) is None
    except (ValueError, TypeError, KeyError, IndexError):
        return False


def named(names: Iterable[str]) -> str:
    """Names of parts or of blocks in a row."""
    return listed(gettext(name) if " " in name else name for name in names)


def in_order(names: Iterable[str]) -> list[str]:
    """Names of parts by what they tell: the gradients of parameters first, that of the input last."""
    return sorted(names, key=lambda name: (name.startswith("dX"), name.startswith(("dH", "dC"))))


def blocks_of(output: Output) -> int:
    """How many blocks the last axis has, 4 for `4H`; 0 where it has none."""
    last = output.axes[-1] if output.axes else ""
    digits = last[: len(last) - len(last.lstrip("0123456789"))]
    return int(digits) if digits else 0
