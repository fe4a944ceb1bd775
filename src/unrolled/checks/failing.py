"""The part of an expression that fails: which product, call or index of a line, and what its operands are.

Python knows for every instruction the place in the source that it came from. `failing_part` finds the expression there and evaluates
its operands in the frame in which a learner's function stopped. It must run where the function ran, for it needs the frame; what it
returns is plain data. This file imports nothing of the package: the sandbox runs it, too.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import functools
import io
import itertools
import linecache
import types
from typing import Any

LONGEST = 90   # characters of an expression that is shown
OPERANDS = 4   # more are not shown


def failing_part(error: BaseException, function: Any) -> dict[str, Any] | None:
    """The failing part of what `function` ran, as plain data; None where it can't be told.

    {"kind", "text", "line", "operands"}; an operand is {"text", "name", "type", "shape", "number", "length"}.
    """
    try:
        trace = _own_frame(error, function.__globals__)
        frame = trace.tb_frame
        place = next(itertools.islice(frame.f_code.co_positions(), trace.tb_lasti // 2, None))
        tree = _parsed("".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals)))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found = _unknown_name(error, tree, frame) if isinstance(error, NameError) else _looked_at(_node_at(tree, place), frame)
        return found | {"line": trace.tb_lineno}
    except Exception:  # the frame may hold anything: then there is nothing to say
        return None


def _own_frame(error: BaseException, space: dict[str, Any]) -> types.TracebackType:
    """The deepest frame of a function of the learner's: these share their global names."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is space:
            found = trace
        trace = trace.tb_next
    if found is None:
        raise LookupError("no frame of the learner's own")
    return found


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _node_at(tree: ast.AST, place: tuple) -> ast.AST:
    """The node that stands at (line, last line, column, last column); of several the outermost."""
    line, last_line, column, last_column = place
    for node in ast.walk(tree):
        if getattr(node, "lineno", None) == line and node.end_lineno == last_line and (node.col_offset, node.end_col_offset) == (column, last_column):
            if not isinstance(node, ast.Expr):
                return node
    raise LookupError(place)


def _unknown_name(error: NameError, tree: ast.AST, frame: types.FrameType) -> dict[str, Any]:
    """A name that stands for nothing: what may be meant, and whether it gets its value only further down."""
    name = error.name or ""
    if not name and isinstance(error, UnboundLocalError):
        name = next((part for part in str(error).split("'") if part.isidentifier() and part in frame.f_code.co_varnames), "")
    near = difflib.get_close_matches(name, [n for n in {**frame.f_globals, **frame.f_locals} if not n.startswith("_")], n=1, cutoff=0.7)
    later = name in frame.f_code.co_varnames
    return {"kind": "name", "text": name, "near": near[0] if near else "", "later": later, "operands": []}


def _looked_at(node: ast.AST, frame: types.FrameType) -> dict[str, Any]:
    """What kind of thing failed, and its operands."""
    space = {**frame.f_globals, **frame.f_locals}
    stored = isinstance(getattr(node, "ctx", None), ast.Store)
    if isinstance(node, (ast.Tuple, ast.List)) and stored:
        statement = _parent_of(node, frame)
        value = _evaluate(statement.value, space) if isinstance(statement, ast.Assign) else ()
        found = {"kind": "unpack", "text": _shown(statement), "operands": _operands([getattr(statement, "value", node)], space)}
        return found | {"left": len(node.elts), "right": len(value)}
    if isinstance(node, ast.AugAssign):
        return {"kind": "store", "text": _shown(node), "operands": _operands([_loaded(node.target), node.value], space)}
    if isinstance(node, ast.Subscript) and stored:
        statement = _parent_of(node, frame)
        value = [statement.value] if isinstance(statement, (ast.Assign, ast.AugAssign)) else []
        try:
            _evaluate(_loaded(node), space)
        except IndexError:
            return {"kind": "index", "text": _shown(node), "operands": _operands(_parts(_loaded(node)), space)}
        return {"kind": "store", "text": _shown(statement), "operands": _operands([_loaded(node), *value], space)}
    found = {"kind": _kind(node), "text": _shown(node), "operands": _operands(_parts(node), space)}
    if isinstance(node, ast.Subscript) and isinstance(keys := _evaluate(node.value, space), dict):
        return found | {"kind": "key", "keys": [repr(key)[:30] for key in itertools.islice(keys, 12)]}
    return found


def _parent_of(node: ast.AST, frame: types.FrameType) -> ast.AST:
    """The statement in which a node stands."""
    tree = _parsed("".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals)))
    around = [s for s in ast.walk(tree) if isinstance(s, (ast.Assign, ast.AugAssign, ast.For)) and any(n is node for n in ast.walk(s))]
    return around[-1]  # the walk goes from the outside in


def _kind(node: ast.AST) -> str:
    if isinstance(node, ast.BinOp):
        return "product" if isinstance(node.op, ast.MatMult) else "operation"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul"):
        return "product"
    return {ast.Subscript: "index", ast.Call: "call", ast.Attribute: "attribute"}.get(type(node), "operation")


def _parts(node: ast.AST) -> list[ast.expr]:
    """The operands of an expression."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Attribute):
        return [node.value]
    if isinstance(node, ast.Subscript):
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return [node.value, *(p for p in places if not isinstance(p, (ast.Slice, ast.Constant)))]
    if not isinstance(node, ast.Call):
        return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    found, called = [], node.func
    if isinstance(called, ast.Attribute) and not (isinstance(called.value, ast.Name) and called.value.id in ("np", "numpy", "math")):
        found.append(called.value)  # the object of a method
    for argument in [*node.args, *(k.value for k in node.keywords)]:
        inside = argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]
        found += [item for item in inside if not isinstance(item, ast.Constant)]
    return found


def _loaded(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body


def _evaluate(node: ast.expr, space: dict[str, Any]) -> Any:
    return eval(compile(ast.fix_missing_locations(ast.Expression(node)), "<part>", "eval"), space)


def _operands(nodes: list[ast.expr], space: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for node in [n for n in nodes if not isinstance(n, ast.Constant)][:OPERANDS]:
        try:
            value = _evaluate(node, space)
        except Exception:
            continue
        shape = getattr(value, "shape", None)
        known = isinstance(shape, tuple) and all(isinstance(size, int) for size in shape)
        found.append({
            "text": _shown(node), "type": "None" if value is None else type(value).__name__, "shape": list(shape) if known else None,
            "number": int(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else None,
            "length": len(value) if isinstance(value, (list, tuple, dict, str)) else None,
            "name": node.id if isinstance(node, ast.Name) else "",
        })  # fmt: skip
    return found


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."
