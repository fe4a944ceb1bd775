"""Which line of the learner's code an edit is about, where that can be told: the only one that shows what the edit put in, or the only
one that computes what the edit changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from .code import Source
from .words import words


class _Own(dict):
    """The learner's names stand for themselves."""

    def __missing__(self, name: str) -> str:
        return name

    def get(self, name: str, default: str | None = None) -> str:
        return name


def line_of(source: Source, outputs: Sequence[str], template: str, fills: Mapping[str, str]) -> int:
    """The line that an edit is about; 0 where none or several could be meant. outputs: what the task returns, in order."""
    if template.startswith("loop-"):
        return _only(node.lineno for node in _inside(source, ast.For, ast.While))
    if template.startswith("return"):
        return _only(node.lineno for node in _inside(source, ast.Return))
    shown = _only(_showing(source, fills["new"])) if fills.get("new") else 0
    return shown or _only(_computing(source, outputs, fills.get("where", "")))


def _only(lines: Iterator[int]) -> int:
    found = set(lines)
    return found.pop() if len(found) == 1 else 0


def _inside(source: Source, *kinds: type) -> Iterator[ast.AST]:
    return (node for node in ast.walk(source.function) if isinstance(node, kinds))


def _showing(source: Source, text: str) -> Iterator[int]:
    """The lines with an expression that reads like this."""
    for node in _inside(source, ast.expr):
        if not isinstance(node, ast.Name) and not isinstance(node, ast.Constant) and words(node, _Own()) == text:
            yield node.lineno


def _computing(source: Source, outputs: Sequence[str], name: str) -> Iterator[int]:
    """The lines that give a name a value, and that return it where it is an output without one."""
    named = [node.lineno for node in _inside(source, ast.Assign, ast.AugAssign) for target in _targets(node) if target == name]
    yield from named
    if not named and name in outputs:
        for node in _inside(source, ast.Return):
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            if len(parts) == len(outputs) and parts[0] is not None:
                yield parts[list(outputs).index(name)].lineno


def _targets(node: ast.AST) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            while isinstance(part, (ast.Subscript, ast.Starred)):
                part = part.value
            if isinstance(part, ast.Name):
                yield part.id
