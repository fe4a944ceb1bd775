"""What lies there, and what the gradebook holds, is compared with what was graded: nobody keeps the grade of an earlier submission."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from conftest import SAME, Course
from nbgrader.api import Gradebook
from test_farm import _cut_off, _go_on, _row

from unrolled.grading import referee

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]

NAME = "02-rnn-forward"
WRONG = "def one_hot(ids, V):\n    return np.zeros((len(ids), V))"


def _notebook(course: Course, student: str) -> Path:
    return course.folder / "class" / "submitted" / student / NAME / f"{NAME}.ipynb"


def _again(course: Course, student: str, **answers: str) -> None:
    """Hand in once more, as a learning platform's zip does it: without a time."""
    shutil.rmtree(_notebook(course, student).parent)
    course.hand_in(student, **answers)


@pytest.fixture
def graded(same_class, monkeypatch) -> Course:
    monkeypatch.chdir(same_class.folder)
    _go_on(same_class)
    return same_class


def _by_autograde(course: Course) -> None:
    for student in SAME:
        assert course.grade(student, force=False)["success"]


def _by_unrolled_grade(course: Course) -> None:
    done = course.command("grade", NAME, "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("grade", [_by_autograde, _by_unrolled_grade])
def test_resubmission_without_a_time_is_graded_and_its_feedback_made_anew(graded, grade):
    assert graded.api.generate_feedback(NAME, "ada", force=False)["success"]
    _again(graded, "ada", one_hot_code=WRONG)
    _again(graded, "refused")
    grade(graded)
    assert graded.points() == pytest.approx({"ada": 18, "blaise": 15.62, "refused": 20}, abs=0.01)
    assert graded.api.generate_feedback(NAME, "ada", force=False)["success"]
    page = graded.folder / "class" / "feedback" / "ada" / NAME / f"{NAME}.html"
    assert "18 of 20 points" in page.read_text(encoding="utf-8")


def test_outputs_and_metadata_alone_are_no_resubmission(graded):
    notebook = nbformat.read(_notebook(graded, "ada"), as_version=4)
    notebook.metadata["kernelspec"] = {"name": "another", "display_name": "another"}
    for cell in notebook.cells:
        cell.metadata["collapsed"] = True
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="another\n")]
    nbformat.write(notebook, _notebook(graded, "ada"))
    assert _row(graded.command("grade", NAME).stdout, "unchanged") == len(SAME)


def test_submission_that_was_taken_away_counts_as_another(graded):
    _notebook(graded, "ada").unlink()
    _by_unrolled_grade(graded)
    assert graded.points()["ada"] == 0


def test_time_of_an_earlier_submission_does_not_stay(graded):
    (_notebook(graded, "ada").parent / "timestamp.txt").write_text("2030-01-01 12:00:00 UTC")
    _by_unrolled_grade(graded)
    assert graded.book()[NAME, "ada"]["received"]
    _again(graded, "ada")
    _by_unrolled_grade(graded)
    assert graded.book()[NAME, "ada"]["received"] is None


def test_record_of_an_earlier_version_is_compared_by_its_cells(graded):
    for student in ("ada", "blaise"):
        path = referee.ClassFolder(graded.folder / "class").record_path(student, NAME, NAME)
        record = json.loads(path.read_text())
        del record["handed_in"], record["answers"]
        path.write_text(json.dumps(record))
    _again(graded, "ada", one_hot_code=WRONG)
    done = graded.command("grade", NAME, "--workers", "1")
    assert _row(done.stdout, "unchanged") == 2 and graded.points()["ada"] == 18


# --- The gradebook is another one --------------------------------------------------------------


def test_new_gradebook_beside_an_old_class_is_filled(graded, released_course):
    expected = graded.book()
    shutil.copy(released_course / "class" / "gradebook.db", graded.folder / "class" / "gradebook.db")
    assert graded.book() == {}
    assert _row(graded.command("grade", NAME, "--workers", "1").stdout, "from the cache") == 2
    assert graded.book() == expected


def test_gradebook_of_yesterday_beside_the_class_of_today_is_brought_up_to_date(graded, tmp_path):
    database = graded.folder / "class" / "gradebook.db"
    yesterday = shutil.copy(database, tmp_path)
    _again(graded, "ada", one_hot_code=WRONG)
    _by_unrolled_grade(graded)
    expected = graded.book()
    shutil.copy(yesterday, database)
    done = graded.command("grade", NAME, "--workers", "1")
    assert _row(done.stdout, "unchanged") == 2 and graded.book() == expected


def test_regrade_says_of_a_submission_that_the_new_gradebook_lacks_to_grade_it_first(graded, released_course):
    shutil.copy(released_course / "class" / "gradebook.db", graded.folder / "class" / "gradebook.db")
    done = graded.command("regrade", NAME, "--dry-run", "--student", "ada")
    assert done.returncode == 1 and f"ada: has other grades in the gradebook, or none: run `unrolled grade {NAME}` first" in done.stdout


# --- Points that a person gave -----------------------------------------------------------------


def _by_hand(course: Course, student: str) -> tuple[float | None, bool]:
    """The points by hand for one_hot, and whether they need a look."""
    return next(grade[2:] for grade in course.book()[NAME, student]["grades"] if grade[0] == "one_hot")


@pytest.fixture
def marked(graded) -> Course:
    """A person has given ada 1.5 points for one_hot."""
    with Gradebook(f"sqlite:///{graded.folder / 'class' / 'gradebook.db'}", "unrolled") as book:
        grade = book.find_grade("one_hot", NAME, NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    return graded


def test_points_by_hand_for_the_same_submission_need_no_second_look(marked):
    assert marked.command("grade", NAME, "--force", "--workers", "1").returncode == 0
    assert _by_hand(marked, "ada") == (1.5, False)


def test_points_by_hand_stay_settled_where_the_notebook_has_another_name(marked):
    _notebook(marked, "ada").rename(_notebook(marked, "ada").with_name("mine.ipynb"))
    assert marked.command("grade", NAME, "--force", "--workers", "1").returncode == 0
    assert _by_hand(marked, "ada") == (1.5, False)


@pytest.mark.parametrize("point", [None, *range(30, 106, 25)])
def test_points_by_hand_for_another_submission_need_a_look_wherever_a_run_was_cut_off(marked, point):
    _again(marked, "ada", one_hot_code=f"{marked.answers['one_hot-code']}\n# another")
    if point:
        assert _cut_off(marked, point)
    assert marked.command("grade", NAME, "--workers", "1").returncode == 0
    assert _by_hand(marked, "ada") == (1.5, True)
    assert marked.command("grade", NAME, "--force", "--workers", "1").returncode == 0
    assert _by_hand(marked, "ada") == (1.5, True)
