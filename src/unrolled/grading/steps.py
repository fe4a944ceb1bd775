"""The referee as parts of nbgrader: what `nbgrader_config.py` names, so that the plain `nbgrader autograde` uses it.

`Autograde` finds the submissions and keeps everything but notebooks out; `SubmissionExporter` reads and rebuilds each;
`Judge` stands where nbgrader would execute it. The rest of nbgrader's pipeline is its own.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import gc
import glob
import html
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generateassignmentapp
import nbgrader.apps.generatefeedbackapp
import nbgrader.utils
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode, v4
from nbgrader.converters import autograde as stock
from nbgrader.converters import generate_assignment as stock_release
from nbgrader.converters import generate_feedback as stock_feedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import MetadataValidator, ValidationError
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells, SaveAutoGrades
from nbgrader.utils import rmtree
from traitlets import Bool, Dict, Float, Integer, TraitError, Unicode, default
from traitlets.config.loader import PyFileConfigLoader

from .. import language
from ..checks.report import as_text, feedback_html, points_text
from ..checks.run import Record, Step
from ..course import site_link
from ..language import gettext
from . import exchange, gradebook, late_days, rebuild, referee, sandbox
from .names import shown, unfit

MAX_TIMESTAMP = 200  # bytes


class Refused(NbGraderException):
    """Nothing can be graded; the message says why and what to do."""


def plug_in() -> None:
    """Let nbgrader's commands, its Python API and its formgrader use our parts, where they name theirs directly and not by a setting."""
    nbgrader.apps.autogradeapp.Autograde = Autograde
    nbgrader.apps.api.Autograde = Autograde
    nbgrader.apps.generateassignmentapp.GenerateAssignment = GenerateAssignment
    nbgrader.apps.api.GenerateAssignment = GenerateAssignment
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = GenerateFeedback
    nbgrader.apps.api.GenerateFeedback = GenerateFeedback
    nbgrader.utils.is_ignored = is_ignored
    gradebook.plug_in()
    if "nbgrader.server_extensions.formgrader.base" in sys.modules:  # a Jupyter server reads the settings, not a command
        from . import formgrader

        formgrader.plug_in()


