"""Running a task's cases against a function, and the record of what came out.

The function is reached only through `call(arguments) -> Observation`, so that it may live in this process or in
another one that is not trusted.
"""

from __future__ import annotations

import contextlib
import functools
import io
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from .. import reference
from . import compare
from .task import Case, Mistake, Task

PUBLIC_SEED = 20240  # the cases that everybody meets at home
PRINTED_LIMIT = 1000  # characters of a learner's own output that a report keeps


class CourseFault(RuntimeError):
    """A check can't judge because something of the course is broken. It must never pass for a learner's mistake."""


@dataclass(frozen=True)
class Observation:
    """What one call did: its value or its error, which arguments it changed, and what it printed."""

    value: Any = None
    error: str | None = None        # "ValueError: ..." with the line it came from; for a NotImplementedError the function's name
    error_type: str | None = None   # "ValueError"
    changed: tuple[str, ...] = ()
    printed: str = ""


@dataclass
class Step:
    """One step of a check. kind "form" earns nothing; kind "value" carries a share of the points."""

    name: str
    kind: Literal["form", "value"]
    status: Literal["passed", "failed", "not reached"] = "not reached"


@dataclass
class Record:
    """The result of a check: plain data, from which text, HTML and grades are made."""

    task: str
    signature: str
    assignment: str
    points: float
    max_points: float
    passed: bool
    steps: list[Step]
    message: str = ""                                     # what the first failed step says
    mistakes: list[str] = field(default_factory=list)     # names of the known mistakes that agree on every case
    diagnosis: list[str] = field(default_factory=list)    # their sentences
    reread: list[dict[str, str]] = field(default_factory=list)  # sections: page, label, title
    printed: str = ""
    judge: str = ""
    seed: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "steps": [dict(vars(step)) for step in self.steps]}


def copy_of(value: Any) -> Any:
    """A copy that shares no memory with `value`, as plain arrays, lists, tuples and dicts whatever subclass came."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, list):
        return [copy_of(item) for item in value]
    if isinstance(value, tuple):
        return tuple(copy_of(item) for item in value)
    if isinstance(value, dict):
        return {key: copy_of(item) for key, item in value.items()}
    return value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return a == b


def _unwritten(error: NotImplementedError) -> str:
    """The name of the function that is not written yet: the one that raised, which another may have called."""
    return traceback.extract_tb(error.__traceback__)[-1].name


def _error_text(error: BaseException, function: Callable) -> str:
    """The error and the deepest line of the file or cell in which `function` was written."""
    if isinstance(error, NotImplementedError):
        return _unwritten(error)
    text = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    own = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    if not frames:
        return text
    source = f": {frames[-1].line}" if frames[-1].line else ""
    return f"{text}\n(line {frames[-1].lineno} of the cell{source})"


def in_process(function: Callable) -> Callable[[dict[str, Any]], Observation]:
    """A `call` for a function that lives in this process. Its output and warnings are kept, not shown."""

    def call(arguments: dict[str, Any]) -> Observation:
        given = copy_of(arguments)
        output = io.StringIO()
        value = error_text = error_type = None
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("default")
            try:
                value = copy_of(function(*given.values()))
            except (Exception, SystemExit) as error:
                error_text, error_type = _error_text(error, function), type(error).__name__
        lines = [output.getvalue()] + [f"{w.category.__name__}: {w.message}\n" for w in caught]
        return Observation(
            value=value,
            error=error_text,
            error_type=error_type,
            changed=tuple(name for name in arguments if not _same(arguments[name], given[name])),
            printed="".join(lines)[: PRINTED_LIMIT + 1],
        )

    return call


def _form_problems(task: Task, case: Case, seen: Observation) -> list[tuple[str, str | None]]:
    """The steps of form, in order, each with what is wrong or None. A later step is not looked at after a failed one."""
    steps: list[tuple[str, str | None]] = []
    if seen.error_type == "NotImplementedError":
        called = "" if seen.error == task.name else f"; {task.name} calls it"
        return [("runs", f"{seen.error} is not written yet{called}.")]
    if seen.error is not None:
        return [("runs", f"On the case “{case.name}” your function stopped with {seen.error}")]
    steps.append(("runs", None))
    steps.append(("returns the right type", compare.type_problem(seen.value, task.result)))
    if steps[-1][1]:
        return steps
    steps.append(("shape and dtype", compare.shape_problem(seen.value, task.result, task.sizes(case))))
    if steps[-1][1]:
        return steps
    changed = None
    if seen.changed:
        changed = f"Your function changed its input {' and '.join(seen.changed)}: work on a copy, or make a new array."
    steps.append(("leaves its inputs unchanged", changed))
    return steps


FORM_STEPS = ("runs", "returns the right type", "shape and dtype", "leaves its inputs unchanged")


def _agrees(seen: Observation, variant: Observation, tolerance: float) -> bool:
    """Whether a learner's call did the same as a known mistake's."""
    if seen.error_type != variant.error_type or seen.changed != variant.changed:
        return False
    return seen.error_type is not None or _close(seen.value, variant.value, tolerance)


def _close(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(b, (tuple, list)):
        return isinstance(a, (tuple, list)) and len(a) == len(b) and all(_close(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(b, np.ndarray) and b.ndim:
        if not (isinstance(a, np.ndarray) and a.shape == b.shape and a.dtype == b.dtype):
            return False
        return a.dtype.kind in "biuf" and compare.relative_error(a, b) <= tolerance
    if isinstance(b, dict):
        if not isinstance(a, dict):
            return False
        a, b = compare.plain_keys(a), compare.plain_keys(b)
        return a.keys() == b.keys() and all(_close(a[key], b[key], tolerance) for key in b)
    if compare.is_number(b):
        return (
            compare.is_number(a)
            and compare.is_integer(a) == compare.is_integer(b)
            and compare.relative_error(a, b) <= tolerance
        )
    if isinstance(b, str):
        return isinstance(a, str) and a == b
    return type(a) is type(b) and a == b if b is None or isinstance(b, bool) else False


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


def diagnose(cases: Drawn, done: Sequence[tuple[Case, Observation]]) -> list[Mistake]:
    """The known mistakes that did the same as the learner's function on every case.

    Those that agree to full precision silence those that agree only loosely.
    """
    agreeing = []
    for mistake in cases.task.mistakes:
        agrees = mistake.agrees or (lambda _, seen, variant, tolerance=mistake.tolerance: _agrees(seen, variant, tolerance))
        if all(agrees(case, seen, cases.variant(mistake, case)) for case, seen in done):
            agreeing.append(mistake)
    if not agreeing:
        return []
    closest = min(mistake.tolerance for mistake in agreeing)
    return [mistake for mistake in agreeing if mistake.tolerance == closest]


def _empty_record(cases: Drawn) -> Record:
    """A record in which no step has been reached."""
    task = cases.task
    return Record(
        task=task.name,
        signature=task.signature,
        assignment=task.assignment,
        points=0.0,
        max_points=task.points,
        passed=False,
        steps=[Step(name, "form") for name in FORM_STEPS] + [Step(case.name, "value") for case in cases.values],
        judge=cases.judge,
        seed=cases.seed,
    )


def _value_problem(cases: Drawn, case: Case, value: Any, call: Callable) -> str | None:
    """What is wrong with a value of the right form, or None. Raises CourseFault when the truth can't be had."""
    task = cases.task
    try:
        if case.judge:
            return case.judge(value, call)
        expected = cases.truth(case)
    except Exception as error:
        raise CourseFault(
            f"The reference of {task.name} failed on the case “{case.name}” ({type(error).__name__}: {error}). This is a fault of "
            "the course and not of your function: please report it."
        ) from error
    return compare.value_problem(value, expected, task.result, task.tolerance)


