"""A task that fails over a mistake in an earlier one is judged on its own, and nothing is gained by that which was not earned."""

from __future__ import annotations

import ast
import dataclasses

import nbformat
import numpy as np
import pytest

from unrolled.checks import TASKS, find, uses
from unrolled.checks import run as checks_run
from unrolled.checks.report import as_html, as_text
from unrolled.grading import referee, sandbox
from unrolled.grading import right as right_versions
from unrolled.grading.referee import Cell

QUICK = referee.Limits(cell=3, added_cells=5, call=5, task=10, submission=60, right=10, grace=1)
SETUP = Cell(0, "setup", "import numpy as np")
STEP, FORWARD, COUNT = Cell(90, "task", task="rnn_step"), Cell(91, "task", task="rnn_forward"), Cell(92, "task", task="num_parameters")
RIGHT_STEP = "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)"
WRONG_STEP = RIGHT_STEP + " / 2"
LOOP = """def rnn_forward(X, H_0, W_xh, W_hh, b_h):
    states, H_t = [], H_0
    for X_t in X:
        H_t = rnn_step(X_t, H_t, W_xh, W_hh, b_h=b_h)
        states.append(H_t)
    return np.array(states)"""


def judged(step: str, forward: str, *more: Cell, limits: referee.Limits = QUICK, added: str = "") -> referee.Outcome:
    cells = [SETUP, Cell(1, "added", added), Cell(2, "solution", step), STEP, Cell(3, "solution", forward), FORWARD, *more]
    return referee.judge(cells, 7, limits=limits)


def points(outcome: referee.Outcome) -> dict[str, float]:
    return {name: record["points"] for name, record in outcome.tasks.items()}


@pytest.mark.parametrize("step", [
    WRONG_STEP, "def rnn_step(*arguments):\n    raise NotImplementedError()", "", "rnn_step = 3", "def rnn_step(*a):\n    import os; os._exit(1)",
], ids=["wrong", "not written", "missing", "no function", "ends the program"])  # fmt: skip
def test_right_task_gets_its_points_whatever_the_earlier_one_does(bwrap, step):
    outcome = judged(step, LOOP)
    assert points(outcome) == {"rnn_step": 0, "rnn_forward": 5} and outcome.tasks["rnn_forward"]["given"] == ["rnn_step"], outcome.tasks
    assert "Right, given a right rnn_step" in as_text(checks_run.Record(**outcome.tasks["rnn_forward"]))


def test_a_task_is_given_nothing_where_the_earlier_one_is_right(bwrap):
    wrong = LOOP.replace("return np.array(states)", "return np.array(states)[::-1]")
    outcome = judged(RIGHT_STEP, wrong)
    assert outcome.tasks["rnn_forward"]["points"] < 5 and outcome.tasks["rnn_forward"]["given"] == []


def test_a_mistake_of_its_own_is_judged_as_before(bwrap):
    wrong = LOOP.replace("return np.array(states)", "return np.array(states)[::-1]")
    outcome = judged(WRONG_STEP, wrong)
    assert points(outcome)["rnn_forward"] == 0 and not outcome.tasks["rnn_forward"]["passed"]


@pytest.mark.parametrize("step, forward, earned", [
    # two that only call each other: the edge leads from the later one to the earlier one alone
    ("def rnn_step(X_t, H_prev, *weights):\n    return rnn_forward(X_t[None], H_prev, *weights)[0]", LOOP, (0, 5)),
    ("def rnn_step(X_t, H_prev, *weights):\n    return rnn_forward(X_t[None], H_prev, *weights)[0]",
     "def rnn_forward(X, H_0, *weights):\n    return np.array([rnn_step(X[0], H_0, *weights)] * len(X))", (0, 0)),
    # asking for what is not given, for too much, or by hand
    (WRONG_STEP, "def rnn_forward(*a):\n    import sys, gc\n    connection = next(o for o in gc.get_objects() if type(o).__name__ == 'Connection')\n"
     "    connection.send({'number': 1, 'ask': 'rnn_forward', 'arguments': list(a)})\n    return connection.receive()['value']", (0, 0)),
    (WRONG_STEP, "def rnn_forward(X, H_0, *weights):\n    while True:\n        rnn_step(X[0], H_0, *weights)", (0, 0)),
    (WRONG_STEP, "def rnn_forward(X, H_0, *weights):\n    return rnn_step(np.zeros((3000, 3000)), *[np.zeros((3000, 3000))] * 3, X)", (0, 0)),
    (WRONG_STEP, "def rnn_forward(X, H_0, *weights):\n    return rnn_step(*[np.broadcast_to(0.0, (10**6, 10**6))] * 5)", (0, 0)),
    (WRONG_STEP, "def rnn_forward(*a):\n    return rnn_step(print, object, [], {}, None)", (0, 0)),
], ids=["each other, one right", "each other", "by hand", "for ever", "wrong shapes", "huge", "no arrays"])  # fmt: skip
def test_nothing_is_gained_that_was_not_earned(bwrap, step, forward, earned):
    outcome = judged(step, forward, Cell(4, "solution", "def num_parameters(D, H, V):\n    return D * H + H * H + H + H * V + V"), COUNT)
    assert tuple(points(outcome).values()) == (*earned, 2), outcome.tasks


