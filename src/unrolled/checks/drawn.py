"""The cases of a task that belong to a seed, and what the reference and the known mistakes give on them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import reference
from .observe import Observation, copy_of, in_process
from .task import Case, Mistake, Task

PUBLIC_SEED = 20240  # the cases that everybody meets at home


class Drawn:
    """The cases that belong to a seed, and what the reference and the known mistakes give on them.

    Each of these results is computed when it is first needed and kept: three hundred submissions are compared with the same ones.
    """

    def __init__(self, task: Task, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.task, self.seed = task, seed
        self.form, self.values = task.form_case(rng), task.value_cases(rng)
        self._judge = ""
        self._truths: dict[int, Any] = {}
        self._variants: dict[tuple[int, int], Observation] = {}

    def truth(self, case: Case) -> Any:
        """What the reference gives on one of these cases."""
        if id(case) not in self._truths:
            self._truths[id(case)] = self.task.reference(*copy_of(case.arguments).values())
        return self._truths[id(case)]

    @property
    def judge(self) -> str:
        """The reference that judges, in words."""
        self._judge = self._judge or reference.describe()
        return self._judge

    def known(self) -> list[Any]:
        """The reference in words and what it gives on each case that is compared with it: for `recall` in another process."""
        return [self.judge, *(self.truth(case) for case in self._compared())]

    def recall(self, known: list[Any]) -> None:
        """Take over what `known` gave for the same task and seed."""
        self._judge, *truths = known
        self._truths.update(zip(map(id, self._compared()), truths, strict=True))

    def _compared(self) -> list[Case]:
        return [case for case in self.values if case.judge is None]

    def variant(self, mistake: Mistake, case: Case) -> Observation:
        """What a known mistake does on one of these cases."""
        key = id(mistake), id(case)
        if key not in self._variants:
            self._variants[key] = in_process(mistake.function)(case.arguments)
        return self._variants[key]


@functools.lru_cache(maxsize=64)  # more than the tasks of the whole course
def drawn(task: Task, seed: int) -> Drawn:
    """The cases of a task that belong to a seed."""
    return Drawn(task, seed)
