"""`work/mine/`, a package of the functions that a learner wrote and that pass: one module an assignment, their code as it stands in the notebooks.

What a function needs is found by reading the notebook (`statements`); that the packed code is right is found by checking the packed code
(`judge`). Where the last definitions of a notebook do not pass, those that stood above a task's check are tried. Nothing replaces a
package before the new one is whole, and the old one stays beside it.
"""

from __future__ import annotations

import ast
import datetime
import difflib
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..checks import TASKS
from ..checks.report import points_text
from ..language import gettext, listed, sentences
from .judge import Verdict, judge
from .statements import END, Notebook, Statement, Unreadable, needed, read

if TYPE_CHECKING:
    from rich.console import Console

NAME = "mine"
RECORD = "record.json"
MADE_BY = "# Packed by `unrolled package`"


class PackageError(ValueError):
    """Nothing could be packed; the message is one sentence that says why and what to do."""


@dataclass
class Module:
    """One module of the package. above_check: it holds what stood above each task's check, not the last definitions."""

    name: str
    notebook: Notebook
    tasks: list[str]
    above_check: bool = False
    verdict: Verdict = field(default_factory=Verdict)

    def text(self) -> str:
        """The module, without its header."""
        return module_text(self.notebook, self.tasks, self.above_check)


@dataclass
class Packed:
    """What became of the notebooks. left: for each task that is not in the package, why. notes: what else to know, a sentence each.

    kept: where the package lies that was there before, or None. diff: what changed against it, as a unified diff. unchanged: there was one,
    and nothing changed.
    """

    folder: Path
    modules: list[Module] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    diff: str = ""
    kept: Path | None = None
    unchanged: bool = False

    @property
    def tasks(self) -> list[str]:
        """The tasks whose functions are in the package, in the course's order."""
        inside = {task for module in self.modules for task in module.tasks}
        return [task for task in TASKS if task in inside]


# --- The whole way -----------------------------------------------------------------------------


def pack(work: Path, files: Sequence[Path] = (), tell: Callable[[str], None] = lambda task: None) -> Packed:
    """Check the functions of a learner's notebooks and write those that pass to `work/mine/`.

    work: the folder with a folder for each assignment. files: notebooks that lie elsewhere, such as in the folder of downloads.
    Raises PackageError when there is nothing to pack, OSError where files can't be read or written; then nothing is changed.
    """
    folder = work / NAME
    if folder.exists() and not (folder / RECORD).is_file():
        raise PackageError(gettext("{folder} is there and was not made by this command: move it away, then pack again.").format(folder=folder))
    found = Packed(folder)
    notebooks = _read_all(_notebooks(work, files), found)
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, prefix=".mine-", ignore_cleanup_errors=True) as beside:
        stage = Path(beside) / NAME
        stage.mkdir()
        for assignment in dict.fromkeys(task.assignment for task in TASKS.values()):
            own = [notebook for notebook in notebooks if notebook.assignment == assignment]
            if own:
                _pack_assignment(assignment, own, stage, found, tell)
        if not found.modules:
            text = gettext("No function of {files} passes its check yet, so nothing was packed:{reasons}")
            raise PackageError(text.format(files=listed(notebook.path.name for notebook in notebooks), reasons=_reasons(found)))
        _finish(stage, folder, found)
    return found


def _reasons(found: Packed) -> str:
    return "".join("\n  " + gettext("{task}: {why}").format(task=task, why=why) for task, why in found.left.items())


def _notebooks(work: Path, files: Sequence[Path]) -> list[Path]:
    """The notebooks to look at: those that were named first, then those of `work`."""
    for file in files:
        if not file.is_file():
            raise PackageError(gettext("There is no notebook {file}: name a file that ends in .ipynb.").format(file=file))
    here = [path for path in sorted(work.glob("*/*.ipynb")) if not any(part.startswith(".") for part in path.relative_to(work).parts)]
    if not files and not here:
        text = gettext("There is no notebook in {folder}: `unrolled start 01-language-models` puts one there; or name the file of one that you downloaded.")
        raise PackageError(text.format(folder=work))
    return list(dict.fromkeys([*files, *here]))


def _read_all(paths: Iterable[Path], found: Packed) -> list[Notebook]:
    notebooks = []
    for path in paths:
        try:
            notebook = read(path)
        except (Unreadable, OSError) as error:
            found.notes.append(str(error))
            continue
        found.notes += notebook.troubles
        if notebook.assignment is None:
            found.notes.append(gettext("{file} defines no function of any assignment, so it was left aside.").format(file=path))
        else:
            notebooks.append(notebook)
    if not notebooks:
        raise PackageError(" ".join(found.notes))
    return notebooks


