"""Grade a whole class: judging is farmed out by Dask, over this machine's cores or a cluster; one process keeps the gradebook.

A worker gets the cells of a rebuilt notebook and returns a plain record; it needs neither the class's folder nor the gradebook. As
outcomes come back they go into the class's cache, and nbgrader's ordinary converter enters each submission. A run that is cut off
goes on where it was: what is in the gradebook is left alone, what is in the cache is not judged again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask
import distributed
import nbformat
from filelock import FileLock, Timeout
from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log, temp_attrs
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from traitlets import TraitError
from traitlets.config.loader import Config, PyFileConfigLoader

from ..checks.report import points_text
from ..language import SOURCE, using
from . import gradebook, late_days, referee, sandbox, steps, worker
from .names import listed, shown

CONNECT = 10     # seconds for a scheduler to answer, and for its first worker to appear
NO_WORKER = 120  # seconds without any worker after which a run gives up
AHEAD = 3        # submissions a worker's core that are on their way at a time
MAX_SAID = 3     # remarks on a submission that the terminal shows; its record has all
STATES = ("graded", "cached", "timed out", "crashed", "refused", "unchanged", "not graded")


class FarmError(RuntimeError):
    """Grading can't begin or go on; the message says why and what to do."""


# --- The class ---------------------------------------------------------------------------------


@dataclass
class Notebook:
    """A notebook that was handed in, rebuilt: the cells to judge, what makes it unusable, the language in which its author is spoken to, empty
    for English, the key of its outcome, and the outcome."""

    name: str
    cells: list[referee.Cell]
    problem: str | None
    language: str
    key: str
    outcome: referee.Outcome | None = None


@dataclass
class Submission:
    """What a student handed in for an assignment. error: why it could not be judged, though nothing is wrong with it."""

    student: str
    notebooks: list[Notebook] = field(default_factory=list)
    error: str = ""

    @property
    def judged(self) -> dict[str, referee.Outcome]:
        return {notebook.key: notebook.outcome for notebook in self.notebooks if notebook.outcome is not None}


