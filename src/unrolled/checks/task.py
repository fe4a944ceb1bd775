"""What a task is: a function that a learner writes, the cases that judge it, and the mistakes that are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..language import filled, gettext, texts

WORD = re.compile(r"a|[a-z][a-z]+(?:['’-][a-z]+)*")  # an identifier of letters alone is written between backquotes, as `lr`
EQUAL = "Your results equal those of {mistake}."
RESULT = texts("the result")  # what to call everything that a function returns
TOLERANCE = 1e-9  # error relative to the reference's norm: float64 work passes, a float32 slip does not


@dataclass(frozen=True)
class Section:
    """A section of the book to reread: the page (as in the table of contents), its label and its title."""

    page: str
    label: str
    title: str


@dataclass(frozen=True)
class Output:
    """One value that the function returns, or a part of it.

    kind, with what `axes` and `items` mean for it:

    - "array" (float64) and "ids" (any integer dtype): `axes` names the axes, such as ("T", "N", "H") or ("N", "4H"); their
      sizes are read off the arguments of the case;
    - "float", "int", "str": one number, one whole number, one string;
    - "tuple": the parts `items`, in order; "dict": the entries `items`, by name;
    - "list": any number of entries like `items[0]`, where an axis `H_k` has the size `H_1` in the first entry, `H_2` in the second;
      "mapping": keys that are strings, whole numbers or tuples of these, and values like `items[0]`.

    per_step: an array is compared at each time step against that step's own norm, too. Gradients of early steps are small
    beside those of late ones, and an error there would drown.
    """

    name: str
    kind: Literal["array", "ids", "float", "int", "str", "tuple", "dict", "list", "mapping"]
    axes: tuple[str, ...] = ()
    items: tuple[Output, ...] = ()
    per_step: bool = False

    @property
    def called(self) -> str:
        """Its name, in a sentence."""
        return gettext(RESULT) if self.name == RESULT else self.name


@dataclass(frozen=True)
class Case:
    """Arguments for one call, in order, and a name that says what they probe.

    judge(value, call): for results that no reference can give, such as random draws. It gets a value of the right form, may
    make further calls by `call(arguments) -> Observation`, and returns one sentence on what is wrong, or None. Without it the
    value is compared with the task's reference.

    costly: run only when it is reached, and left out of the diagnosis, which runs every known mistake.
    """

    name: str
    arguments: dict[str, Any]
    judge: Callable[[Any, Callable], str | None] | None = None
    costly: bool = False


def as_sentence(clause: str) -> str:
    """A clause as a sentence. An ordinary word at its beginning gets a capital; a name from code (`b_q`, `a[t]`, `tanh(x)`, `z`) stays as it is."""
    first = clause.split(maxsplit=1)[0].rstrip(".,;:!?")
    beginning = clause[0].upper() if WORD.fullmatch(first) else clause[0]
    return beginning + clause[1:] + ("" if clause.endswith(("?", "!")) else ".")


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that learners really write.

    sentence: completes "Your results equal those of ...", up to its colon; what comes after that is what to do. It may have named places,
    which `fills` fills. tolerance: how closely a learner's results must agree with
    this variant's for the mistake to be named. agrees(case, seen, variant): decides that instead, from the two
    Observations, where results are random and equal numbers can't be asked for.
    """

    name: str
    sentence: str
    function: Callable
    section: Section | None = None
    tolerance: float = TOLERANCE
    agrees: Callable[[Case, Any, Any], bool] | None = None
    fills: Mapping[str, str] = field(default_factory=dict, hash=False)

    def told(self) -> tuple[str, str]:
        """What the learner's results are, and what to do about it: two whole sentences."""
        what, advice = self.messages()
        return filled(what, self.fills), filled(advice, self.fills)

    def messages(self) -> tuple[str, str]:
        """The two sentences as they are to be translated."""
        before, _, after = self.sentence.partition(": ")
        advice = after or before
        return EQUAL.replace("{mistake}", before), as_sentence(advice)


@dataclass(frozen=True, eq=False)  # each is itself, so that what was computed for it can be kept
class Task:
    """A function to write, and how it is judged.

    name: the function's name, which is also the test cell's `grade_id`. arguments: the name of each argument and its
    axes (None for what is no array). form_case(rng) gives a case on which type, shape, dtype and untouched inputs are looked at;
    value_cases(rng) the cases that carry the points, in the order in which a learner should meet them. `reference(*arguments)`
    gives the truth; solution is a right answer in NumPy. measure(arguments): sizes of axes that can't be read off `arguments`.
    uses: earlier tasks that a right answer may call; a mistake in one of those costs no points here.
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
    measure: Callable[[dict[str, Any]], dict[str, int]] | None = None
    uses: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"

    @property
    def result(self) -> Output:
        """What the function returns, as one output: several are the parts of a tuple."""
        return self.outputs[0] if len(self.outputs) == 1 else Output(RESULT, "tuple", items=self.outputs)

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
        if self.measure:
            sizes.update(self.measure(case.arguments))
        return sizes
