"""Compute what edits of right answers give on the public cases, for checks to look up: `python tools/diagnosis_table.py`.

Every rule of `edits.py` is tried on every right answer at hand: the model answers of `solutions/`, and the right solutions in other
styles of `tests/assignments/honest/`. What a learner's package gets is a fingerprint and a sentence for each, and no code
(`unrolled/checks/diagnosis/table.npz`). `--task NAME` computes one task anew and keeps the others; `--check` only says which are stale.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import hashlib
import inspect
import io
import itertools
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
COURSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(COURSE / "tools"), str(COURSE / "tests" / "assignments")]

import edits  # noqa: E402
import numpy as np  # noqa: E402
from filelock import FileLock  # noqa: E402
from course_notebooks import model_notebook  # noqa: E402
from honest import HONEST  # noqa: E402

from unrolled.checks import TASKS, Task  # noqa: E402
from unrolled.checks import run as checks_run  # noqa: E402
from unrolled.checks.diagnosis import fingerprint as prints  # noqa: E402
from unrolled.checks.diagnosis import table  # noqa: E402
from unrolled.checks.observe import same  # noqa: E402
from unrolled.checks.diagnosis.search import asked_cases, diagnosed_cases  # noqa: E402
from unrolled.checks.diagnosis.sentences import SENTENCES  # noqa: E402

CALL = 1.0           # seconds of processor time that an edited answer may take for all cases
OTHER_SEED = 1       # where edits are compared that the public cases can't tell apart
STYLES, LONG = 4, 2200  # other styles of a task; only one where the model answer has more characters
MANY = 2000          # edits of one function, of which only the plain ones are tried, and these:
ALWAYS = ("restarts", "slopes-throughout", "new-value", "block-order", "parameters-divided")
VERSION = 2          # of what is kept of an edit: raise it when that changes
STYLE = 10           # added to the rank of an edit of another style: the model answer's own words come first


class OutOfTime(BaseException):
    """An edited answer that does not end."""


# --- Right answers -----------------------------------------------------------------------------


@dataclass
class Answer:
    """A right answer: its functions by name, which of them is the task's, the names that they find, and its text.

    edited: the functions in which edits are made."""

    style: str
    functions: dict[str, ast.FunctionDef]
    entry: str
    space: dict[str, Any]
    text: str
    edited: tuple[str, ...] = ()


def _bare(function: ast.FunctionDef) -> ast.FunctionDef:
    """The function without docstrings and annotations."""
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return function


def _needed(functions: dict[str, ast.FunctionDef], entry: str) -> dict[str, ast.FunctionDef]:
    """The functions that `entry` calls, and itself, first."""
    found: dict[str, ast.FunctionDef] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in functions and name not in found:
            found[name] = functions[name]
            waiting += [n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name)]
    return found


def model_answer(task: Task) -> Answer:
    """The model answer, with the functions of earlier tasks that it calls."""
    space: dict[str, Any] = {"__name__": "model_answer"}
    functions: dict[str, ast.FunctionDef] = {}
    texts = []
    for cell in model_notebook(task.assignment).cells:
        meta = cell.metadata.get("nbgrader", {})
        if "setup" in cell.metadata.get("tags", []) or (meta.get("solution") and cell.cell_type == "code"):
            exec(cell.source, space)
            found = {n.name: _bare(n) for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)}
            functions |= found
            texts.append((found.keys(), cell.source))
    functions = _needed(functions, task.name)
    text = "".join(source for names, source in texts if names & functions.keys())
    return Answer("model", functions, task.name, space, text, tuple(functions))


def styles(task: Task) -> Iterator[Answer]:
    """Some right solutions of the tests in other styles; edits are made in the task's own function only."""
    for function in HONEST.get(task.name, ()):
        module = inspect.getmodule(function)
        if not inspect.isfunction(function) or function.__name__ == "<lambda>" or not module.__name__.startswith("honest"):
            continue
        source = inspect.getsource(module)
        functions = {n.name: _bare(n) for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
        if function.__name__ in functions:
            needed = _needed(functions, function.__name__)
            text = "".join(ast.get_source_segment(source, f) or "" for f in needed.values())
            yield Answer(function.__name__, needed, function.__name__, dict(vars(module)), text, (function.__name__,))


def inlined(answer: Answer) -> Iterator[Answer]:
    """The answer with the bodies of the functions that it calls in the place of the calls, where it calls any."""
    functions = dict(answer.functions)
    for name in reversed(functions):  # those that call nothing come first
        functions[name] = edits.inlined(functions[name], functions)
    if ast.dump(functions[answer.entry]) != ast.dump(answer.functions[answer.entry]):
        yield Answer("inlined", _needed(functions, answer.entry), answer.entry, answer.space, "", (answer.entry,))


def answers(task: Task) -> list[Answer]:
    model = model_answer(task)
    count = 1 if len(model.text) > LONG else STYLES
    return [model, *inlined(model), *itertools.islice(styles(task), count)]


class Workshop:
    """The functions of an answer, built; one of them can be changed for a while."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.space = dict(answer.space) | edits.RUNTIME
        tree = ast.Module([ast.fix_missing_locations(edits.clone(f)) for f in answer.functions.values()], [])
        exec(compile(tree, "<answer>", "exec"), self.space)

    @property
    def function(self) -> Callable:
        return self.space[self.answer.entry]

    @contextlib.contextmanager
    def with_edit(self, name: str, edit: edits.Edit) -> Iterator[Callable]:
        """The task's function with one edit made in the function `name`."""
        before = self.space[name]
        with edits.made(self.answer.functions[name], edit) as tree:
            code = compile(ast.Module([tree], []), "<answer>", "exec")
        try:
            exec(code, self.space)
            yield self.function
        finally:
            self.space[name] = before


# --- What a function does on all cases ---------------------------------------------------------


@contextlib.contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@functools.cache
def cases_of(task: Task, seed: int) -> list[tuple[Any, Any]]:
    """Pairs (case, truth) that a diagnosis looks at: with the public seed all that it asks, else those of the seed."""
    if seed == checks_run.PUBLIC_SEED:
        return asked_cases(task)
    drawn = checks_run.drawn(task, seed)
    return [(case, task.reference(*checks_run.copy_of(case.arguments).values())) for case in diagnosed_cases(drawn)]


def did(task: Task, function: Callable, seed: int) -> tuple[int, np.ndarray] | None:
    """The fingerprint of a function; None where it stops on the first case, takes too long or returns nothing to compare."""
    done, cases = [], cases_of(task, seed)
    try:
        with _limit(CALL):
            for case, truth in cases:
                given, value, error = checks_run.copy_of(case.arguments), None, None
                try:
                    value = checks_run.copy_of(function(*given.values()))
                except Exception as raised:
                    error = type(raised).__name__
                    if not done:
                        return None
                changed = tuple(name for name, before in case.arguments.items() if not same(before, given[name]))
                done.append((checks_run.Observation(value, error, error, changed), truth))
            return prints.fingerprint(done)
    except (OutOfTime, RecursionError, MemoryError):
        return None


# --- Names -------------------------------------------------------------------------------------


def _kind(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ("array", value.shape)
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return "number"
    return None if callable(value) or inspect.ismodule(value) else type(value).__name__


def _key(value: Any) -> Any:
    """What tells one value from another, for values that a name can be found by."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size > 1:
        return value.shape, np.round(value.astype(float), 9).tobytes()
    return None


def _written_into(function: ast.FunctionDef) -> set[str]:
    """The names of arrays that a function changes in place."""
    targets = [t for n in ast.walk(function) if isinstance(n, ast.Assign) for t in n.targets] + [
        n.target for n in ast.walk(function) if isinstance(n, ast.AugAssign)]
    inside = [x for t in targets for x in ast.walk(t) if isinstance(x, ast.Subscript)]
    return {x.value.id for x in inside if isinstance(x.value, ast.Name)} | {
        n.target.id for n in ast.walk(function) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}


def _well_known(task: Task, arguments: dict[str, Any]) -> dict[Any, str]:
    """What to call values that are simple functions of an argument."""
    found = {}
    for name, value in arguments.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            functions = {f"softmax({name})": edits.RUNTIME["_softmax"], f"{name}ᵀ": np.transpose, f"tanh({name})": np.tanh, f"1 − {name}²": lambda v: 1 - v**2}
            for text, function in functions.items():
                found[_key(function(value))] = text
    return found


def traced(answer: Answer, arguments: dict[str, Any]) -> dict[str, dict[str, tuple[Any, set]]]:
    """For every function of an answer: the class of each local value, and the values it had."""
    found: dict[str, dict[str, tuple[Any, set]]] = {name: {} for name in answer.functions}
    written_into = {name: _written_into(function) for name, function in answer.functions.items()}  # of these only the last value counts

    def look(frame: FrameType, event: str, _: Any) -> Any:
        if event in ("line", "return"):
            local = found[frame.f_code.co_name]
            for name, value in frame.f_locals.items():
                kind = _kind(value)
                if kind is not None and not name.startswith("."):
                    keys = local.setdefault(name, (kind, set()))[1]
                    if event == "return" or name not in written_into[frame.f_code.co_name]:
                        keys.add(_key(value))
        return look

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        return look if frame.f_code.co_filename == "<answer>" and frame.f_code.co_name in found else None

    function = Workshop(answer).function
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.settrace(enter)
        try:
            function(*checks_run.copy_of(arguments).values())
        finally:
            sys.settrace(None)
    return found


def scopes(task: Task, answer: Answer, model: dict[str, dict[str, tuple[Any, set]]]) -> dict[str, edits.Scope]:
    """What is known of each function of an answer. Another style's names are those of the model answer for the same values."""
    form = cases_of(task, checks_run.PUBLIC_SEED)[0][0]
    known = {key: name for local in reversed(model.values()) for name, (_, keys) in local.items() for key in keys if key is not None}
    known = _well_known(task, form.arguments) | known
    found = {}
    for function, local in traced(answer, form.arguments).items():
        arguments = [a.arg for a in answer.functions[function].args.args]
        if answer.style in ("model", "inlined"):
            names = {n.id: n.id.rstrip("_") for n in ast.walk(answer.functions[function]) if isinstance(n, ast.Name)} | {a: a for a in arguments}
        else:
            names = {}
            for name, (_, keys) in local.items():
                meant = {known.get(key) for key in keys}
                if len(meant) == 1 and None not in meant:
                    names[name] = meant.pop()
                elif name in task.arguments and function == answer.entry:
                    names[name] = name
                elif name in ("t", "n", "k", "T", "N", "D", "H", "V"):
                    names[name] = name
        own = TASKS.get(function, task if function == answer.entry else None)
        found[function] = edits.Scope({name: kind for name, (kind, _) in local.items()}, names, _outputs(own or task), arguments, _sizes(own, arguments))
    return found


def _outputs(task: Task) -> list[str]:
    return [output.name for output in task.outputs]


def _sizes(task: Task | None, arguments: list[str]) -> dict[str, str]:
    """What gives the size of each axis of a task's arguments."""
    found: dict[str, str] = {}
    for mine, axes in zip(arguments, task.arguments.values() if task else ()):
        for place, axis in enumerate(axes or ()):
            if not axis[0].isdigit():
                found.setdefault(axis, f"{mine}.shape[{place}]")
    return found


# --- The table ---------------------------------------------------------------------------------


Sentence = tuple[str, tuple[tuple[str, str], ...]]  # a template, and what fills it
Made = Callable[[], contextlib.AbstractContextManager[Callable]]  # the task's function with an edit, for a while


@dataclass
class Hit:
    """An edit with an effect: how it ranks, its sentence, and how to build it again."""

    rank: tuple
    sentence: Sentence
    make: Made
    point: np.ndarray


def _sentence(edit: edits.Edit) -> Sentence:
    """The template of an edit and those of its fills that the template shows."""
    return edit.template, tuple(pair for pair in edit.fills if "{" + pair[0] + "}" in "".join(SENTENCES[edit.template]))


def edited(task: Task) -> Iterator[tuple[tuple, Sentence, Made]]:
    """Every edit of every right answer that is tried: its rank, its sentence, and how to build it."""
    model = traced(model_answer(task), cases_of(task, checks_run.PUBLIC_SEED)[0][0].arguments)
    for number, answer in enumerate(answers(task)):
        workshop = Workshop(answer)
        for name, scope in scopes(task, answer, model).items():
            if name not in answer.edited:
                continue
            found = edits.Rules(answer.functions[name], scope).edits()
            for edit in found:
                if edit.rank > (0 if len(found) > MANY else 2 if number == 0 else 1) and edit.template not in ALWAYS:
                    continue
                sentence = _sentence(edit)
                unclear = sum(text.count("…") for _, text in sentence[1])
                rank = (edit.rank + (STYLE if answer.style not in ("model", "inlined") else 0) + 3 * unclear, number, sum(len(text) for _, text in sentence[1]))
                yield rank, sentence, functools.partial(workshop.with_edit, name, edit)


def done_by(task: Task, make: Made, seed: int) -> tuple[int, np.ndarray] | None:
    """The fingerprint of an edited answer; None where it has none, or what stands there now is no Python."""
    try:
        with make() as function:
            return did(task, function, seed)
    except (SyntaxError, ValueError, TypeError, AttributeError):
        return None


def hits(task: Task) -> dict[int, list[list[Hit]]]:
    """Edits that change something, by the form of their results; those of one fingerprint together."""
    found: dict[int, list[list[Hit]]] = {}
    right = did(task, task.solution, checks_run.PUBLIC_SEED)
    for rank, sentence, make in edited(task):
        seen = done_by(task, make, checks_run.PUBLIC_SEED)
        if seen is None or (seen[0] == right[0] and prints.agree(seen[1], right[1])):
            continue
        hit = Hit(rank, sentence, make, seen[1])
        for group in found.setdefault(seen[0], []):
            if prints.agree(group[0].point, seen[1]):
                group.append(hit)
                break
        else:
            found[seen[0]].append([hit])
    return found


def sentence_of(task: Task, group: list[Hit]) -> tuple | None:
    """The sentence for edits that the public cases can't tell apart: the plainest; None if others mean something else."""
    group = sorted(group, key=lambda hit: hit.rank)
    best = group[0]
    others = {hit.sentence: hit for hit in reversed(group) if hit.sentence != best.sentence and hit.rank[0] <= best.rank[0] + 1}
    if others:
        mine = done_by(task, best.make, OTHER_SEED)
        for hit in list(others.values())[:4]:
            other = done_by(task, hit.make, OTHER_SEED)
            if (mine is None) != (other is None) or (mine and (mine[0] != other[0] or not prints.agree(mine[1], other[1]))):
                return None
    if any(not text.strip("…(), ") for _, text in best.sentence[1]):
        return None  # it would name nothing
    return best.sentence


def rows(task: Task) -> table.Rows:
    """The rows of one task."""
    sentences: dict[tuple, int] = {}
    forms, points, numbers = [], [], []
    for form, groups in hits(task).items():
        for group in groups:
            sentence = sentence_of(task, group)
            if sentence is not None:
                forms.append(form)
                points.append(group[0].point)
                numbers.append(sentences.setdefault(sentence, len(sentences)))
    return table.Rows(
        np.array(forms, np.uint32), np.array(points).reshape(-1, prints.PROJECTIONS), np.array(numbers, np.uint16),
        [[template, dict(fills)] for template, fills in sentences], stamp(task),
    )


def searched() -> list[Task]:
    """The tasks whose results are computed; random results have judges of their own."""
    return [task for task in TASKS.values() if not any(case.judge and not case.costly for case in checks_run.drawn(task, checks_run.PUBLIC_SEED).values)]


def stamp(task: Task) -> str:
    """What a task's rows depend on: rules, right answers, fingerprints, and the public cases."""
    digest = hashlib.sha256()
    digest.update(str(VERSION).encode())
    for path in (Path(edits.__file__), Path(prints.__file__)):
        digest.update(path.read_bytes())
    for answer in answers(task):
        digest.update(answer.text.encode())
    for case, _ in asked_cases(task):
        form, leaves = prints.taken_apart(case.arguments)
        digest.update(form.encode())
        for leaf in leaves:
            digest.update(np.round(leaf, 6).tobytes())
    return digest.hexdigest()[:16]


def stale() -> list[str]:
    """The tasks whose rows are not those of today's rules, answers and cases."""
    stamps = table.stamps()
    return [task.name for task in searched() if task.name in stamps and stamps[task.name] != stamp(task)]


def missing() -> list[str]:
    """The tasks that have no rows yet."""
    return [task.name for task in searched() if task.name not in table.stamps()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", action="append", help="only this task (again for more)")
    parser.add_argument("--all", action="store_true", help="every task, stale or not")
    parser.add_argument("--check", action="store_true", help="only say which tasks are stale")
    options = parser.parse_args()
    if options.check:
        sys.exit(f"stale: {', '.join(stale())}; without rows: {', '.join(missing())}" if stale() or missing() else None)
    names = options.task or ([task.name for task in searched()] if options.all else stale() + missing())
    for name in names:
        began = time.process_time()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                computed = rows(TASKS[name])
        print(f"{name}: {len(computed.forms)} results, {len(computed.sentences)} sentences, {time.process_time() - began:.0f} s", flush=True)
        with FileLock(str(table.PATH) + ".lock"):  # several may run, each on tasks of its own
            kept = {task.name for task in searched()}
            table.write({task: rows for task, rows in table.everything().items() if task in kept} | {name: computed})
    found = table.everything()
    print(f"{table.PATH.relative_to(COURSE)}: {sum(len(r.forms) for r in found.values())} results, {table.PATH.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
