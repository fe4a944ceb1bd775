"""A class of three learners, graded by the plain nbgrader commands: `make` ends with it, to show that grading works here.

    python tools/sample_class.py     # makes _build/sample-class/ afresh and prints the scores

ada hands in the model answers, blaise the same with one known mistake, charles the notebook as it was released. The folder
is a small course of its own, with its own gradebook; class/ and work/ are not touched.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

ASSIGNMENT = "02-rnn-forward"
SOLUTION_MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS)[ \t]*(?:\n|\Z)", re.MULTILINE)  # nbgrader's, in the source
NOT_CARRIED = '''\
def rnn_forward(X, H_0, W_xh, W_hh, b_h):
    return np.stack([rnn_step(X_t, H_0, W_xh, W_hh, b_h) for X_t in X])
'''


class CommandFailed(Exception):
    """An nbgrader command failed; the message is its log."""


@functools.cache
def unsafe() -> str:
    """Why this class is graded without a sandbox, or nothing. Its code is our own, so no sandbox is needed for it."""
    from unrolled.grading import sandbox

    found = sandbox.diagnose()
    return "" if found.works else f"{found.what} {found.mend}"


def environment() -> dict[str, str]:
    """This Python's programs and its kernel come first, whatever else is installed; small arrays want one thread."""
    own = Path(sys.prefix) / "share" / "jupyter"
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # users' Python compiles once
    return {
        **({"UNROLLED_UNSAFE": "1"} if unsafe() else {}),
        "OMP_NUM_THREADS": "1",
        **given,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "JUPYTER_PATH": os.pathsep.join(filter(None, [str(own), os.environ.get("JUPYTER_PATH")])),
    }


def nbgrader(course: Path, *arguments: str) -> str:
    """Run one plain nbgrader command in a course and return its log."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, env=environment(), capture_output=True, text=True)
    log = done.stdout + done.stderr
    if done.returncode:
        raise CommandFailed(f"nbgrader {' '.join(arguments)} failed:\n{log}")
    return log


def new_course(root: Path, course: Path, assignment: str = ASSIGNMENT) -> None:
    """A fresh course folder with the settings and the model answers of `root`, and the release made from them."""
    if course.exists():
        shutil.rmtree(course)
    course.mkdir(parents=True)
    shutil.copy(root / "nbgrader_config.py", course)
    ignored = shutil.ignore_patterns("*.nb.md", ".*")
    shutil.copytree(root / "solutions" / assignment, course / "solutions" / assignment, ignore=ignored)
    for catalogue in root.glob(f"book/locales/*/assignments/{assignment}.po"):
        target = course / catalogue.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(catalogue, target)
    nbgrader(course, "generate_assignment", assignment)


def model_answers(course: Path, assignment: str = ASSIGNMENT) -> dict[str, str]:
    """The text of every solution cell of the model notebook, as a learner would have written it, by its grade_id."""
    nb = nbformat.read(course / "solutions" / assignment / f"{assignment}.ipynb", as_version=4)
    return {
        cell.metadata.nbgrader.grade_id: SOLUTION_MARK.sub("", cell.source)
        for cell in nb.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def hand_in(course: Path, student: str, answers: dict[str, str], assignment: str = ASSIGNMENT) -> None:
    """Put the released notebook, with these texts in its solution cells, where a student's submission lies."""
    nb = nbformat.read(course / "assignments" / assignment / f"{assignment}.ipynb", as_version=4)
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(name, cell.source)
    folder = course / "class" / "submitted" / student / assignment
    folder.mkdir(parents=True)
    nbformat.write(nb, folder / f"{assignment}.ipynb")


def grade(course: Path, assignment: str = ASSIGNMENT) -> str:
    """The plain commands, one after another; the log of all."""
    commands = (["autograde", assignment], ["generate_feedback", assignment], ["export"])
    return "".join(nbgrader(course, *command) for command in commands)


def scores(course: Path, assignment: str = ASSIGNMENT) -> dict[str, dict[str, tuple[float, float]]]:
    """(points, points possible) of every task of every student, from the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'class' / 'gradebook.db'}") as gradebook:
        return {
            submission.student.id: {
                grade.cell.name: (grade.score, grade.max_score) for nb in submission.notebooks for grade in nb.grades
            }
            for submission in gradebook.assignment_submissions(assignment)
        }


def table(found: dict[str, dict[str, tuple[float, float]]]) -> str:
    """One line a student: points and the tasks that lost any."""
    lines = [f"{'student':<10}{'points':>12}   not passed"]
    for student, tasks in sorted(found.items()):
        points, most = (sum(pair[i] for pair in tasks.values()) for i in (0, 1))
        failed = [name for name, (score, possible) in tasks.items() if score < possible]
        lines.append(f"{student:<10}{points:>6.2f} of {most:<.0f}   {', '.join(failed) or '-'}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=root / "_build" / "sample-class", help="the folder, made afresh")
    course = parser.parse_args(arguments).to.resolve()
    if unsafe():
        print(f"This sample class is graded without a sandbox, which learners' code must never be. {unsafe()}")
    os.environ.update(environment())
    if (book := root / "_build" / "html").exists():  # where the links of a feedback page of this class lead
        os.environ.setdefault("UNROLLED_SITE", Path(os.path.relpath(book, course / "class" / "feedback" / "ada" / ASSIGNMENT)).as_posix())
    try:
        new_course(root, course)
        answers = model_answers(course)
        hand_in(course, "ada", answers)
        hand_in(course, "blaise", {**answers, "rnn_forward-code": NOT_CARRIED})
        hand_in(course, "charles", {})
        grade(course)
    except CommandFailed as error:
        print(error, file=sys.stderr)
        return 1
    shown = course.relative_to(Path.cwd()) if course.is_relative_to(Path.cwd()) else course
    print(f"A sample class, graded by nbgrader ({ASSIGNMENT}):")
    print(table(scores(course)))
    print(f"grades:   {shown}/class/grades.csv")
    print(f"feedback: {shown}/class/feedback/<student>/{ASSIGNMENT}/{ASSIGNMENT}.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
