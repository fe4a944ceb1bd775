"""The referee: judges one rebuilt notebook by asking a sandboxed player for values and comparing them here.

`judge(cells, seed)` needs no gradebook and no files: plain data in, plain data out, so that it can run on another machine.
`judge_cached` keeps the outcomes in the folder of the class.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from ..checks import TASKS, Record, Task, find, uses
from ..checks import limits as limits_at_home
from ..checks import run as checks_run
from ..checks.diagnosis import code, errors
from ..checks.observe import GLOBAL_STATE, told
from ..language import SOURCE, again, gettext, language, texts
from . import rebuild, sandbox, wire
from .right import RightVersions

FORMAT = 1  # of records and cached outcomes

# What is kept of a learner's words and values, whatever the player sends. The player keeps less by itself, but it is not trusted.
CELL_TEXT = 16_000             # characters of what one cell printed and of its failures
NOTEBOOK_TEXT = 60_000         # of all cells together
CELL_PROBLEMS = 10             # failures of one cell
INCIDENTS = 50                 # of a notebook
RESULTS = 32 * 2**20           # bytes, about, that the results of one task take in memory: a right one takes half a MB at most


@dataclass(frozen=True)
class Limits:
    """What learners' code may use. Seconds are those of the clock on the wall while the player works."""

    cell: float = limits_at_home.CELL  # seconds for one cell
    added_cells: float = 30   # for all cells together that the learner added
    call: float = limits_at_home.CALL  # for one call of a function
    task: float = limits_at_home.TASK  # for all calls of a task
    submission: float = limits_at_home.SUBMISSION  # for everything
    right: float = 40         # for right versions of earlier tasks, when a task that failed is judged on its own
    asks: int = 10_000        # of these
    grace: float = 2          # after which a player that does not stop by itself is ended
    memory: int = 2 * 2**30   # bytes of address space

    def for_player(self) -> dict[str, int]:
        """The resource limits that the player sets for itself."""
        return {
            "RLIMIT_AS": self.memory, "RLIMIT_CPU": int(self.submission + self.grace) + 1, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0,
            "RLIMIT_NOFILE": 64, "RLIMIT_MEMLOCK": 0, "RLIMIT_MSGQUEUE": 0, "RLIMIT_SIGPENDING": 64,
        }  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell as the referee needs it. number: its place in the rebuilt notebook. without: a text whose statements are left out."""

    number: int
    kind: Literal["setup", "solution", "added", "task"]
    text: str = ""
    task: str = ""
    without: str = ""


@dataclass
class Outcome:
    """What came of judging a notebook. Plain data: `vars` and back through JSON.

    tasks: the record of each check by the task's name. cells: what each cell printed and which of its statements failed, by
    its number. incidents: crashes, time-outs and what else makes that the next run may end differently. seconds:
    what the whole took. times: the player's seconds for each task, by its name, and for each cell, by its number.
    """

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    sandbox: str = "bwrap"
    seconds: dict[str, float] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    cached: bool = False

    @property
    def points(self) -> float:
        return sum(record["points"] for record in self.tasks.values())


class Fault(RuntimeError):
    """Something of the course is broken, so that nobody can be judged fairly. It must never pass for a learner's mistake."""


def cells_of(notebook: Any) -> list[Cell]:
    """What of a rebuilt notebook is run or judged, in order. Closing cells and what else is for the learner's eyes is not."""
    cells = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if rebuild.is_test(cell):
            cells.append(Cell(number, "task", task=cell.metadata["nbgrader"]["grade_id"]))
        elif rebuild.is_setup(cell):
            cells.append(Cell(number, "setup", cell.source))
        elif rebuild.is_solution(cell) or rebuild.is_added(cell):
            kind = "solution" if rebuild.is_solution(cell) else "added"
            cells.append(Cell(number, kind, cell.source, without=rebuild.released_text(cell)))
    return cells


def tasks_of(cells: Iterable[Cell]) -> set[str]:
    """The names of the tasks that are judged in a notebook, but for those that nobody knows."""
    return {cell.task for cell in cells if cell.kind == "task" and cell.task in TASKS}


# --- A conversation with the player ------------------------------------------------------------


