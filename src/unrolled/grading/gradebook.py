"""nbgrader's gradebook, opened once a run and written once a step, with the indexes that a large class needs.

nbgrader opens it nine times for each submission, looks each time whether every table is there, and commits after each cell. That
took more time than learners' code, and a run that was killed could leave half a submission's grades.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import nbgrader.api
import nbgrader.converters.autograde
import nbgrader.preprocessors.latesubmissions
import nbgrader.preprocessors.overwritecells
import nbgrader.preprocessors.saveautogrades
from nbgrader.api import Assignment, BaseCell, Comment, Grade, GradeCell, Notebook, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import text
from sqlalchemy.engine import make_url

# Who opens a gradebook while a submission is graded, and names it directly.
USERS: tuple[ModuleType, ...] = (
    nbgrader.converters.autograde, nbgrader.preprocessors.latesubmissions, nbgrader.preprocessors.overwritecells,
    nbgrader.preprocessors.saveautogrades,
)  # fmt: skip

# Columns by which nbgrader finds rows and for which it has no index: each submission reads these tables from end to end.
WANTED = {"grade": "notebook_id", "comment": "notebook_id", "submitted_notebook": "assignment_id", "submitted_assignment": "student_id"}

_kept: dict[tuple[str, str], Gradebook] | None = None  # None: none is to be kept


class Gradebook(nbgrader.api.Gradebook):
    """A gradebook that stays open when it is closed, for the next who opens it; `kept` ends that."""

    together = False  # whether what is written waits for the end of `as_one`

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self._read: dict[tuple, dict[str, Any]] = {}  # the grades or the comments of a notebook by cell, until it is closed
        with self.engine.begin() as connection:
            for table, column in WANTED.items():
                connection.execute(text(f"CREATE INDEX IF NOT EXISTS {table}_by_{column} ON {table} ({column})"))

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Grade:
        found = self._of_notebook(Grade, notebook, assignment, student).get(grade_cell)
        return found or super().find_grade(grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Comment:
        found = self._of_notebook(Comment, notebook, assignment, student).get(solution_cell)
        return found or super().find_comment(solution_cell, notebook, assignment, student)

    def _of_notebook(self, kind: type, *which: str) -> dict[str, Any]:
        """All grades or comments of a submitted notebook, read at once; outside `as_one` others may write, and none is kept."""
        if not self.together:
            return {}
        if (kind, which) not in self._read:
            rows = self.db.query(BaseCell.name, kind).join(kind, kind.cell_id == BaseCell.id)
            self._read[kind, which] = dict(map(tuple, rows.filter(kind.notebook_id == self.find_submission_notebook(*which).id)))
        return self._read[kind, which]

    def close(self) -> None:
        self._read.clear()
        if self.together:
            self.db.flush()  # the next who opens it reads what is there by then, as from a gradebook of its own
            self.db.expire_all()
        else:
            self.db.remove()

    def really_close(self) -> None:
        super().close()


def plug_in() -> None:
    """Let nbgrader's steps open the gradebook by `opened`."""
    for module in USERS:
        module.Gradebook = opened


def opened(db_url: str, course_id: str = "default_course") -> nbgrader.api.Gradebook:
    """The gradebook at an address: inside `kept` the one that is open."""
    if _kept is None:
        return nbgrader.api.Gradebook(db_url, course_id)
    if (db_url, course_id) not in _kept:
        _kept[db_url, course_id] = Gradebook(db_url, course_id)
    return _kept[db_url, course_id]


def auto_scores(book: nbgrader.api.Gradebook, assignment: str, student: str) -> dict[tuple[str, str], tuple[float | None, float]]:
    """What the gradebook holds of a submission: points from the checks, and the most there are, by notebook and cell."""
    rows = (
        book.db.query(Notebook.name, GradeCell.name, Grade.auto_score, GradeCell.max_score)
        .select_from(Grade)
        .join(GradeCell, GradeCell.id == Grade.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .filter(Assignment.name == assignment, SubmittedAssignment.student_id == student)
    )
    return {(notebook, cell): (score, most) for notebook, cell, score, most in rows}


def longest_login(db_url: str) -> int | None:
    """The most characters that a student's login may have, or None where any number is held: SQLite does not look at it."""
    return None if make_url(db_url).get_backend_name() == "sqlite" else Student.id.type.length


@contextlib.contextmanager
def grades_kept(book: nbgrader.api.Gradebook, assignment: str, student: str) -> Iterator[None]:
    """What is done inside it to the grades of a submission that is there already is undone at its end."""
    try:
        notebooks = book.find_submission(assignment, student).notebooks
    except nbgrader.api.MissingEntry:
        notebooks = []
    before = [(grade, grade.auto_score, grade.needs_manual_grade) for notebook in notebooks for grade in notebook.grades]
    yield
    for grade, auto_score, needs_manual_grade in before:
        grade.auto_score, grade.needs_manual_grade = auto_score, needs_manual_grade


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Inside it a gradebook that was opened stays open. One `kept` inside another does nothing."""
    global _kept
    if _kept is not None:
        yield
        return
    _kept = {}
    try:
        yield
    finally:
        books, _kept = _kept, None
        for book in books.values():
            book.really_close()


@contextlib.contextmanager
def as_one(db_url: str, course_id: str = "default_course") -> Iterator[None]:
    """Inside it all that is written to a gradebook is one transaction, which an error undoes."""
    with kept():
        yield from _as_one(opened(db_url, course_id))


def _as_one(book: Gradebook) -> Iterator[None]:
    commit = book.db.commit
    book.together, book.db.commit = True, lambda: None  # each query, and closing, writes what came before it
    try:
        yield
        commit()
    finally:
        book.together, book.db.commit = False, commit
        book.close()
