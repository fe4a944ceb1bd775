"""The cases of a task that belong to a seed, and what the reference and the known mistakes give on them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import reference
from . import truths
from .observe import Observation, copy_of, in_process
from .task import Case, Mistake, Task

PUBLIC_SEED = 20240  # the cases that everybody meets at home
CONFIRMING_SEED = 31  # cases on which an explanation must hold as well; nobody is judged by them


class CourseFault(RuntimeError):
    """A check can't judge because something of the course is broken. It must never pass for a learner's mistake."""


class Drawn:
    """The cases that belong to a seed, and what the reference and the known mistakes give on them.

    Each of these results is computed when it is first needed and kept: three hundred submissions are compared with the same ones.
    """

    def __init__(self, task: Task, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.task, self.seed = task, seed
        self.form, self.values = task.form_case(rng), task.value_cases(rng)
        self._judge = ""  # not chosen yet
        self._truths: dict[int, Any] = {}
        self._variants: dict[tuple[int, int], Observation] = {}

    def truth(self, case: Case) -> Any:
        """What the reference gives on one of these cases."""
        self._choose_judge()
        if id(case) not in self._truths:
            self._truths[id(case)] = self.task.reference(*copy_of(case.arguments).values())
        return self._truths[id(case)]

    @property
    def judge(self) -> str:
        """What judges, in words."""
        self._choose_judge()
        return self._judge

    def _choose_judge(self) -> None:
        """The recorded truths where they serve, else the reference itself, which loads torch. Cases that judge by themselves need neither."""
        if self._judge:
            return
        cases = [case for case in [self.form, *self.values] if case.judge is None]
        if not self._compared():
            self._judge = "what holds for every right result"
        elif self.seed == PUBLIC_SEED and not truths.live() and (found := truths.recorded(self.task, self.seed, cases)):
            self._truths.update(zip(map(id, cases), found))
            self._judge = truths.judge()
        else:
            self._judge = self._live_judge()

    def _live_judge(self) -> str:
        try:
            return reference.describe()
        except ImportError as error:
            which = "other cases than those that this NumPy draws" if self.seed == PUBLIC_SEED else "the public cases only"
            raise CourseFault(
                f"{self.task.name} can't be judged: the recorded results are for {which}, and torch can't be loaded ({error})"
            ) from error

    def known(self) -> list[Any]:
        """What judges, in words, and what it gives on each case that is compared with it: for `recall` in another process."""
        return [self.judge, *(self.truth(case) for case in self._compared())]

    def recall(self, known: list[Any]) -> None:
        """Take over what `known` gave for the same task and seed."""
        self._judge, *results = known
        self._truths.update(zip(map(id, self._compared()), results, strict=True))

    def _compared(self) -> list[Case]:
        return [case for case in self.values if case.judge is None]

    def variant(self, mistake: Mistake, case: Case) -> Observation:
        """What a known mistake does on one of these cases."""
        key = id(mistake), id(case)
        if key not in self._variants:
            self._variants[key] = in_process(mistake.function)(case.arguments)
        return self._variants[key]


@functools.lru_cache(maxsize=256)  # more than the tasks of the whole course, with three seeds
def drawn(task: Task, seed: int) -> Drawn:
    """The cases of a task that belong to a seed."""
    return Drawn(task, seed)
