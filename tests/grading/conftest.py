"""A small course with one assignment, for tests of the steps in nbgrader."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))


@dataclass
class Course:
    """A course in a folder of its own, and nbgrader's Python API for it."""

    folder: Path
    answers: dict[str, str]

    @property
    def api(self):
        from nbgrader.apps import NbGraderAPI
        from traitlets.config.loader import PyFileConfigLoader

        return NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py", path=str(self.folder)).load_config())

    def hand_in(self, student: str, **answers: str) -> Path:
        import sample_class

        sample_class.hand_in(self.folder, student, {**self.answers, **{name.replace("_code", "-code"): text for name, text in answers.items()}})
        return self.folder / "class" / "submitted" / student / sample_class.ASSIGNMENT

    def grade(self, student: str, **options) -> dict:
        import sample_class

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
            return self.api.autograde(sample_class.ASSIGNMENT, student, **options)

    def points(self) -> dict[str, float]:
        import sample_class

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = sample_class.scores(self.folder)
        return {student: sum(score for score, _ in tasks.values()) for student, tasks in found.items()}


@pytest.fixture(scope="module")
def small_course(course, tmp_path_factory) -> Callable[[], Course]:
    import sample_class

    folder = tmp_path_factory.mktemp("course") / "course"
    sample_class.new_course(course, folder)
    before = Path.cwd()
    os.chdir(folder)
    yield Course(folder, sample_class.model_answers(folder))
    os.chdir(before)
