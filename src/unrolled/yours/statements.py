"""A learner's notebook as the statements that its cells hold: what each binds, changes and reads, and what a function needs of them.

Nothing is run. Names are resolved as Python would in a notebook that was run from the top: what is read while a cell runs is what stood
above; what a function reads when it is called is what the notebook holds at the place from which one looks.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..checks import TASKS
from ..checks.magics import without_magics
from ..language import gettext

MAX_FILE = 64 * 2**20   # bytes
MAX_TEXT = 1_000_000    # characters of code in a notebook
END = sys.maxsize       # the place behind the last statement


class Unreadable(ValueError):
    """A file that is no notebook; the message is one sentence that names it and says what to do."""


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top level of a cell.

    place: its number in the notebook; cell: the number of its cell of code, from 1. text: its lines and the comments that belong to it.
    binds: names that it gives a value in any case; may_bind: in some cases; changes: names whose value it changes. reads: names that it
    needs when it runs; later: names that functions in it need when they are called.
    """

    node: ast.stmt
    text: str
    place: int
    cell: int
    binds: frozenset[str]
    may_bind: frozenset[str]
    changes: frozenset[str]
    reads: frozenset[str]
    later: frozenset[str]


@dataclass
class Notebook:
    """What was read of a notebook. troubles: a sentence on each cell that can't be read. checks: where each task is checked."""

    path: Path
    statements: list[Statement] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=dict)
    future: list[str] = field(default_factory=list)  # features of `from __future__ import`

    @property
    def assignment(self) -> str | None:
        """The assignment to which the notebook belongs: the one whose tasks it checks, else whose tasks it defines; None for none."""
        defined = {name for statement in self.statements for name in statement.binds}
        for names in (self.checks, defined):
            of = [TASKS[name].assignment for name in names if name in TASKS]
            if of:
                return max(sorted(set(of)), key=of.count)
        return None

    def defining(self, name: str, place: int = END) -> list[Statement]:
        """The statements that bind a name, above a place."""
        return [statement for statement in self.statements if statement.place < place and name in statement.binds]


# --- Reading -----------------------------------------------------------------------------------


def read(path: Path) -> Notebook:
    """Read a notebook's cells of code. A cell that can't be read is told of in `troubles`. Raises Unreadable, OSError."""
    if path.stat().st_size > MAX_FILE:
        text = gettext("{file} has {size} MB, and {most} MB can be read: clear its outputs.")
        raise Unreadable(text.format(file=path, size=f"{path.stat().st_size / 1e6:.0f}", most=f"{MAX_FILE / 1e6:.0f}"))
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        text = gettext("{file} can't be read as a notebook (it is not valid JSON): open it in Jupyter and save it again.")
        raise Unreadable(text.format(file=path)) from None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        text = gettext("{file} is not a Jupyter notebook of version 4 (it has no list of cells): open it in Jupyter and save it again.")
        raise Unreadable(text.format(file=path))
    found = Notebook(path)
    codes = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    if sum(len(_source(cell)) for cell in codes) > MAX_TEXT:
        text = gettext("{file} holds more than {count} characters of code: is it the right file?")
        raise Unreadable(text.format(file=path, count=f"{MAX_TEXT:,}"))
    for number, cell in enumerate(codes, 1):
        _add_cell(found, number, _source(cell), _grade_id(cell))
    return found


def _source(cell: dict) -> str:
    source = cell.get("source", "")
    text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""


def _grade_id(cell: dict) -> str | None:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return nbgrader.get("grade_id") if isinstance(nbgrader, dict) and isinstance(nbgrader.get("grade_id"), str) else None


def _add_cell(found: Notebook, number: int, source: str, grade_id: str | None) -> None:
    text = without_magics(source)
    if grade_id in TASKS:
        found.checks[grade_id] = len(found.statements)
    try:
        body = ast.parse(text).body
        names = [_names(text, node) for node in body]
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        defined = ", ".join(sorted(set(re.findall(r"^(?:async )?def +(\w+)", text, re.MULTILINE))))
        holds = f", which defines {defined}," if defined else ""
        found.troubles.append(f"Cell {number} of {found.path.name}{holds} can't be read by Python ({what}{where}): mend it, then pack again.")
        return
    for node, own, of_node in zip(body, _texts(text, body), names):
        found.future += _future(node)
        for task in _checked(node):
            found.checks.setdefault(task, len(found.statements))
        found.statements.append(Statement(node, own, len(found.statements), number, *of_node))


def _future(node: ast.stmt) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) and node.module == "__future__" else []


