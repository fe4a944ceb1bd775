"""What holds when a function is graded and not when it is checked at home: few modules, and limits of time."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..language import all_of, gettext, ngettext, sentences

CALL, TASK, CELL, SUBMISSION = 10, 20, 10, 120  # seconds: for a call, all calls of a task, a cell, a whole notebook
NEAR = 0.5  # the share of a limit from which on a slower machine may run into it


def missing_modules(function: Callable) -> list[str]:
    """The packages that a function needs, by itself or by functions of its notebook, and that are not there when it is graded."""
    found: dict[str, None] = {}  # in the order in which they are met
    for module in _modules(function, set()):
        package = module.split(".")[0]
        if package not in ("numpy", "__main__", "builtins") and package not in sys.stdlib_module_names:
            found[package] = None
    return list(found)


def _modules(function: Any, seen: set[int]) -> Iterator[str]:
    """The modules that a function of a notebook reaches: by names, by imports of its own, and through functions beside it."""
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    space = function.__globals__
    yield function.__module__ or "__main__"  # one that was imported, from a file beside the notebook for example, is not handed in with it
    for code in _codes(function.__code__):
        for instruction in dis.get_instructions(code):
            name = instruction.argval
            if instruction.opname == "IMPORT_NAME" and name:
                yield name
            elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and name in space:
                yield from _modules_of(space[name], space, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _modules_of(value: Any, space: dict[str, Any], seen: set[int]) -> Iterator[str]:
    if isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, FunctionType) and value.__globals__ is space:
        yield from _modules(value, seen)
    elif callable(value) and isinstance(module := getattr(value, "__module__", None), str) and module != space.get("__name__"):
        yield module


def otherwise(function: Callable, longest: float, total: float) -> str:
    """One or two sentences on what would be otherwise when a function is graded, or nothing.

    longest, total: seconds of its longest call, and of all.
    """
    said = []
    if missing := missing_modules(function):
        text = ngettext(
            "It uses {names}: when graded there are NumPy and Python's own library only, and what needs it fails.",
            "It uses {names}: when graded there are NumPy and Python's own library only, and what needs them fails.",
            len(missing),
        )
        said.append(text.format(names=all_of(missing)))
    if longest > NEAR * CALL:
        text = gettext("A call took {took} s: when graded one may take {limit} s, perhaps on a slower machine.")
        said.append(text.format(took=f"{longest:.1f}", limit=CALL))
    elif total > NEAR * TASK:
        text = gettext("Its calls took {took} s together: when graded they may take {limit} s, perhaps on a slower machine.")
        said.append(text.format(took=f"{total:.1f}", limit=TASK))
    return sentences(*said)
