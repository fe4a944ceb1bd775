"""Edits of a right answer: each is a mistake that somebody may make, with the sentence that names it.

A rule looks at one place of the syntax tree and yields what could stand there instead, the template of its sentence
(`unrolled.checks.diagnosis.sentences`), what fills it, and a rank: plain slips before contrived ones. `tools/diagnosis_table.py` runs
them all. The same source gives the same edits, in the same order.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unrolled.checks.diagnosis.words import HELPERS, OPERATORS, called, is_module, words

# --- Trees -------------------------------------------------------------------------------------


def clone(node: Any) -> Any:
    return copy.deepcopy(node)


def changed(node: ast.AST, **fields: Any) -> Any:
    """A copy of a node with other fields."""
    other = clone(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(clone(left), op, clone(right))


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def number(value: float) -> ast.Constant:
    return ast.Constant(value)


def call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(expression(name), [clone(a) for a in arguments], [])


def replaced(node: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    """A copy of a tree with every expression equal to `old` replaced."""
    pattern = ast.dump(old)

    class Replace(ast.NodeTransformer):
        def visit(self, inner: ast.AST) -> ast.AST:
            return clone(new) if isinstance(inner, ast.expr) and ast.dump(inner) == pattern else self.generic_visit(inner)

    return Replace().visit(clone(node))


# --- Edits -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """What could stand in a place. rank: plain slips first. template and fills: the sentence."""

    path: tuple[tuple[str, int | None], ...]
    new: Any
    rank: int
    template: str
    fills: tuple[tuple[str, str], ...]


@dataclass
class Scope:
    """What is known of a function of a right answer: the class of every local value, and what to call each."""

    classes: dict[str, Any]
    names: dict[str, str]
    outputs: list[str]  # what the function returns
    arguments: list[str] = field(default_factory=list)
    sizes: dict[str, str] = field(default_factory=dict)  # axes and what gives their sizes: {"N": "X.shape[1]"}

    @property
    def result(self) -> str:
        """What to call the result where a place has no better name."""
        return ", ".join(self.outputs)

    def same(self, name: str) -> list[str]:
        """Other names whose values look alike: the same number of axes and, where that is known, the same shape."""
        own = self.classes.get(name)
        return [other for other, kind in self.classes.items() if other != name and kind == own and own is not None]


FUNCTIONS = {
    "tanh": ["np.exp", "np.arctan", "_sig", "_relu", "np.sin"], "exp": ["np.tanh", "np.expm1", "np.exp2"], "log": ["np.log2", "np.log10", "np.log1p"],
    "sqrt": ["np.abs", "np.square"], "sum": ["mean", "prod", "max"], "mean": ["sum", "max", "median"], "max": ["min", "sum", "mean"], "min": ["max"],
    "zeros": ["np.ones"], "zeros_like": ["np.ones_like"], "argmax": ["np.argmin"], "sigmoid": ["np.tanh", "_relu"],
    "maximum": ["np.minimum"], "minimum": ["np.maximum"], "uniform": ["normal"], "cumsum": ["cumprod"], "eye": ["np.ones"],
    "total": ["__len__"], "norm": [], "stack": ["np.concatenate"], "concatenate": ["np.stack"],
}  # fmt: skip
WRAPS = ["_sig", "np.tanh", "_softmax", "np.exp"]
FORMS = ("np.ones_like(_x)", "_x", "1 - _x", "(1 - _x)**2", "_x**2", "1 - _x**2", "_x * (1 - _x)", "1 + _x**2", "1 - np.tanh(_x)**2", "1 - np.tanh(_x)",
         "_sig(_x)", "_sig(_x) * (1 - _sig(_x))", "_sig(_x) * (1 - _x)", "_x**2 - 1", "1 / np.cosh(_x)**2", "(1 - _x**2)**2", "(_x * (1 - _x))**2")
REDUCTIONS = ("sum", "mean", "max", "min", "argmax", "norm", "cumsum", "prod")


def slope_of(node: ast.AST) -> tuple[ast.expr | None, ast.expr] | None:
    """(factors before it, x) of a slope written with the value: x * (1 - x), or 1 - x ** 2; None for anything else."""
    if not isinstance(node, ast.BinOp):
        return None
    if isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant) and node.left.value == 1:
        right = node.right
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Pow) and isinstance(right.right, ast.Constant) and right.right.value == 2:
            return None, right.left
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Mult) and ast.dump(right.left) == ast.dump(right.right):
            return None, right.left
    if isinstance(node.op, ast.Mult):
        right = node.right
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Sub) and isinstance(right.left, ast.Constant) and right.left.value == 1:
            x = ast.dump(right.right)
            if ast.dump(node.left) == x:
                return None, node.left
            if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Mult) and ast.dump(node.left.right) == x:
                return node.left.left, node.left.right
    return None


def form(template: str, x: ast.expr) -> ast.expr:
    return replaced(expression(template), expression("_x"), x)


Rule = Iterator[tuple[Any, int, str, dict[str, str]]]  # what stands there instead, rank, template, fills


class Rules:
    """All rules for one function of a right answer."""

    def __init__(self, function: ast.FunctionDef, scope: Scope) -> None:
        self.function, self.scope = function, scope
        slices = {ast.dump(n.slice): n.slice for n in ast.walk(function) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load)
                  and any(isinstance(x, ast.Slice) for x in ast.walk(n.slice))}
        self.slices = list(slices.values())
        steps = {ast.dump(n): n for n in ast.walk(function) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load) and isinstance(n.value, ast.Name)
                 and isinstance(n.slice, (ast.Name, ast.BinOp))}
        self.steps = list(steps.values())

    def show(self, node: ast.AST) -> str:
        return words(node, self.scope.names)

    def edits(self) -> list[Edit]:
        """Every edit of the function, without doubles."""
        found: dict[tuple, Edit] = {}

        def add(path: tuple, new: Any, rank: int, template: str, fills: dict[str, str]) -> None:
            key = path, "|".join(map(ast.dump, new)) if isinstance(new, list) else ast.dump(new)
            edit = Edit(path, new, rank, template, tuple(sorted(fills.items())))
            if key not in found or rank < found[key].rank:
                found[key] = edit

        def visit(node: ast.AST, path: tuple, where: str) -> None:
            for name, value in ast.iter_fields(node):
                if name in ("ctx", "op", "ops", "args", "returns", "decorator_list", "keywords") and not (
                    name in ("args", "keywords") and isinstance(node, ast.Call)
                ):
                    continue
                if name in ("body", "orelse") and isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                    for new, *rest in self.of_block(value, node):
                        add((*path, (name, None)), new, *rest)
                for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                    if not isinstance(child, ast.AST):
                        continue
                    here = (*path, (name, i))
                    place = self.target(child, where) if isinstance(child, ast.stmt) else where
                    if name == "func":
                        if isinstance(child, ast.Attribute) and not is_module(child.value):
                            visit(child, here, place)
                        continue
                    if isinstance(node, ast.Tuple) and name == "elts" and place == self.scope.result and len(value) == len(self.scope.outputs) > 1:
                        place = self.scope.outputs[i]  # one of the values that are returned
                    rules = self.of_statement(child, place) if isinstance(child, ast.stmt) else self.of_expression(child, place, node)
                    for new, *rest in rules:
                        add(here, new, *rest)
                    visit(child, here, place)

        visit(self.function, (), self.scope.result)
        for new, *rest in self.everywhere():
            add((("body", None),), new, *rest)
        return list(found.values())

    def target(self, statement: ast.stmt, outer: str) -> str:
        """What to call what a statement computes."""
        if isinstance(statement, (ast.Assign, ast.AugAssign)):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, (ast.Tuple, ast.List)):
                known = [self.show(e) for e in target.elts if "…" not in self.show(e)]
                return " and ".join(known[:4]) or outer
            shown = self.show(target)
            return outer if "…" in shown else shown
        return self.scope.result if isinstance(statement, ast.Return) else outer

    # --- Expressions

    def of_expression(self, node: ast.AST, where: str, parent: ast.AST) -> Rule:
        if isinstance(node, ast.comprehension):
            for i in range(len(node.ifs)):
                yield changed(node, ifs=[c for j, c in enumerate(clone(node.ifs)) if j != i]), 1, "condition-always", {"term": self.show(node.ifs[i])}
            return
        if isinstance(node, ast.keyword) or not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return
        for new, rank, template, fills in self._expression(node, where, parent):
            fills.setdefault("where", where)
            yield new, rank, template, fills

    def _instead(self, node: ast.AST, new: ast.AST, rank: int) -> tuple:
        return new, rank, "instead", {"new": self.show(new), "old": self.show(node)}

    def _expression(self, node: ast.expr, where: str, parent: ast.AST) -> Rule:
        if isinstance(node, ast.BinOp):
            yield from self._binary(node)
        if isinstance(node, ast.Call):
            yield from self._call(node)
        if isinstance(node, ast.Subscript):
            yield from self._subscript(node)
        if isinstance(node, (ast.Tuple, ast.List)) and not isinstance(parent, ast.Subscript):
            yield from self._sequence(node, isinstance(parent, ast.Return))
        if isinstance(node, ast.Constant):
            yield from self._constant(node)
        if isinstance(node, ast.Name) and node.id in self.scope.classes:
            for other in self.scope.same(node.id):
                name = ast.Name(other, ast.Load())
                yield name, 0, "name", {"new": self.show(name), "old": self.show(node)}
                if isinstance(self.scope.classes[node.id], tuple):
                    yield binary(number(1), ast.Sub(), name), 2, "complement", {"new": self.show(name), "old": self.show(node)}
            kind = self.scope.classes[node.id]
            if isinstance(kind, tuple):
                if node.id in self.scope.arguments:
                    yield call("np.zeros_like", node), 1, "zeroed", {"term": self.show(node)}
                for step in self.steps:
                    base = self.scope.classes.get(step.value.id)
                    if isinstance(base, tuple) and base[1][1:] == kind[1]:
                        yield clone(step), 0, "name", {"new": self.show(step), "old": self.show(node)}
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield clone(node.value), 0, "not-transposed", {"term": self.show(node.value)}
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            yield clone(node.operand), 0, "sign", {"term": self.show(node.operand)}
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
            yield self._instead(node, clone(node.operand), 0)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for op in {ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
                       ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,)}.get(type(node.ops[0]), ()):
                new = changed(node, ops=[op()])
                yield new, 0, "condition", {"new": self.show(new), "old": self.show(node)}
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                yield clone(value), 0, "condition", {"new": self.show(value), "old": self.show(node)}
        if isinstance(node, ast.IfExp):
            yield clone(node.body), 0, "condition-always", {"term": self.show(node.test)}
            yield clone(node.orelse), 0, "condition-never", {"term": self.show(node.test)}
        if isinstance(node, (ast.BinOp, ast.Subscript, ast.Attribute)) or (isinstance(node, ast.Name) and isinstance(self.scope.classes.get(node.id), tuple)):
            if not (isinstance(node, ast.Attribute) and (is_module(node.value) or node.attr in ("shape", "size"))) and not self._is_shape(node):
                yield from self._wrapped(node, parent)

    @staticmethod
    def _is_shape(node: ast.AST) -> bool:
        return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape"

    def _wrapped(self, node: ast.expr, parent: ast.AST) -> Rule:
        for function in WRAPS:
            yield call(function, node), 2, "function-added", {"function": HELPERS.get(function, function.removeprefix("np.")), "term": self.show(node)}
        yield binary(node, ast.Mult(), number(2)), 2, "scaled", {"term": self.show(node), "number": "2"}
        yield binary(node, ast.Div(), number(2)), 2, "scaled", {"term": self.show(node), "number": "1/2"}
        yield binary(node, ast.Pow(), number(2)), 2, "squared", {"term": self.show(node)}
        yield binary(number(1), ast.Sub(), node), 2, "complement", {"new": self.show(node), "old": self.show(node)}
        yield ast.UnaryOp(ast.USub(), clone(node)), 1, "sign", {"term": self.show(node)}
        if not (isinstance(node, ast.Attribute) and node.attr == "T"):
            yield ast.Attribute(clone(node), "T", ast.Load()), 1, "transposed", {"term": self.show(node)}
        if isinstance(node, ast.BinOp) and isinstance(parent, (ast.Assign, ast.Return)):
            for name, kind in self.scope.classes.items():
                if isinstance(kind, tuple) and kind[0] == "array" and len(kind[1]) >= 1 and "…" not in self.show(expression(name)):
                    for text in ("_x * (1 - _x)", "1 - _x**2"):
                        factor = form(text, expression(name))
                        yield binary(node, ast.Mult(), factor), 1, "factor-added", {"term": self.show(factor)}

    def _binary(self, node: ast.BinOp) -> Rule:
        kind, left, right = type(node.op), node.left, node.right
        plus, times = kind in (ast.Add, ast.Sub), kind in (ast.Mult, ast.MatMult)
        if plus or times:
            template = "term-dropped" if plus else "factor-dropped"
            yield clone(left), 0, template, {"term": self.show(right)}
            if kind is ast.Sub:
                yield ast.UnaryOp(ast.USub(), clone(right)), 0, template, {"term": self.show(left)}
                yield clone(right), 1, "instead", {"new": self.show(right), "old": self.show(node)}
            else:
                yield clone(right), 0, template, {"term": self.show(left)}
        elif kind in (ast.Div, ast.FloorDiv):
            yield clone(left), 0, "divisor-dropped", {"term": self.show(right)}
        else:
            yield self._instead(node, clone(left), 0)
        for other in {ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add, ast.Mult, ast.Div), ast.Mult: (ast.Div, ast.MatMult, ast.Add, ast.Sub),
                      ast.Div: (ast.Mult, ast.Sub), ast.MatMult: (ast.Mult,), ast.Pow: (ast.Mult,), ast.FloorDiv: (ast.Mult,),
                      ast.Mod: (ast.FloorDiv,)}.get(kind, ()):
            yield self._instead(node, changed(node, op=other()), 0)
        if kind in (ast.Sub, ast.Div, ast.MatMult, ast.Pow):
            yield self._instead(node, changed(node, left=clone(right), right=clone(left)), 0)
        if plus or kind is ast.Mult:
            for term in (left, right):
                yield binary(node, ast.Add() if plus else ast.Mult(), term), 1, "term-doubled" if plus else "factor-doubled", {"term": self.show(term)}
        if kind is ast.Div:
            yield binary(node, ast.Div(), right), 1, "divisor-doubled", {"term": self.show(right)}
        if kind is ast.MatMult:
            for side, operand in (("left", left), ("right", right)):
                if not (isinstance(operand, ast.Attribute) and operand.attr == "T"):
                    yield changed(node, **{side: ast.Attribute(clone(operand), "T", ast.Load())}), 0, "transposed", {"term": self.show(operand)}
            turned = ast.BinOp(ast.Attribute(clone(right), "T", ast.Load()), ast.MatMult(), ast.Attribute(clone(left), "T", ast.Load()))
            yield turned, 1, "transposed", {"term": self.show(node)}
        if isinstance(right, ast.BinOp):  # a o (b p c) -> (a o b) p c
            yield self._instead(node, ast.BinOp(binary(left, node.op, right.left), right.op, clone(right.right)), 0)
        if isinstance(left, ast.BinOp):  # (a o b) p c -> a o (b p c)
            yield self._instead(node, ast.BinOp(clone(left.left), left.op, binary(left.right, node.op, right)), 0)
        for side, operand in (("left", left), ("right", right)):
            if isinstance(operand, ast.Call) and len(operand.args) == 1 and not operand.keywords and is_module(getattr(operand.func, "value", operand)):
                yield changed(operand, args=[changed(node, **{side: operand.args[0]})]), 0, "closed-late", {"function": called(operand.func)}
            if isinstance(operand, ast.BinOp):  # a term of a sum, a factor of a product
                for inner in ("left", "right"):
                    part = getattr(operand, inner)
                    if isinstance(operand.op, (ast.Mult, ast.Add)) and isinstance(node.op, (ast.Mult, ast.Add)):
                        yield changed(node, **{side: clone(part)}), 0, "factor-dropped" if isinstance(operand.op, ast.Mult) else "term-dropped", {
                            "term": self.show(operand.left if inner == "right" else operand.right)}
        slope = slope_of(node)
        if slope:
            factors, x = slope
            for text in FORMS:
                new = form(text, x)
                if ast.dump(new) != ast.dump(node):
                    whole = new if factors is None else ast.BinOp(clone(factors), ast.Mult(), new)
                    old = node if factors is None else form("_x * (1 - _x)", x)
                    yield whole, 0 if "np." not in text else 1, "slope", {"new": self.show(new), "old": self.show(old)}

    def _call(self, node: ast.Call) -> Rule:
        name, f = called(node.func), node.func
        method = isinstance(f, ast.Attribute) and not is_module(f.value)
        for other in FUNCTIONS.get(name, ()):
            if method and "." not in other and not other.startswith("_"):
                new: ast.expr = changed(node, func=changed(f, attr=other))
            elif not method and node.args:
                new = changed(node, func=expression(other if "." in other or other.startswith("_") else f"np.{other}"))
            else:
                continue
            yield new, 0, "function", {"new": HELPERS.get(other, other.removeprefix("np.").strip("_")), "old": name}
        inner = f.value if method and not node.args else node.args[0] if len(node.args) == 1 and not method else None
        if inner is not None and not isinstance(inner, (ast.GeneratorExp, ast.ListComp)) and name not in ("float", "int", "list", "tuple", "len", "dict"):
            if name == "reversed":
                yield clone(inner), 0, "loop-turned", {}
            elif not (name in REDUCTIONS and node.keywords):
                yield clone(inner), 0, "function-dropped", {"function": HELPERS.get(name, name), "term": self.show(inner)}
        if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.BinOp) and not method:
            yield from self._closed_early(node, node.args[0])
        if name in REDUCTIONS:
            yield from self._axes(node)
        for i in range(len(node.keywords)):
            if node.keywords[i].arg != "axis":
                yield self._instead(node, changed(node, keywords=[k for j, k in enumerate(clone(node.keywords)) if j != i]), 1)
        if name in ("range", "slice", "arange"):
            yield from self._range(node)
        for i in range(len(node.args)):
            for j in range(len(node.args)):
                if i != j and ast.dump(node.args[i]) != ast.dump(node.args[j]):
                    arguments = clone(node.args)
                    arguments[i] = clone(node.args[j])
                    yield changed(node, args=arguments), 1, "name", {"new": self.show(node.args[j]), "old": self.show(node.args[i])}
                    if i < j:
                        arguments = clone(node.args)
                        arguments[i], arguments[j] = arguments[j], arguments[i]
                        yield changed(node, args=arguments), 1, "swapped", {"a": self.show(node.args[i]), "b": self.show(node.args[j])}

    def _closed_early(self, node: ast.Call, inside: ast.BinOp) -> Rule:
        """f(a + b) as f(a) + b, a + f(b), f(a) + f(b)."""
        def f(x: ast.expr) -> ast.expr:
            return changed(node, args=[clone(x)])

        sides = [(f(inside.left), clone(inside.right)), (clone(inside.left), f(inside.right)), (f(inside.left), f(inside.right))]
        for left, right in sides:
            yield ast.BinOp(left, inside.op, right), 0, "closed-early", {"function": called(node.func)}
        if isinstance(inside.left, ast.BinOp):
            a, b = inside.left.left, inside.left.right
            for left, right in ((f(a), f(b)), (f(a), clone(b)), (clone(a), f(b))):
                for last in (f(inside.right), clone(inside.right)):
                    yield ast.BinOp(ast.BinOp(left, inside.left.op, right), inside.op, last), 1, "closed-early", {"function": called(node.func)}

    def _axes(self, node: ast.Call) -> Rule:
        place = next((i for i, k in enumerate(node.keywords) if k.arg == "axis"), None)
        old = None if place is None else ast.unparse(node.keywords[place].value)
        for text in ("0", "1", "2", "-1", "None", "(0, 1)", "(0, 1, 2)"):
            if text == old or (text == "None" and old is None):
                continue
            rest = [clone(k) for i, k in enumerate(node.keywords) if i != place]
            keywords = rest + ([] if text == "None" else [ast.keyword("axis", expression(text))])
            kept = [*(k for k in keywords if k.arg != "keepdims"), ast.keyword("keepdims", ast.Constant(True))]
            template = "axis" if text != "None" else "axis-none"
            fills = {"function": called(node.func), "new": text, "old": old or "None"}
            yield changed(node, keywords=keywords), 0, template, fills
            yield changed(node, keywords=kept), 0, template, fills

    def _range(self, node: ast.Call) -> Rule:
        shift = {1: (0,), 2: (0, 1), 3: (0, 1)}.get(len(node.args), ())
        for i in shift:
            old = node.args[i]
            for op in (ast.Add(), ast.Sub()):
                new = number(old.value + (1 if isinstance(op, ast.Add) else -1)) if isinstance(old, ast.Constant) and isinstance(old.value, int) else (
                    binary(old, op, number(1)))
                arguments = clone(node.args)
                arguments[i] = new
                grows = isinstance(op, ast.Add)
                first = len(node.args) > 1 and i == 0
                template = ("loop-first" if grows else "loop-before") if first else ("loop-after" if grows else "loop-last")
                yield changed(node, args=arguments), 0, template, {}
        if len(node.args) == 1:
            yield changed(node, args=[number(1), clone(node.args[0])]), 0, "loop-first", {}
            yield changed(node, args=[number(1), binary(node.args[0], ast.Add(), number(1))]), 1, "loop-shifted", {}
        elif isinstance(node.args[0], ast.Constant) and node.args[0].value:
            yield changed(node, args=[number(0), *clone(node.args[1:])]), 0, "loop-before", {}

    def _subscript(self, node: ast.Subscript) -> Rule:
        place = node.slice
        if self._is_shape(node):
            for k in range(3):
                yield self._instead(node, changed(node, slice=number(k)), 0)
            return
        plain = not any(isinstance(x, ast.Slice) for x in ast.walk(place))
        if plain and not isinstance(place, ast.Tuple) and not (isinstance(place, ast.Constant) and isinstance(place.value, str)):
            others = [number(0), number(-1), binary(place, ast.Add(), number(1)), binary(place, ast.Sub(), number(1))]
            if isinstance(place, ast.BinOp):
                others.append(clone(place.left))
            for other in others:
                yield self._instead(node, changed(node, slice=other), 0)
        if isinstance(place, ast.Tuple):
            for i, element in enumerate(place.elts):
                if isinstance(element, (ast.Name, ast.BinOp)):
                    for other in (number(0), binary(element, ast.Add(), number(1)), binary(element, ast.Sub(), number(1))):
                        elements = clone(place.elts)
                        elements[i] = other
                        yield self._instead(node, changed(node, slice=changed(place, elts=elements)), 0)
                rest = [clone(e) for j, e in enumerate(place.elts) if j != i]
                yield self._instead(node, changed(node, slice=rest[0] if len(rest) == 1 else changed(place, elts=rest)), 1)
                for j in range(i + 1, len(place.elts)):
                    elements = clone(place.elts)
                    elements[i], elements[j] = elements[j], elements[i]
                    yield self._instead(node, changed(node, slice=changed(place, elts=elements)), 0)
        parts = place.elts if isinstance(place, ast.Tuple) else [place]
        for i, part in enumerate(parts):
            if not isinstance(part, ast.Slice):
                continue
            for other in self._slices(part):
                new = other if not isinstance(place, ast.Tuple) else changed(place, elts=[other if j == i else clone(p) for j, p in enumerate(parts)])
                yield self._instead(node, changed(node, slice=new), 0)
        if not plain:
            for other in self.slices:
                if ast.dump(other) != ast.dump(place):
                    yield self._instead(node, changed(node, slice=clone(other)), 0)

    @staticmethod
    def _slices(part: ast.Slice) -> Iterator[ast.Slice]:
        for end in ("lower", "upper", "step"):
            bound = getattr(part, end)
            if bound is not None:
                yield changed(part, **{end: None})
                if end != "step":
                    yield changed(part, **{end: binary(bound, ast.Add(), number(1))})
                    yield changed(part, **{end: binary(bound, ast.Sub(), number(1))})
        if part.upper is None and part.step is None:
            yield changed(part, upper=number(-1))
        if part.lower is None and part.step is None:
            yield changed(part, lower=number(1))

    def _sequence(self, node: ast.Tuple | ast.List, returned: bool) -> Rule:
        items = node.elts
        if any(isinstance(e, ast.Starred) for e in items) or len(items) > 9:
            return
        for i in range(len(items)):
            for j in range(len(items)):
                if i == j or ast.dump(items[i]) == ast.dump(items[j]):
                    continue
                a, b = self.show(items[i]), self.show(items[j])
                if returned and len(items) == len(self.scope.outputs):
                    a, b = self.scope.outputs[i], self.scope.outputs[j]
                elements = clone(items)
                elements[i] = clone(items[j])
                yield changed(node, elts=elements), 0, "returned-copy" if returned else "name", {"new": b, "old": a}
                if i < j:
                    elements = clone(items)
                    elements[i], elements[j] = elements[j], elements[i]
                    yield changed(node, elts=elements), 0, "returned-swapped" if returned else "swapped", {"a": a, "b": b}
            for j in range(len(items)):
                for k in range(j + 1, len(items)):
                    if len({i, j, k}) == 3 and len(items) >= 4:  # one value in the places of two others
                        elements = clone(items)
                        elements[j], elements[k] = clone(items[i]), clone(items[i])
                        yield changed(node, elts=elements), 2, "name-twice", {"new": self.show(items[i]), "a": self.show(items[j]), "b": self.show(items[k])}

    def _constant(self, node: ast.Constant) -> Rule:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return
        for other in dict.fromkeys((0, 1, -value, value + 1, value - 1, 2 * value, value / 2 if isinstance(value, float) else value * 2)):
            if other != value:
                yield number(other), 0, "name", {"new": str(other), "old": str(value)}

    # --- Statements

    def of_statement(self, node: ast.stmt, where: str) -> Rule:
        for new, rank, template, fills in self._statement(node, where):
            fills.setdefault("where", where)
            yield new, rank, template, fills

    def _statement(self, node: ast.stmt, where: str) -> Rule:
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)) and node.value is not None:
            yield from self._exchanged(node)
            if not isinstance(node, ast.Return) and (isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.MatMult) or (
                isinstance(node.value, ast.Call) and called(node.value.func) == "sum"
            )):
                for size, text in self.scope.sizes.items():
                    yield changed(node, value=binary(node.value, ast.Div(), expression(text))), 1, "divided-there", {"term": size}
        if isinstance(node, ast.AugAssign):
            yield ast.Assign([clone(node.target)], clone(node.value), lineno=1), 0, "overwritten", {}
            yield ast.Pass(), 0, "never", {}
            for op in {ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Add, ast.Div), ast.Div: (ast.Mult,)}.get(type(node.op), ()):
                old, new = binary(_load(node.target), node.op, node.value), binary(_load(node.target), op(), node.value)
                yield changed(node, op=op()), 0, "instead", {"new": self.show(new), "old": self.show(old)}
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Subscript):
                yield ast.Pass(), 0, "never", {}
                yield ast.AugAssign(clone(target), ast.Add(), clone(node.value)), 1, "accumulated", {}
            elif isinstance(target, ast.Name):
                yield changed(node, value=binary(ast.Name(target.id, ast.Load()), ast.Add(), node.value)), 1, "accumulated", {}
                yield ast.Pass(), 1, "never", {}
            elif isinstance(target, (ast.Tuple, ast.List)):
                yield from self._unpacking(node, target)
        elif isinstance(node, ast.Expr):
            yield ast.Pass(), 0, "left-out", {"term": self.show(node.value)}
        elif isinstance(node, ast.If):
            yield changed(node, test=ast.Constant(False)), 0, "condition-never", {"term": self.show(node.test)}
            yield changed(node, test=ast.Constant(True)), 0, "condition-always", {"term": self.show(node.test)}
        elif isinstance(node, (ast.Break, ast.Continue)):
            yield ast.Pass(), 0, "no-break", {}
        elif isinstance(node, ast.Return) and node.value is not None:
            yield from self._returned(node)

    def _exchanged(self, node: ast.stmt) -> Rule:
        """Two names of a statement in each other's place."""
        loaded = list(dict.fromkeys(n.id for n in ast.walk(node.value) if isinstance(n, ast.Name) and n.id in self.scope.classes))
        for i, a in enumerate(loaded):
            for b in loaded[i + 1 :]:
                if self.scope.classes[a] == self.scope.classes[b]:
                    [new] = self._renamed([node], {a: b, b: a})
                    yield new, 1, "swapped", {"a": self.scope.names.get(a, "…"), "b": self.scope.names.get(b, "…")}

    def _unpacking(self, node: ast.Assign, target: ast.Tuple | ast.List) -> Rule:
        items = target.elts
        for i in range(len(items)):
            for j in range(i + 1, len(items)):
                if isinstance(items[i], ast.Starred) or isinstance(items[j], ast.Starred):
                    continue
                elements = clone(items)
                elements[i], elements[j] = elements[j], elements[i]
                yield changed(node, targets=[changed(target, elts=elements)]), 0, "unpacked-swapped", {"a": self.show(items[i]), "b": self.show(items[j])}
            if isinstance(items[i], ast.Starred):
                continue
            elements = clone(items)
            elements[i] = ast.Name("_unused", ast.Store())
            yield changed(node, targets=[changed(target, elts=elements)]), 0, "never", {"where": self.show(items[i])}
        if len(items) == 4:  # four blocks, in other orders that are in use: i f o g, i g f o, f i g o ...
            for order in ((0, 2, 1, 3), (0, 1, 3, 2), (1, 0, 2, 3), (0, 3, 1, 2), (1, 0, 3, 2), (1, 2, 0, 3), (0, 2, 3, 1), (1, 3, 0, 2), (3, 0, 1, 2), (2, 0, 1, 3)):
                elements = [clone(items[k]) for k in order]
                fills = {"order": ", ".join(self.show(e) for e in elements), "right": ", ".join(self.show(e) for e in items)}
                yield changed(node, targets=[changed(target, elts=elements)]), 1, "block-order", fills
        if len(items) == 3:
            for order in ((1, 2, 0), (2, 0, 1)):
                elements = [clone(items[k]) for k in order]
                fills = {"order": ", ".join(self.show(e) for e in elements), "right": ", ".join(self.show(e) for e in items)}
                yield changed(node, targets=[changed(target, elts=elements)]), 1, "block-order", fills

    def _returned(self, node: ast.Return) -> Rule:
        value = node.value
        counts = [(expression(text), name) for name, text in self.scope.sizes.items()]
        if "list" in (self.scope.classes.get(getattr(value, "id", "")), called(getattr(value, "func", value))):
            for text, template in (("[1:]", "first-missing"), ("[:-1]", "last-missing"), ("[::-1]", "turned")):
                yield changed(node, value=expression(f"({ast.unparse(value)}){text}")), 1, template, {}
        if not isinstance(value, (ast.Tuple, ast.List)):
            for count, size in counts:
                for op in (ast.Div(), ast.Mult()):
                    yield changed(node, value=binary(value, op, count)), 1, "divided" if isinstance(op, ast.Div) else "multiplied", {"term": size}
            for c in (1, 5):
                yield changed(node, value=expression(f"np.clip({ast.unparse(value)}, -{c}, {c})")), 2, "clipped", {"number": str(c)}
        else:
            for op in (ast.Div(), ast.Mult()):
                for count, size in counts:
                    for from_end in (3, 4):  # the gradients of the parameters stand last
                        if len(value.elts) > from_end:
                            items = [clone(e) if i < len(value.elts) - from_end else binary(e, op, count) for i, e in enumerate(value.elts)]
                            template = "parameters-divided" if isinstance(op, ast.Div) else "parameters-multiplied"
                            yield changed(node, value=changed(value, elts=items)), 1, template, {"term": size}

    def of_block(self, body: list[ast.stmt], parent: ast.AST) -> Rule:
        """Edits of several statements together."""
        for i in range(len(body) - 1):
            if not isinstance(body[i + 1], ast.Return) and not isinstance(body[i], ast.FunctionDef):
                new = clone(body)
                new[i], new[i + 1] = new[i + 1], new[i]
                yield new, 1, "order", {"first": self.target(body[i], self.scope.result), "second": self.target(body[i + 1], self.scope.result)}
        for i, statement in enumerate(body):
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
                yield from self._one_after_another(body, i)
            if not isinstance(statement, (ast.For, ast.While)):
                continue
            inside = statement.body
            new = clone(body)
            new[i].body.append(ast.Break())
            yield new, 0, "loop-once", {}
            if isinstance(body[-1], ast.Return):
                new = clone(body)
                new[i].body.append(clone(body[-1]))
                yield new, 0, "returns-in-loop", {}
            for back in range(1, min(i, 4) + 1):  # start values set inside the loop
                new = clone(body)
                new[i].body.insert(0, clone(body[i - back]))
                yield new, 0, "restarts", {"where": self.target(body[i - back], self.scope.result)}
            if i + 1 < len(body) and not isinstance(body[i + 1], ast.Return):
                new = clone(body)
                new[i].body.append(new.pop(i + 1))
                yield new, 1, "into-loop", {"where": self.target(body[i + 1], self.scope.result)}
            if len(inside) > 1:
                new = clone(body)
                new.insert(i + 1, new[i].body.pop())
                yield new, 0, "out-of-loop", {"where": self.target(inside[-1], self.scope.result)}
            for k, carried in enumerate(inside):
                yield from self._carries(body, i, k, carried)

    def _one_after_another(self, body: list[ast.stmt], i: int) -> Rule:
        """a, b = f(a, b) as a = f(a, b)[0]; b = f(a, b)[1]: the second sees the new a."""
        statement = body[i]
        targets = statement.targets[0].elts
        if len(targets) != 2 or not all(isinstance(t, (ast.Name, ast.Subscript)) for t in targets):
            return
        value = statement.value
        parts = value.elts if isinstance(value, ast.Tuple) else [ast.Subscript(clone(value), number(k), ast.Load()) for k in (0, 1)] if (
            isinstance(value, ast.Call)) else None
        if parts is None:
            return
        for first, second in ((0, 1), (1, 0)):
            new = clone(body)
            new[i : i + 1] = [ast.Assign([clone(targets[k])], clone(parts[k]), lineno=1) for k in (first, second)]
            yield new, 0, "new-value", {"new": self.show(targets[first]), "where": self.show(targets[second])}

    def _carries(self, body: list[ast.stmt], i: int, k: int, carried: ast.stmt) -> Rule:
        """A statement of a loop that sets what the next pass reads: what it sets is kept for the results only."""
        if not isinstance(carried, ast.Assign):
            return
        target = carried.targets[0]
        names = [e.id for e in (target.elts if isinstance(target, ast.Tuple) else [target]) if isinstance(e, ast.Name)]
        before = {n.id for s in body[:i] for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | set(self.scope.arguments)
        for name in names:
            if name not in before:
                continue
            new = clone(body)  # the pass starts from a copy of the start value
            new.insert(i, ast.Assign([ast.Name("_start", ast.Store())], ast.Name(name, ast.Load()), lineno=1))
            new[i + 1].body.insert(0, ast.Assign([ast.Name(name, ast.Store())], ast.Name("_start", ast.Load()), lineno=1))
            yield new, 0, "restarts", {"where": self.show(ast.Name(name, ast.Load()))}

    # --- Everywhere at once

    def everywhere(self) -> Rule:
        body = self.function.body
        for a in self.scope.classes:
            for b in self.scope.same(a):
                if a < b and a in self.scope.names and b in self.scope.names and a in self.scope.arguments:
                    yield self._renamed(body, {a: b, b: a}), 2, "swapped-throughout", {"a": self.scope.names[a], "b": self.scope.names[b]}
        names = {called(n.func) for n in ast.walk(self.function) if isinstance(n, ast.Call)}
        for name in sorted(names):
            for other in FUNCTIONS.get(name, ()):
                if other.startswith("__"):
                    continue
                yield self._functions(body, name, other), 1, "function-throughout", {"old": name, "new": HELPERS.get(other, other.removeprefix("np."))}
        for tanh, sigmoid in (("1 - np.tanh(_x)**2", "_sig(_x) * (1 - _sig(_x))"), ("np.ones_like(_x)", "np.ones_like(_x)"), ("1 - _x", "1 - _x"),
                              ("(1 - _x)**2", "(1 - _x)**2"), ("_x * (1 - _x)", "1 - _x**2"), ("1 - _x**2", "_x"), ("1 - _x**2", "1 - _x"),
                              ("1 - _x**2", "np.ones_like(_x)"), ("1 - _x**2", "_sig(_x) * (1 - _sig(_x))"), ("1 - _x**2", "1 - _x**2"),
                              ("_x * (1 - _x)", "_x * (1 - _x)"), ("np.ones_like(_x)", "_x * (1 - _x)"), ("1 - _x", "_x * (1 - _x)"),
                              ("1 - np.tanh(_x)**2", "_x * (1 - _x)")):
            yield self._slopes(body, tanh, sigmoid), 1, "slopes-throughout", {"new": f"{self._x(tanh)}, {self._x(sigmoid)}", "tanh": self._x(tanh), "sigmoid": self._x(sigmoid)}
        for axis in (0, 1, 2, -1, None):
            for last in (True, False):
                new = self._over(body if last else body[:-1], axis) + ([] if last else clone(body[-1:]))
                yield new, 0, "axis-throughout", {"new": str(axis)}
        for op, other in ((ast.Mult, ast.MatMult), (ast.MatMult, ast.Mult)):
            yield self._operators(body, op, other), 1, "operator-throughout", {"old": OPERATORS[op].strip(), "new": OPERATORS[other].strip()}

    def _x(self, text: str) -> str:
        return words(expression(text), {"_x": "y"})

    @staticmethod
    def _renamed(body: list[ast.stmt], names: dict[str, str]) -> list[ast.stmt]:
        new = clone(body)
        for statement in new:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    node.id = names.get(node.id, node.id)
        return new

    @staticmethod
    def _mapped(body: list[ast.stmt], kind: type, change: Callable) -> list[ast.stmt]:
        class Change(ast.NodeTransformer):
            def visit(self, node: ast.AST) -> ast.AST:
                node = self.generic_visit(node)
                return change(node) if isinstance(node, kind) else node

        return [Change().visit(clone(statement)) for statement in body]

    def _functions(self, body: list[ast.stmt], name: str, other: str) -> list[ast.stmt]:
        def change(node: ast.Call) -> ast.Call:
            if called(node.func) == name and node.args and not (isinstance(node.func, ast.Attribute) and not is_module(node.func.value)):
                return changed(node, func=expression(other if "." in other or other.startswith("_") else f"np.{other}"))
            if called(node.func) == name and isinstance(node.func, ast.Attribute) and "." not in other and not other.startswith("_"):
                return changed(node, func=changed(node.func, attr=other))
            return node

        return self._mapped(body, ast.Call, change)

    @staticmethod
    def _slopes(body: list[ast.stmt], tanh: str, sigmoid: str) -> list[ast.stmt]:
        class Change(ast.NodeTransformer):
            def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
                slope = slope_of(node)
                if not slope:
                    return self.generic_visit(node)
                factors, x = slope
                new = form(tanh if isinstance(node.op, ast.Sub) else sigmoid, x)
                return new if factors is None else ast.BinOp(self.visit(clone(factors)), ast.Mult(), new)

        return [Change().visit(clone(statement)) for statement in body]

    def _over(self, body: list[ast.stmt], axis: int | None) -> list[ast.stmt]:
        def change(node: ast.Call) -> ast.Call:
            if called(node.func) in ("sum", "max", "mean") and any(k.arg == "axis" for k in node.keywords):
                return changed(node, keywords=[ast.keyword("axis", number(axis)), ast.keyword("keepdims", ast.Constant(True))])
            return node

        return self._mapped(body, ast.Call, change)

    def _operators(self, body: list[ast.stmt], op: type, other: type) -> list[ast.stmt]:
        return self._mapped(body, ast.BinOp, lambda node: changed(node, op=other()) if isinstance(node.op, op) else node)


def _load(target: ast.expr) -> ast.expr:
    return expression(ast.unparse(target))


@contextlib.contextmanager
def made(function: ast.FunctionDef, edit: Edit) -> Iterator[ast.FunctionDef]:
    """The function with an edit made in it, for a while."""
    node: Any = function
    for name, i in edit.path[:-1]:
        node = getattr(node, name)
        if i is not None:
            node = node[i]
    name, i = edit.path[-1]
    before = getattr(node, name) if i is None else getattr(node, name)[i]

    def put(value: Any) -> None:
        if i is None:
            setattr(node, name, value)
        else:
            getattr(node, name)[i] = value

    put(edit.new)
    try:
        yield ast.fix_missing_locations(function)
    finally:
        put(before)


# --- Calls written out -------------------------------------------------------------------------


def inlined(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> ast.FunctionDef:
    """A copy of a function in which `a, b = helper(...)` is the helper's body. Its names that clash get a `_` at the end."""
    new = clone(function)
    taken = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | {a.arg for a in function.args.args}

    class WriteOut(ast.NodeTransformer):
        def visit_Assign(self, node: ast.Assign) -> Any:
            call = node.value
            helper = functions.get(call.func.id) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None
            if helper is None or helper.name == function.name or call.keywords or not _ends_in_its_only_return(helper):
                return node
            return _body_for(helper, call.args, node.targets, taken)

    return ast.fix_missing_locations(WriteOut().visit(new))


def _ends_in_its_only_return(helper: ast.FunctionDef) -> bool:
    returns = [n for n in ast.walk(helper) if isinstance(n, ast.Return)]
    return len(returns) == 1 and returns[0] is helper.body[-1] and not any(isinstance(n, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(helper) if n is not helper)


def _body_for(helper: ast.FunctionDef, given: list[ast.expr], targets: list[ast.expr], taken: set[str]) -> list[ast.stmt]:
    """The statements of a helper for one call of it."""
    body = clone(helper.body)
    stored = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names, before = {}, []
    for parameter, value in zip((a.arg for a in helper.args.args), given):
        if isinstance(value, ast.Name) and parameter not in stored:
            names[parameter] = value.id
        else:
            names[parameter] = parameter + "_" if parameter in taken else parameter
            before.append(ast.Assign([ast.Name(names[parameter], ast.Store())], clone(value), lineno=1))
    names |= {name: name + "_" for name in stored & taken if name not in names}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                node.id = names.get(node.id, node.id)
    return [*before, *body[:-1], ast.Assign(clone(targets), body[-1].value, lineno=1)]


# --- What edits need when they run -------------------------------------------------------------


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - np.max(z, -1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


RUNTIME = {"np": np, "_sig": lambda z: 0.5 + 0.5 * np.tanh(z / 2), "_relu": lambda z: np.maximum(z, 0), "_softmax": _softmax}