class Classroom:
    """An assignment of a class: its settings, its submissions, its gradebook."""

    def __init__(self, config: Config, assignment: str) -> None:
        self.config, self.assignment = config, assignment
        self.coursedir = CourseDirectory(config=config)
        self.coursedir.assignment_id = assignment
        settings = steps.judge_settings(self.converter())
        self.limits, self.unsafe = settings.limits, settings.unsafe
        self.folder = referee.ClassFolder(Path(settings.class_folder))
        self.entering = self.converter(force=True)
        self.strange: dict[str, str] = {}  # folders whose names can't be those of students, each with the reason

    @property
    def seed(self) -> int:
        return self.folder.seed(self.assignment)

    def forget_cases(self) -> None:
        """Let the next grading draw other secret cases."""
        with self.alone():
            self.folder.forget_seed(self.assignment)

    def converter(self, force: bool = False) -> steps.Autograde:
        made = steps.Autograde(coursedir=self.coursedir, config=self.config)
        made.force = force
        return made

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            yield book

    def require(self) -> None:
        """Raise FarmError, or what the converter raises, when this assignment can't be graded."""
        converter = self.converter()
        names = sorted(path.name for path in converter.release_folder(self.assignment).parent.glob("*") if path.is_dir())
        if self.assignment not in names:
            raise FarmError(f"There is no assignment {self.assignment!r}; the assignments are: {', '.join(names)}.")
        released = converter.released()
        if strangers := [name for path in released for name in referee.unknown_tasks(nbformat.read(path, as_version=4))]:
            raise FarmError(f"No task judges these test cells of {self.assignment}: {', '.join(strangers)}.")
        try:
            late_days.late_days(converter)
        except TraitError as error:
            raise FarmError(str(error)) from None
        try:
            where = make_url(self.coursedir.db_url).render_as_string(hide_password=True)
            with self.gradebook() as book:
                book.find_assignment(self.assignment)
        except MissingEntry:
            raise FarmError(
                f"The gradebook does not know {self.assignment}: run `nbgrader generate_assignment {self.assignment} --force` once."
            ) from None
        except ArgumentError:
            raise FarmError(
                "The gradebook's address (UNROLLED_DB) is none: give one such as postgresql://user:password@host/database."
            ) from None
        except OperationalError as error:
            raise FarmError(f"The gradebook {where} can't be opened: {' '.join(str(error.orig).split())}") from None

    def students(self, wanted: Iterable[str] = ()) -> list[str]:
        """Who handed this assignment in, in order; or those of `wanted`. Raises FarmError when nothing was handed in."""
        found, self.strange = self.entering.students(self.assignment)
        root = Path(self.entering.submission_folder(self.assignment, "*")).parents[1]
        if not found and not self.strange:
            raise FarmError(
                f"Nothing was handed in for {self.assignment}: put notebooks at {root}/STUDENT/{self.assignment}/{self.assignment}.ipynb."
            )
        if missing := [student for student in wanted if student not in found]:
            raise FarmError(f"{', '.join(map(shown, missing))} handed in nothing for {self.assignment}: look into {root}.")
        return [student for student in found if student in set(wanted)] if wanted else found

    def read(self, student: str) -> Submission:
        """What a student handed in, rebuilt from the release, with the outcomes that the cache holds."""
        converter = self.entering
        submission = Submission(student)
        for path in converter.released():
            rebuilt = converter.rebuilt(self.assignment, Path(converter.submission_folder(self.assignment, student)) / path.name)
            cells = referee.cells_of(rebuilt.notebook)
            with using(rebuilt.language or SOURCE):
                key = referee.key_of(cells, self.seed, rebuilt.problem, self.limits, self.unsafe)
            outcome = None if self.unsafe else self.folder.cached(key)
            submission.notebooks.append(Notebook(path.stem, cells, rebuilt.problem, rebuilt.language, key, outcome))
        return submission

    def enter(self, submission: Submission) -> str:
        """Let nbgrader's converter enter a submission whose outcomes are known, and return what went wrong, or nothing."""
        self.entering.judged = submission.judged
        with temp_attrs(self.coursedir, student_id=submission.student):
            result = capture_log(self.entering)
        if result["success"]:
            return ""
        problem = result["error"].strip().splitlines()[-1]
        if problem.startswith("KeyboardInterrupt"):
            raise KeyboardInterrupt
        said = [line for line in result.get("log", "").splitlines() if line.startswith(("sqlalchemy", "unrolled", "RuntimeError"))]
        return said[-1] if said else problem

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the class for this run. Raises FarmError when another one is at work."""
        self.folder.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder.path / ".grading.lock", timeout=0):
                yield
        except Timeout:
            raise FarmError("Another run is grading this class: wait for it to end.") from None


def classroom(course: Path, assignment: str) -> Classroom:
    """An assignment of the class in `course`, by its nbgrader_config.py."""
    loaded = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    room = Classroom(loaded, assignment)
    room.require()
    return room


# --- The workers -------------------------------------------------------------------------------


def _no_second_victim(dask_scheduler: Any) -> None:
    """On the scheduler: what was on a worker that died comes back to us instead of going to the next worker."""
    dask_scheduler.allowed_failures = 0


class Farm:
    """Where judging is done: the cluster of a scheduler, or processes of this machine, which are started when first needed."""

    def __init__(self, scheduler: str | None, workers: int, unsafe: bool) -> None:
        self.scheduler, self.workers, self.unsafe = scheduler, workers, unsafe
        self._open = contextlib.ExitStack()
        self._client: distributed.Client | None = None

    def __enter__(self) -> Farm:
        if self.scheduler:
            self.client  # noqa: B018  a scheduler that is not there is said before any work
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def client(self) -> distributed.Client:
        if self._client is None:
            self._client = self._cluster() if self.scheduler else self._processes()
        return self._client

    def _cluster(self) -> distributed.Client:
        # What goes wrong with the cluster is said in one sentence: no part of it may print a traceback beside that.
        for name, logger in logging.root.manager.loggerDict.items():
            if name.partition(".")[0] == "distributed" and isinstance(logger, logging.Logger):
                logger.setLevel(logging.CRITICAL)
        try:
            client = self._open.enter_context(distributed.Client(self.scheduler, timeout=CONNECT, set_as_default=False))
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            if "TLS" in str(error) or "tls" in str(error):
                raise FarmError(f"The scheduler {self.scheduler} wants TLS: set Dask's distributed.comm.tls settings ({error}).") from None
            raise FarmError(
                f"No scheduler answers at {self.scheduler}: start one with `dask scheduler --host ADDRESS`, or leave --scheduler out."
            ) from None
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError:
            raise FarmError(f"The scheduler {self.scheduler} has no workers: start some with `dask worker {self.scheduler}`.") from None
        client.run_on_scheduler(_no_second_victim)
        self._require_fit(client)
        return client

    def _require_fit(self, client: distributed.Client) -> None:
        here = referee.versions()
        try:
            found = client.run(worker.fitness, self.unsafe)
        except Exception as error:  # whatever comes of a worker that lacks the package
            raise FarmError(f"A worker of {self.scheduler} can't judge ({error}): install the course there, too.") from None
        for address, (versions, problem) in found.items():
            if versions != here:
                raise FarmError(f"At {address}, {worker.other_versions(versions, here)}")
            if problem:
                raise FarmError(f"At {address}: {problem}")

    def _processes(self) -> distributed.Client:
        """Worker processes on this machine, forked from one that has loaded what they need. Nobody elsewhere can reach them, and nobody
        else here: each connection needs a certificate of this run, which is never written to a file."""
        sandbox.require(self.unsafe)
        worker.prepare_processes()
        settings = {"distributed.worker.multiprocessing-method": "forkserver", "distributed.scheduler.allowed-failures": 0}
        with dask.config.set(settings):
            cluster = distributed.LocalCluster(
                n_workers=self.workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=logging.CRITICAL,
                security=True,
            )  # fmt: skip
            self._open.enter_context(cluster)
            return self._open.enter_context(distributed.Client(cluster, set_as_default=False))

    def cores(self) -> int:
        return sum(self.client.nthreads().values())


def warning_about(scheduler: str) -> str:
    """What to know about a connection without TLS that leaves this machine, or nothing."""
    address = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
    if address.scheme == "tls" or address.hostname in ("localhost", "127.0.0.1", "::1"):
        return ""
    return (
        f"{scheduler} is neither encrypted nor protected: whoever reaches that port can run code on the workers and here. "
        "Keep it inside a network of your own, or give a tls:// address."
    )


class Judging:
    """Submissions on their way to workers and back."""

    def __init__(self, farm: Farm, room: Classroom) -> None:
        self.farm, self.room = farm, room
        self.seed, self.versions = room.seed, referee.versions()
        self.arrived: queue.SimpleQueue[distributed.Future] = queue.SimpleQueue()
        self.on_way: dict[str, tuple[distributed.Future, Submission]] = {}
        self.suspects: list[Submission] = []

    def judged(self, submissions: Iterable[Submission]) -> Iterator[Submission]:
        """Each submission again, as soon as its outcomes are known or an error is.

        When a worker dies, what was on it may or may not be to blame: it is judged again at the end, one by one, and is given up
        if its worker dies then, too.
        """
        try:
            for submission in submissions:
                if all(notebook.outcome for notebook in submission.notebooks):
                    yield submission
                    continue
                self.send(submission)
                while len(self.on_way) >= max(8, AHEAD * self.farm.cores()):
                    yield from self.receive()
            while self.on_way:
                yield from self.receive()
            while self.suspects:
                self.send(self.suspects.pop())
                yield from self.receive(alone=True)
        finally:
            for future, _ in self.on_way.values():
                future.cancel()

    def send(self, submission: Submission) -> None:
        work = [(notebook.cells, notebook.problem, notebook.language) for notebook in submission.notebooks if not notebook.outcome]
        truths = self.room.folder.prepare(self.room.assignment, set().union(*(referee.tasks_of(cells) for cells, *_ in work)))
        future = self.farm.client.submit(
            worker.judge, work, self.seed, truths, self.room.limits, self.room.unsafe, self.versions, pure=False, retries=0
        )
        self.on_way[future.key] = future, submission
        future.add_done_callback(self.arrived.put)

    def receive(self, alone: bool = False) -> Iterator[Submission]:
        """Wait for the next submission to come back, keep its outcomes, and give it; nothing for one that becomes a suspect."""
        while True:
            with contextlib.suppress(queue.Empty):
                future = self.arrived.get(timeout=NO_WORKER)
                break
            if not self.farm.cores():
                raise FarmError(f"No worker has been there for {NO_WORKER} s. Run the same command again to go on.")
        _, submission = self.on_way.pop(future.key)
        try:
            outcomes = iter(future.result())
        except distributed.KilledWorker:
            if not alone:
                self.suspects.append(submission)
                return
            submission.error = "the worker that judged it died, twice; look at what was handed in, and at the worker's memory"
        except distributed.client.FutureCancelledError:
            raise FarmError("The scheduler went away. Run the same command again to go on.") from None
        except Exception as error:  # a fault of the course: it costs nobody else's grade
            submission.error = f"{type(error).__name__}: {error}"
        else:
            for notebook in submission.notebooks:
                if not notebook.outcome:
                    notebook.outcome = referee.Outcome(**next(outcomes))
                    self.room.folder.keep(notebook.key, notebook.outcome)
        yield submission


# --- What the instructor sees ------------------------------------------------------------------


@dataclass
class Report:
    """How each submission fared: one of STATES, and a remark."""

    states: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def note(self, student: str, state: str, remark: str = "") -> None:
        self.states[student] = state
        if remark:
            self.remarks[student] = remark

    def table(self) -> Table:
        counts = Counter(self.states.values())
        table = Table("submissions", "", title_justify="left")
        table.columns[1].justify = "right"
        for state in STATES:
            if counts[state] or state not in ("unchanged", "not graded"):
                table.add_row(MEANINGS[state], str(counts[state]))
        if self.remarks:
            table.add_row("with a remark, below", str(len(self.remarks)))
        return table


MEANINGS = {
    "graded": "graded", "cached": "graded, from the cache", "timed out": "timed out", "crashed": "crashed",
    "refused": "refused: nothing could be used", "unchanged": "unchanged since they were graded (--force grades them again)",
    "not graded": "not graded",
}  # fmt: skip


def progress(console: Console) -> Progress:
    """A bar with the count, the time so far and the time left; none with UNROLLED_PROGRESS=off or without a terminal."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:"),
        TimeRemainingColumn(), console=console, disable=os.environ.get("UNROLLED_PROGRESS") == "off" or not console.is_terminal,
    )  # fmt: skip


