"""A known mistake that a learner's own check named, as a question of the review: what does this curve of errors say?

The question is made from the check itself: the mistake's own variant runs on the public cases, its errors are measured against the truth,
and the choices are other known mistakes of the same task that would have shown something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import answers
from ..checks import TASKS, compare, met
from ..checks.drawn import PUBLIC_SEED, drawn
from ..checks.hints import section_text
from ..checks.observe import Observation, told
from ..checks.task import Case, Mistake, Task
from ..language import all_of, gettext, listed, texts
from ..quiz_terminal import Progress
from ..quizzes import Choice, Question

CHOICES = 4
STEPS = 12  # of a curve that are shown
BARS = "▁▂▃▄▅▆▇█"
ASKED = texts(
    "You wrote `{task}` once so that its check named a known mistake. On the case “{case}” the results were these.\n\n{seen}\n\nWhat did the check say?"
)
CURVE = texts("Error at step 1, 2, 3, …, relative to the right values of that step: {numbers}\n\n`{bars}`")
WHOLE = texts("The result as a whole is off by {error} of its size.")
RAISES = texts("The call stopped with {error}.")
SAID = texts("The check says: {problem}")
FORM = texts("The result is {received}, where {expected} was expected.")
CHANGES = texts("The values are right, but the call changed its own input {names}.")
RIGHT = texts("Yes. {advice}")
ELSEWHERE = texts("Here its results are right.")
OTHER = texts("No: that would show something else. {seen}")


def id_of(task: str, mistake: str) -> str:
    """The id under which answers to the question are kept."""
    return f"mistake {task} {mistake}"


def keep(progress: Progress) -> None:
    """Add the mistakes that checks on this machine have named to the log of answers, each once. From there they go wherever the log goes."""
    known = {event["id"] for event in progress.log}
    events = [answers.met_event(id_of(task, name)) for task, name in met.met()]
    if new := [event for event in events if event["id"] not in known]:
        progress.add(new)


def questions(log: Iterable[answers.Event]) -> dict[str, Question]:
    """The questions of all mistakes that a log knows of, by id. Those that the course no longer has are left out."""
    found = {}
    for name in dict.fromkeys(event["question"] for event in log):
        kind, _, rest = name.partition(" ")
        task, _, mistake = rest.partition(" ")
        if kind == "mistake" and task in TASKS and any(one.name == mistake for one in TASKS[task].mistakes):
            made = question(task, mistake)
            if made is not None:
                found[name] = made
    return found


def question(task_name: str, mistake_name: str) -> Question | None:
    """The question of a mistake; None where nothing sets it apart from the others of its task."""
    task = TASKS[task_name]
    wanted = next(mistake for mistake in task.mistakes if mistake.name == mistake_name)
    cases = drawn(task, PUBLIC_SEED)
    compared = [case for case in [cases.form, *cases.values] if case.judge is None and not case.costly]
    shown = next(((case, seen) for case in compared if (seen := _seen(task, wanted, case))), None)
    if shown is None:
        return None
    case, seen = shown
    others = []
    for mistake in _shuffled(task.mistakes, mistake_name):
        if mistake.name != mistake_name:
            theirs = _seen(task, mistake, case) or gettext(ELSEWHERE)
            if theirs != seen and all(theirs != known for _, known in others):
                others.append((mistake, theirs))
        if len(others) == CHOICES - 1:
            break
    if not others:
        return None
    choices = [Choice(wanted.name, _markdown(wanted.told()[0]), True, gettext(RIGHT).format(advice=_markdown(wanted.told()[1])))]
    choices += [Choice(mistake.name, _markdown(mistake.told()[0]), False, gettext(OTHER).format(seen=theirs)) for mistake, theirs in others]
    section = wanted.section or task.section
    prompt = gettext(ASKED).format(task=task.name, case=_markdown(gettext(case.name)), seen=seen)
    return Question(id_of(task.name, wanted.name), "one", prompt, 0, tuple(choices), section=section_text(vars(section)))


def _shuffled(mistakes: tuple[Mistake, ...], seed: str) -> list[Mistake]:
    """The mistakes in an order by chance, the same each time for one question."""
    return sorted(mistakes, key=lambda mistake: hashlib.sha256(f"{seed} {mistake.name}".encode()).hexdigest())


def _markdown(text: str) -> str:
    """A plain text as Markdown that shows it: only what stands between backticks is code there, too."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if number % 2 else re.sub(r"([\\*_<>\[\]#&$~`])", r"\\\1", part) for number, part in enumerate(parts))


# --- What a mistake shows ------------------------------------------------------------------------


def _seen(task: Task, mistake: Mistake, case: Case) -> str:
    """What a variant shows on a case, in words; empty where it is right."""
    cases = drawn(task, PUBLIC_SEED)
    observed: Observation = cases.variant(mistake, case)
    if observed.error:
        return gettext(RAISES).format(error=_markdown(told(observed.error).splitlines()[0]))
    truth = cases.truth(case) if case is not cases.form else task.solution(*case.arguments.values())
    for value, right, axes in _arrays(observed.value, truth, task):
        if value.shape != right.shape or value.dtype != right.dtype:
            return gettext(FORM).format(received=f"{value.dtype} {value.shape}", expected=f"{right.dtype} {right.shape}")
        if axes[:1] == ("T",) and len(right) > 1:
            errors = [_relative(value[t], right[t]) for t in range(min(len(right), STEPS))]
            if max(errors) > task.tolerance:
                return gettext(CURVE).format(numbers=listed(_number(error) for error in errors), bars="".join(map(_bar, errors)))
        elif (error := _relative(value, right)) > task.tolerance:
            return gettext(WHOLE).format(error=_number(error))
    if problem := _problem(observed.value, truth, task, case):
        return gettext(SAID).format(problem=_markdown(problem))
    return gettext(CHANGES).format(names=all_of(observed.changed)) if observed.changed else ""


def _problem(value: Any, truth: Any, task: Task, case: Case) -> str | None:
    """What the check would say of a result: of texts, lists and tables, which have no curve."""
    sizes = task.sizes(case)
    return (
        compare.type_problem(value, task.result, sizes=sizes)
        or compare.shape_problem(value, task.result, sizes)
        or compare.value_problem(value, truth, task.result, task.tolerance)
    )


def _arrays(value: Any, truth: Any, task: Task) -> list[tuple[np.ndarray, np.ndarray, tuple[str, ...]]]:
    """The arrays and numbers of a result beside the right ones, with the names of their axes."""
    outputs = task.outputs
    values, truths = (value, truth) if len(outputs) > 1 else ((value,), (truth,))
    if not isinstance(values, tuple) or len(values) != len(outputs):
        return []
    return [
        (np.asarray(part), np.asarray(right), output.axes)
        for part, right, output in zip(values, truths, outputs)
        if isinstance(part, np.ndarray | float | int) and isinstance(right, np.ndarray | float | int)
    ]


def _relative(value: np.ndarray, right: np.ndarray) -> float:
    error = compare.relative_error(np.asarray(value, float), np.asarray(right, float))
    return float(error) if np.isfinite(error) else float("inf")


def _number(error: float) -> str:
    return "0" if error < 1e-12 else f"{error:.2g}"


def _bar(error: float) -> str:
    """A bar for an error, from the lowest for none to the highest for 1 and more."""
    return BARS[min(len(BARS) - 1, int(np.ceil(min(error, 1.0) * (len(BARS) - 1))))]
