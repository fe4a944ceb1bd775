"""What a learner's own code shows: arguments that it never reads, and signs of slips that many make.

A sign is a possible reason and no verdict: code may look so and be right.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...language import gettext, texts
from ...language import listed as in_a_row

UNREAD = texts({1: "Your code never reads {names}, and the result depends on it.", 2: "Your code never reads {names}, and the result depends on them."})
UNREAD_TODO = texts("Find the place in the formula where {names} belongs.")

SIGNS = texts({
    "return-in-loop": "Perhaps this is why: line {line} returns inside the loop, so that the function ends in the first pass that comes there.",
    "stub": "Perhaps this is why: line {line} still raises NotImplementedError, so that nothing below it runs.",
    "second": "Perhaps this is why: {name} is defined again in line {line}, and the last definition counts.",
    "seed": "Perhaps this is why: line {line} uses NumPy's global random state in place of a generator of its own, np.random.default_rng(seed).",
    "clip": "Perhaps this is why: line {line} clips what it computes, and a gradient is asked for as it is.",
    "module": "Take care: line {line} imports {name}, which is not there when your work is graded; NumPy and Python's own library are.",
    "no-return": "Perhaps this is why: the function has no return statement.",
})
LONGEST = 200_000  # characters of code that is looked at
GRADER = {"numpy", "unrolled"}  # beside Python's own library


@dataclass(frozen=True)
class Source:
    """A learner's code: the text, and the definition in it that is the task's function."""

    text: str
    tree: ast.Module
    function: ast.FunctionDef

    def line(self, number: int) -> str:
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def source_of(function: Callable | None, name: str) -> Source | None:
    """The source of a function of this process; None where it can't be found."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    text = "".join(linecache.getlines(code.co_filename, getattr(function, "__globals__", None)))
    return read(text, name, code.co_firstlineno)


def read(text: str, name: str, first_line: int | None = None) -> Source | None:
    """The source in which `name` is defined: in that line, or last. None where it is not, or where the text is no Python."""
    try:
        tree, found = _parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if first_line is not None:
        found = [n for n in found if first_line in (n.lineno, *(d.lineno for d in n.decorator_list))]
    else:
        found = [n for n in found if n.name == name]
    return Source(text, tree, found[-1]) if found else None


@functools.lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[ast.Module, list[ast.FunctionDef]]:
    """The tree of a text, for who only looks at it, and the functions defined in it. The tasks of a file ask for the same text."""
    tree = ast.parse(text[:LONGEST])
    return tree, [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]


def unread(source: Source, arguments: list[str]) -> list[str]:
    """The task's arguments that the function never reads, by the names that the task gives them."""
    given = source.function.args
    if given.vararg or given.kwarg or given.kwonlyargs:
        return []
    own = [a.arg for a in [*given.posonlyargs, *given.args]]
    if len(own) != len(arguments):
        return []
    inside = [n for s in source.function.body for n in ast.walk(s)]
    if any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in ("locals", "vars", "eval", "exec") for n in inside):
        return []
    read_names = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    read_names |= {n.target.id for n in inside if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
    return [name for name, mine in zip(arguments, own) if mine not in read_names]


def signs(source: Source, gradients: bool = False) -> list[str]:
    """Possible reasons, in whole sentences. gradients: the function returns gradients, in which a clip is out of place."""
    try:
        return [gettext(SIGNS[kind]).format(line=line, name=name) for kind, line, name in _signs(source, gradients)]
    except RecursionError:  # nested too deep to be written out
        return []


def _signs(source: Source, gradients: bool) -> Iterator[tuple[str, int, str]]:
    function = source.function
    own = [n for s in function.body for n in ast.walk(s)]
    nested = {id(n) for f in own if isinstance(f, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(f) if n is not f}
    stub = next((s for s in function.body if isinstance(s, ast.Raise) and "NotImplementedError" in ast.unparse(s)), None)
    if stub is not None and stub is not function.body[-1]:
        yield "stub", stub.lineno, function.name
    if not any(isinstance(n, (ast.Return, ast.Yield)) for n in own if id(n) not in nested):
        yield "no-return", function.lineno, function.name
    for loop in own:
        if isinstance(loop, (ast.For, ast.While)) and id(loop) not in nested:
            last = loop.body[-1]
            if isinstance(last, ast.Return) and loop.body is not function.body:
                yield "return-in-loop", last.lineno, function.name
    later = [n for n in source.tree.body if isinstance(n, ast.FunctionDef) and n.name == function.name]
    if len(later) > 1:
        yield "second", later[-1].lineno, function.name
    for node in own:
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.startswith(("np.random.", "numpy.random.")) and called.split(".")[-1] in GLOBAL_STATE:
                yield "seed", node.lineno, called
                break
    if gradients:
        for node in own:
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "clip":
                yield "clip", node.lineno, function.name
                break
    yield from _strangers(source)


GLOBAL_STATE = ("seed", "rand", "randn", "randint", "random", "uniform", "normal", "choice", "shuffle", "permutation", "standard_normal")


def _strangers(source: Source) -> Iterator[tuple[str, int, str]]:
    """Modules that the grader does not have."""
    import sys

    for node in ast.walk(source.tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
        for name in names:
            top = name.split(".")[0]
            if top not in GRADER and top not in sys.stdlib_module_names and _used(source, node):
                yield "module", node.lineno, top


def _used(source: Source, statement: ast.Import | ast.ImportFrom) -> bool:
    """Whether the function reads what an import statement binds."""
    bound = {(a.asname or a.name).split(".")[0] for a in statement.names}
    return any(isinstance(n, ast.Name) and n.id in bound for n in ast.walk(source.function))



def listed(names: list[str]) -> tuple[str, str]:
    """The sentence on arguments that are never read, and what to do about it."""
    together = in_a_row(names)
    return gettext(UNREAD[1 if len(names) == 1 else 2]).format(names=together), gettext(UNREAD_TODO).format(names=together)
