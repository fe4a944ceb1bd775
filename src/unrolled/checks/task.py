"""What a task is: a function that a learner writes, the cases that judge it, and the mistakes that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

TOLERANCE = 1e-9  # error relative to the reference's norm: float64 work passes, a float32 slip does not


@dataclass(frozen=True)
class Section:
    """A section of the book to reread: the page (as in the table of contents), its label and its title."""

    page: str
    label: str
    title: str


@dataclass(frozen=True)
class Output:
    """One value that the function returns.

    kind: "array" (float64), "float" (one number) or "int" (one whole number). axes: the names of an array's axes,
    such as ("T", "N", "H"); their sizes are read off the arguments of the case.
    """

    name: str
    kind: Literal["array", "float", "int"]
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """Arguments for one call, in order, and a name that says what they probe."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that learners really write.

    sentence: completes "Your results equal those of ...". tolerance: how closely a learner's results must agree with
    this variant's for the mistake to be named.
    """

    name: str
    sentence: str
    function: Callable
    section: Section | None = None
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Task:
    """A function to write, and how it is judged.

    name: the function's name, which is also the test cell's `grade_id`. arguments: the name of each argument and its
    axes (None for a plain number). form_case(rng) gives a case on which type, shape, dtype and untouched inputs are
    looked at; value_cases(rng) the cases that carry the points, in the order in which a learner should meet them. reference(*arguments)
    gives the truth; solution is a right answer in NumPy.
    """

    name: str
    assignment: str
    points: float
    section: Section
    arguments: dict[str, tuple[str, ...] | None]
    outputs: tuple[Output, ...]
    form_case: Callable[[np.random.Generator], Case]
    value_cases: Callable[[np.random.Generator], list[Case]]
    reference: Callable
    solution: Callable
    mistakes: tuple[Mistake, ...] = field(default=())
    tolerance: float = TOLERANCE

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"

    def sizes(self, case: Case) -> dict[str, int]:
        """The size of every named axis in a case, and of every argument that is itself a size, such as V."""
        sizes: dict[str, int] = {}
        for name, axes in self.arguments.items():
            value = case.arguments[name]
            if axes is None:
                if isinstance(value, int):
                    sizes[name] = value
            else:
                sizes.update(zip(axes, value.shape, strict=True))
        return sizes
