"""The model answers of every assignment get full marks through the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from unrolled.checks import TASKS
from unrolled.grading import referee

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
ASSIGNMENTS = sorted({task.assignment for task in TASKS.values()})


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_model_answers_get_full_marks_through_the_sandbox(bwrap, assignment):
    notebook = nbformat.read(SOLUTIONS / assignment / f"{assignment}.ipynb", as_version=4)
    outcome = referee.judge(referee.cells_of(notebook), 11)
    assert outcome.incidents == [] and outcome.cells == {}
    assert {name: record["points"] for name, record in outcome.tasks.items()} == {
        task.name: task.points for task in TASKS.values() if task.assignment == assignment
    }, json.dumps(outcome.tasks, indent=1)
