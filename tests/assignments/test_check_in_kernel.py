"""What a check cell of a notebook writes: at home, and while nbgrader executes it."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.slow

CELLS = {
    "setup": "import sys, warnings\nimport numpy as np\nfrom unrolled.checks import check",
    "right": (
        "def one_hot(ids, V):\n"
        "    print('hello')\n"
        "    sys.stderr.write('to stderr')\n"
        "    warnings.warn('a warning')\n"
        "    return np.eye(V)[ids]\n"
        "check('one_hot', one_hot)"
    ),
    "partly": (
        "def one_hot(ids, V):\n"
        "    return np.eye(ids.max() + 1)[ids] if ids.shape[1] > 1 and ids.max() < V - 1 else np.eye(V)[ids]\n"
        "check('one_hot', one_hot)"
    ),
    "unwritten": "def one_hot(ids, V):\n    raise NotImplementedError()\ncheck('one_hot', one_hot)",
}


def _run(**environment: str) -> dict[str, list]:
    """The outputs of every cell of a small notebook, run in a kernel with these variables set."""
    nb = new_notebook(cells=[new_code_cell(source) for source in CELLS.values()])
    client = NotebookClient(nb, kernel_name="python3", allow_errors=True, timeout=120)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        client.execute()
    return {name: cell.outputs for name, cell in zip(CELLS, nb.cells, strict=True)}


@pytest.fixture(scope="module")
def graded():
    return _run(NBGRADER_EXECUTION="autograde")


@pytest.fixture(scope="module")
def at_home():
    return _run()


def _grade(outputs) -> tuple[float, float]:
    """What stock nbgrader reads from a test cell of 2 points."""
    from nbgrader.utils import determine_grade

    meta = {"grade": True, "solution": False, "points": 2, "grade_id": "one_hot", "schema_version": 3}
    return determine_grade(nbformat.from_dict({"cell_type": "code", "metadata": {"nbgrader": meta}, "outputs": outputs}))


def _kinds(outputs) -> list[str]:
    return [output.output_type for output in outputs]


def test_points_come_first_and_the_report_second_when_graded(graded):
    assert _kinds(graded["right"]) == ["execute_result", "display_data"]
    assert graded["right"][0].data["text/plain"] == "2.0"
    assert "all passed" in graded["right"][1].data["text/plain"]


def test_right_solution_that_writes_to_stderr_gets_full_marks_from_stock_nbgrader(graded):
    assert _grade(graded["right"]) == (2.0, 2)


def test_failed_check_keeps_its_points_and_ends_in_one_line(graded):
    assert _kinds(graded["partly"]) == ["execute_result", "display_data", "error"]
    score, most = _grade(graded["partly"])
    assert 0 < score < most and float(graded["partly"][0].data["text/plain"]) == score
    error = graded["partly"][2]
    assert error.ename == "CheckFailed" and len(error.traceback) == 1 and "\n" not in error.traceback[0]


def test_unwritten_function_gets_zero_from_stock_nbgrader(graded):
    assert _grade(graded["unwritten"]) == (0.0, 2)


def test_no_points_are_shown_at_home(at_home):
    assert _kinds(at_home["right"]) == ["display_data"]
    assert _kinds(at_home["unwritten"]) == ["display_data", "error"]


def test_report_is_shown_as_text_and_as_html(at_home):
    data = at_home["partly"][0].data
    assert "FAIL" in data["text/plain"] and data["text/html"].startswith("<div")