def end_sentence(remark: str) -> str:
    return remark if remark.endswith((".", "?", "!")) else f"{remark}."


def _state(room: Classroom, submission: Submission) -> tuple[str, str]:
    """The state of a submission that was entered, and what there is to remark."""
    records = [room.folder.record(submission.student, room.assignment, notebook.name) for notebook in submission.notebooks]
    worst = max(records, key=lambda record: STATES.index(record["status"]))
    remarks = dict.fromkeys(remark for record in records for remark in referee.remarks_of(record))
    remark = " ".join(end_sentence(remark) for remark in [*remarks][:MAX_SAID])
    if worst["status"] == "graded" and all(notebook.outcome.cached for notebook in submission.notebooks):
        return "cached", remark
    return worst["status"], remark


def grade(
    room: Classroom, *, scheduler: str | None = None, workers: int, wanted: Iterable[str] = (), force: bool = False,
    console: Console | None = None,
) -> Report:  # fmt: skip
    """Grade what was handed in for an assignment: all that is due, or with `force` all. Raises FarmError, SandboxError."""
    console = console or Console()
    report = Report()
    students = room.students(wanted)
    with room.alone(), gradebook.kept(), Farm(scheduler, workers, room.unsafe) as farm:
        converter = room.converter(force)
        due = [student for student in students if converter.is_due(room.assignment, student)]
        for student in sorted(set(students) - set(due)):
            report.note(student, "unchanged")
        for name, problem in room.strange.items() if not wanted else ():
            report.note(shown(name), "not graded", f"the folder's name {problem}; rename it")
        for student in list(due):
            if problem := converter.unfit(student):
                due.remove(student)
                report.note(student, "not graded", problem)
        with progress(console) as bar:
            work = bar.add_task(f"Grading {room.assignment}", total=len(due))
            for submission in Judging(farm, room).judged(map(room.read, due)):
                if problem := submission.error or room.enter(submission):
                    report.note(submission.student, "not graded", problem)
                else:
                    report.note(submission.student, *_state(room, submission))
                bar.advance(work)
    return report


