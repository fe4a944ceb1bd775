"""Running a task's cases against a function, and the record of what came out.

The function is reached only through `call(arguments) -> Observation`, so that it may live in this process or in
another one that is not trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from ..language import again, all_of, gettext, texts
from . import compare, stubs
from .diagnosis import code, explain, known_mistakes
from .drawn import PUBLIC_SEED, CourseFault, Drawn, drawn
from .observe import GLOBAL_STATE, PRINTED_LIMIT, Observation, copy_of, in_process, told
from .record import Record, Step
from .task import Case, Task

__all__ = ["PRINTED_LIMIT", "PUBLIC_SEED", "CourseFault", "Drawn", "Observation", "Record", "Step", "copy_of", "drawn", "in_process",
           "not_a_function", "run"]


def _form_problems(task: Task, case: Case, seen: Observation) -> list[tuple[str, str | None]]:
    """The steps of form, in order, each with what is wrong or None. A later step is not looked at after a failed one."""
    steps: list[tuple[str, str | None]] = []
    if seen.error_type == "NotImplementedError":
        name, _, why = seen.error.partition("\n")
        why = again(why, stubs.SENTENCES.values())
        if name == task.name:
            text = "{why}" if why else gettext("{name} is not written yet.")
        else:
            text = gettext("{task} calls {name}. {why}") if why else gettext("{name} is not written yet; {task} calls it.")
        return [("runs", text.format(name=name, task=task.name, why=why))]
    if seen.error is not None:
        text = gettext("On the case “{case}” your function stopped with {error}")
        return [("runs", text.format(case=gettext(case.name), error=told(seen.error)))]
    steps.append(("runs", None))
    steps.append(("returns the right type", compare.type_problem(seen.value, task.result, sizes=task.sizes(case))))
    if steps[-1][1]:
        return steps
    steps.append(("shape and dtype", compare.shape_problem(seen.value, task.result, task.sizes(case))))
    if steps[-1][1]:
        return steps
    changed = None
    if GLOBAL_STATE in seen.changed:
        changed = gettext(
            "Your function uses NumPy's global random state, as by np.random.seed or np.random.rand: draw from a generator of its own, "
            "np.random.default_rng(seed)."
        )
    elif seen.changed:
        changed = gettext("Your function changed its input {names}: work on a copy, or make a new array.").format(names=all_of(seen.changed))
    steps.append(("leaves its inputs unchanged", changed))
    return steps


FORM_STEPS = texts(("runs", "returns the right type", "shape and dtype", "leaves its inputs unchanged"))


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


def run(
    task: Task, call: Callable[[dict[str, Any]], Observation], seed: int = PUBLIC_SEED, source: code.Source | None = None,
    without_costly: bool = False,
) -> Record:  # fmt: skip
    """Work through a task's cases in order and stop at the first that fails.

    Points are shared over the value cases and counted up to the first that fails; form earns nothing, but nothing is earned before
    the form is right. source: the learner's code, for what it shows; of a function of this process it is looked up. without_costly: leave
    out the cases that take long; their share of the points is not earned then.
    """
    cases = drawn(task, seed)
    record = _empty_record(cases)
    seen = [call(cases.form.arguments)]
    record.printed, record.warned = seen[0].printed, list(seen[0].warned)
    for step, (name, problem) in zip(record.steps, _form_problems(task, cases.form, seen[0])):
        assert step.name == name
        step.status = "failed" if problem else "passed"
        record.message = problem or ""
        if seen[0].error_type == "NotImplementedError" and "\n" not in seen[0].error:
            record.unwritten = seen[0].error
    earned = 0
    if not record.message:
        for step, case in zip(record.steps[len(FORM_STEPS) :], cases.values):
            if without_costly and case.costly:
                continue
            seen.append(call(case.arguments))
            record.printed, record.warned = record.printed or seen[-1].printed, record.warned or list(seen[-1].warned)
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
    if any(step.status == "failed" for step in record.steps) and seen[0].error_type != "NotImplementedError":
        done = list(zip([cases.form, *cases.values], seen))
        done += [(case, call(case.arguments)) for case in cases.values[len(seen) - 1 :] if not case.costly]
        source = source or code.source_of(getattr(call, "function", None), task.name)
        _add_diagnosis(record, cases, [(case, result) for case, result in done if not case.costly], source, call)
    return record


def _add_diagnosis(
    record: Record, cases: Drawn, done: Sequence[tuple[Case, Observation]], source: code.Source | None, call: Callable
) -> None:
    task, mistakes = cases.task, known_mistakes(cases, done, call)
    record.mistakes = [mistake.name for mistake in mistakes]
    record.diagnosis = [mistake.told()[0] for mistake in mistakes]
    failed = next((step.name for step in record.steps if step.status == "failed" and step.kind == "value"), cases.form.name)
    found = explain(cases, done, mistakes, source, call, failed)
    record.explained, record.explanation, record.advice = found.how, found.what, found.advice
    if source:
        gradients = any(output.name.startswith(("d", "grad")) for output in task.outputs)
        record.signs = code.signs(source, gradients)
        if found.line:
            record.line = {"number": found.line, "text": source.line(found.line)}
    sections = [mistake.section or task.section for mistake in mistakes] or [task.section]
    record.reread = [asdict(section) for section in dict.fromkeys(sections)]


def not_a_function(task: Task, value: Any) -> Record:
    """The record of a check that was given something that is not a function."""
    record = _empty_record(drawn(task, PUBLIC_SEED))
    record.steps[0].status = "failed"
    if isinstance(value, str):
        text = gettext(
            "Expected the function {signature}, received {value}: write {line}, without quotes around the second name, which stands for the function itself."
        )
    else:
        text = gettext("Expected the function {signature}, received {value}: write {line}, without parentheses after the function's name, so that the check calls it.")
    received = "None" if value is None else compare.describe(value)
    record.message = text.format(signature=task.signature, value=received, line=f'check("{task.name}", {task.name})')
    record.reread = [asdict(task.section)]
    return record