def class_folders(course: Path) -> tuple[Path, referee.ClassFolder]:
    """Where the class in `course` hands in, and the folder of the class, by its nbgrader_config.py."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    coursedir = CourseDirectory(config=config)
    submitted = Path(coursedir.format_path(coursedir.submitted_directory, "STUDENT", "ASSIGNMENT")).parents[1]
    return submitted, referee.ClassFolder(Path(Judge(config=config).class_folder))


# --- Releasing ---------------------------------------------------------------------------------


class GenerateAssignment(stock_release.GenerateAssignment):
    """nbgrader's converter, which leaves the release of before in its place until the new one is whole."""

    def start(self) -> None:
        if problem := referee.no_references():
            message = f"Nothing was generated, and nothing was changed. {problem}"
            self.log.error(message)
            raise NbGraderException(message)
        super().start()

    def _format_dest(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        """A folder beside the release's place: `set_permissions` moves it there."""
        parent, name = os.path.split(os.path.normpath(super()._format_dest(assignment_id, student_id, escape)))
        return os.path.join(parent, f".{name}.new")

    def _place(self, assignment_id: str, student_id: str) -> Path:
        return Path(super()._format_dest(assignment_id, student_id))

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader does; where only one notebook is made anew, the others are taken over."""
        place, beside = self._place(assignment_id, student_id), Path(self._format_dest(assignment_id, student_id))
        shutil.rmtree(beside, ignore_errors=True)
        if place.exists() and self.coursedir.notebook_id == "*" and not self.force:
            self.log.info("Skipping existing assignment: %s", place)
            return False
        if place.exists() and self.coursedir.notebook_id != "*":
            shutil.copytree(place, beside)
        due = super().init_destination(assignment_id, student_id)
        if not due:
            shutil.rmtree(beside, ignore_errors=True)
        return due

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        """The last that nbgrader does to a release."""
        super().set_permissions(assignment_id, student_id)
        place, beside = self._place(assignment_id, student_id), Path(self._format_dest(assignment_id, student_id))
        self._translate(beside)
        before = beside.with_suffix(".before")
        shutil.rmtree(before, ignore_errors=True)
        if place.exists():
            self.log.warning("Replacing existing assignment: %s", place)
            place.rename(before)
        beside.rename(place)
        shutil.rmtree(before, ignore_errors=True)


    def _translate(self, folder: Path) -> None:
        """Add the release in the other languages, each in a folder that the language names, where the course has catalogues of it."""
        course = Path(self.coursedir.root)
        if not (course / "book" / "locales").is_dir():
            return
        from ..editions import assignments

        sources = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.ipynb")}
        for (spoken, name), text in assignments.in_languages(course, sources).items():
            target = folder / spoken / name
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")


# --- Finding submissions -----------------------------------------------------------------------


class Autograde(stock.Autograde):
    """nbgrader's converter, for folders that may hold anything.

    Of a submission's folder it takes the notebooks that the release has, and the time of receipt. What else lies there, links and
    large files among it, is not copied. A notebook that is missing or broken is graded, with an explained zero.
    """

    judged = Dict(help="Outcomes that other processes judged for this one, by key")
    releases = Dict(help="The released notebooks, by file name, each read when it is first needed")
    collected = Dict(help="What was remarked when an assignment was collected, by assignment and student")

    def start(self) -> None:
        try:
            sandbox.require(judge_settings(self).unsafe)
            late_days.late_days(self)  # a setting that is none is said now, and not for each student
            if not self.releases:
                self._require_sound(self.released())
        except (Refused, ValidationError, sandbox.SandboxError, TraitError) as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error
        self.coursedir.get_existing_timestamp = self.timestamp
        gc.freeze()  # what is loaded now stays to the end: the collector need not look through it again and again
        with sandbox.ahead(), gradebook.kept():
            super().start()
        gc.freeze()  # nor through torch when the program ends, which took a quarter of a second

    def _require_sound(self, released: list[Path]) -> None:
        """Raise Refused or ValidationError for a released notebook by which nobody can be judged."""
        for path in released:
            release = nbformat.read(path, as_version=4)
            MetadataValidator().validate_nb(release)  # once: every submission is rebuilt with the release's metadata
            if strangers := referee.unknown_tasks(release):
                raise Refused(
                    f"{path.name} has test cells that no task judges: {', '.join(strangers)}. Declare them in "
                    "src/unrolled/checks/tasks/, or correct their grade_id."
                )

    def release(self, assignment: str, name: str, spoken: str = "") -> NotebookNode:
        """A released notebook, in English or in another language, its cells as the gradebook knows them. nbgrader asks the gradebook for each
        submission anew."""
        if (name, spoken) not in self.releases:
            release = nbformat.read(self.release_folder(assignment) / spoken / name, as_version=4)
            known = {"notebook": Path(name).stem, "assignment": assignment, "db_url": self.coursedir.db_url}
            OverwriteCells(parent=self).preprocess(release, {"nbgrader": known})
            if any(rebuild.is_test(cell) and "grade_id" not in cell.metadata["nbgrader"] for cell in release.cells):
                raise Refused(f"The gradebook does not know all cells of {name}: run `nbgrader generate_assignment {assignment} --force`.")
            self.releases[name, spoken] = release
        return self.releases[name, spoken]

    def translated(self, assignment: str, name: str) -> dict[str, NotebookNode]:
        """A released notebook in the other languages that it was released in: each lies in a folder that the language names."""
        folder = self.release_folder(assignment)
        spoken = [code for code in language.languages() if code != language.SOURCE and (folder / code / name).is_file()]
        return {code: self.release(assignment, name, code) for code in spoken}

    def released(self) -> list[Path]:
        """The released notebooks of the assignment. Raises Refused when there are none."""
        assignment = self.coursedir.assignment_id
        folder = self.release_folder(assignment)
        found = sorted(folder.glob("*.ipynb"))
        if not found:
            raise Refused(f"There is no released notebook in {folder}: run `nbgrader generate_assignment {assignment}` first.")
        return [path for path in found if fnmatch.fnmatchcase(path.stem, self.coursedir.notebook_id)]

    def release_folder(self, assignment: str) -> Path:
        return Path(self.coursedir.format_path(self.coursedir.release_directory, ".", assignment)).resolve()

    def init_notebooks(self) -> None:
        """Every submission with every notebook that the release has, whether or not it was handed in."""
        names = [path.name for path in self.released()]
        assignment, wanted = self.coursedir.assignment_id, self.coursedir.student_id
        fit, strange = self.students(assignment)
        chosen = [wanted] if wanted in fit else fnmatch.filter(fit, wanted)
        for name, problem in strange.items():
            if wanted == "*":
                self.log.error("Left out: the folder “%s” %s; rename it.", shown(name), problem)
        self.notebooks = []
        folders = [self._format_source(assignment, student) for student in chosen]
        self.assignments = {folder: [os.path.join(folder, name) for name in names] for folder in folders}
        if not names or not (fit or strange):
            super().init_notebooks()  # which says what is missing
        elif not chosen:
            message = f"Nobody who can be graded and whose name is like “{shown(wanted)}” handed in {assignment}."
            self.log.error(message)
            raise NbGraderException(message)

    def students(self, assignment: str) -> tuple[list[str], dict[str, str]]:
        """Who handed an assignment in, in order; and the folders whose names can't be those of students, each with the reason."""
        root = Path(self.submission_folder(assignment, "*")).parents[1]
        found = sorted(name for name in (os.listdir(root) if root.is_dir() else []) if os.path.lexists(root / name / assignment))
        strange = {name: problem for name in found if (problem := unfit(name))}
        return [name for name in found if name not in strange], strange

    def is_due(self, assignment_id: str, student_id: str) -> bool:
        """Whether a submission is to be graded: because --force asks for it, or for a reason of its own."""
        return self.force or bool(self.why_due(assignment_id, student_id))

    def unfit(self, student_id: str) -> str:
        """Why the gradebook can't hold a student of this name, or nothing."""
        most = gradebook.longest_login(self.coursedir.db_url)
        if most is None or len(student_id) <= most:
            return ""
        return (
            f"The login has {len(student_id)} characters, and a gradebook on this server holds {most}: give the folder a shorter name. "
            "Nothing was graded for it."
        )

    def why_due(self, assignment_id: str, student_id: str) -> str:
        """Why a submission is to be graded, or nothing: what lies there, and what the gradebook holds, is what was graded last."""
        graded = self._format_dest(assignment_id, student_id)
        records = {path.name: self.class_folder.record(student_id, assignment_id, path.stem) for path in self.released()}
        if not os.path.exists(graded) or not all(record and "outcome" in record for record in records.values()):
            return "was never graded"
        if self.class_folder.begun(student_id, assignment_id).exists():
            return "was being graded when a run was cut off"
        submitted = self.submission_folder(assignment_id, student_id)
        if self.timestamp(submitted) != self.timestamp(graded) or any(
            self._is_another(assignment_id, Path(submitted) / name, record) for name, record in records.items()
        ):
            return "was handed in anew"
        if not self._is_entered(assignment_id, student_id, records):
            return "has other grades in the gradebook, or none"
        return ""

    def _is_another(self, assignment: str, path: Path, record: dict[str, Any]) -> bool:
        """Whether what lies at `path` is not what a record is about."""
        if "handed_in" in record:
            with language.using(language.SOURCE):
                found = rebuild.handed_in(path, self._names(assignment), self.translated(assignment, path.name))
            return self._digest(found.digest, assignment, path) != record["handed_in"]
        rebuilt = self.rebuilt(assignment, path)  # a record of an earlier version, without the digest
        return (rebuilt.problem, [vars(cell) for cell in referee.cells_of(rebuilt.notebook)]) != (record["problem"], record["cells"])

    def _is_entered(self, assignment: str, student: str, records: dict[str, dict[str, Any]]) -> bool:
        """Whether the gradebook holds what the records say, and not less, as a new one does, or what was there before."""
        with gradebook.opened(self.coursedir.db_url, self.coursedir.course_id) as book:
            entered = gradebook.auto_scores(book, assignment, student)
        for name, record in records.items():
            for task, found in record["outcome"]["tasks"].items():
                score, most = entered.get((Path(name).stem, task), (None, 0.0))
                if score is None or abs(score - points_of(record_from(found), most)) > 1e-9:
                    return False
        return bool(entered)

    def submission_folder(self, assignment_id: str, student_id: str) -> str:
        return self.coursedir.format_path(self.coursedir.submitted_directory, student_id, assignment_id)

    @functools.cached_property
    def class_folder(self) -> referee.ClassFolder:
        return referee.ClassFolder(Path(judge_settings(self).class_folder))

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader does, but a run that was killed in the middle of a submission is seen, and the submission graded afresh."""
        if problem := self.unfit(student_id):
            self.log.error("%s: %s", student_id, problem)
            return False
        if student_id in filter(None, self.coursedir.student_id_exclude.split(",")) or self.coursedir.notebook_id != "*":
            return super().init_destination(assignment_id, student_id)
        destination = Path(self._format_dest(assignment_id, student_id))
        if not self.is_due(assignment_id, student_id):
            self.log.info("Skipping existing assignment: %s", destination)
            return False
        self.class_folder.begin(student_id, assignment_id, [path.stem for path in self.released()])  # before anything is removed or written
        if destination.exists():
            self.log.warning("Removing existing assignment: %s", destination)
            rmtree(str(destination))
        return True

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        """The last that nbgrader does to a submission. A page that shows its earlier grades goes, so that another is made."""
        super().set_permissions(assignment_id, student_id)
        page = self.coursedir.format_path(self.coursedir.feedback_directory, student_id, assignment_id)
        if os.path.isdir(page):
            rmtree(page)
        self.class_folder.begun(student_id, assignment_id).unlink(missing_ok=True)

    def timestamp(self, folder: str) -> datetime | None:
        """The time of receipt that lies beside a submission, or None when there is none or it can't be read as one."""
        return self._received(folder)[0]

    def _received(self, folder: str) -> tuple[datetime | None, str]:
        """The time of receipt, and what is wrong with what should hold it."""
        path = Path(folder) / "timestamp.txt"
        try:
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_TIMESTAMP:
                raise ValueError("it is not a small file")
            return late_days.moment(path.read_text(encoding="utf-8")), ""
        except (FileNotFoundError, NotADirectoryError):
            return None, ""
        except Exception as error:  # whatever a parser of dates raises
            return None, f"timestamp.txt holds no time ({shown(error, 100)}); the submission counts as on time."

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """As nbgrader does, without copying what lies beside the notebooks; the time of receipt is written anew.

        So is the secret that nbgrader's exchange puts beside a submission, by which its feedback is found.
        """
        source = self._format_source(assignment_id, student_id)
        received, secret = self.timestamp(source), exchange.secret_beside(Path(source))
        where = self.coursedir.db_url, self.coursedir.course_id
        with self._nothing_copied(), gradebook.as_one(*where), gradebook.opened(*where) as book:
            with gradebook.grades_kept(book, assignment_id, student_id) if self._lacks_a_name(source) else contextlib.nullcontext():
                super().init_assignment(assignment_id, student_id)
            if received is None:  # nbgrader leaves the time of an earlier submission
                book.find_submission(assignment_id, student_id).timestamp = None
        folder = Path(self._format_dest(assignment_id, student_id))
        if received is not None or secret is not None:
            folder.mkdir(parents=True, exist_ok=True)
        if received is not None:
            (folder / "timestamp.txt").write_text(f"{received.isoformat(' ', 'microseconds')} UTC\n", encoding="utf-8")
        if secret is not None:
            (folder / exchange.SECRET).write_text(secret, encoding="ascii")

    def _lacks_a_name(self, folder: str) -> bool:
        """Whether a notebook of the release is not there under its name: nbgrader enters zeros for it, though another may be read."""
        return not all(os.path.exists(os.path.join(folder, path.name)) for path in self.released())

    def rebuilt(self, assignment: str, path: Path) -> rebuild.Rebuilt:
        """The notebook to judge for the one that should lie at `path`."""
        with language.using(language.SOURCE):  # but for a notebook in another language, whatever is spoken here
            rebuilt = rebuild.of_file(self.release(assignment, path.name), path, self._names(assignment), self.translated(assignment, path.name))
        rebuilt.digest = self._digest(rebuilt.digest, assignment, path)
        for remark in self._told(assignment, path):
            rebuilt.note(remark)
        return rebuilt

    def _names(self, assignment: str) -> set[str]:
        """The files of all notebooks that an assignment has."""
        return {path.name for path in self.release_folder(assignment).glob("*.ipynb")}

    def _digest(self, digest: str, assignment: str, path: Path) -> str:
        """That of a notebook, together with what else is remarked on the submission."""
        told = self._told(assignment, path)
        return rebuild.digest(json.dumps([digest, *told])) if told else digest

    def _told(self, assignment: str, path: Path) -> list[str]:
        """What there is to remark on a submission beside its notebooks."""
        return [*filter(None, [self._received(str(path.parent))[1]]), *self._remarked_on_collecting(assignment, path.parent.parent.name)]

    def _remarked_on_collecting(self, assignment: str, student: str) -> list[str]:
        """What `nbgrader zip_collect` left out of what a student handed in, under their login or their platform's number."""
        if assignment not in self.collected:
            logins, remarks = self.class_folder.roster(), self.class_folder.collected(assignment)
            self.collected[assignment] = {**{logins.get(name, name): told for name, told in remarks.items()}, **remarks}
        return self.collected[assignment].get(student, [])

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """As nbgrader does, but all grades, comments and penalties of a notebook are entered, or none."""
        with gradebook.as_one(self.coursedir.db_url):
            super().convert_single_notebook(notebook_filename)

    @contextlib.contextmanager
    def _nothing_copied(self) -> Iterator[None]:
        before = self.coursedir.ignore
        self.coursedir.ignore = ["*"]
        try:
            yield
        finally:
            self.coursedir.ignore = before


class GenerateFeedback(stock_feedback.GenerateFeedback):
    """nbgrader's converter, also for students whose names have signs of a pattern in them, such as [1]."""

    def init_notebooks(self) -> None:
        pattern = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        folders = [pattern] if os.path.lexists(pattern) else glob.glob(pattern)
        notebooks = {folder: glob.glob(os.path.join(glob.escape(folder), f"{self.coursedir.notebook_id}.ipynb")) for folder in folders}
        self.notebooks, self.assignments = [], {folder: found for folder, found in notebooks.items() if found}
        if not self.assignments:
            super().init_notebooks()  # which says what is missing


def is_ignored(filename: str, ignore_globs: list[str] | None = None) -> bool:
    """As nbgrader's: whether a file's own name is like one of the patterns. In what its folder is called nothing is a pattern."""
    return any(fnmatch.fnmatchcase(os.path.basename(filename), pattern) for pattern in ignore_globs or ())


# --- Reading -----------------------------------------------------------------------------------


class SubmissionExporter(NotebookExporter):
    """Reads what was handed in, whatever it is, as a notebook rebuilt from the release."""

    def from_filename(self, filename: str, resources: dict | None = None, **kw: Any) -> tuple[str, dict]:
        if not self.parent._sanitizing:  # the second pass reads what the first wrote
            return super().from_filename(filename, resources, **kw)
        path = Path(filename)
        rebuilt = self.parent.rebuilt(resources["nbgrader"]["assignment"], path)
        rebuilt.notebook.metadata["unrolled"] = {"problem": rebuilt.problem, "notes": rebuilt.notes, "handed_in": rebuilt.digest, "language": rebuilt.language}
        return nbformat.writes(rebuilt.notebook) + "\n", {**resources, "output_extension": self.file_extension}


# --- Judging -----------------------------------------------------------------------------------


class Prepare(NbGraderPreprocessor):
    """The last step of `nbgrader generate_assignment`: computes what the references give on the secret cases of the class."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        folder = referee.ClassFolder(Path(judge_settings(self).class_folder))
        folder.prepare(resources["nbgrader"]["assignment"], referee.tasks_of(referee.cells_of(nb)))
        return nb, resources


def judge_settings(converter: Any) -> Judge:
    """The judge as the configuration sets it."""
    return Judge(parent=converter)


class Judge(NbGraderPreprocessor):
    """Stands in the place of nbgrader's Execute: nothing of the notebook is run but in the sandbox.

    Each test cell gets the points as its first output, which is what nbgrader reads, and the report as its second.
    """

    class_folder = Unicode("class", help="Where seeds, records and the cache of the class are kept").tag(config=True)
    unsafe = Bool(help="Run learners' code without a sandbox, with resource limits only").tag(config=True)
    cell_seconds = Float(referee.Limits.cell, help="For one cell").tag(config=True)
    call_seconds = Float(referee.Limits.call, help="For one call of a function").tag(config=True)
    task_seconds = Float(referee.Limits.task, help="For all calls of one task").tag(config=True)
    submission_seconds = Float(referee.Limits.submission, help="For a whole notebook").tag(config=True)
    memory = Integer(referee.Limits.memory, help="Bytes of address space").tag(config=True)

    @default("unsafe")
    def _as_the_environment_says(self) -> bool:
        return sandbox.unsafe_by_environment()

    @property
    def limits(self) -> referee.Limits:
        return referee.Limits(
            cell=self.cell_seconds, call=self.call_seconds, task=self.task_seconds, submission=self.submission_seconds,
            memory=self.memory,
        )  # fmt: skip

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        with language.using(nb.metadata.get("unrolled", {}).get("language") or language.SOURCE):
            return self._judged(nb, resources)

    def _judged(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        names = [resources["nbgrader"][part] for part in ("student", "assignment", "notebook")]
        assignment = names[1]
        said = nb.metadata.pop("unrolled", {})
        problem, notes = said.get("problem"), list(said.get("notes", []))
        folder = referee.ClassFolder(Path(self.class_folder))
        cells = referee.cells_of(nb)
        before = folder.rest_on(*names)
        try:
            outcome, key = referee.judge_cached(
                folder, assignment, cells, problem=problem, limits=self.limits, unsafe=self.unsafe,
                judged=getattr(getattr(self.parent, "parent", None), "judged", None),
            )  # fmt: skip
        except Exception as error:
            folder.write_record(*names, {"format": referee.FORMAT, "status": "fault", "problem": f"{type(error).__name__}: {error}"})
            raise
        answers = {cell.metadata["nbgrader"]["grade_id"]: rebuild.digest(cell.source) for cell in nb.cells if rebuild.is_marked_by_hand(cell)}
        record = referee.record_of(
            cells, outcome, key, folder.seed(assignment), problem, notes, handed_in=said.get("handed_in", ""), answers=answers
        )
        folder.write_record(*names, record)
        resources["unrolled"] = {"before": before, "now": record}
        self._tell(names[0], record, outcome)
        write_outputs(nb, outcome)
        if remarks := referee.remarks_of(record):
            nb.cells.insert(0, _remarks(remarks))
        if said.get("language"):  # for the page that its author gets back
            nb.metadata["unrolled"] = {"language": said["language"]}
        return nb, resources

    def _tell(self, student: str, record: dict, outcome: referee.Outcome) -> None:
        how = "from the cache" if outcome.cached else f"{outcome.seconds.get('total', 0):.2f} s"
        self.log.info("%s: %s, %s points, %s", student, record["status"], points_text(outcome.points), how)
        for remark in referee.remarks_of(record):
            self.log.warning("%s: %s", student, remark)


class SaveGrades(SaveAutoGrades):
    """nbgrader's step, but points that a person gave for this very answer need no second look."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        self.before, self.now = (resources["unrolled"][when] for when in ("before", "now"))
        return super().preprocess(nb, resources)

    def _add_score(self, cell: NotebookNode, resources: dict) -> None:
        name = cell.metadata["nbgrader"]["grade_id"]
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        looked_at = grade.manual_score is not None and not grade.needs_manual_grade
        auto_score = grade.auto_score
        super()._add_score(cell, resources)
        if looked_at and grade.auto_score == auto_score and self._rests_on_the_same(name):
            grade.needs_manual_grade = False
            self.gradebook.db.commit()

    def _rests_on_the_same(self, name: str) -> bool:
        """Whether a grade is for the same as before: for the answer in its own cell, or, for a check, for all that was handed in."""
        if name in self.now["answers"]:
            return self.now["answers"][name] == self.before.get("answers", {}).get(name)
        return self.now["handed_in"] == self.before.get("handed_in")


def _remarks(remarks: list[str]) -> NotebookNode:
    """A cell at the top that says what happened. Plain text: the words may come from a learner."""
    lines = "\n".join(f"    {' '.join(referee.incident_text(remark).split())}" for remark in remarks)
    return v4.new_markdown_cell(f"**{gettext('What happened when this was graded')}**\n\n{lines}", metadata={"unrolled": {"cell": "remarks"}}, id="remarks")


def write_outputs(notebook: NotebookNode, outcome: referee.Outcome) -> None:
    """Write the output of each cell: points and report of a check, what a learner's cell printed, nothing else."""
    count = 0
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        if rebuild.is_test(cell):
            cell.outputs = _test_outputs(cell, record_from(outcome.tasks[cell.metadata["nbgrader"]["grade_id"]]), count, outcome)
        elif rebuild.is_solution(cell) or rebuild.is_added(cell) or rebuild.is_setup(cell):
            cell.outputs = _printed(outcome.cells.get(str(number)))
        else:
            cell.outputs = [_output("stream", name="stdout", text=gettext("This cell is for your eyes; it is not run when grading.") + "\n")]


def record_from(data: dict[str, Any]) -> Record:
    """A check's record from its plain data."""
    return Record(**{**data, "steps": [Step(**step) for step in data["steps"]]})


def points_of(record: Record, most: float) -> float:
    """What a check's record is worth in a cell of at most `most` points."""
    share = record.points / record.max_points if record.max_points else 0.0
    return min(float(points_text(share * most)), most)


def _test_outputs(cell: NotebookNode, record: Record, count: int, outcome: referee.Outcome) -> list[NotebookNode]:
    """Points first: nbgrader's determine_grade takes the first execute_result. Never stderr, which is a zero to it."""
    points = points_of(record, float(cell.metadata["nbgrader"]["points"]))
    text, rich = as_text(record), feedback_html(record, site_link)
    if outcome.sandbox == "none":
        text = f"{text}\n{gettext(sandbox.UNSAFE_NOTE)}"
        rich = f"{rich}<p><small>{html.escape(gettext(sandbox.UNSAFE_NOTE))}</small></p>"
    return [
        _output("execute_result", data={"text/plain": repr(points)}, metadata={}, execution_count=count),
        _output("display_data", data={"text/plain": text, "text/html": rich}, metadata={}),
    ]


def _output(kind: str, **content: Any) -> NotebookNode:
    """An output of a cell. The notebook is validated as a whole, not each of its outputs."""
    return nbformat.from_dict({"output_type": kind, **content})


def _printed(found: dict[str, Any] | None) -> list[NotebookNode]:
    """What a learner's cell printed and which of its statements failed, as plain text with a label."""
    if not found:
        return []
    text = ""
    if found["printed"]:
        text += gettext("Your program printed:") + "\n" + "".join(f"  | {line}\n" for line in found["printed"].splitlines())
    for problem in found["problems"]:
        text += gettext("When grading, this failed:") + "\n" + "".join(f"  | {line}\n" for line in referee.problem_text(problem).splitlines())
    return [_output("stream", name="stdout", text=text)]
