"""No explanation is false: what a check names holds on cases that neither the check nor the table has seen.

The wrong functions are mutants, made by rules of their own (`mutants.py`, not those of the table), of the model answers and of right
solutions in styles that the table doesn't know; and those that were written by hand.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import inspect
import io
import linecache
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / part) for part in ("tools", "tests/assignments")]

import diagnosis_table as made  # noqa: E402
from course_notebooks import model_answers  # noqa: E402
from honest import HONEST  # noqa: E402
from mutants import mutants  # noqa: E402
from test_mutants import OutOfTime, cpu_limit, source_of  # noqa: E402

from unrolled.checks import TASKS, Task  # noqa: E402
from unrolled.checks import run as checks_run  # noqa: E402
from unrolled.checks.diagnosis import code, fingerprint  # noqa: E402
from unrolled.checks.diagnosis.sentences import filled  # noqa: E402
from unrolled.checks.record import Record  # noqa: E402

pytestmark = pytest.mark.slow

EXACT = {"shape", "unread", "known", "edit", "relation"}
OTHERS = (1, 7)  # seeds that nothing was named by
EACH = 20        # mutants of a task and kind


@dataclass(frozen=True)
class Wrong:
    """A wrong function: its task, what was changed, the function, its text, and what the check said."""

    task: Task
    change: str
    function: Callable
    source: code.Source | None
    record: Record


def judged(task: Task, function: Callable, seed: int, source: code.Source | None) -> Record:
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        return checks_run.run(task, checks_run.in_process(function), seed, source)


def built(task: Task, name: str, change: str, text: str, space: dict) -> Wrong | None:
    """A function that the check fails; None where it passes, does not end, or is no Python."""
    place = f"<mutant {hash((task.name, text))}>"
    linecache.cache[place] = (len(text), None, text.splitlines(True), place)
    space = dict(space)
    try:
        with cpu_limit(5):
            exec(compile(text, place, "exec"), space)
            source = code.read(text, name)
            record = judged(task, space[name], checks_run.PUBLIC_SEED, source)
    except (OutOfTime, SyntaxError):
        return None
    return None if record.passed else Wrong(task, change, space[name], source, record)


def unknown_styles(task: Task) -> Iterator[tuple[str, str, dict]]:
    """Right solutions whose edits are not in the table: the function's name, its module's text, and what it finds there."""
    used = {answer.style for answer in made.answers(task)}
    for function in HONEST[task.name]:
        module = inspect.getmodule(function)
        if inspect.isfunction(function) and function.__name__ not in used | {"<lambda>"} and module.__name__.startswith("honest"):
            yield function.__name__, inspect.getsource(function), dict(vars(module))


@functools.cache
def wrong(name: str, kind: str) -> list[Wrong]:
    """So many mutants of the model answer of a task, or of styles that the table doesn't know."""
    task = TASKS[name]
    bases = [(name, source_of(task), model_answers(task.assignment))] if kind == "model" else list(unknown_styles(task))
    pool = [(base, mutant, space) for base, text, space in bases for mutant in mutants(text)]
    random.Random(0).shuffle(pool)
    found: list[Wrong] = []
    for base, mutant, space in pool:
        one = built(task, base, mutant.change, mutant.source, space) if len(found) < EACH else None
        found += [one] if one else []
    return found


@functools.cache
def edits_of(task: Task) -> dict[tuple[str, str], list]:
    """The edits of a task's right answers, by what is said of them."""
    found = collections.defaultdict(list)
    for _, (template, fills), make in made.edited(task):
        found[filled(template, dict(fills))].append(make)
    return found


def alike(one: tuple | None, other: tuple | None) -> bool:
    """Whether two functions did the same; of one that stops on the first case nothing more is known."""
    return one is other is None or one is not None and other is not None and one[0] == other[0] and bool(fingerprint.agree(one[1], other[1]))


def holds(one: Wrong) -> bool:
    """Whether what was named holds with other cases, too."""
    record, task = one.record, one.task
    if record.explained == "edit":
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            mine = {seed: made.did(task, one.function, seed) for seed in OTHERS}
            return any(all(alike(mine[seed], made.done_by(task, make, seed)) for seed in OTHERS) for make in edits_of(task)[record.explanation, record.advice])
    if record.explained == "known":
        return all(set(record.mistakes) & set(judged(task, one.function, seed, one.source).mistakes) for seed in OTHERS)
    if record.explained == "relation":
        return all(judged(task, one.function, seed, one.source).explanation == record.explanation for seed in OTHERS)
    return True


def false(found: list[Wrong]) -> list[tuple[str, str]]:
    return [(one.change, one.record.explanation) for one in found if not holds(one)]


EVERY_TASK = pytest.mark.parametrize("name", TASKS)


@EVERY_TASK
@pytest.mark.parametrize("kind", ["model", "unknown styles"])
def test_what_is_named_of_a_mutant_holds_on_cases_that_nobody_has_seen(name, kind):
    assert false(wrong(name, kind)) == []


def test_what_is_named_of_functions_written_by_hand_holds_on_cases_that_nobody_has_seen():
    found = []
    for path in sorted(Path(__file__).with_name("wrong").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = text.splitlines()[0].removeprefix("# check:").strip()
        found.append(built(TASKS[name], name, path.stem, text, {"__name__": "learner"}))
    assert false([one for one in found if one]) == []


def test_mutants_of_a_style_that_the_table_does_not_know_are_explained_from_those_that_it_knows():
    hows = collections.Counter(one.record.explained for name in TASKS for one in wrong(name, "unknown styles"))
    exact, some = sum(hows[how] for how in EXACT), sum(hows.values()) - hows["none"]
    assert exact >= 0.6 * sum(hows.values()) and some >= 0.85 * sum(hows.values()), dict(hows)