def _pack_assignment(assignment: str, notebooks: list[Notebook], stage: Path, found: Packed, tell: Callable[[str], None]) -> None:
    """Take each task of an assignment from the first place where it passes: a notebook's last definitions, or those above its check."""
    open_tasks = [name for name, task in TASKS.items() if task.assignment == assignment]
    whys: dict[str, str] = {}
    for notebook in notebooks:
        for above_check in (False, True):
            wanted = [task for task in open_tasks if _worth_trying(notebook, task, above_check)]
            if not wanted:
                continue
            name = _free_name(assignment, stage)
            module = Module(name, notebook, wanted, above_check)
            _settle(module, stage, whys, tell)
            if module.tasks:
                found.modules.append(module)
                found.notes += _remarks(module)
                open_tasks = [task for task in open_tasks if task not in module.tasks]
                _write_init(stage, found)
    for task in open_tasks:
        found.left[task] = whys.get(task) or _absent(task, notebooks)


def _worth_trying(notebook: Notebook, task: str, above_check: bool) -> bool:
    if not notebook.defining(task):
        return False
    return not above_check or _choice(notebook, task, True) != _choice(notebook, task, False)


def _choice(notebook: Notebook, task: str, above_check: bool) -> frozenset[Statement]:
    return frozenset(needed(notebook, task, _place(notebook, task, above_check)).statements)


def _place(notebook: Notebook, task: str, above_check: bool) -> int:
    """From where one looks for what a task needs: the notebook's end, or its check, where the grader calls it."""
    place = notebook.checks.get(task, END)
    return place if above_check and notebook.defining(task, place) else END


def _free_name(assignment: str, stage: Path) -> str:
    """`a02_rnn_forward`; with a number where a second module is needed. No module is called as a function, which would hide it."""
    name = "a" + re.sub(r"\W", "_", assignment)
    names = [name, *(f"{name}_{number}" for number in range(2, 100))]
    return next(free for free in names if not (stage / f"{free}.py").exists())


def _settle(module: Module, stage: Path, whys: dict[str, str], tell: Callable[[str], None]) -> None:
    """Check a module until all that is in it passes by itself: what fails is taken out, with the reason in `whys`."""
    path = stage / f"{module.name}.py"
    while module.tasks:
        path.write_text(module.text() + "\n", encoding="utf-8")
        module.verdict = judge(stage.parent, f"{NAME}.{module.name}", module.tasks, tell)
        if module.verdict.trouble and not module.verdict.records and len(module.tasks) > 1:
            module.tasks = _alone(module, stage, whys, tell)  # one of them stops the import
            continue
        passed = module.verdict.passed()
        for task in module.tasks:
            if task not in passed:
                whys.setdefault(task, _why(module, task))
        if passed == module.tasks:
            return
        module.tasks = passed if passed else []
    path.unlink(missing_ok=True)


def _alone(module: Module, stage: Path, whys: dict[str, str], tell: Callable[[str], None]) -> list[str]:
    """The tasks of a module that pass when each is packed by itself."""
    passed = []
    for task in module.tasks:
        alone = Module(module.name, module.notebook, [task], module.above_check)
        _settle(alone, stage, whys, tell)
        passed += alone.tasks
    if passed == module.tasks:  # together they fail: what one needs disturbs another
        whys.update({task: gettext("it passes alone, but not together with the others of its notebook") for task in passed[1:]})
        return passed[:1]
    return passed


def _why(module: Module, task: str) -> str:
    """Why a task is left out, in words that follow its name."""
    record = module.verdict.records.get(task)
    unknown = sorted(needed(module.notebook, task, _place(module.notebook, task, module.above_check)).unknown)
    lacking = gettext("No cell gives {names} a value.").format(names=listed(unknown)) if unknown else ""
    if record is None:
        return sentences(f"{module.verdict.trouble}.", lacking)
    if record.get("unwritten") == task:
        return gettext("not written yet")
    failed = next((step["name"] for step in record["steps"] if step["status"] == "failed"), "")
    why = record["message"].splitlines()[0] if failed == "runs" else record["explanation"]
    stops = gettext("stops at “{step}”.").format(step=gettext(failed)) if failed else record["message"]
    return sentences(stops, why, lacking)


def _absent(task: str, notebooks: list[Notebook]) -> str:
    names = listed(dict.fromkeys(notebook.path.name for notebook in notebooks))
    return gettext("no readable cell of {files} defines it").format(files=names)


