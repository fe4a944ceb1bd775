"""`nbgrader export` as a CSV file that a spreadsheet, Canvas or Moodle can take, and that hides no crash.

    nbgrader export                                                       # one row for each student and assignment
    nbgrader export --CsvExport.layout=canvas --to class/canvas.csv       # one row a student, one column an assignment
    nbgrader export --CsvExport.layout=moodle --to class/moodle.csv       # the same, with a column of feedback to each
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, Student
from nbgrader.plugins import ExportPlugin
from traitlets import Enum, TraitError

from . import referee, steps
from .late_days import Days, late_days

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with these a spreadsheet begins to calculate
NOT_HANDED_IN, NOT_GRADED, MANUAL = "not handed in", "not graded", "needs a look by hand"
REMARKS = {
    "timed out": "Your code ran out of time; the feedback page says where.",
    "crashed": "Your code ended the program; the feedback page says where.",
    "refused": "Nothing could be used of what was handed in; the feedback page says why.",
    NOT_GRADED: "Handed in, and not graded yet.",
    MANUAL: "Not all of it is looked at yet.",
}
SEVERITY = (NOT_GRADED, "fault", "refused", "crashed", "timed out", MANUAL, "graded")


HARMLESS = re.compile(r"[\w.@+-]+")  # no bracket, quote, bar, colon or blank: no function, no link, no other program, no other file


class Login(str):
    """What a platform finds a student by: Canvas and Moodle compare it letter by letter, and an apostrophe would be one."""

    @property
    def found(self) -> bool:
        """Whether the platform can find it: it is not guarded, because a spreadsheet can do no more than show something else."""
        return bool(HARMLESS.fullmatch(self)) or guarded(str(self)) == str(self)


def guarded(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it."""
    if isinstance(value, Login) and value.found:
        return value
    if isinstance(value, str) and value.lstrip(" \n\0\ufeff").startswith(FORMULA):
        return f"'{value}"
    return value


@dataclass(frozen=True)
class Entry:
    """What the gradebook and the referee's records say of one student and one assignment. score: after the late penalty."""

    status: str
    raw: float = 0.0
    penalty: float = 0.0
    received: Any = ""
    days: Days = Days()
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # those that the status does not tell

    @property
    def score(self) -> float:
        return max(0.0, self.raw - self.penalty)