def _checked(node: ast.stmt) -> Iterator[str]:
    """The tasks that a statement checks, by calls of `check`."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check" and call.args:
            first = call.args[0]
            name = first.value if isinstance(first, ast.Constant) else first.id if isinstance(first, ast.Name) else None
            if isinstance(name, str) and name in TASKS:
                yield name


def _texts(text: str, body: list[ast.stmt]) -> Iterator[str]:
    """The text of each statement: its own lines as they stand, the comments above it, and those that end its block."""
    lines = text.split("\n")
    end = 0  # the first line that no statement has taken
    for place, node in enumerate(body):
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]) - 1
        last = node.end_lineno or node.lineno
        shared = first < end or (place + 1 < len(body) and body[place + 1].lineno - 1 < last)
        if shared:  # a = 1; b = 2
            own = ast.get_source_segment(text, node) or ast.unparse(node)
        else:
            begin = first
            while begin > end and (lines[begin - 1].lstrip().startswith("#") or not lines[begin - 1].strip()):
                begin -= 1
            while last < len(lines) and re.match(r"\s+#", lines[last]):
                last += 1
            own = "\n".join(lines[begin:last]).strip("\n").rstrip()
        end = last
        yield own


# --- Names -------------------------------------------------------------------------------------


def _names(text: str, node: ast.stmt) -> tuple[frozenset[str], ...]:
    """binds, may_bind, changes, reads, later of a statement."""
    segment = ast.unparse(node)  # as one statement of its own, wherever it stood in its line
    table = symtable.symtable(segment, "<cell>", "exec")
    bound, reads, later = set(), set(), set()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            bound.add(symbol.get_name())
        if symbol.is_referenced():
            reads.add(symbol.get_name())
    for child in table.get_children():
        _global_names(child, reads, later)
    changes = _changed(node)
    if isinstance(node, ast.AugAssign):
        changes |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    bound -= {"*"}
    certain = not isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.TryStar | ast.Match | ast.AugAssign)
    own = {node.name} if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else set()
    if own:
        later -= own  # a function that calls itself
    binds, may_bind = (bound, set()) if certain else (set(), bound)
    if isinstance(node, ast.AnnAssign) and node.value is None:
        binds = set()
    return tuple(map(frozenset, (binds, may_bind, changes, reads - (binds if own else set()), later)))


def _global_names(table: symtable.SymbolTable, reads: set[str], later: set[str]) -> None:
    """Add the names of the module that a scope reads: of a class's body and of a comprehension now, of a function when it is called."""
    now = table.get_type() == "class" or table.get_name() in ("listcomp", "setcomp", "dictcomp", "genexpr")
    for symbol in table.get_symbols():
        if symbol.is_global():
            (reads if now else later).add(symbol.get_name())
    for child in table.get_children():
        _global_names(child, reads if now else later, later)


def _changed(node: ast.stmt) -> set[str]:
    """The names whose value a statement changes in place: `d[k] = v`, `f.attribute = v`, `d.update(...)`."""
    changed = set()
    for inner in _run_now(node):
        targets = []
        if isinstance(inner, ast.Assign | ast.Delete):
            targets = inner.targets
        elif isinstance(inner, ast.AugAssign | ast.AnnAssign):
            targets = [inner.target]
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call) and isinstance(inner.value.func, ast.Attribute):
            targets = [inner.value.func]
        for target in targets:
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
                if isinstance(target, ast.Name):
                    changed.add(target.id)
    return changed


def _run_now(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and all in it that runs with it: not what stands in functions."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _run_now(child)


# --- What a function needs ---------------------------------------------------------------------


@dataclass
class Needed:
    """The statements that a function needs, itself among them, and the names that no cell gives a value."""

    statements: set[Statement] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def needed(notebook: Notebook, name: str, place: int = END) -> Needed:
    """What the function `name` needs, as the notebook stands at a place (a statement's number; by default its end)."""
    found = Needed()
    waiting, seen = [(name, place)], set()
    while waiting:
        wanted = waiting.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        statements = _giving(notebook, *wanted)
        if not statements and not hasattr(builtins, wanted[0]):
            statements = [s for s in notebook.statements if s.place < wanted[1] and _is_star(s.node)]
            if not statements:
                found.unknown.add(wanted[0])
        for statement in statements:
            if statement not in found.statements:
                found.statements.add(statement)
                waiting += [(other, statement.place) for other in statement.reads]
                waiting += [(other, place) for other in statement.later]
    return found


def _giving(notebook: Notebook, name: str, place: int) -> list[Statement]:
    """The statements that give a name its value above a place: the last that binds it in any case, and all after it that change it."""
    found: list[Statement] = []
    for statement in reversed(notebook.statements[: min(place, len(notebook.statements))]):
        if name in statement.binds:
            is_module = isinstance(statement.node, ast.Import | ast.ImportFrom)
            return [statement] if is_module else [*found, statement]  # what is done to a module, such as a seed, is not taken along
        if name in statement.may_bind or name in statement.changes:
            found.append(statement)
    return found if any(name in statement.may_bind for statement in found) else []


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
