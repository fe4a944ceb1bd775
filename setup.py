"""What pyproject.toml can't say: the wheel carries the assignments and the quizzes, so that a learner needs no checkout."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = ("assignments/*/*.ipynb", "assignments/*/*/*.ipynb", "book/quizzes/**/*.yml", "book/quizzes/*.json", "_toc.yml")  # as they lie in a checkout


class BuildWithCourse(build_py):
    """Puts what is carried into unrolled/carried/; an editable installation finds it in its checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        root, course = Path(__file__).resolve().parent, Path(self.build_lib) / "unrolled" / "carried"
        shutil.rmtree(course, ignore_errors=True)  # an earlier build's
        for path in (path for pattern in CARRIED for path in root.glob(pattern)):
            target = course / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithCourse})