def test_what_a_right_version_said_is_not_carried_into_another_task(bwrap):
    """A later task would pass if it still had the results, or the function, that an earlier one was given."""
    keeping = "kept = {}\n" + LOOP.replace("    return", "    kept['step'] = rnn_step\n    kept['states'] = states\n    return")
    spying = "def num_parameters(D, H, V):\n    print(kept['step'].__code__.co_name, len(kept['states']))\n    return 0"
    outcome = judged(WRONG_STEP, keeping, Cell(4, "solution", spying), COUNT)
    assert points(outcome) == {"rnn_step": 0, "rnn_forward": 5, "num_parameters": 0}
    assert outcome.tasks["num_parameters"]["printed"].startswith("rnn_step ")  # the learner's own, and not `right`


def test_no_line_of_a_right_version_is_shown(bwrap):
    right = right_versions.RightVersions(["rnn_step"], QUICK, unsafe=False)
    assert right({"ask": "rnn_step", "arguments": [1, 2, 3, 4, 5]}) == {
        "value": None, "error": "a right rnn_step can't work with these arguments (TypeError)",
    }  # fmt: skip
    with pytest.raises(sandbox.Lost, match="not given"):
        right({"ask": "rnn_forward", "arguments": [1, 2, 3, 4, 5]})


def test_questions_are_counted(bwrap):
    outcome = judged(WRONG_STEP, LOOP, limits=dataclasses.replace(QUICK, asks=2))
    assert points(outcome)["rnn_forward"] == 0
    assert "more results of a right rnn_step than it is given" in " ".join(outcome.incidents)


TRAIN = """def train(params, batches, H_0, lr, theta):
    losses = []
    for X, Y in batches:
        params, H_0, loss = train_step(params, X, Y, H_0, lr, theta)
        losses.append(loss)
    return params, losses"""


def trained(text: str) -> checks_run.Record:
    """How `train` is judged beside a train_step that is not written."""
    cells = [SETUP, Cell(1, "solution", "def train_step(*a):\n    raise NotImplementedError()"), Cell(90, "task", task="train_step"),
             Cell(2, "solution", text), Cell(91, "task", task="train")]
    record = referee.judge(cells, 7, limits=QUICK).tasks["train"]
    return checks_run.Record(**{**record, "steps": [checks_run.Step(**step) for step in record["steps"]]})


def test_a_task_with_a_long_case_earns_all_other_cases_on_its_own(bwrap):
    record = trained(TRAIN)
    cases = [step for step in record.steps if step.kind == "value"]
    assert record.given == ["train_step"] and not record.passed
    assert record.points == pytest.approx(6 * (len(cases) - 1) / len(cases)) and [step.status for step in cases[-2:]] == ["passed", "not reached"]
    assert "The case that takes long is judged with your own train_step only." in " ".join(as_text(record).split())
    assert "The case that takes long" in as_html(record)


def test_a_task_with_a_long_case_and_a_mistake_of_its_own_earns_nothing_more(bwrap):
    record = trained(TRAIN.replace("return params, losses", "return params, losses[::-1]"))
    assert record.given == [] and record.points == 0


# --- At home -----------------------------------------------------------------------------------


def at_home(step: str, forward: str, standing: dict | None = None) -> checks_run.Record:
    space = {"np": np}
    exec(f"{step}\n{forward}", space)
    task, function = TASKS["rnn_forward"], space["rnn_forward"]
    call = checks_run.in_process(function)
    record = uses.at_home(task, function, call, checks_run.run(task, call), standing or {}, find)
    assert space.get("rnn_step") is None or space["rnn_step"].__module__ != "unrolled.checks.uses"
    return record


def test_check_at_home_gives_what_the_referee_gives():
    record = at_home(WRONG_STEP, LOOP)
    assert record.points == 5 and record.given == ["rnn_step"] and "given a right rnn_step" in as_html(record)
    assert at_home(RIGHT_STEP, LOOP).given == []
    assert at_home("", LOOP).given == ["rnn_step"]


# --- The edges ---------------------------------------------------------------------------------


def test_edges_lead_to_earlier_tasks_of_the_same_assignment_only():
    order = list(TASKS)
    for task in TASKS.values():
        for name in task.uses:
            assert order.index(name) < order.index(task.name) and TASKS[name].assignment == task.assignment


def test_every_task_that_a_model_answer_calls_is_an_edge(course):
    for path in sorted((course / "solutions").glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("-code")
            if name in TASKS and cell.metadata["nbgrader"]["solution"] and cell.cell_type == "code":
                names = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
                own = {node.id for node in names if isinstance(node.ctx, ast.Store)}  # a variable may have a task's name
                called = {node.id for node in names} & TASKS.keys() - own
                assert called - {name} <= set(TASKS[name].uses), name
