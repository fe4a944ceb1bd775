"""`unrolled submit-check` grades a learner's own notebook as the referee does, and says what in it costs marks."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode, v4
from rich.console import Console

from unrolled.checks import find
from unrolled.grading import referee, submit_check

ASSIGNMENT = "02-rnn-forward"
TORCH = """import torch
def cross_entropy(logits, Y):
    return float(torch.nn.functional.cross_entropy(torch.tensor(logits).reshape(-1, logits.shape[-1]), torch.tensor(Y).reshape(-1)))"""


def _read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


@pytest.fixture(scope="module")
def written(course) -> NotebookNode:
    """The released notebook with the model answers in it."""
    answers = {_grade_id(cell): cell.source for cell in _read(course / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").cells}
    notebook = _read(course / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answers[_grade_id(cell)]
    return notebook


def forecast(course: Path, folder: Path, notebook: NotebookNode, name: str = f"{ASSIGNMENT}.ipynb") -> submit_check.Forecast:
    nbformat.write(notebook, folder / name)
    return submit_check.forecast(folder / name, course)


def said(found: submit_check.Forecast) -> str:
    console = Console(file=io.StringIO(), width=120)
    submit_check.tell(found, console)
    return " ".join(console.file.getvalue().split())


@pytest.fixture(scope="module")
def careless(bwrap, course, written, tmp_path_factory) -> submit_check.Forecast:
    """A notebook with torch in it, a helper below its use, a mistake in the step, a stub, an import in the setup, code in text."""
    notebook = copy.deepcopy(written)
    texts = {
        "setup": "import math\nimport numpy as np\n\nfrom unrolled.checks import check", "cross_entropy-code": TORCH,
        "output_logits-code": "def output_logits(H, W_hq, b_q):\n    return product(H, W_hq) + b_q",
        "rnn_step-code": "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(X_t @ W_xh + H_prev @ W_hh)",
        "num_parameters-code": "def num_parameters(D, H, V):\n    raise NotImplementedError()",
    }  # fmt: skip
    for cell in notebook.cells:
        cell.source = texts.get(_grade_id(cell), cell.source)
    notebook.cells += [v4.new_code_cell("def product(H, W):\n    return H @ W"), v4.new_markdown_cell("def other(x):\n    return x")]
    folder = tmp_path_factory.mktemp("careless")
    (folder / "02-rnn-forward-Copy1.ipynb").write_text("{}")
    return forecast(course, folder, notebook, "mine.ipynb")


def test_right_notebook_gets_full_marks_and_no_word_of_care(bwrap, course, written, tmp_path):
    found = forecast(course, tmp_path, written)
    assert found.points == 20 and found.careful == [] and "20 │ 20" in said(found)


def test_points_are_those_that_the_referee_gives(careless):
    assert {record.task: (round(record.points, 2), record.given) for record in careless.records} == {
        "one_hot": (2, []), "rnn_step": (1.14, []), "rnn_forward": (5, ["rnn_step"]), "output_logits": (0, []), "cross_entropy": (0, []),
        "num_parameters": (0, []),
    }  # fmt: skip


@pytest.mark.parametrize("words", [
    "The grader looks for “02-rnn-forward.ipynb”, and this file is called “mine.ipynb”",
    "Beside it there is “02-rnn-forward-Copy1.ipynb”",
    "The course's cell that begins with “import numpy as np” was changed",
    "The cell “def other(x):” is a cell of text and is not run",
    "In the cell “import torch” this failed: ModuleNotFoundError: No module named 'torch'",
    "product is defined below the check of output_logits",
    "num_parameters is not written yet",
    "right, given a right rnn_step",
    "torch is not there when grading",
])  # fmt: skip
def test_what_costs_marks_is_said(careless, words):
    assert words in said(careless)


def test_cell_of_an_answer_that_became_text_is_said(course, written):
    notebook = copy.deepcopy(written)
    place = next(i for i, cell in enumerate(notebook.cells) if _grade_id(cell) == "rnn_step-code")
    notebook.cells[place] = v4.new_markdown_cell(notebook.cells[place].source, metadata=notebook.cells[place].metadata)
    handed = [submit_check.rebuild._written(cell) for cell in notebook.cells]
    release = _read(course / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    assert ["is a cell of text now" in sentence for sentence in submit_check._turned_to_text(release, handed)] == [True]


def test_times_near_a_limit_are_said():
    cells = [referee.Cell(1, "added", "slow = 1"), referee.Cell(2, "task", task="one_hot")]
    outcome = referee.Outcome(times={"1": 6.0, "one_hot": 12.0})
    record = referee.explained_zero(find("one_hot"), 1, "")
    sentences = list(submit_check._slow(cells, outcome, [record]))
    assert "one_hot took 12.0 s here; together they may take 20 s" in sentences[0] and "“slow = 1” took 6.0 s" in sentences[1]


def test_folder_stands_for_the_notebook_in_it_and_two_are_asked_about(course, written, tmp_path):
    folder = tmp_path / ASSIGNMENT
    folder.mkdir()
    for name in ("a.ipynb", "b.ipynb"):
        (folder / name).write_text("{}")
    with pytest.raises(submit_check.NoAssignment, match="It has “a.ipynb” and “b.ipynb”: name the file"):
        submit_check.forecast(folder, course)
    (folder / f"{ASSIGNMENT}.ipynb").write_text("{}")
    assert submit_check._notebook_at(folder).name == f"{ASSIGNMENT}.ipynb"


@pytest.mark.parametrize("content, says", [
    ("", "is empty"), ("{", "breaks off"), ("PK", "not JSON"), (nbformat.writes(v4.new_notebook(cells=[v4.new_code_cell("1 + 1")])), "none of the cells of any"),
])  # fmt: skip
def test_what_is_no_notebook_of_an_assignment_is_refused_in_one_sentence(course, tmp_path, content, says):
    (tmp_path / "x.ipynb").write_text(content)
    with pytest.raises(submit_check.NoAssignment, match=says):
        submit_check.forecast(tmp_path / "x.ipynb", course)


def test_command_names_a_file_that_is_not_there(course, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from unrolled.cli import app

    monkeypatch.setenv("UNROLLED_COURSE", str(course))
    done = CliRunner().invoke(app, ["submit-check", str(tmp_path / "none.ipynb")])
    assert done.exit_code == 2 and "No notebook “none.ipynb”" in done.output