class CsvExport(ExportPlugin):
    """nbgrader's export plugin of this course."""

    layout = Enum(("table", "canvas", "moodle"), "table", help="table, canvas or moodle").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the file, beside and then into place."""
        to = Path(self.to or "grades.csv")
        self.folder = referee.ClassFolder(Path(steps.judge_settings(self).class_folder))
        try:
            self.late_days = late_days(self)
        except TraitError as error:
            self.log.error("%s", error)
            raise SystemExit(1) from None
        self._settle(gradebook)
        self.log.info("Exporting grades to %s, in the layout %r", to, self.layout)
        rows = {"table": self._table, "canvas": self._canvas, "moodle": self._moodle}[self.layout](gradebook)
        beside = to.with_name(f".{to.name}.{os.getpid()}")
        try:
            with beside.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
                writer.writerows([guarded(value) for value in row] for row in rows)
            os.replace(beside, to)
        finally:
            beside.unlink(missing_ok=True)
        if _git_would_take(to):
            self.log.warning("%s has names and grades in it, and git does not ignore it: keep it in class/ (--to class/%s)", to, to.name)

    def _settle(self, gradebook: Gradebook) -> None:
        """Bring the penalties of all students up to date: due dates and extensions may have changed since they were graded."""
        self.days: dict[str, dict[str, Days]] = {}
        for student in gradebook.students if self.late_days else ():
            self.days[student.id] = self.late_days.settle(student.submissions)
        gradebook.db.commit()

    def _assignments(self, gradebook: Gradebook) -> list[Assignment]:
        wanted = {str(name) for name in self.assignment}
        return [each for each in gradebook.assignments if not wanted or each.name in wanted]

    def _students(self, gradebook: Gradebook) -> list[Student]:
        wanted = {str(name) for name in self.student}
        return [each for each in gradebook.students if not wanted or each.id in wanted]

    def _entries(self, gradebook: Gradebook, student: Student) -> dict[str, Entry]:
        """The entries of a student by the assignment's name; none for what was not handed in."""
        days = self.days.get(student.id, {})
        return {
            submission.assignment.name: Entry(
                self._status(submission), submission.score, submission.late_submission_penalty or 0.0, submission.timestamp or "",
                days.get(submission.assignment.name, Days()), self._remarks(submission), self._remarks(submission, incidents=False),
            )
            for submission in gradebook.student_submissions(student.id)
        }  # fmt: skip

    def _status(self, submission: Any) -> str:
        """The worst that the referee's records say of a submission's notebooks."""
        found = []
        for notebook in submission.notebooks:
            record = self.folder.record(submission.student.id, submission.assignment.name, notebook.name)
            found.append(record["status"] if record else MANUAL if notebook.needs_manual_grade else "graded")
            if record and record["status"] == "graded" and notebook.needs_manual_grade:
                found.append(MANUAL)
            if self.folder.begun(submission.student.id, submission.assignment.name).exists():
                found.append(NOT_GRADED)
        worst = min(found, key=SEVERITY.index, default=NOT_GRADED)
        return NOT_GRADED if worst == "fault" else worst

    def _remarks(self, submission: Any, incidents: bool = True) -> tuple[str, ...]:
        """What the referee's records remark on a submission's notebooks; without the incidents that the status tells."""
        records = [self.folder.record(submission.student.id, submission.assignment.name, each.name) for each in submission.notebooks]
        told = (remark for record in records if record for remark in referee.remarks_of(record, incidents))
        return tuple(dict.fromkeys(told))

    # --- The three layouts ---

    def _table(self, gradebook: Gradebook) -> Iterator[list]:
        """nbgrader's own columns, and what became of each submission."""
        yield [
            "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
            "late_submission_penalty", "score", "max_score", "status", "late_days", "late_days_from_bank",
            "remarks",
        ]  # fmt: skip
        students = self._students(gradebook)
        entries = {student.id: self._entries(gradebook, student) for student in students}
        for assignment in self._assignments(gradebook):
            for student in students:
                entry = entries[student.id].get(assignment.name, Entry(NOT_HANDED_IN))
                yield [
                    assignment.name, assignment.duedate or "", entry.received, student.id, student.last_name or "",
                    student.first_name or "", student.email or "", round(entry.raw, 2), round(entry.penalty, 2),
                    round(entry.score, 2), assignment.max_score, entry.status, entry.days.late, entry.days.from_bank,
                    " | ".join(entry.remarks),
                ]  # fmt: skip

    def _canvas(self, gradebook: Gradebook) -> Iterator[list]:
        """What Canvas's gradebook imports: students are found by Canvas's number or their login; a cell without a grade is empty.

        Canvas takes only numbers in the columns of assignments; what went wrong is in a column at the end. It leaves out a column with
        "Current Score" in its name, as in its own export, and would ask about any other whether it is a new assignment.
        """
        assignments = self._assignments(gradebook)
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(each.name for each in assignments), "Remarks (Current Score)"]
        yield ["    Points Possible", "", "", "", "", *(each.max_score for each in assignments), "(read only)"]
        for student in self._students(gradebook):
            entries = self._entries(gradebook, student)
            statuses = {each.name: entries.get(each.name, Entry(NOT_HANDED_IN)).status for each in assignments}
            notes = {name: entry.notes for name, entry in entries.items()}
            remarks = "; ".join(
                f"{name}: {' | '.join([status, *notes.get(name, ())])}"
                for name, status in statuses.items() if status != "graded" or notes.get(name)
            )  # fmt: skip
            points = [_points(entries.get(each.name)) for each in assignments]
            login = Login(student.id)
            if not login.found and not _canvas_id(student):
                self.log.warning("Canvas may not find %s, whose login begins like a formula: enter these grades there by hand.", login)
            yield [_name(student), _canvas_id(student), "", login, "", *points, remarks]

    def _moodle(self, gradebook: Gradebook) -> Iterator[list]:
        """What Moodle's grade import maps: username or e-mail to the user, a grade and a feedback column to each item."""
        assignments = self._assignments(gradebook)
        columns = [column for each in assignments for column in (each.name, f"{each.name} (feedback)")]
        yield ["Username", "First name", "Last name", "Email address", *columns]
        for student in self._students(gradebook):
            entries = self._entries(gradebook, student)
            cells = []
            for each in assignments:
                entry = entries.get(each.name)
                cells += [_points(entry), " ".join(filter(None, [REMARKS.get(entry.status), *entry.notes])) if entry else ""]
            login = Login(student.id)
            if not login.found:  # Moodle refuses the whole file for one student whom it does not know
                self.log.warning("%s is left out, because the login begins like a formula: enter these grades in Moodle by hand.", login)
                continue
            yield [login, student.first_name or "", student.last_name or "", student.email or "", *cells]


def _name(student: Student) -> str:
    return ", ".join(filter(None, [student.last_name, student.first_name])) or student.id


def _canvas_id(student: Student) -> str:
    """Canvas's own number of a student, by which it looks first, where the gradebook has it (`lms_user_id`)."""
    known = student.lms_user_id or ""
    return known if known.isascii() and known.isdigit() else ""


def _git_would_take(path: Path) -> bool:
    """Whether a file lies in a git repository that does not ignore it."""
    try:
        asked = subprocess.run(["git", "check-ignore", "-q", "--", path.name], cwd=path.parent, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):  # there is no git
        return False
    return asked.returncode == 1


def _points(entry: Entry | None) -> float | str:
    """A grade, or an empty cell where there is none."""
    return "" if entry is None or entry.status == NOT_GRADED else round(entry.score, 2)
