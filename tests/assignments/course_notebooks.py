"""The assignments' notebooks, and the functions that the model answers define."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import nbformat

COURSE = Path(__file__).resolve().parents[2]


@functools.cache
def model_notebook(assignment: str) -> nbformat.NotebookNode:
    """The notebook with the model answers."""
    return nbformat.read(COURSE / "solutions" / assignment / f"{assignment}.ipynb", as_version=4)


@functools.cache
def released_notebook(assignment: str) -> nbformat.NotebookNode:
    """The notebook that learners open."""
    return nbformat.read(COURSE / "assignments" / assignment / f"{assignment}.ipynb", as_version=4)


@functools.cache
def model_answers(assignment: str) -> dict[str, Callable]:
    """The functions that the model notebook defines, by name."""
    space: dict = {"__name__": "model_answers"}
    for cell in model_notebook(assignment).cells:
        meta = cell.metadata.get("nbgrader", {})
        if "setup" in cell.metadata.get("tags", []) or (meta.get("solution") and cell.cell_type == "code"):
            exec(cell.source, space)
    return space
