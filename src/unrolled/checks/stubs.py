"""A stub's `raise NotImplementedError()` that was left where code is: which line it is, and why the code does not run.

Also used by the program inside the sandbox, which has Python's own library only: this file imports nothing of the package.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable

LONGEST = 200_000  # characters of a text that is looked at
# Why code does not run. What is said here is English: whoever shows it finds it here again, and translates it.
SENTENCES = {
    "above": "Line {line} of its cell, `raise NotImplementedError()`, still stands above your code in {name}, which is never reached: delete that line.",
    "below": "Line {line} of its cell, `raise NotImplementedError()`, still stands below your code in {name}, and your code comes there without a "
             "return: delete that line.",
    "twice": "One cell defines {name} twice: the definition in line {line} is the empty one, and it replaces yours in line {other}. Delete the empty one.",
    "later": "A cell that ran later defines {name} once more, without code, and so replaces yours in another cell: delete that definition, and run the cell "
             "with yours again.",
}


def unwritten(error: NotImplementedError, texts: Iterable[str] = ()) -> str:
    """The name of the function that raised, which another may have called; and, where there is code of it, a second line that says why
    that does not run. texts: other cells, in which the function may be written."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    try:
        why = _why(frame, texts)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        why = None
    return f"{frame.name}\n{why}" if why else frame.name


def _why(frame: traceback.FrameSummary, texts: Iterable[str]) -> str | None:
    import linecache

    functions = _functions("".join(linecache.getlines(frame.filename)), frame.name)
    own = next((f for f in functions if f.lineno <= frame.lineno <= f.end_lineno), None)
    if own is None:
        return None
    place = next((i for i, s in enumerate(own.body) if s.lineno <= frame.lineno <= s.end_lineno), None)
    if place is None or not _is_stub(own.body[place]):
        return None
    if any(not _is_stub(statement) for statement in own.body[place + 1 :]):
        return SENTENCES["above"].format(line=frame.lineno, name=frame.name)
    if any(not _is_stub(statement) for statement in own.body[:place]):
        return SENTENCES["below"].format(line=frame.lineno, name=frame.name)
    written = [f for f in functions if not all(map(_is_stub, f.body))]
    if written:
        return SENTENCES["twice"].format(name=frame.name, line=own.lineno, other=written[-1].lineno)
    for text in texts:
        if any(not all(map(_is_stub, f.body)) for f in _functions(text, frame.name)):
            return SENTENCES["later"].format(name=frame.name)
    return None


def _functions(text: str, name: str) -> list[ast.FunctionDef]:
    """The definitions of a function in a text, in order."""
    if len(text) > LONGEST or name not in text:
        return []
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == name]


def _is_stub(statement: ast.stmt) -> bool:
    """Whether a statement is no code of a solution: a docstring, `...`, `pass`, or the stub's raise."""
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(statement, ast.Pass) or isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
