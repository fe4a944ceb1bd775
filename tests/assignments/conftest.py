"""What the tests of the assignments share: the course's tools, and a judge for one function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.checks import Record, Task
from unrolled.checks import run as checks_run

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

ASSIGNMENT = "02-rnn-forward"


@pytest.fixture(scope="session")
def judge() -> Callable[..., Record]:
    """judge(task, function, seed=public): the record of a check that ran in this process."""

    def judged(task: Task, function: Callable, seed: int = checks_run.PUBLIC_SEED) -> Record:
        return checks_run.run(task, checks_run.in_process(function), seed=seed)

    return judged


@pytest.fixture(scope="session")
def model_notebook(course):
    """The notebook with the model answers."""
    import nbformat

    return nbformat.read(course / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)


@pytest.fixture(scope="session")
def released_notebook(course):
    """The notebook that learners open."""
    import nbformat

    return nbformat.read(course / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)


@pytest.fixture(scope="session")
def model_answers(model_notebook) -> dict[str, Callable]:
    """The functions that the model notebook defines, by name."""
    space: dict = {"__name__": "model_answers"}
    for cell in model_notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if "setup" in cell.metadata.get("tags", []) or meta.get("solution"):
            exec(cell.source, space)
    return space
