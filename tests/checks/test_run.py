"""What a check computes once and keeps: the truth and the known mistakes of a seed."""

import dataclasses

from unrolled.checks import find, run


def _counted(function, calls):
    def counting(*arguments):
        calls.append(function)
        return function(*arguments)

    return counting


def _a_task(calls, variants):
    task = find("rnn_forward")
    mistakes = tuple(dataclasses.replace(m, function=_counted(m.function, variants)) for m in task.mistakes)
    return dataclasses.replace(task, reference=_counted(task.reference, calls), mistakes=mistakes)


def test_reference_is_asked_once_for_a_case_however_many_hand_in():
    calls: list = []
    task = _a_task(calls, [])
    records = [run.run(task, run.in_process(task.solution), seed=5) for _ in range(3)]
    assert all(record.passed for record in records)
    assert len(calls) == len(run.drawn(task, 5).values)


def test_known_mistakes_are_run_once_for_a_case_and_named_each_time():
    variants: list = []
    task = _a_task([], variants)
    wrong = run.in_process(find("rnn_forward").mistakes[0].function)
    first = run.run(task, wrong, seed=5)
    many = len(variants)
    second = run.run(task, wrong, seed=5)
    assert first.mistakes and first == second
    assert len(variants) == many


def test_another_seed_has_cases_and_truths_of_its_own():
    calls: list = []
    task = _a_task(calls, [])
    for seed in (5, 6):
        assert run.run(task, run.in_process(task.solution), seed=seed).passed
    assert len(calls) == 2 * len(run.drawn(task, 5).values)


def test_task_is_found_by_what_it_is_and_not_by_its_name():
    task = find("rnn_forward")
    twin = dataclasses.replace(task, reference=lambda *arguments: 2 * task.reference(*arguments))
    assert run.run(task, run.in_process(task.solution), seed=5).passed
    assert not run.run(twin, run.in_process(task.solution), seed=5).passed