def waiting(room: Classroom) -> list[str]:
    """The students with answers that a person has to mark, or to look at again."""
    with room.gradebook() as book:
        asked = (
            book.db.query(SubmittedAssignment.student_id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == room.assignment, SubmittedAssignment.needs_manual_grade)
        )
        return sorted(student for (student,) in asked)


def tell(report: Report, room: Classroom, console: Console) -> None:
    """The closing table, who needs a look, and what to do next."""

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    console.print(report.table())
    looks = sorted(report.remarks, key=lambda student: (-STATES.index(report.states[student]), student))
    for student in looks[:20]:
        say(f"{student}: {report.states[student]}: {report.remarks[student]}")
    if len(looks) > 20:
        say(f"and {len(looks) - 20} more: see {room.folder.path / 'records'}")
    feedback = f"nbgrader generate_feedback {room.assignment}   and   nbgrader export"
    if by_hand := waiting(room):
        say(f"Answers to mark by hand: {len(by_hand)} ({listed(by_hand)}). Next:  jupyter lab, then Nbgrader > Formgrader > Manual Grading")
        say(f"After that:  {feedback}")
    else:
        say(f"Next:  {feedback}")


# --- After a task was corrected ----------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What the check of a task gives now, where it gave something else. by_hand: the grade that a person gave and that stays."""

    student: str
    task: str
    before: float
    after: float
    by_hand: float | None

    @property
    def difference(self) -> float:
        return 0.0 if self.by_hand is not None else self.after - self.before