def clean(text: str, limit: int = 4000) -> str:
    """A learner's text without control characters (a terminal would obey them), and not too long."""
    kept = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text[: limit + 1])
    return kept if len(kept) <= limit else kept[:limit] + " ..."


CALLED = texts("The cell “{first}”")
# How the player is lost, and what else ends a cell or a call. Records keep these in English, in which they are counted; `incident_text` and
# `problem_text` say them in another language.
LOST = texts((
    "it sent what is no answer", "it sent what is no answer ({why})", "it sent an answer to another question", "it did not answer in time and was stopped",
    "it asked for what it is not given", "it asked for more results of a right {name} than it is given", "the time for this task was over",
    "the time for the whole notebook, {seconds} s, was over", "stopped after {seconds} s", "no time left", "a call did not end in time",
))  # fmt: skip
PROBLEMS = texts((
    "This cell was left out of grading: {why}.", "This cell was not run when grading: the time for your own cells was over.",
    "and {count} more statements that failed", "stopped after {seconds} s: a cell may take no longer when grading",
))  # fmt: skip


def incident_text(remark: str) -> str:
    """What ended a cell or a call, in the language that is spoken now. Other remarks stay as they are."""
    what, _, why = remark.rpartition(": ")
    said = again(why, LOST)
    return gettext("{what}: {why}").format(what=again(what, (CALLED,)), why=said) if said != why else remark


def problem_text(problem: str) -> str:
    """What failed in a cell, in the language that is spoken now. What Python says stays as Python says it."""
    said = again(problem, (*PROBLEMS, *LOST))
    return told(problem) if said == problem else said


def _called(cell: Cell) -> str:
    """What to call a cell when speaking to its author, who sees no numbers: its first line."""
    first = next((line.strip() for line in cell.text.splitlines() if line.strip()), "")
    return CALLED.format(first=clean(first, 50))


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise sandbox.Lost(f"it sent what is no answer ({what} is not text)")
    return value


LEFT_OUT = "(left out: the notebook said too much)"


def weight(value: Any) -> int:
    """About how many bytes a value that came from the player takes in memory."""
    total, left = 0, [value]
    while left:
        part = left.pop()
        total += 100 + getattr(part, "nbytes", 0) + (len(part) if isinstance(part, str) else 0)
        if isinstance(part, (list, tuple)):
            left += part
        elif isinstance(part, dict):
            left += [*part, *part.values()]
    return total


def _failing(part: Any) -> dict[str, Any] | None:
    """What the player says of the part of an expression that failed, or None where it is not of the form that ours has."""
    try:
        operands = [
            {
                "text": clean(_text(o["text"], "an operand"), 100), "name": clean(_text(o["name"], "a name"), 100),
                "type": clean(_text(o["type"], "a type"), 60), "shape": None if o["shape"] is None else [int(size) for size in o["shape"][:8]],
                "number": None if o["number"] is None else int(o["number"]), "length": None if o["length"] is None else int(o["length"]),
            }
            for o in part["operands"][:8]
        ]  # fmt: skip
        found = {"kind": _text(part["kind"], "a kind"), "text": clean(_text(part["text"], "an expression"), 120), "operands": operands,
                 "line": int(part["line"]), "near": clean(_text(part.get("near", ""), "a name"), 100), "later": part.get("later") is True,
                 "left": int(part.get("left", 0)), "right": int(part.get("right", 0)),
                 "keys": [clean(_text(key, "a key"), 40) for key in part.get("keys", [])[:12]]}  # fmt: skip
        return found if found["kind"] in errors.SENTENCES else None
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, sandbox.Lost):
        return None


