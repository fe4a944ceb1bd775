"""Expressions of Python as short mathematics, for the sentences of a diagnosis."""

from __future__ import annotations

import ast
from collections.abc import Mapping

LEAVES = 3  # names and numbers of an expression that a sentence shows; the rest is "…": no sentence shows a line of an answer

def called(node: ast.AST) -> str:
    """The last name of what is called: `tanh` for `np.tanh`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "math", "re", "itertools", "collections")


OPERATORS = {
    ast.Add: " + ", ast.Sub: " − ", ast.Mult: " · ", ast.Div: " / ", ast.MatMult: " @ ", ast.Pow: "**", ast.FloorDiv: " // ", ast.Mod: " % ",
    ast.BitAnd: " & ", ast.BitOr: " | ",
}  # fmt: skip
COMPARISONS = {
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠", ast.In: "in", ast.NotIn: "not in",
    ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
STRENGTH = {ast.Add: 1, ast.Sub: 1, ast.BitAnd: 1, ast.BitOr: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.FloorDiv: 2, ast.Mod: 2,
            ast.Pow: 4}
HELPERS = {"_sig": "sigmoid", "_softmax": "softmax", "_relu": "relu", "_step": "step"}


def words(node: ast.AST, names: Mapping[str, str]) -> str:
    """An expression as mathematics, short: what goes beyond a few names, and what has no name that a learner knows, is “…”."""
    left = [LEAVES]

    def leaf(text: str) -> str:
        left[0] -= 1
        return text if left[0] >= 0 else "…"

    def inside(node: ast.AST, strength: int = 0) -> str:
        if left[0] <= 0:
            return "…"
        if isinstance(node, ast.Name):
            return leaf(names.get(node.id, "…"))
        if isinstance(node, ast.Constant):
            return leaf(repr(node.value) if isinstance(node.value, str) else f"{node.value}")
        if isinstance(node, ast.BinOp):
            own = STRENGTH.get(type(node.op), 1)
            if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value in (2, 3):
                return inside(node.left, 5) + {2: "²", 3: "³"}[node.right.value]
            text = inside(node.left, own) + OPERATORS.get(type(node.op), " ? ") + inside(node.right, own + 1)
            return f"({text})" if own < strength else text
        if isinstance(node, ast.UnaryOp):
            sign = {ast.USub: "−", ast.Not: "not ", ast.Invert: "not "}.get(type(node.op), "")
            return f"({sign}{inside(node.operand, 3)})" if strength > 1 else sign + inside(node.operand, 3)
        if isinstance(node, ast.Attribute):
            if is_module(node.value):
                return node.attr
            return inside(node.value, 5) + ("ᵀ" if node.attr == "T" else f".{node.attr}")
        if isinstance(node, ast.Subscript):
            return f"{inside(node.value, 5)}[{places(node.slice)}]"
        if isinstance(node, ast.Call):
            name = HELPERS.get(called(node.func), called(node.func))
            arguments = list(node.args)
            if isinstance(node.func, ast.Attribute) and not is_module(node.func.value):
                arguments.insert(0, node.func.value)
            shown = [inside(a) for a in arguments[:3]] + [f"{k.arg}={inside(k.value)}" for k in node.keywords if k.arg == "axis"]
            return f"{name}({', '.join(shown)})"
        if isinstance(node, (ast.Tuple, ast.List)):
            return f"({', '.join(inside(e) for e in node.elts)})"
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return f"{inside(node.left)} {COMPARISONS[type(node.ops[0])]} {inside(node.comparators[0])}"
        if isinstance(node, ast.BoolOp):
            return (" and " if isinstance(node.op, ast.And) else " or ").join(inside(v) for v in node.values)
        return "…"

    def places(node: ast.AST) -> str:
        if isinstance(node, ast.Tuple):
            return ", ".join(places(e) for e in node.elts)
        if isinstance(node, ast.Slice):
            ends = [inside(e) if e is not None else "" for e in (node.lower, node.upper)]
            return ":".join(ends) + (f":{inside(node.step)}" if node.step is not None else "")
        return inside(node)

    return inside(node)
