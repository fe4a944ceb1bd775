"""One class of hostile and honest submissions, graded once by the plain nbgrader commands."""

from __future__ import annotations

import copy
import json
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]

from attacks import ASSIGNMENT, ATTACKS, SECRETS, filled, save  # noqa: E402
from honest_variants import VARIANTS  # noqa: E402

SHORT = """
c.Judge.cell_seconds = 2
c.Judge.call_seconds = 3
c.Judge.task_seconds = 5
c.Judge.submission_seconds = 40
c.Judge.memory = 2**30
"""


@dataclass
class Graded:
    """The folder of the class, its scores, and the log of grading it."""

    folder: Path
    scores: dict[str, dict[str, tuple[float, float]]]
    log: str
    seconds: float

    def points(self, student: str) -> float:
        return sum(score for score, _ in self.scores[student].values())

    def page(self, student: str) -> str:
        return (self.folder / "class" / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")

    def record(self, student: str) -> dict:
        return json.loads((self.folder / "class" / "records" / student / f"{ASSIGNMENT}.json").read_text(encoding="utf-8"))


def _plant_secrets(folder: Path, home: Path, right: dict[str, str]) -> None:
    solutions, submission, environment, at_home, gradebook = SECRETS
    (folder / "solutions" / ASSIGNMENT / "notes.txt").write_text(solutions)
    home.mkdir()
    (home / "diary.txt").write_text(at_home)
    os.environ["UNROLLED_TEST_SECRET"] = environment
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'class' / 'gradebook.db'}") as book:
        book.update_or_create_student("ada", last_name=gradebook)
    right["num_parameters-code"] += f"\n# {submission}\n"


def _hand_in_variant(folder: Path, release, right: dict[str, str], texts: dict[str, str], added: list[str]) -> None:
    notebook = filled(release, {**right, **{f"{task}-code": text for task, text in texts.items()}})
    place = next(i for i, each in enumerate(notebook.cells) if "setup" in each.metadata.get("tags", [])) + 1
    notebook.cells[place:place] = [v4.new_code_cell(text) for text in added]
    save(folder, notebook)


@pytest.fixture(scope="session")
def hostile_class(bwrap, course, tmp_path_factory) -> Graded:
    import sample_class

    folder = tmp_path_factory.mktemp("hostile") / "course"
    sample_class.new_course(course, folder)
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(SHORT)
    right = sample_class.model_answers(folder)
    release = nbformat.read(folder / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    submitted = folder / "class" / "submitted"

    def place(student: str) -> Path:
        made = submitted / student / ASSIGNMENT
        made.mkdir(parents=True)
        return made

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
        patch.setenv("HOME", str(folder.parent / "home"))
        patch.setenv("UNROLLED_TEST_SECRET", "")
        ada = dict(right)
        _plant_secrets(folder, folder.parent / "home", ada)
        save(place("ada"), filled(release, ada))
        save(place("zoe"), filled(release, right))  # graded after all the others
        for attack in ATTACKS:
            attack.write(place(attack.name), copy.deepcopy(release), right)
        for name, (texts, added) in VARIANTS.items():
            _hand_in_variant(place(name), release, right, texts, added)
        began = time.monotonic()
        log = sample_class.nbgrader(folder, "autograde", ASSIGNMENT)
        seconds = time.monotonic() - began
        log += sample_class.nbgrader(folder, "generate_feedback", ASSIGNMENT)
        return Graded(folder, sample_class.scores(folder), log, seconds)