def run(task: Task, call: Callable[[dict[str, Any]], Observation], seed: int = PUBLIC_SEED) -> Record:
    """Work through a task's cases in order and stop at the first that fails.

    Points are shared over the value cases and counted up to the first that fails; form earns nothing, but nothing is earned before
    the form is right.
    """
    cases = drawn(task, seed)
    record = _empty_record(cases)
    seen = [call(cases.form.arguments)]
    record.printed = seen[0].printed
    for step, (name, problem) in zip(record.steps, _form_problems(task, cases.form, seen[0])):
        assert step.name == name
        step.status = "failed" if problem else "passed"
        record.message = problem or ""
    earned = 0
    if not record.message:
        for step, case in zip(record.steps[len(FORM_STEPS) :], cases.values):
            seen.append(call(case.arguments))
            record.printed = record.printed or seen[-1].printed
            problem = next((p for _, p in _form_problems(task, case, seen[-1]) if p), None)
            if problem is None:
                problem = _value_problem(cases, case, seen[-1].value, call)
            step.status = "failed" if problem else "passed"
            if problem:
                record.message = problem
                break
            earned += 1
    record.points = task.points * earned / len(cases.values)
    record.passed = earned == len(cases.values)
    if not record.passed and seen[0].error_type != "NotImplementedError":
        done = list(zip([cases.form, *cases.values], seen))
        done += [(case, call(case.arguments)) for case in cases.values[len(seen) - 1 :] if not case.costly]
        _add_diagnosis(record, cases, [(case, result) for case, result in done if not case.costly])
    return record


def _add_diagnosis(record: Record, cases: Drawn, done: Sequence[tuple[Case, Observation]]) -> None:
    task, mistakes = cases.task, diagnose(cases, done)
    record.mistakes = [mistake.name for mistake in mistakes]
    record.diagnosis = [mistake.sentence for mistake in mistakes]
    sections = [mistake.section or task.section for mistake in mistakes] or [task.section]
    record.reread = [asdict(section) for section in dict.fromkeys(sections)]


def not_a_function(task: Task, value: Any) -> Record:
    """The record of a check that was given something that is not a function."""
    record = _empty_record(drawn(task, PUBLIC_SEED))
    record.steps[0].status = "failed"
    record.message = (
        f"Expected the function {task.signature}, received {compare.describe(value)}: "
        f"write check(\"{task.name}\", {task.name}), without parentheses after the function's name."
    )
    record.reread = [asdict(task.section)]
    return record
