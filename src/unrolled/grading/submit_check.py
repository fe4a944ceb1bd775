"""What would be graded: a learner's own notebook, judged by the referee's own way on the public cases, and what in it costs marks.

Grading differs in nothing but the cases, which are drawn from a secret seed there.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..checks import Record, limits
from ..checks.record import Step
from ..checks.report import ASSIGNMENT_POINTS, points_text
from ..checks.run import PUBLIC_SEED
from ..language import all_of, gettext, languages
from . import names, rebuild, referee, sandbox


class NoAssignment(ValueError):
    """The file can't be judged; the message says why and what to do."""


@dataclass
class Forecast:
    """What grading would give. records: of each check, in order. careful: what costs marks, or might, a sentence each."""

    assignment: str
    records: list[Record]
    outcome: referee.Outcome
    by_hand: float
    careful: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        return sum(record.points for record in self.records)


def forecast(path: Path, course: Path) -> Forecast:
    """Judge a notebook as the grader would, with the public cases. course: where the released assignments lie.

    Raises NoAssignment for what is no notebook of an assignment, SandboxError where there is neither a sandbox nor another way.
    """
    path = _notebook_at(path)
    found = rebuild.handed_in(path, languages=languages())
    if found.problem:
        raise NoAssignment(found.problem)
    assignment, release = _released(path, found.written, course)
    own = course / "assignments" / assignment / found.language / f"{assignment}.ipynb"
    translated = {found.language: nbformat.read(own, as_version=4)} if found.language and own.is_file() else {}
    rebuilt = rebuild.of_file(release, path, translated=translated)
    cells = referee.cells_of(rebuilt.notebook)
    unsafe = shutil.which("bwrap") is None or not sandbox.diagnose().works
    outcome = referee.judge(cells, PUBLIC_SEED, unsafe=unsafe)
    records = [Record(**{**data, "steps": [Step(**step) for step in data["steps"]]}) for data in outcome.tasks.values()]
    by_hand = ASSIGNMENT_POINTS - sum(record.max_points for record in records)
    careful = [
        *_about_the_file(path, assignment), *rebuilt.notes, *_turned_to_text(release, found.written), *_failing_cells(cells, outcome),
        *_defined_too_late(cells, records), *_slow(cells, outcome, records),
    ]  # fmt: skip
    return Forecast(assignment, records, outcome, by_hand, careful)


# --- Which assignment --------------------------------------------------------------------------


def _notebook_at(path: Path) -> Path:
    """The notebook that is meant by a file or by a folder with one in it."""
    if not path.is_dir():
        return path
    found = sorted(other for other in path.iterdir() if other.suffix == ".ipynb")
    own = path / f"{path.resolve().name}.ipynb"
    if own in found:
        return own
    if len(found) != 1:
        if found:
            text = gettext("Which notebook of the folder “{folder}” is meant? It has {files}: name the file.")
        else:
            text = gettext("Which notebook of the folder “{folder}” is meant? It has none: name the file.")
        raise NoAssignment(text.format(folder=path.name, files=names.listed(other.name for other in found)))
    return found[0]


def _released(path: Path, written: list[rebuild.Written], course: Path) -> tuple[str, NotebookNode]:
    """The assignment that a notebook belongs to, by its cells, and the release. Raises NoAssignment when it is none of the course's."""
    handed = {cell.grade_id for cell in written if cell.grade_id} | set().union(*(rebuild.defined_in(cell.text) for cell in written if cell.code))
    best, most = None, 0
    for folder in sorted(folder for folder in (course / "assignments").iterdir() if (folder / f"{folder.name}.ipynb").exists()):
        release = nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)
        tasks = {cell.metadata["nbgrader"]["grade_id"] for cell in release.cells if rebuild.is_test(cell)}
        if (common := len(tasks & handed)) > most:
            best, most = (folder.name, release), common
    if best is None:
        raise NoAssignment(gettext("“{file}” has none of the cells of any assignment: is it the right file?").format(file=names.shown(path.name, 80)))
    return best


# --- What costs marks --------------------------------------------------------------------------


def _about_the_file(path: Path, assignment: str) -> Iterator[str]:
    others = [other.name for other in sorted(path.resolve().parent.iterdir()) if other.suffix == ".ipynb" and other.name != path.name]
    if path.name != f"{assignment}.ipynb":
        text = gettext("The grader looks for “{assignment}.ipynb”, and this file is called “{file}”: rename it before you hand it in.")
        yield text.format(assignment=assignment, file=names.shown(path.name, 80))
    if others:
        text = gettext(
            "Beside it there is {others}. One notebook is graded, the one that is called {assignment}.ipynb, and nothing is taken from others: hand "
            "in a folder with one notebook."
        )
        yield text.format(others=names.listed(others), assignment=assignment)


