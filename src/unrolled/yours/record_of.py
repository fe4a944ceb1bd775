"""The record of a student that an instructor signs: from the gradebook to the signed page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from ..grading import steps
from ..grading.names import shown
from ..language import gettext
from . import portfolio as pages
from . import signing

FOLDER = "signed"  # in the folder of the class


@dataclass(frozen=True)
class Signed:
    """What was written, and with which key."""

    file: Path
    private: Path
    public: Path
    fingerprint: str
    new_key: bool


def sign(course: Path, student: str, own: Path | None = None, to: Path | None = None) -> Signed:
    """Write the signed page of a student. own: the learner's page that is to stand in it. Raises PortfolioError, SigningError, OSError."""
    coursedir = CourseDirectory(config=PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config())
    folder = steps.class_folders(course)[1].path
    own_page = _read(own) if own else ""
    with Gradebook(coursedir.db_url, coursedir.course_id) as book:
        grades = pages.graded(book, student)
    key, new = signing.private_key(folder)
    page = pages.attested(student, grades, coursedir.course_id, own_page, signing.head(key.public_key()))
    file = to or folder / FOLDER / f"{_file_name(student)}.html"
    pages.write(file, signing.signed(page, key))
    return Signed(file, folder / signing.PRIVATE, folder / signing.PUBLIC, signing.fingerprint(key.public_key()), new)


def _read(file: Path) -> str:
    if file.stat().st_size > signing.MAX_FILE:
        raise pages.PortfolioError(gettext("{file} has more than {most:.0f} MB: is it the right file?").format(file=file, most=signing.MAX_FILE / 1e6))
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise pages.PortfolioError(gettext("{file} is no page that `unrolled portfolio` wrote: it is not in UTF-8.").format(file=file)) from None


def _file_name(student: str) -> str:
    """A name of a file for a login, which may hold anything."""
    return "".join(c if c.isalnum() or c in "._-@+" else "_" for c in shown(student, 80)).lstrip(".") or "student"