def _remarks(module: Module) -> list[str]:
    """What a learner should know of a module's functions."""
    said, notebook = [], module.notebook
    for task in module.tasks:
        definitions = notebook.defining(task)
        if module.above_check:
            text = gettext("{task} changes below its check in {file}, and what stands there does not pass: the package holds what stood above it.")
            said.append(text.format(task=task, file=notebook.path.name))
        elif len({ast.dump(statement.node) for statement in definitions}) > 1:
            cells = listed(str(cell) for cell in dict.fromkeys(s.cell for s in definitions))
            text = gettext("{task} is defined more than once in {file} (cells {cells}): the package holds the last one.")
            said.append(text.format(task=task, file=notebook.path.name, cells=cells))
        statements = needed(notebook, task, _place(notebook, task, module.above_check)).statements
        values = sorted({name for s in statements for name in s.binds | s.may_bind if isinstance(s.node, ast.Assign | ast.AnnAssign | ast.For | ast.With | ast.AugAssign)})
        if values:
            text = gettext("{task} uses {names} from outside of the function, so the package carries that along.")
            said.append(text.format(task=task, names=listed(values)))
        course = sorted({_module_of(s.node) for s in statements if _module_of(s.node).split(".")[0] == "unrolled"} - {"unrolled.checks"})
        if course:
            said.append(gettext("{task} calls the course's own code ({names}): that part is not yours.").format(task=task, names=listed(course)))
    return said


def _module_of(node: ast.stmt) -> str:
    if isinstance(node, ast.ImportFrom):
        return node.module or ""
    return node.names[0].name if isinstance(node, ast.Import) else ""


# --- A module's text ---------------------------------------------------------------------------


def module_text(notebook: Notebook, tasks: Iterable[str], above_check: bool = False) -> str:
    """The code that these tasks' functions need, in the notebook's order and as it stands there; imports first, sorted, only those needed."""
    chosen: set[Statement] = set()
    for task in tasks:
        chosen |= _choice(notebook, task, above_check)
    statements = sorted(chosen, key=lambda statement: statement.place)
    used = {name for statement in statements for name in statement.reads | statement.later | statement.changes}
    imports = [s for s in statements if isinstance(s.node, ast.Import | ast.ImportFrom)]
    rest = [s for s in statements if s not in imports]
    lines = _import_lines(imports, rest, used)
    if lines is None:  # a name means one module here and another thing there: everything stays where it is
        lines, rest = [], statements
    future = sorted(set(notebook.future))
    if future:
        lines.insert(0, f"from __future__ import {', '.join(future)}\n")
    return "\n".join([*lines, *_spaced(rest)]).strip("\n")


def _import_lines(imports: list[Statement], rest: list[Statement], used: set[str]) -> list[str] | None:
    """The imports as sorted lines, those of Python's own library first; None where a name is bound in other ways, too."""
    plain: dict[str, set[str]] = {}  # the line of each name
    modules: dict[str, set[str]] = {}  # what is taken from each module
    for statement in imports:
        node = statement.node
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if alias.name != "*" and bound not in used:
                continue
            shown = alias.name + (f" as {alias.asname}" if alias.asname else "")
            if isinstance(node, ast.Import):
                plain.setdefault(bound, set()).add(f"import {shown}")
            elif node.module != "__future__":
                source = "." * node.level + (node.module or "")
                plain.setdefault(bound, set()).add(f"from {source} import {shown}")
                modules.setdefault(source, set()).add(shown)
    elsewhere = {name for statement in rest for name in statement.binds | statement.may_bind}
    whole_modules = all(all(line.startswith("import ") and " as " not in line for line in lines) for lines in plain.values() if len(lines) > 1)
    if not whole_modules or elsewhere & plain.keys():
        return None
    lines = {line for of in plain.values() for line in of if line.startswith("import ")}
    lines |= {f"from {source} import {', '.join(sorted(names))}" for source, names in modules.items()}
    own = sorted((line for line in lines if _first(line) in sys.stdlib_module_names), key=_by_module)
    others = sorted((line for line in lines if _first(line) not in sys.stdlib_module_names), key=_by_module)
    return [*own, *([""] if own and others else []), *others]


def _first(line: str) -> str:
    return line.split()[1].split(".")[0]


def _by_module(line: str) -> tuple[str, str]:
    return line.split()[1].casefold(), line


def _spaced(statements: list[Statement]) -> Iterable[str]:
    """The statements' texts, with two empty lines around functions and classes."""
    before = None
    for statement in statements:
        block = isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if before is None or block or before:
            yield "\n"
        yield statement.text
        before = block


# --- Writing -----------------------------------------------------------------------------------


