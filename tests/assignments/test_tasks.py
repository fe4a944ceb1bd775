"""Every task of the course: known mistakes are named, honest solutions pass, empty answers earn nothing."""

from __future__ import annotations

import functools
import json
import math
import sys
import warnings

import numpy as np
import pytest

from course_notebooks import model_answers
from honest import HONEST

from unrolled.checks import TASKS, check
from unrolled.checks import run as checks_run
from unrolled.checks.report import as_html, as_text
from unrolled.checks.task import as_sentence

OTHER_SEEDS = (1, 7, 123_456)
SEEDS = (checks_run.PUBLIC_SEED, *OTHER_SEEDS)


def with_seeds(params):
    """Each of many cases with the public seed, and with the other seeds in turn: with all of them, a quarter of the tests' time would go here."""
    return [
        pytest.param(*case.values, seed, id=f"{case.id}-{seed}")
        for turn, case in enumerate(params)
        for seed in (checks_run.PUBLIC_SEED, OTHER_SEEDS[turn % len(OTHER_SEEDS)])
    ]


MISTAKES = [pytest.param(task, mistake, id=f"{task.name}-{mistake.name}") for task in TASKS.values() for mistake in task.mistakes]
EVERY_TASK = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def cases_of(task, seed=checks_run.PUBLIC_SEED):
    rng = np.random.default_rng(seed)
    return [task.form_case(rng), *task.value_cases(rng)]


def changed(value, number, whole, string):
    """A value of the same form, with `number` for each float, `whole` for each whole number and `string` for each string."""
    if isinstance(value, np.ndarray):
        return (number if value.dtype.kind == "f" else whole)(value)
    if isinstance(value, (list, tuple)):
        return type(value)(changed(item, number, whole, string) for item in value)
    if isinstance(value, dict):
        return {key: changed(item, number, whole, string) for key, item in value.items()}
    if isinstance(value, str):
        return string(value)
    return (whole if isinstance(value, (int, np.integer)) else number)(value)


# Tasks whose results are compared number by number, and of these the ones that return arrays of floats.
COMPARED = [task for task in TASKS.values() if not any(case.judge for case in cases_of(task))]
EVERY_COMPARED_TASK = pytest.mark.parametrize("task", COMPARED, ids=lambda task: task.name)


@pytest.fixture(scope="module")
def record_of(judge):
    """A function: the record of a known mistake's check, each run once."""
    return functools.cache(lambda task, mistake, seed: judge(task, mistake.function, seed))


@pytest.mark.parametrize("task, mistake, seed", with_seeds(MISTAKES))
def test_known_mistake_is_caught_and_named(record_of, task, mistake, seed):
    record = record_of(task, mistake, seed)
    assert not record.passed
    assert mistake.name in record.mistakes
    assert mistake.told()[0] in record.diagnosis


@EVERY_TASK
def test_known_mistakes_of_a_task_have_names_of_their_own(task):
    names = [mistake.name for mistake in task.mistakes]
    assert len(names) == len(set(names))


# --- Answers without work ----------------------------------------------------------------------


def _empty(value):
    """A function that answers every call with the form of the truth, filled with `value`."""

    def fill(part):
        return np.full(part.shape, value, part.dtype) if isinstance(part, np.ndarray) else value

    def zero(part):
        return np.zeros_like(part) if isinstance(part, np.ndarray) else 0

    def of(task):
        return lambda *arguments: changed(task.solution(*arguments), fill, zero, lambda part: "")

    return of


@EVERY_TASK
@pytest.mark.parametrize("value", [0.0, math.nan, math.inf], ids=["zeros", "nan", "inf"])
@pytest.mark.parametrize("seed", SEEDS)
def test_answer_that_is_one_number_everywhere_earns_nothing(judge, task, value, seed):
    assert judge(task, _empty(value)(task), seed).points == 0


@EVERY_TASK
@pytest.mark.parametrize("seed", SEEDS)
def test_echoed_argument_earns_nothing(judge, task, seed):
    for position in range(len(task.arguments)):
        assert judge(task, lambda *arguments, i=position: arguments[i], seed).points == 0


@EVERY_TASK
def test_integer_zero_earns_nothing(judge, task):
    assert judge(task, lambda *arguments: 0).points == 0


# --- Right answers, however they are written ---------------------------------------------------


@EVERY_TASK
def test_solution_passes_over_many_seeds(judge, task):
    for seed in range(50 if task in COMPARED else 5):
        for function in (task.solution, model_answers(task.assignment)[task.name]):
            record = judge(task, function, seed)
            assert record.passed and record.points == task.points, as_text(record)


@pytest.mark.parametrize(
    "name, function, seed",
    with_seeds(pytest.param(name, function, id=f"{name}-{i}") for name, functions in HONEST.items() for i, function in enumerate(functions)),
)
def test_honest_solution_in_another_style_gets_full_marks(judge, name, function, seed):
    record = judge(TASKS[name], function, seed)
    assert record.points == TASKS[name].points, as_text(record)


@EVERY_TASK
def test_every_task_has_four_honest_solutions_of_another_style(task):
    assert len(HONEST[task.name]) >= 4


