"""A small course with one assignment, for tests of the steps in nbgrader."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))


@dataclass
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Course:
    """A course in a folder of its own, and nbgrader's Python API for it."""

    folder: Path
    answers: dict[str, str]
    assignment: str = "02-rnn-forward"

    @property
    def config(self):
        from traitlets.config.loader import PyFileConfigLoader

        return PyFileConfigLoader("nbgrader_config.py", path=str(self.folder)).load_config()

    @property
    def api(self):
        from nbgrader.apps import NbGraderAPI

        return NbGraderAPI(config=self.config)

    def hand_in(self, student: str, **answers: str) -> Path:
        import sample_class

        answers = {**self.answers, **{name.replace("_code", "-code"): text for name, text in answers.items()}}
        sample_class.hand_in(self.folder, student, answers, self.assignment)
        return self.folder / "class" / "submitted" / student / self.assignment

    def grade(self, student: str, **options) -> dict:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
            return self.api.autograde(self.assignment, student, **options)

    def command(self, *arguments: str, **environment: str) -> Done:
        """Run `unrolled` in the course's folder, without the cost of another Python."""
        from typer.testing import CliRunner

        from unrolled.cli import app

        with contextlib.chdir(self.folder):
            result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120", **environment})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def plugin(self, layout: str) -> str:
        """What `nbgrader export` writes in a layout."""
        from nbgrader.api import Gradebook

        from unrolled.grading.export import CsvExport

        config = self.config
        config.CsvExport.layout = layout
        config.ExportPlugin.to = str(self.folder / f"{layout}.csv")
        with warnings.catch_warnings(), Gradebook(config.CourseDirectory.db_url, "unrolled") as book:
            warnings.simplefilter("ignore")
            CsvExport(config=config).export(book)
        return (self.folder / f"{layout}.csv").read_text(encoding="utf-8")

    def book(self, url: str | None = None) -> dict:
        """Everything that the gradebook says about submissions, without its random ids."""
        from nbgrader.api import Gradebook

        with warnings.catch_warnings(), Gradebook(url or f"sqlite:///{self.folder / 'class' / 'gradebook.db'}", "unrolled") as book:
            warnings.simplefilter("ignore")
            return {
                (assignment.name, submission.student.id): {
                    "received": submission.timestamp, "score": submission.score, "late": submission.late_submission_penalty,
                    "grades": sorted((g.cell.name, g.auto_score, g.manual_score, g.needs_manual_grade) for n in submission.notebooks for g in n.grades),
                    "comments": sorted((c.cell.name, c.auto_comment, c.manual_comment) for n in submission.notebooks for c in n.comments),
                }
                for assignment in book.assignments for submission in assignment.submissions
            }  # fmt: skip

    def points(self) -> dict[str, float]:
        import sample_class

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = sample_class.scores(self.folder, self.assignment)
        return {student: sum(score for score, _ in tasks.values()) for student, tasks in found.items()}


@pytest.fixture(scope="session")
def released_course(course, tmp_path_factory) -> Path:
    """A course whose assignment is released, to copy from."""
    import sample_class

    folder = tmp_path_factory.mktemp("released") / "course"
    sample_class.new_course(course, folder)
    return folder


def copy_of(released: Path, folder: Path) -> Course:
    import sample_class

    shutil.copytree(released, folder)
    return Course(folder, sample_class.model_answers(folder))


@pytest.fixture(scope="session")
def course_of(course, tmp_path_factory) -> Callable[[str], Course]:
    """course_of(assignment): a new course in which that one is released."""
    import sample_class

    def made(assignment: str) -> Course:
        folder = tmp_path_factory.mktemp(assignment) / "course"
        sample_class.new_course(course, folder, assignment)
        return Course(folder, sample_class.model_answers(folder, assignment), assignment)

    return made


@pytest.fixture(scope="module")
def small_course(released_course, tmp_path_factory) -> Iterator[Course]:
    made = copy_of(released_course, tmp_path_factory.mktemp("course") / "course")
    before = Path.cwd()
    os.chdir(made.folder)
    yield made
    os.chdir(before)


@pytest.fixture
def fresh_course(released_course, tmp_path) -> Course:
    """A course of one test's own."""
    return copy_of(released_course, tmp_path / "course")


# --- A class that is graded once for all -------------------------------------------------------

PRACTICE = """
c.Judge.cell_seconds = 3
c.Judge.call_seconds = 2
c.Judge.task_seconds = 3
"""
STRANGE = "Li Lei. 李雷 v1.0"
SAME = ("ada", "blaise", "refused")


@dataclass
class GradedClass:
    """A class after `unrolled grade` and `nbgrader generate_feedback`, and what the first printed."""

    course: Course
    printed: str

    def book(self) -> dict:
        """What the gradebook says about those of `same_class`."""
        return {who: entry for who, entry in self.course.book().items() if who[1] in SAME}


@pytest.fixture(scope="session")
def graded_class(bwrap, released_course, tmp_path_factory) -> GradedClass:
    import sample_class

    made = practice_course(released_course, tmp_path_factory.mktemp("graded") / "course")
    made.hand_in("ada")
    made.hand_in("blaise", rnn_forward_code=sample_class.NOT_CARRIED)
    made.hand_in(STRANGE)
    made.hand_in("crash", one_hot_code="import os\ndef one_hot(ids, V):\n    os._exit(3)")
    made.hand_in("loop", one_hot_code="def one_hot(ids, V):\n    while True: pass")
    (made.hand_in("refused") / f"{sample_class.ASSIGNMENT}.ipynb").write_text("PK not a notebook")
    done = made.command("grade", sample_class.ASSIGNMENT, "--workers", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    sample_class.nbgrader(made.folder, "generate_feedback", sample_class.ASSIGNMENT)
    return GradedClass(made, done.stdout)


def practice_course(released: Path, folder: Path) -> Course:
    """A course with short limits."""
    made = copy_of(released, folder)
    with (made.folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(PRACTICE)
    return made


@pytest.fixture
def same_class(graded_class, released_course, tmp_path) -> Course:
    """The class as `graded_class` was before it was graded, with ada, blaise and refused alone; what is judged is in its cache."""
    made = practice_course(released_course, tmp_path / "course")
    before, here = graded_class.course.folder / "class", made.folder / "class"
    for student in SAME:
        shutil.copytree(before / "submitted" / student, here / "submitted" / student)
    shutil.copy(before / "seeds.json", here)
    shutil.copytree(before / "cache", here / "cache")
    return made