def _header(module: Module, date: str) -> str:
    """The comment at a module's top."""
    name = module.notebook.path.name.encode("unicode_escape").decode("ascii")
    width = max(map(len, module.tasks))
    lines = [f"{MADE_BY} on {date} from {name}, as you wrote it. Course version {__version__}. Checks passed:"]
    for task in module.tasks:
        record = module.verdict.records[task]
        points = f"{points_text(record['points'])} of {points_text(record['max_points'])} points"
        lines.append(f"#   {task:<{width}}  {points}, {len(record['steps'])} steps, judged by {record['judge']}")
    return "\n".join(lines) + "\n\n"


def _write_init(stage: Path, found: Packed, head: str = "") -> None:
    inside = "".join(f"from .{module.name} import {', '.join(module.tasks)}\n" for module in found.modules if module.tasks)
    names = "".join(f'    "{task}",\n' for task in found.tasks)
    docs = '"""The functions of the course that I wrote, as far as they pass its checks."""\n\n'
    (stage / "__init__.py").write_text(f"{head}{docs}{inside}\n__all__ = [\n{names}]\n", encoding="utf-8")


def _finish(stage: Path, folder: Path, found: Packed) -> None:
    """Add headers and the record, compare with the package that is there, and put the new one in its place."""
    now = datetime.datetime.now(datetime.UTC)
    date = now.date().isoformat()
    before = read_record(folder)
    for module in found.modules:
        (stage / f"{module.name}.py").write_text(_header(module, date) + module.text() + "\n", encoding="utf-8")
    _write_init(stage, found, f"{MADE_BY} on {date}. Course version {__version__}.\n")
    record = {"version": 1, "course": __version__, "packed": now.isoformat(timespec="seconds"), "tasks": _task_records(found, before, date)}
    (stage / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if not folder.exists():
        stage.rename(folder)
        return
    found.diff = _diff(folder, stage)
    found.unchanged = not found.diff
    if found.unchanged:
        return
    found.kept = next(path for path in (folder.with_name(f"{NAME}-{number}") for number in range(1, 10_000)) if not path.exists())
    folder.rename(found.kept)
    try:
        stage.rename(folder)
    except BaseException:
        found.kept.rename(folder)
        raise


def _task_records(found: Packed, before: dict[str, Any], date: str) -> dict[str, Any]:
    """What the record says of each task; `since` is the day on which it was first packed."""
    tasks = {}
    for module in found.modules:
        for task in module.tasks:
            record = module.verdict.records[task]
            since = before.get("tasks", {}).get(task, {}).get("since", date)
            tasks[task] = {
                "assignment": TASKS[task].assignment, "module": module.name, "points": record["points"], "max_points": record["max_points"],
                "judge": record["judge"], "since": since,
            }  # fmt: skip
    return {task: tasks[task] for task in TASKS if task in tasks}


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a package; an empty one where there is none, or none that can be understood."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    tasks = record.get("tasks") if isinstance(record, dict) else None
    return record if isinstance(tasks, dict) and all(isinstance(task, dict) for task in tasks.values()) else {}


def _diff(old: Path, new: Path) -> str:
    """What differs between two packages, headers and records aside, as a unified diff."""
    names = sorted({path.name for folder in (old, new) for path in folder.glob("*.py")})
    parts = []
    for name in names:
        left, right = (_code_lines(folder / name) for folder in (old, new))
        parts += difflib.unified_diff(left, right, f"before/{name}", f"now/{name}", lineterm="")
    return "\n".join(parts)


def _code_lines(path: Path) -> list[str]:
    """A module's lines after its header; none when there is no such file."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if lines and lines[0].startswith(MADE_BY):
        lines = lines[1:]
        while lines and lines[0].startswith("#   "):
            lines = lines[1:]
    return lines



# --- What the learner sees ---------------------------------------------------------------------


def describe(found: Packed, console: Console) -> None:
    """Say what was packed, what was left out and why, and what changed."""

    def say(text: str, **style: Any) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True, **style)

    if found.diff:
        for line in found.diff.splitlines():
            say(line, style={"+": "green", "-": "red", "@": "cyan"}.get(line[:1], ""))
        say("")
    for module in found.modules:
        say(gettext("{file}: {names}").format(file=f"{module.name}.py", names=listed(module.tasks)))
    for task, why in found.left.items():
        say(gettext("left out: {task}: {why}").format(task=task, why=why))
    for note in found.notes:
        say(gettext("note: {note}").format(note=note))
    text = gettext("{count} of {all} functions pass and are in {folder}.")
    say(text.format(count=len(found.tasks), all=len(TASKS), folder=found.folder))
    if found.kept:
        say(gettext("The package that was there before is kept as {folder}.").format(folder=found.kept))
    elif found.unchanged:
        say(gettext("Nothing has changed since it was packed last."))
    text = gettext("Use it where the folder {folder} is on Python's path:  {line}")
    say(text.format(folder=found.folder.parent, line=f"from {NAME} import {found.tasks[0]}"))