def _turned_to_text(release: NotebookNode, written: list[rebuild.Written]) -> Iterator[str]:
    """Cells of code that are Markdown or raw now: those that a learner added are not run."""
    code = {cell.metadata["nbgrader"]["grade_id"] for cell in release.cells if cell.cell_type == "code" and "nbgrader" in cell.metadata}
    for cell in written:
        first = next((line.strip() for line in cell.text.splitlines() if line.strip()), "")
        if cell.code or not re.match(r"(async def|def|class|import|from|@)\b.*|\w+ *= *\S", first):
            continue
        shown = names.shown(first, 60)
        if cell.grade_id in code:
            text = gettext("The cell “{first}” is a cell of text now. It is graded as code all the same, but at home nothing runs it: turn it back to code.")
            yield text.format(first=shown)
        elif cell.grade_id is None and re.match(r"(async def|def|class|import|from|@)\b", first):
            yield gettext("The cell “{first}” is a cell of text and is not run: turn it to code if it is meant as code.").format(first=shown)


def _failing_cells(cells: list[referee.Cell], outcome: referee.Outcome) -> Iterator[str]:
    for cell in cells:
        for problem in outcome.cells.get(str(cell.number), {}).get("problems", []):
            said = " ".join(referee.problem_text(problem).split())
            yield gettext("In the cell {first} this failed: {problem}").format(first=_first_line(cell), problem=said)


def _defined_too_late(cells: list[referee.Cell], records: list[Record]) -> Iterator[str]:
    """Helpers that stand below the check that needs them: the grader calls a function where its check stands."""
    for record in records:
        missing = re.search(r"NameError: name '(\w+)' is not defined", record.message)
        missing = missing[1] if missing else record.task if record.message in referee.not_there(record.task) else None
        place = next((i for i, cell in enumerate(cells) if cell.task == record.task), 0)
        if missing and any(missing in rebuild.defined_in(cell.text) for cell in cells[place + 1 :]):
            text = gettext("{name} is defined below the check of {task}, which is judged where its check stands: move that cell up.")
            yield text.format(name=missing, task=record.task)


def _slow(cells: list[referee.Cell], outcome: referee.Outcome, records: list[Record]) -> Iterator[str]:
    for record in records:
        if (took := outcome.times.get(record.task, 0.0)) > limits.NEAR * limits.TASK and not record.given:
            text = gettext("The calls of {task} took {took} s here; together they may take {limit} s, and the grader's machine may be slower.")
            yield text.format(task=record.task, took=f"{took:.1f}", limit=limits.TASK)
    for cell in cells:
        if (took := outcome.times.get(str(cell.number), 0.0)) > limits.NEAR * limits.CELL:
            text = gettext("The cell {first} took {took} s here; a cell may take {limit} s, and the grader's machine may be slower.")
            yield text.format(first=_first_line(cell), took=f"{took:.1f}", limit=limits.CELL)


def _first_line(cell: referee.Cell) -> str:
    first = next((line.strip() for line in cell.text.splitlines() if line.strip()), "")
    return f"“{names.shown(first, 60)}”"


# --- What the learner sees ---------------------------------------------------------------------


def _words(record: Record) -> str:
    """How far a check came, in one line."""
    if record.given:
        return gettext("right, given a right {names}").format(names=all_of(record.given))
    if record.passed:
        return gettext("all passed")
    if record.unwritten == record.task:
        return record.message.rstrip(".。")
    failed = next((step.name for step in record.steps if step.status == "failed"), "")
    return gettext("stops at: {step}").format(step=gettext(failed)) if failed else record.message


def tell(found: Forecast, console: Console) -> None:
    """The table that the grader would make, what differs where, and what to look after."""
    title = gettext("{assignment}, as it would be graded").format(assignment=found.assignment)
    table = Table(gettext("task"), gettext("points"), gettext("of"), "", title=title, title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for record in found.records:
        table.add_row(Text(record.task), points_text(record.points), points_text(record.max_points), Text(_words(record)))
    most = sum(record.max_points for record in found.records)
    table.add_section()
    more = gettext("{points} more by hand").format(points=points_text(found.by_hand)) if found.by_hand > 0 else ""
    table.add_row(gettext("together"), points_text(found.points), points_text(most), more)
    console.print(table)
    for record in found.records:
        if record.message and record.unwritten != record.task:
            console.print(gettext("{task}: {message}").format(task=record.task, message=record.message), markup=False, highlight=False, soft_wrap=True)
    for sentence in found.careful:
        console.print(gettext("Careful: {warning}").format(warning=sentence), markup=False, highlight=False, soft_wrap=True)
    console.print(
        gettext("Judged by the public cases, which are other numbers than those of the grade; everything else is as the grader does it."),
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    if found.outcome.sandbox == "none":
        console.print(gettext("It was run without the grader's sandbox, which needs Linux and bubblewrap, but with its limits."), highlight=False, soft_wrap=True)
