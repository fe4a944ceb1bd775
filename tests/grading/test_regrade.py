"""A task is corrected after a class was graded: what changes is shown first, then entered; grades by hand stay."""

from __future__ import annotations

import dataclasses
import os

import pytest
from nbgrader.api import Gradebook

from unrolled.checks import TASKS
from unrolled.grading import farm, referee

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]

NAME = "02-rnn-forward"


@pytest.fixture
def in_process(monkeypatch):
    """Workers that are threads of this process, so that a test can exchange a task."""
    import distributed

    def client(self):
        return self._open.enter_context(
            distributed.Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None, set_as_default=False)
        )

    monkeypatch.setattr(farm.Farm, "_processes", client)


@pytest.fixture
def wrongly_graded(bwrap, in_process, fresh_course, monkeypatch):
    """A class that was graded while the check of one_hot asked for twice the right values; lena got a grade by hand."""
    twice = dataclasses.replace(TASKS["one_hot"], reference=lambda ids, V: 2 * TASKS["one_hot"].reference(ids, V))
    here = referee.versions()
    monkeypatch.chdir(fresh_course.folder)
    for student in ("ada", "lena"):
        fresh_course.hand_in(student)
    fresh_course.hand_in("max", one_hot_code="def one_hot(ids, V): return 2 * np.eye(V)[ids]")
    with monkeypatch.context() as patch:
        patch.setattr(referee, "find", lambda name: twice if name == "one_hot" else TASKS[name])
        patch.setattr(referee, "versions", lambda: {**here, "course": "with the wrong task"})
        farm.grade(farm.classroom(fresh_course.folder, NAME), workers=1)
    with Gradebook(f"sqlite:///{fresh_course.folder / 'class' / 'gradebook.db'}") as book:
        book.find_grade("one_hot", NAME, NAME, "lena").manual_score = 1.5
        book.db.commit()
    return fresh_course


def _scores(course) -> dict[str, float]:
    return {student: entry["score"] for (_, student), entry in course.book().items()}


def _by_hand(course) -> tuple[float | None, bool]:
    """Lena's points by hand for one_hot, and whether they need a look."""
    return next(grade[2:] for grade in course.book()[NAME, "lena"]["grades"] if grade[0] == "one_hot")


def test_dry_run_shows_the_changes_and_writes_nothing_and_the_real_one_enters_them(wrongly_graded, capsys):
    course = wrongly_graded
    before = _scores(course)
    assert before == {"ada": pytest.approx(18, abs=0.5), "lena": 19.5, "max": pytest.approx(20, abs=0.5)}
    kept = {path: path.read_bytes() for path in (course.folder / "class").rglob("*") if path.is_file() and "cache" not in path.parts}

    changes, report = farm.regrade(farm.classroom(course.folder, NAME), dry_run=True, workers=1)
    assert {path: path.read_bytes() for path in (course.folder / "class").rglob("*") if path.is_file() and "cache" not in path.parts} == kept
    assert [(change.student, change.task, change.after, change.by_hand) for change in changes] == [
        ("ada", "one_hot", 2, None), ("lena", "one_hot", 2, 1.5), ("max", "one_hot", 0, None),
    ]  # fmt: skip
    farm.tell_changes(changes, report, True, farm.Console(width=120))
    printed = capsys.readouterr().out
    assert "2 of 3 grades would change, by -2.00 to +2.00 points." in printed and "stays 1.5, given by hand" in printed
    assert "Nothing was entered" in printed

    again, _ = farm.regrade(farm.classroom(course.folder, NAME), dry_run=False, workers=1)
    assert again == changes
    assert _scores(course) == {"ada": 20, "lena": 19.5, "max": 18}
    assert _by_hand(course) == (1.5, True)  # what the check gives has changed since

    with Gradebook(f"sqlite:///{course.folder / 'class' / 'gradebook.db'}") as book:
        book.find_grade("one_hot", NAME, NAME, "lena").needs_manual_grade = False
        book.db.commit()
    written = {path: path.stat().st_mtime_ns for path in (course.folder / "class" / "autograded").rglob("*.ipynb")}
    changes, report = farm.regrade(farm.classroom(course.folder, NAME), dry_run=False, workers=1)
    assert changes == [] and set(report.states.values()) == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in (course.folder / "class" / "autograded").rglob("*.ipynb")} == written
    assert _by_hand(course) == (1.5, False)


def test_command_leaves_out_what_was_handed_in_anew(graded_class):
    course = graded_class.course
    folder = course.hand_in("late comer")
    try:
        before = course.book()
        done = course.command("regrade", NAME, "--dry-run", "--student", "ada", "--student", "late comer")
        assert done.returncode == 1 and "0 of 1 grades would change." in done.stdout
        assert "late comer: was never graded" in done.stdout and course.book() == before
    finally:
        (folder / f"{NAME}.ipynb").unlink()
        os.removedirs(folder)