@EVERY_TASK
def test_prints_and_warnings_cost_nothing_and_are_not_shown(judge, task, capfd):
    def noisy(*arguments):
        print("so far so good")
        sys.stderr.write("careful\n")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
        return task.solution(*arguments)

    record = judge(task, noisy)
    assert record.passed and record.points == task.points
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


@EVERY_TASK
def test_check_returns_none_for_a_right_function(task, capsys):
    assert check(task.name, task.solution) is None
    assert "all passed" in capsys.readouterr().out


# --- What a report says ------------------------------------------------------------------------


@EVERY_TASK
def test_unwritten_function_is_called_not_written_yet(judge, task):
    def unwritten(*arguments):
        raise NotImplementedError()

    record = judge(task, unwritten)
    assert record.points == 0 and record.mistakes == []
    assert "not written yet" in record.message


@pytest.mark.parametrize("task, mistake", MISTAKES)
def test_record_survives_json(record_of, task, mistake):
    record = record_of(task, mistake, checks_run.PUBLIC_SEED).as_dict()
    assert json.loads(json.dumps(record)) == record


@EVERY_TASK
def test_html_escapes_what_learners_print_and_raise(judge, task):
    def hostile(*arguments):
        print("<script>alert(1)</script>")
        raise ValueError("<img src=x onerror=alert(2)>")

    page = as_html(judge(task, hostile))
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;" in page and "&lt;img" in page


def _floats(value):
    """Every float in arrays of a value."""
    if isinstance(value, np.ndarray):
        return [float(v) for v in value.ravel()] if value.dtype.kind == "f" else []
    if isinstance(value, dict):
        return _floats(list(value.values()))
    if isinstance(value, (list, tuple)):
        return [v for item in value for v in _floats(item)]
    return [value] if isinstance(value, float) else []


@EVERY_COMPARED_TASK
def test_no_report_shows_what_was_expected(judge, task):
    def wrong(*arguments):
        return changed(task.solution(*arguments), lambda v: 1.5 * v + 3, lambda v: v + 1, lambda v: v + "?")

    record = judge(task, wrong)
    shown = as_text(record) + as_html(record) + json.dumps(record.as_dict())
    truths = [v for case in cases_of(task) for v in _floats(task.reference(*checks_run.copy_of(case.arguments).values()))]
    assert "you" in record.message
    assert not [v for v in truths if v % 1 and f"{v:.5f}"[:-1] in shown]


@EVERY_COMPARED_TASK
def test_points_count_value_cases_up_to_the_first_that_fails(judge, task):
    count = len(cases_of(task)) - 1
    for right in range(count):
        calls = iter(range(1000))

        def once_wrong(*arguments, right=right, calls=calls):
            truth = task.solution(*arguments)
            wrong = changed(truth, lambda v: -v - 1, lambda v: v + 1, lambda v: v + "?")
            return wrong if next(calls) == right + 1 else truth  # call 0 looks at the form

        record = judge(task, once_wrong)
        assert record.points == pytest.approx(task.points * right / count)
        assert [step.status for step in record.steps if step.kind == "value"] == (
            ["passed"] * right + ["failed"] + ["not reached"] * (count - right - 1)
        )


# --- Where a report sends the learner ----------------------------------------------------------

SECTIONS = dict.fromkeys(
    section for task in TASKS.values() for section in [task.section, *(m.section for m in task.mistakes if m.section)]
)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.label)
def test_section_to_reread_is_in_the_book(course, section):
    pages = [path for suffix in (".ipynb", ".md") if (path := course / "book" / f"{section.page}{suffix}").exists()]
    assert pages, f"book/{section.page} is not there"
    if pages[0].suffix == ".md":
        text = pages[0].read_text(encoding="utf-8")
    else:
        cells = json.loads(pages[0].read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    lines = text.splitlines()
    assert f"({section.label})=" in lines
    heading = next(line for line in lines[lines.index(f"({section.label})=") + 1 :] if line.strip())
    assert heading.lstrip("#").strip() == section.title


@pytest.mark.parametrize(("clause", "sentence"), [
    ("a whole run becomes one space", "A whole run becomes one space."),
    ("torch's order is another", "Torch's order is another."),
    ("b_q has one entry a token", "b_q has one entry a token."),
    ("a[t] belongs to the step", "a[t] belongs to the step."),
    ("dZ_t @ W_xh.T", "dZ_t @ W_xh.T."),
    ("tanh(x) of both", "tanh(x) of both."),
    ("n, then k", "n, then k."),
    ("`lr` stays as it is", "`lr` stays as it is."),
    ("is the return inside the loop?", "Is the return inside the loop?"),
])  # fmt: skip
def test_a_sentence_begins_with_a_capital_but_a_name_from_code_keeps_its_letters(clause, sentence):
    assert as_sentence(clause) == sentence


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_no_advice_changes_a_name_from_the_signature(task):
    names = {name for name in task.arguments if len(name) == 1 or "_" in name} - {"a"}
    begun = {mistake.messages()[1].split()[0].split("[")[0] for mistake in task.mistakes}
    assert not {name[0].upper() + name[1:] for name in names if name[0].islower()} & begun