class Session:
    """The player of one notebook. When it is lost, another is started and runs again the cells that did no harm."""

    def __init__(self, limits: Limits, unsafe: bool) -> None:
        self.limits, self.unsafe = limits, unsafe
        self.added_left = limits.added_cells
        self.text_left = NOTEBOOK_TEXT
        self.done: list[Cell] = []
        self.player: sandbox.Player | None = None
        self.incidents: list[str] = []
        self.waited = {"start": 0.0, "cells": 0.0, "calls": 0.0}

    def close(self) -> None:
        if self.player is not None:
            self.player.close()
            self.player = None

    def left(self) -> float:
        """Seconds that the notebook still has. Only the player's time counts: references are computed at nobody's expense."""
        return self.limits.submission - sum(self.waited.values())

    def lost(self, what: str, error: sandbox.Lost) -> None:
        self.incidents.append(f"{what}: {error}")
        self.close()  # the next question starts a fresh player

    def _ready(self) -> sandbox.Player:
        """A player that has run the cells so far. Raises Lost when no time is left."""
        while self.player is None:
            if self.left() <= 0:
                raise sandbox.Lost(f"the time for the whole notebook, {self.limits.submission:g} s, was over")
            began = time.monotonic()
            self.player = sandbox.Player(self.limits.for_player(), self.unsafe)
            sandbox.start_ahead(self.unsafe)
            self.waited["start"] += time.monotonic() - began
            for cell in list(self.done):
                try:
                    self._ask_cell(cell, min(self.limits.cell, self.left()))
                except sandbox.Lost as error:
                    self.done.remove(cell)
                    self.lost(_called(cell), error)
                    break
        return self.player

    def _ask(self, message: dict, seconds: float, stage: str, answering: Callable[[dict], dict] | None = None) -> dict:
        began = time.monotonic()
        try:
            return self.player.ask(message, seconds, answering)
        finally:
            self.waited[stage] += time.monotonic() - began

    def _ask_cell(self, cell: Cell, seconds: float) -> dict[str, Any]:
        message = {"do": "cell", "cell": cell.number, "text": cell.text, "without": cell.without, "seconds": seconds}
        answer = self._ask(message, seconds + self.limits.grace, "cells")
        problems = answer.get("problems")
        if not isinstance(problems, list):
            raise sandbox.Lost("it sent what is no answer")
        return {
            "printed": _text(answer.get("printed"), "output"),
            "problems": [_text(problem, "a problem") for problem in problems[:CELL_PROBLEMS]],
            "timed_out": answer.get("timed_out") is True,
        }

    def _kept(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a cell's answer: as much as the cell, and the notebook, may say."""
        left = min(CELL_TEXT, self.text_left)
        said = []
        for text in (answer["printed"], *answer["problems"]):
            if text and not left:
                said.append(LEFT_OUT)
                break
            said.append(clean(text, min(4000, left)))
            left = max(0, left - len(said[-1]))
        self.text_left = max(0, self.text_left - sum(map(len, said)))
        return {"printed": said[0], "problems": said[1:]}

    def run_cell(self, cell: Cell) -> dict[str, Any]:
        """Run a cell; what it printed, and which of its statements failed."""
        seconds = min(self.limits.cell, self.left())
        if cell.kind == "added":
            seconds = min(seconds, self.added_left)
        if seconds <= 0:
            return self._not_run(cell)
        try:
            self._ready()
            began = time.monotonic()
            answer = self._ask_cell(cell, seconds)
        except sandbox.Lost as error:
            self.lost(_called(cell), error)
            return {"printed": "", "problems": [f"This cell was left out of grading: {error}."]}
        self.done.append(cell)
        if cell.kind == "added":
            self.added_left -= time.monotonic() - began
        if answer["timed_out"]:
            self.incidents.append(f"{_called(cell)}: stopped after {seconds:.3g} s")
        return self._kept(answer)

    def _not_run(self, cell: Cell) -> dict[str, Any]:
        self.incidents.append(f"{_called(cell)}: no time left")
        return {"printed": "", "problems": ["This cell was not run when grading: the time for your own cells was over."]}

    def look_up(self, name: str) -> tuple[bool, bool, Any]:
        """Whether a name is defined, whether it can be called, and what it stands for."""
        self._ready()
        answer = self._ask({"do": "find", "name": name}, self.limits.call, "calls")
        return answer.get("found") is True, answer.get("callable") is True, answer.get("value")

    @contextlib.contextmanager
    def apart(self) -> Iterator[Session]:
        """Another player with the same cells run, at this one's expense. What it learns while it is judged ends with it."""
        other = Session(replace(self.limits, submission=self.left()), self.unsafe)
        other.done = list(self.done)
        try:
            yield other
        finally:
            other.close()
            self.incidents += [incident for incident in other.incidents if incident not in self.incidents]
            for stage, seconds in other.waited.items():
                self.waited[stage] += seconds

    def call(self, task: Task, arguments: dict[str, Any], seconds: float, right: RightVersions | None = None) -> checks_run.Observation:
        """Call a learner's function. Raises Lost when the player is, and for an answer that is none."""
        self._ready()
        message = {"do": "call", "name": task.name, "arguments": arguments, "seconds": seconds, "right": right.known if right else {}}
        answer = self._ask(message, seconds + self.limits.grace, "calls", right)
        error, kind, changed, warned = (answer.get(key) for key in ("error", "error_type", "changed", "warned"))
        if not isinstance(warned, list):
            raise sandbox.Lost("it sent what is no answer")
        if not isinstance(changed, list) or not all(
            isinstance(name, str) and (name in arguments or name == GLOBAL_STATE) for name in changed
        ):
            raise sandbox.Lost("it sent what is no answer")
        return checks_run.Observation(
            value=answer.get("value"),
            error=None if error is None else clean(_text(error, "an error")),
            error_type=None if error is None else clean(_text(kind, "an error's type"), 60),
            changed=tuple(changed),
            printed=clean(_text(answer.get("printed"), "output"), checks_run.PRINTED_LIMIT + 1),
            warned=tuple(clean(_text(warning, "a warning"), 200) for warning in warned[:5]),
            failing=_failing(answer.get("failing")),
        )


# --- Judging -----------------------------------------------------------------------------------


def explained_zero(task: Task, seed: int, message: str) -> Record:
    """A record that earns nothing, because of what `message` says."""
    nothing = checks_run.Observation(error=task.name, error_type="NotImplementedError")
    record = checks_run.run(task, lambda _: nothing, seed)
    record.message, record.unwritten = message, ""
    return record


def _judge_task(session: Session, task: Task, seed: int, failed_cells: list[int], standing: Mapping[str, Record]) -> Record:
    """The record of a task's check, on its own if need be. Whatever a learner's words got into it, a terminal can show it.

    standing: the records of the tasks before it.
    """

    def again(names: list[str]) -> tuple[Record, set[str]]:
        right = RightVersions(names, session.limits, session.unsafe)
        with session.apart() as other:
            return _judged_task(other, task, seed, failed_cells, right), right.called

    record = _judged_task(session, task, seed, failed_cells)
    record = uses.judged_on_its_own(task, record, uses.wrong_uses(task, standing), again)
    record.message, record.printed = clean(record.message), clean(record.printed, checks_run.PRINTED_LIMIT + 1)
    record.explanation, record.advice, record.signs = clean(record.explanation), clean(record.advice), [clean(sign) for sign in record.signs]
    if record.line:
        record.line = {**record.line, "text": clean(record.line["text"], 200)}
    return record


def not_there(name: str) -> tuple[str, str]:
    """What is said of a function that is not defined where it is checked: by itself, and where a cell above has failed."""
    alone = gettext("There is no function {task} when this check is reached.")
    failed = gettext("There is no function {task} when this check is reached. A cell before this one failed; its report says why.")
    return alone.format(task=name), failed.format(task=name)


def _source(session: Session, name: str) -> code.Source | None:
    """The code of the last cell that defines a function."""
    texts = [cell.text for cell in reversed(session.done) if f"def {name}" in cell.text]
    return next((source for text in texts if (source := code.read(text, name))), None)


def _judged_task(session: Session, task: Task, seed: int, failed_cells: list[int], right: RightVersions | None = None) -> Record:
    try:
        found, can_be_called, value = session.look_up(task.name)
    except sandbox.Lost as error:
        session.lost(task.name, error)
        return explained_zero(task, seed, gettext("{task} could not be judged: {why}.").format(task=task.name, why=again(str(error), LOST)))
    if not found:
        return explained_zero(task, seed, not_there(task.name)[bool(failed_cells)])
    if not can_be_called:
        received = checks_run.compare.describe(value)
        return explained_zero(task, seed, gettext("Expected the function {signature}, received {value}.").format(signature=task.signature, value=received))
    before = session.waited["calls"]
    over: list[checks_run.Observation] = []  # after a crash, a time-out or a flood no further call is made
    held = 0  # all results are kept until the known mistakes were compared with them

    def call(arguments: dict[str, Any]) -> checks_run.Observation:
        nonlocal held
        if over:
            return over[0]
        more = right.limits.right if right else 0.0
        left = session.limits.task + more - (session.waited["calls"] - before)
        seconds = min(session.limits.call + more, left, session.left())
        try:
            if seconds <= 0:
                raise sandbox.Lost("the time for this task was over")
            seen = session.call(task, arguments, seconds, right)
        except sandbox.Lost as error:
            session.lost(task.name, error)
            seen = checks_run.Observation(error=f"no result: {error}", error_type="Lost")
        held += weight(seen.value)
        if held > RESULTS:
            seen = checks_run.Observation(error=f"no result: the results together are larger than {RESULTS // 2**20} MiB", error_type="Flood")
        if seen.error_type in ("TimeUp", "Lost", "Flood"):
            if seen.error_type == "TimeUp":
                session.incidents.append(f"{task.name}: a call did not end in time")
            over.append(seen)
        return seen

    try:
        return checks_run.run(task, call, seed, _source(session, task.name), without_costly=right is not None)
    except sandbox.SandboxError:
        raise
    except Exception as error:
        raise Fault(f"The check of {task.name} broke down ({type(error).__name__}: {error}); nobody's fault but the course's.") from error


def judge(
    cells: list[Cell], seed: int, *, problem: str | None = None, limits: Limits = Limits(), unsafe: bool | None = None
) -> Outcome:
    """Run and judge the cells of one notebook.

    problem: why nothing that was handed in can be used; then nothing is run. unsafe: run without a sandbox; by default as
    UNROLLED_UNSAFE says. Raises SandboxError when there is no sandbox, Fault when a check of ours is broken.
    """
    unsafe = sandbox.unsafe_by_environment() if unsafe is None else unsafe
    outcome = Outcome(sandbox="none" if unsafe else "bwrap")
    began = time.monotonic()
    if problem is not None:
        outcome.tasks = {cell.task: explained_zero(find(cell.task), seed, problem).as_dict() for cell in cells if cell.kind == "task"}
        return outcome
    sandbox.require(unsafe)
    session = Session(limits, unsafe)
    failed: list[int] = []
    standing: dict[str, Record] = {}
    try:
        for cell in cells:
            if cell.kind == "task":
                before = session.waited["calls"]
                standing[cell.task] = _judge_task(session, find(cell.task), seed, failed, standing)
                outcome.tasks[cell.task] = standing[cell.task].as_dict()
                outcome.times[cell.task] = session.waited["calls"] - before
                continue
            before = session.waited["cells"]
            answer = session.run_cell(cell)
            outcome.times[str(cell.number)] = session.waited["cells"] - before
            if answer["printed"] or answer["problems"]:
                outcome.cells[str(cell.number)] = answer
            if answer["problems"]:
                failed.append(cell.number)
    finally:
        session.close()
    outcome.incidents = [clean(incident, 300) for incident in session.incidents[:INCIDENTS]]
    if len(session.incidents) > INCIDENTS:
        outcome.incidents.append(f"and {len(session.incidents) - INCIDENTS} more")
    total = time.monotonic() - began
    outcome.seconds = {**session.waited, "judging": total - sum(session.waited.values()), "total": total}
    return outcome


# --- The folder of a class ---------------------------------------------------------------------


@functools.cache
def versions() -> dict[str, str]:
    """What an outcome depends on beside the code, the tasks and the seed."""
    found = {name: importlib.metadata.version(name) for name in ("unrolled", "numpy", "torch")}
    return {**found, "python": platform.python_version(), "course": _course_hash()}


def no_references() -> str:
    """Why what the references give can't be computed here, and what to do, in a sentence; or nothing."""
    missing = [name for name in ("numpy", "torch") if importlib.util.find_spec(name) is None]
    if missing:
        return (
            f"The references that judge need {missing[0]}, which is not installed here: "
            "`python -m pip install -c constraints.txt -e '.[grading,reference]'` brings it."
        )
    return ""


PAGES_ONLY = {"answers.py", "cli.py", "plots.py", "quizzes.py", "quiz_terminal.py", "site"}  # no grade depends on them


def _course_hash() -> str:
    """A hash of the package's own code: tasks, references, comparison, player."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] in PAGES_ONLY:
            continue
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def key_of(cells: list[Cell], seed: int, problem: str | None, limits: Limits, unsafe: bool) -> str:
    """The hash of everything that an outcome depends on."""
    everything = [FORMAT, [vars(cell) for cell in cells], seed, problem, asdict(limits), unsafe, versions()]
    if language() != SOURCE:  # in which it is told
        everything.append(language())
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def _write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write beside and move into place, for the instructor's eyes alone."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@functools.lru_cache(maxsize=8)  # once in a process
def recall(seed: int, truths: bytes) -> None:
    """Take over what the references gave for a seed in another process."""
    for name, known in wire.decode(truths).items():
        checks_run.drawn(find(name), seed).recall(known)


@functools.cache
def _truths(path: Path, seed: int, names: tuple[str, ...]) -> bytes:
    try:
        kept = path.read_bytes()
        recall(seed, kept)
        return kept
    except Exception:  # there is none, or it holds something else
        truths = wire.encode({name: checks_run.drawn(find(name), seed).known() for name in names})
        _write(path, truths)
        return truths


@dataclass(frozen=True)
class ClassFolder:
    """Where a class keeps what the referee needs: seeds.json, truths/, records/<student>/<assignment>.json, cache/, roster.json,
    collected/<assignment>.json."""

    path: Path

    def seed(self, assignment: str) -> int:
        """The secret seed of an assignment in this class, drawn once and kept."""
        from filelock import FileLock

        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / "seeds.json"
        with FileLock(self.path / ".seeds.lock", mode=0o600):
            seeds = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
            if assignment not in seeds:
                seeds[assignment] = secrets.randbits(63)
                _write(file, json.dumps(seeds, indent=1, sort_keys=True) + "\n")
        return seeds[assignment]

    def forget_seed(self, assignment: str) -> None:
        """Let the next use draw another seed for an assignment: learners have seen what the cases of this one are."""
        from filelock import FileLock

        with FileLock(self.path / ".seeds.lock", mode=0o600):
            file = self.path / "seeds.json"
            seeds = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
            if seeds.pop(assignment, None) is not None:
                _write(file, json.dumps(seeds, indent=1, sort_keys=True) + "\n")

    def prepare(self, assignment: str, tasks: Iterable[str]) -> bytes:
        """Have at hand what the references give on the secret cases, and return it, for `recall` in other processes.

        It is what an earlier run kept, which spares this one loading torch. Nothing when a reference fails: judging reports that.
        """
        seed, names = self.seed(assignment), tuple(sorted(tasks))
        depends = [FORMAT, seed, names, os.environ.get("UNROLLED_DEVICE"), versions()]
        name = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
        with contextlib.suppress(Exception):
            return _truths(self.path / "truths" / name, seed, names)
        return b""

    def record_path(self, student: str, assignment: str, notebook: str) -> Path:
        name = assignment if notebook == assignment else f"{assignment}--{notebook}"
        return self.path / "records" / student / f"{name}.json"

    def record(self, student: str, assignment: str, notebook: str | None = None) -> dict[str, Any] | None:
        """What was kept about the last judging of a submission, or None."""
        path = self.record_path(student, assignment, notebook or assignment)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def write_record(self, student: str, assignment: str, notebook: str, record: dict[str, Any]) -> None:
        path = self.record_path(student, assignment, notebook)
        _write(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    def roster(self) -> dict[str, str]:
        """The logins of students by their numbers on the platform that they hand in on, as `unrolled roster` was told."""
        path = self.path / "roster.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def keep_roster(self, logins: dict[str, str]) -> None:
        _write(self.path / "roster.json", json.dumps(logins, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    def collected(self, assignment: str) -> dict[str, list[str]]:
        """What was remarked when an assignment was collected, by student."""
        path = self.path / "collected" / f"{assignment}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def keep_collected(self, assignment: str, remarks: dict[str, list[str]]) -> None:
        _write(self.path / "collected" / f"{assignment}.json", json.dumps(remarks, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    def begun(self, student: str, assignment: str) -> Path:
        """The file that is there while a submission is being written: whoever finds it knows that a run was cut off."""
        return self.path / "records" / student / f"{assignment}.begun"

    def begin(self, student: str, assignment: str, notebooks: Iterable[str]) -> None:
        """Say that a submission is going to be written, and keep what its present grades rest on. A run that was cut off said so, too."""
        if not self.begun(student, assignment).exists():
            rest_on = {notebook: _rest_on(self.record(student, assignment, notebook)) for notebook in notebooks}
            _write(self.begun(student, assignment), json.dumps(rest_on))

    def rest_on(self, student: str, assignment: str, notebook: str) -> dict[str, Any]:
        """What the grades in the gradebook rest on: "handed_in" and "answers" of the record; nothing where nobody knows."""
        begun = self.begun(student, assignment)
        if not begun.exists():
            return _rest_on(self.record(student, assignment, notebook))
        try:
            return dict(json.loads(begun.read_text(encoding="utf-8"))[notebook])
        except (ValueError, TypeError, KeyError):  # of an earlier version, which left it empty
            return {}

    def cached(self, key: str) -> Outcome | None:
        """The outcome that was kept under a key, or None; a file that can't be read counts as none."""
        try:
            found = json.loads((self.path / "cache" / f"{key}.json").read_text(encoding="utf-8"))
            return Outcome(**{**found, "cached": True})
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome for the next run, unless a crash or a time-out was in it, or no sandbox around it."""
        if not outcome.incidents and outcome.sandbox == "bwrap":
            _write(self.path / "cache" / f"{key}.json", json.dumps(vars(outcome), ensure_ascii=False))


def _rest_on(record: dict[str, Any] | None) -> dict[str, Any]:
    return {part: record[part] for part in ("handed_in", "answers") if record and part in record}


def judge_cached(
    folder: ClassFolder, assignment: str, cells: list[Cell], *, problem: str | None = None, limits: Limits = Limits(),
    unsafe: bool | None = None, judged: Mapping[str, Outcome] | None = None,
) -> tuple[Outcome, str]:  # fmt: skip
    """The outcome of judging these cells with the class's secret seed, and its key.

    It comes from `judged`, what other processes judged for this one, or from the cache, when it is there.
    """
    unsafe = sandbox.unsafe_by_environment() if unsafe is None else unsafe
    seed = folder.seed(assignment)
    key = key_of(cells, seed, problem, limits, unsafe)
    if judged and key in judged:
        return judged[key], key
    outcome = None if unsafe else folder.cached(key)
    if outcome is None:
        folder.prepare(assignment, tasks_of(cells))
        outcome = judge(cells, seed, problem=problem, limits=limits, unsafe=unsafe)
        folder.keep(key, outcome)
    return outcome, key


def record_of(
    cells: list[Cell], outcome: Outcome, key: str, seed: int, problem: str | None, notes: list[str], handed_in: str, answers: dict[str, str]
) -> dict[str, Any]:
    """What is kept about a judging, so that it can be repeated and disputed.

    handed_in: the digest of what was handed in. answers: those of the cells that a person marks.
    """
    return {
        "format": FORMAT, "status": status(outcome, problem), "points": outcome.points, "problem": problem, "notes": notes,
        "handed_in": handed_in, "answers": answers,
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"), "key": key, "seed": seed, "versions": versions(),
        "outcome": vars(outcome), "cells": [vars(cell) for cell in cells],
    }  # fmt: skip


def remarks_of(record: dict[str, Any], incidents: bool = True) -> list[str]:
    """Everything that a record tells beside the points: what logs, tables, pages and exports show, in this order."""
    ended = record.get("outcome", {}).get("incidents", []) if incidents else []
    return [*filter(None, [record.get("problem")]), *record.get("notes", []), *ended]


# How an incident ends that is one of time. What stands before it may be a learner's words.
OUT_OF_TIME = re.compile(r"(in time|in time and was stopped|no time left|was over|stopped after \S+ s)$")


def status(outcome: Outcome, problem: str | None) -> str:
    """One word for a table: refused (nothing could be used), crashed, timed out, or graded."""
    if problem is not None:
        return "refused"
    if not outcome.incidents:
        return "graded"
    return "timed out" if any(map(OUT_OF_TIME.search, outcome.incidents)) else "crashed"


def unknown_tasks(notebook: Any) -> list[str]:
    """The test cells of a notebook that no task judges."""
    return [cell.task for cell in cells_of(notebook) if cell.kind == "task" and cell.task not in TASKS]
