"""Small wrong variants of a function, made from its source by rule: each changes one place.

A rule looks at one node of the syntax tree and yields what could stand there instead. Docstrings and signatures stay. The same source
gives the same mutants, in the same order.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,), ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,),
}  # fmt: skip
COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
OTHER_NAMES = {
    "tanh": ("exp",), "exp": ("tanh",), "log": ("log2",), "sqrt": ("abs",), "sum": ("mean",), "mean": ("sum",), "max": ("min",), "min": ("max",),
    "zeros": ("ones",), "zeros_like": ("ones_like",), "ones": ("zeros",), "argmax": ("argmin",), "maximum": ("minimum",),
    "minimum": ("maximum",), "eye": ("ones",), "cumsum": ("cumprod",), "sigmoid": ("tanh",), "lower": ("upper",), "full": ("full_like",),
}  # fmt: skip
WRAPPERS = {"float", "int", "list", "tuple", "dict", "str", "bool", "asarray", "array", "ascontiguousarray"}  # dropping these changes a type only


@dataclass(frozen=True)
class Mutant:
    """One changed place: the lines before and after, as `line → line`, and the whole source."""

    change: str
    source: str


def _copy(node: ast.AST) -> ast.AST:
    return copy.deepcopy(node)


def _called(node: ast.AST) -> str:
    """The last name of what a call calls: `tanh` for `np.tanh`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _with(node: ast.AST, **fields) -> ast.AST:
    other = _copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _shifted(node: ast.expr) -> Iterator[ast.expr]:
    """An index one further on, and one further back."""
    for operator in (ast.Add(), ast.Sub()):
        yield ast.BinOp(_copy(node), operator, ast.Constant(1))


def _swapped(items: list) -> Iterator[list]:
    """The list with each pair of neighbours that differ exchanged."""
    for i in range(len(items) - 1):
        if ast.dump(items[i]) != ast.dump(items[i + 1]):
            yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def _binary(node: ast.BinOp) -> Iterator[ast.expr]:
    for operator in OPERATORS.get(type(node.op), ()):
        yield _with(node, op=operator())
    yield _copy(node.left)  # the other term dropped
    yield _copy(node.right)
    if isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.FloorDiv, ast.Mod, ast.Pow)):
        yield _with(node, left=_copy(node.right), right=_copy(node.left))
    if isinstance(node.op, ast.MatMult):
        for side in ("left", "right"):
            operand = getattr(node, side)
            if not (isinstance(operand, ast.Attribute) and operand.attr == "T"):
                yield _with(node, **{side: ast.Attribute(_copy(operand), "T", ast.Load())})


def _constant(node: ast.Constant) -> Iterator[ast.expr]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node.value, float):
        yield ast.Constant(node.value * 2 if node.value else 1.0)
    elif isinstance(node.value, str):
        yield ast.Constant(node.value + "?")


def _call(node: ast.Call) -> Iterator[ast.expr]:
    name = _called(node.func)
    for other in OTHER_NAMES.get(name, ()):
        yield _with(node, func=_with(node.func, **{"attr" if isinstance(node.func, ast.Attribute) else "id": other}))
    for i in range(len(node.keywords)):
        yield _with(node, keywords=[_copy(k) for j, k in enumerate(node.keywords) if j != i])
    for arguments in _swapped(node.args):
        yield _with(node, args=[_copy(a) for a in arguments])
    if name in ("range", "slice") and len(node.args) > 1:
        for i in range(len(node.args)):
            yield _with(node, args=[_copy(a) for j, a in enumerate(node.args) if j != i])
    if name == "range":
        for i, argument in enumerate(node.args):
            if not isinstance(argument, (ast.Constant, ast.BinOp)):
                for other in _shifted(argument):
                    yield _with(node, args=[other if j == i else _copy(a) for j, a in enumerate(node.args)])
    if isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        yield _copy(node.func.value)  # x.copy() -> x
    elif len(node.args) == 1 and not node.keywords and name not in WRAPPERS:
        yield _copy(node.args[0])  # np.tanh(x) -> x, reversed(x) -> x