def changes_of(book: Gradebook, room: Classroom, submission: Submission) -> list[Change]:
    """Where the outcomes of a submission differ from the gradebook."""
    found = []
    for notebook in submission.notebooks:
        for grade in book.find_submission_notebook(notebook.name, room.assignment, submission.student).grades:
            if grade.cell.name not in notebook.outcome.tasks:
                continue
            now = steps.points_of(steps.record_from(notebook.outcome.tasks[grade.cell.name]), grade.max_score)
            before = grade.auto_score or 0.0
            if abs(now - before) > 1e-9:
                found.append(Change(submission.student, grade.cell.name, before, now, grade.manual_score))
    return found


def _reads_otherwise(room: Classroom, submission: Submission) -> bool:
    """Whether a report or the status of a submission is another now, though its points may be the same."""
    for notebook in submission.notebooks:
        record = room.folder.record(submission.student, room.assignment, notebook.name)
        now = referee.status(notebook.outcome, notebook.problem), notebook.outcome.tasks
        if now != (record["status"], record["outcome"]["tasks"]):
            return True
    return False


def regrade(
    room: Classroom, *, dry_run: bool, scheduler: str | None = None, workers: int, wanted: Iterable[str] = (),
    console: Console | None = None,
) -> tuple[list[Change], Report]:  # fmt: skip
    """Judge again what is graded, with the tasks as they are now; what changes, and how each submission fared.

    Grades that a person gave stay. With `dry_run` nothing is entered: only the cache grows, so that the real run is quick.
    """
    console = console or Console()
    report, changes = Report(), []
    with room.alone(), gradebook.kept(), Farm(scheduler, workers, room.unsafe) as farm, room.gradebook() as book:
        converter = room.converter()
        graded = []
        for student in room.students(wanted):
            if why := converter.why_due(room.assignment, student):
                report.note(student, "not graded", f"{why}: run `unrolled grade {room.assignment}` first")
            else:
                graded.append(student)
        with progress(console) as bar:
            work = bar.add_task(f"Judging {room.assignment} again", total=len(graded))
            for submission in Judging(farm, room).judged(map(room.read, graded)):
                bar.advance(work)
                if submission.error:
                    report.note(submission.student, "not graded", submission.error)
                    continue
                found = changes_of(book, room, submission)
                book.db.rollback()  # nothing is held while the converter writes
                if not dry_run and (found or _reads_otherwise(room, submission)) and (problem := room.enter(submission)):
                    report.note(submission.student, "not graded", problem)
                    continue
                changes += found
                report.note(submission.student, "graded" if found else "unchanged")
    return sorted(changes, key=lambda change: (change.student, change.task)), report


def tell_changes(changes: list[Change], report: Report, dry_run: bool, console: Console) -> None:
    """A row for each change, and the sum of all."""
    verb = "would change" if dry_run else "changed"
    if changes:
        table = Table("student", "task", "was", "now", "change")
        for change in changes:
            kept = f"stays {points_text(change.by_hand)}, given by hand" if change.by_hand is not None else f"{change.difference:+.2f}"
            table.add_row(escape(change.student), change.task, points_text(change.before), points_text(change.after), kept)
        console.print(table)
    by_student: Counter[str] = Counter()
    for change in changes:
        by_student[change.student] += change.difference
    moved = [total for total in by_student.values() if abs(total) > 1e-9]
    judged = sum(state != "not graded" for state in report.states.values())
    extent = f", by {min(moved):+.2f} to {max(moved):+.2f} points" if moved else ""
    console.print(f"{len(moved)} of {judged} grades {verb}{extent}.", highlight=False)
    for student, remark in sorted(report.remarks.items()):
        console.print(f"{student}: {remark}", markup=False, highlight=False, soft_wrap=True)
    if moved and dry_run:
        console.print("Nothing was entered. Without --dry-run the new grades are.", highlight=False)
