"""No small change of a model answer passes its check, unless it changes nothing that the task asks for."""

from __future__ import annotations

import contextlib
import functools
import signal
import time

import pytest
from course_notebooks import model_answers, model_notebook
from equivalent_mutants import EQUIVALENT
from mutants import Mutant, mutants

from unrolled.checks import TASKS, Task
from unrolled.checks import run as checks_run

pytestmark = pytest.mark.slow

EVERY_TASK = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
SEEDS = (checks_run.PUBLIC_SEED, 1)  # a mutant must survive both to count as one that passes
LEAST = 200  # mutants over the course


@pytest.fixture(autouse=True)
def undiagnosed(monkeypatch):
    """A check says only whether it passes: why a mutant is wrong takes longer to find, and nobody asks for it."""
    monkeypatch.setattr(checks_run, "_add_diagnosis", lambda *arguments: None)


class OutOfTime(BaseException):
    """A mutant that does not end; no Exception, so that a check does not take it for an error of the function."""


@contextlib.contextmanager
def cpu_limit(seconds: float):
    """Stop what runs inside after so many seconds of this process's own time, however busy the machine is."""

    def stop(*_):
        raise OutOfTime

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)  # again and again: one may be swallowed in a callback
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def source_of(task: Task) -> str:
    """The model answer's cell."""
    name = f"{task.name}-code"
    cells = model_notebook(task.assignment).cells
    return next(c.source for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


@functools.cache
def mutants_of(name: str) -> list[Mutant]:
    return mutants(source_of(TASKS[name]))


def passes(task: Task, mutant: Mutant, limit: float) -> bool:
    """Whether a mutant gets full marks, with every seed and within the limit of time."""
    for seed in SEEDS:
        try:
            with cpu_limit(limit):
                space = dict(model_answers(task.assignment))
                exec(compile(mutant.source, f"<mutant of {task.name}>", "exec"), space)
                if not checks_run.run(task, checks_run.in_process(space[task.name]), seed).passed:
                    return False
        except OutOfTime:
            return False
    return True


@EVERY_TASK
def test_every_mutant_of_a_model_answer_fails_its_check(task):
    start = time.process_time()
    unchanged = Mutant("nothing", source_of(task))
    assert passes(task, unchanged, limit=60)
    limit = 2 + 5 * (time.process_time() - start)
    survivors = {mutant.change for mutant in mutants_of(task.name) if passes(task, mutant, limit)}
    assert survivors == EQUIVALENT.get(task.name, {}).keys()


def test_there_are_two_hundred_mutants_that_differ_in_what_they_do():
    real = {name: len(mutants_of(name)) - len(EQUIVALENT.get(name, {})) for name in TASKS}
    assert sum(real.values()) >= LEAST
    assert all(count >= 5 for count in real.values())


def test_mutants_are_the_same_each_time():
    source = source_of(next(iter(TASKS.values())))
    assert mutants(source) == mutants(source)


def test_every_mutant_set_aside_has_a_reason():
    assert EQUIVALENT.keys() <= TASKS.keys()
    for name, reasons in EQUIVALENT.items():
        changes = {mutant.change for mutant in mutants_of(name)}
        assert reasons.keys() <= changes, f"{name}: no mutants any more: {reasons.keys() - changes}"
        assert all(len(reason) > 10 for reason in reasons.values())