def _subscript(node: ast.Subscript) -> Iterator[ast.expr]:
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for i, place in enumerate(places):
        others: list[ast.expr] = []
        if isinstance(place, ast.Slice):
            others += [_with(place, **{end: None}) for end in ("lower", "upper", "step") if getattr(place, end) is not None]
            for end in ("lower", "upper"):
                bound = getattr(place, end)
                if bound is not None and not isinstance(bound, (ast.Constant, ast.BinOp)):
                    others += [_with(place, **{end: other}) for other in _shifted(bound)]
        elif isinstance(place, ast.Name):
            others += _shifted(place)
        for other in others:
            if isinstance(node.slice, ast.Tuple):
                yield _with(node, slice=_with(node.slice, elts=[other if j == i else _copy(p) for j, p in enumerate(places)]))
            else:
                yield _with(node, slice=other)
    if isinstance(node.slice, ast.Tuple):
        for elements in _swapped(node.slice.elts):
            yield _with(node, slice=_with(node.slice, elts=[_copy(e) for e in elements]))


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """What could stand in place of a node, rule by rule."""
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.UnaryOp):
        yield _copy(node.operand)
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for operator in COMPARISONS.get(type(node.ops[0]), ()):
            yield _with(node, ops=[operator()])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for value in node.values:
            yield _copy(value)
    elif isinstance(node, ast.IfExp):
        yield _copy(node.body)
        yield _copy(node.orelse)
    elif isinstance(node, ast.Attribute) and node.attr == "T" and isinstance(node.ctx, ast.Load):
        yield _copy(node.value)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Subscript):
        yield from _subscript(node)
    elif isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load):
        for elements in _swapped(node.elts):
            yield _with(node, elts=[_copy(e) for e in elements])
    elif isinstance(node, ast.comprehension):
        for i in range(len(node.ifs)):
            yield _with(node, ifs=[_copy(c) for j, c in enumerate(node.ifs) if j != i])


def _other_argument(node: ast.AST, following: dict[str, str]) -> Iterator[ast.AST]:
    """The function's next argument in place of one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in following:
        yield ast.Name(following[node.id], ast.Load())


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([_copy(node.target)], _copy(node.value))  # no longer accumulated
        for operator in OPERATORS.get(type(node.op), ()):
            yield _with(node, op=operator())
        yield ast.Pass()
    elif isinstance(node, ast.Expr) or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)):
        yield ast.Pass()
    elif isinstance(node, (ast.If, ast.While)):
        yield _with(node, test=ast.Constant(False))
        if isinstance(node, ast.If):
            yield _with(node, test=ast.Constant(True))
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield ast.Pass()


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node that may change, with its parent, the parent's field and the place in it; docstrings and signatures left out."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if field in ("args", "returns", "decorator_list") and isinstance(parent, (ast.FunctionDef, ast.Lambda)):
                continue
            if isinstance(parent, (ast.Subscript, ast.Call)) and field == "ctx":
                continue
            for i, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                docstring = (
                    isinstance(parent, ast.FunctionDef) and field == "body" and i == 0
                    and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                )
                if isinstance(node, ast.AST) and not docstring:
                    yield parent, field, i, node


def _without_docstrings(source: str) -> ast.Module:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def _change(before: list[str], after: list[str]) -> str:
    """The lines in which two sources differ."""
    first = next(i for i, (a, b) in enumerate(zip([*before, None], [*after, None])) if a != b)
    last = next(i for i, (a, b) in enumerate(zip([*before[::-1], None], [*after[::-1], None])) if a != b)
    last = min(last, len(before) - first, len(after) - first)
    old, new = (" ⏎ ".join(line.strip() for line in lines[first : len(lines) - last]) for lines in (before, after))
    return f"{old} → {new}"


def mutants(source: str) -> list[Mutant]:
    """All mutants of a cell's source, without doubles."""
    tree = _without_docstrings(source)
    before = ast.unparse(tree).splitlines()
    found: dict[str, Mutant] = {}
    counts: dict[str, int] = {}
    names = [a.arg for node in tree.body if isinstance(node, ast.FunctionDef) for a in node.args.args]
    following = dict(zip(names, [*names[1:], *names[:1]]))
    for parent, field, i, node in list(_places(tree)):
        for other in [*_expressions(node), *_other_argument(node, following), *_statements(node)]:
            if i is None:
                setattr(parent, field, other)
            else:
                getattr(parent, field)[i] = other
            try:
                text = ast.unparse(ast.fix_missing_locations(tree))
            finally:
                if i is None:
                    setattr(parent, field, node)
                else:
                    getattr(parent, field)[i] = node
            if text.splitlines() == before or text in found:
                continue
            change = _change(before, text.splitlines())
            counts[change] = counts.get(change, 0) + 1
            if counts[change] > 1:  # the same line stands in two places
                change += f" ({counts[change]})"
            found[text] = Mutant(change, text)
    return list(found.values())
