"""`check()` without arguments: the tasks and what stands."""

from __future__ import annotations

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import unrolled.checks as checks
from unrolled.checks import TASKS, CheckFailed, check


@pytest.fixture(autouse=True)
def nothing_checked(monkeypatch):
    monkeypatch.setattr(checks, "_standing", {})


def _lines(capsys) -> dict[str, str]:
    """What `check()` printed, by the first word that is a task's or an assignment's name."""
    assert check() is None
    names = [*TASKS, *{task.assignment for task in TASKS.values()}]
    lines = capsys.readouterr().out.splitlines()
    return {next(word.strip(":") for word in line.split() if word.strip(":") in names): line for line in lines}


def one_hot_without_the_last(ids, V):
    if ids.max() < V - 1:
        raise IndexError("too few columns")
    return np.eye(V)[ids]


def test_every_assignment_is_listed_where_nothing_is_known(capsys):
    lines = _lines(capsys)
    assert set(TASKS) <= set(lines) and {task.assignment for task in TASKS.values()} <= set(lines)
    assert all("not checked yet" in lines[name] and "points" in lines[name] for name in TASKS)


def test_functions_that_the_caller_has_written_choose_the_assignment(capsys):
    def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
        raise NotImplementedError()

    names = set(_written_here(capsys, rnn_step))
    assert {name for name in TASKS if TASKS[name].assignment == "02-rnn-forward"} == names & set(TASKS)


def _written_here(capsys, rnn_step):
    check()
    words = capsys.readouterr().out.replace(":", " ").split()
    return [word for word in words if word in TASKS]


def test_functions_of_the_package_that_the_caller_imported_choose_none(capsys):
    from unrolled.cells import rnn_step

    check()
    assert rnn_step and "03-bptt" in capsys.readouterr().out


def test_each_task_shows_how_far_it_came(capsys):
    def output_logits(H, W_hq, b_q):
        raise NotImplementedError()

    check("rnn_step", lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h))
    for name, function in (("one_hot", one_hot_without_the_last), ("output_logits", output_logits)):
        with pytest.raises(CheckFailed):
            check(name, function)
    capsys.readouterr()
    lines = _lines(capsys)
    assert lines["rnn_step"].split() == "ok rnn_step 4 of 4 points all passed".split()
    assert lines["one_hot"].startswith("  FAIL one_hot") and "stops at: " in lines["one_hot"]
    assert lines["output_logits"].endswith("0 of 2 points     not written yet")
    assert lines["rnn_forward"].split() == "- rnn_forward 5 points not checked yet".split()
    earned = 4 + checks._standing["one_hot"].points
    assert f"{earned:.2f}".rstrip("0").rstrip(".") in lines["02-rnn-forward"].split()
    assert "cross_entropy_backward" not in lines  # another assignment, of which nothing was checked


def test_the_last_check_of_a_task_counts(capsys):
    with pytest.raises(CheckFailed):
        check("num_parameters", lambda D, H, V: 0)
    check("num_parameters", TASKS["num_parameters"].solution)
    capsys.readouterr()
    assert "2 of 2 points" in _lines(capsys)["num_parameters"]


def test_points_given_by_hand_are_told(capsys):
    check("cross_entropy_backward", TASKS["cross_entropy_backward"].solution)
    capsys.readouterr()
    assert "3 of 17 points; 3 more are given by hand" in _lines(capsys)["03-bptt"]


def test_overview_in_html_has_a_row_for_each_task():
    tasks = list(TASKS.values())
    page = checks.Overview(tasks, {})._repr_mimebundle_()["text/html"]
    assert page.count("<tr>") == len(tasks) and "<script" not in page


@pytest.mark.slow
@pytest.mark.parametrize("variable", [None, "NBGRADER_EXECUTION"])
def test_overview_in_a_notebook_is_display_data_and_no_result(variable, monkeypatch):
    cells = [
        "import numpy as np\nfrom unrolled.checks import check",
        "def one_hot(ids, V):\n    return np.eye(V)[ids]\ncheck('one_hot', one_hot)",
        "check()",
    ]
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    if variable:
        monkeypatch.setenv(variable, "autograde")
    nb = new_notebook(cells=[new_code_cell(source) for source in cells])
    NotebookClient(nb, kernel_name="python3", timeout=120).execute()
    (output,) = nb.cells[2].outputs
    assert output.output_type == "display_data" and "execution_count" not in output
    assert "2 of 2 points" in output.data["text/plain"] and "<table" in output.data["text/html"]
    nbformat.validate(nb)
