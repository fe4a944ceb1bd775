"""The gradebook that stays open for a run, and the transaction that holds all of a step."""

import os
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import text

from unrolled.grading import gradebook


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"])  # nbgrader starts alembic by name
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url, "course"):
        pass
    return url


def _students(url):
    with Gradebook(url, "course") as book:
        return {student.id for student in book.students}


def test_gradebook_is_opened_once_inside_kept_and_anew_outside(url):
    with gradebook.kept():
        with gradebook.opened(url, "course") as first:
            pass
        assert gradebook.opened(url, "course") is first
        with gradebook.kept():
            assert gradebook.opened(url, "course") is first
        assert gradebook.opened(url, "course") is first
    with gradebook.opened(url, "course") as after:
        assert after is not first


def test_each_course_has_a_gradebook_of_its_own(url):
    with gradebook.kept():
        assert gradebook.opened(url, "course") is not gradebook.opened(url, "another")


def test_what_is_written_as_one_is_seen_by_others_only_at_the_end(url):
    with gradebook.as_one(url, "course"):
        for name in ("ada", "blaise"):
            with gradebook.opened(url, "course") as book:
                book.add_student(name)
        assert _students(url) == set()
    assert _students(url) == {"ada", "blaise"}


def test_error_undoes_all_that_was_written_as_one(url):
    with pytest.raises(ZeroDivisionError), gradebook.as_one(url, "course"):
        with gradebook.opened(url, "course") as book:
            book.add_student("ada")
        1 / 0  # noqa: B018
    assert _students(url) == set()
    with gradebook.as_one(url, "course"), gradebook.opened(url, "course") as book:
        book.add_student("charles")
    assert _students(url) == {"charles"}


def test_sum_of_points_is_up_to_date_before_the_end(url):
    with gradebook.as_one(url, "course"), gradebook.opened(url, "course") as book:
        assignment = book.add_assignment("one")
        book.add_notebook("one", "one")
        book.add_grade_cell("cell", "one", "one", max_score=4, cell_type="code")
        assert assignment.max_score == 4


def test_grades_of_a_submission_are_found_by_an_index(url):
    with gradebook.kept(), gradebook.opened(url, "course") as book:
        plan = book.db.execute(text("EXPLAIN QUERY PLAN SELECT * FROM grade WHERE notebook_id = 'x'")).all()
    assert "USING INDEX grade_by_notebook_id" in str(plan)


def test_gradebook_that_has_the_indexes_is_opened_again(url):
    for _ in range(2):
        with gradebook.kept(), gradebook.opened(url, "course") as book:
            assert not book.students
