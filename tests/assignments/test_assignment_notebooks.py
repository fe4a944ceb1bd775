"""Every assignment's notebook: what an instructor edits and what a learner opens."""

from __future__ import annotations

import doctest
import json
import re
import urllib.parse

import pytest

from course_notebooks import COURSE, model_answers, model_notebook, released_notebook

from unrolled.checks import TASKS
from unrolled.editions import catalogues

EVERY_TASK = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
ASSIGNMENTS = sorted({task.assignment for task in TASKS.values()})
EVERY_ASSIGNMENT = pytest.mark.parametrize("assignment", ASSIGNMENTS)
HAND_GRADED = {"03-bptt": 3, "07-seq2seq": 3, "08-your-data": 14}  # points given by hand


def _graded(nb) -> dict:
    return {cell.metadata.nbgrader.grade_id: cell for cell in nb.cells if "nbgrader" in cell.metadata}


@EVERY_TASK
def test_check_cell_is_one_locked_line_with_the_points_of_the_task(task):
    cell = _graded(model_notebook(task.assignment))[task.name]
    meta = cell.metadata.nbgrader
    assert cell.source == f'check("{task.name}", {task.name})'
    assert meta.points == task.points and meta.grade and meta.locked and not meta.solution


@EVERY_ASSIGNMENT
def test_points_are_those_of_the_tasks_and_make_twenty(assignment):
    graded = {name: c.metadata.nbgrader for name, c in _graded(model_notebook(assignment)).items() if c.metadata.nbgrader.grade}
    automatic = {name: meta.points for name, meta in graded.items() if not meta.solution}
    by_hand = sum(meta.points for meta in graded.values() if meta.solution)
    assert automatic == {task.name: task.points for task in TASKS.values() if task.assignment == assignment}
    assert by_hand == HAND_GRADED.get(assignment, 0)
    assert sum(automatic.values()) + by_hand == 20


@EVERY_TASK
def test_signature_is_that_of_the_task(task):
    import inspect

    assert list(inspect.signature(model_answers(task.assignment)[task.name]).parameters) == list(task.arguments)


@EVERY_TASK
def test_examples_in_the_docstring_are_true(task):
    answers = model_answers(task.assignment)
    examples = doctest.DocTestFinder(recurse=False).find(answers[task.name], task.name, globs=answers)
    assert sum(len(example.examples) for example in examples) >= 1
    runner = doctest.DocTestRunner(verbose=False)
    for example in examples:
        assert runner.run(example).failed == 0


@EVERY_TASK
def test_released_cell_keeps_the_docstring_and_nothing_of_the_answer(task):
    source = _graded(released_notebook(task.assignment))[f"{task.name}-code"].source
    assert source.startswith(f"def {task.signature}:") and ">>> " in source
    assert source.rstrip().endswith("raise NotImplementedError()")
    assert "SOLUTION" not in source and source.count('"""') == 2
    body = source.split('"""')[2]
    assert body.split() == "# YOUR CODE HERE raise NotImplementedError()".split()


@EVERY_ASSIGNMENT
def test_an_assignment_is_handed_out_in_every_language_of_the_book(assignment):
    for language in catalogues.languages(COURSE):
        assert (COURSE / "assignments" / assignment / language / f"{assignment}.ipynb").is_file()


@EVERY_ASSIGNMENT
def test_setup_cell_is_tagged_and_locked(assignment):
    cell = _graded(released_notebook(assignment))["setup"]
    assert cell.metadata.tags == ["setup"] and cell.metadata.nbgrader.locked and not cell.metadata.editable
    assert "from unrolled.checks import check" in cell.source


@EVERY_ASSIGNMENT
def test_closing_cells_are_tagged_and_free_to_edit(assignment):
    closing = [cell for cell in released_notebook(assignment).cells if "closing" in cell.metadata.get("tags", [])]
    assert closing and all("nbgrader" not in cell.metadata and cell.metadata.get("editable", True) for cell in closing)


@EVERY_ASSIGNMENT
@pytest.mark.parametrize("which", [model_notebook, released_notebook], ids=["model", "released"])
def test_notebook_is_stored_without_outputs_and_for_the_kernel_python3(assignment, which):
    nb = which(assignment)
    assert all(not cell.outputs and cell.execution_count is None for cell in nb.cells if cell.cell_type == "code")
    assert nb.metadata.kernelspec.name == "python3"
    assert "jupytext" not in nb.metadata and "widgets" not in nb.metadata


@EVERY_ASSIGNMENT
def test_model_answers_use_numpy_only(assignment):
    code = "\n".join(c.source for n, c in _graded(model_notebook(assignment)).items() if n.endswith("-code"))
    assert "unrolled" not in code and "import" not in code and "torch." not in code  # lstm_from_torch is a name


@EVERY_TASK
def test_brief_sends_to_the_section_that_the_check_names(task):
    text = "\n".join(cell.source for cell in model_notebook(task.assignment).cells if cell.cell_type == "markdown")
    assert f"[{task.section.title}](../../book/{task.section.page}.ipynb#" in text


@EVERY_ASSIGNMENT
def test_links_to_the_book_lead_to_headings(course, assignment):
    text = "\n".join(cell.source for cell in model_notebook(assignment).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(\.\./\.\./(book/[^)#]+)#([^)]+)\)", text)
    assert links
    for page, anchor in links:
        cells = json.loads((course / page).read_text(encoding="utf-8"))["cells"]
        lines = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "markdown").splitlines()
        headings = {line.lstrip("#").strip().replace(" ", "-") for line in lines if line.startswith("#")}
        assert urllib.parse.unquote(anchor) in headings
