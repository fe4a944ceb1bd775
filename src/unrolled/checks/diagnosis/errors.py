"""An error in the terms of the task: which product does not fit, and which axes its operands have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...language import gettext, listed, texts
from ..compare import axis_size
from ..task import Case, Output, Task

SENTENCES: dict[str, tuple[str, str]] = texts({
    "product": ("The product {text} does not fit: {operands}.",
                "The last axis of the left side must be the first axis of the right side. Look which side comes first, and whether one must be transposed."),
    "operation": ("In {text} the shapes do not go together: {operands}.",
                  "Shapes go together where, from the last axis on, the sizes are equal or one of them is 1."),
    "store": ("In {text} the value does not fit into its place: {operands}.", "Make the place with the shape of what is to be put there."),
    "index": ("In {text} an index lies outside: {operands}.", "The first index is 0, and the last is one less than the size of the axis."),
    "key": ("In {text} there is no such key; the keys are {keys}.", "Write one of the keys that are there."),
    "unpack": ("In {text} the left side has {left} names and the right side has {right} values: {operands}.",
               "Write as many names as there are values."),
    "call": ("The call {text} fails: {operands}.", "Look at the shapes: which of them does the function expect?"),
    "attribute": ("{text} cannot be read: {operands}.", "Look what it is at this line, and where it got its value."),
    "name": ("The name {text} stands for nothing.", "Look how it is written, and whether it gets its value before this line."),
    "near": ("The name {text} stands for nothing; there is a {near}.", "Write {near}, if that is what you mean."),
    "later": ("The name {text} has no value yet at this line: it gets one only further down, or only in some cases.", "Give {text} its first value before this line."),
})
OPERAND = texts("{name} is {shape}")
NUMBER = texts("{name} is {number}")
LIST = texts("{name} is a {type} of {length}")
OTHER = texts("{name} is of type {type}")


def told(part: Mapping[str, Any], task: Task, case: Case) -> tuple[str, str]:
    """What fails, and what to do about it."""
    kind = part["kind"]
    if kind == "name":
        kind = "later" if part.get("later") else "near" if part.get("near") else "name"
    elif kind == "operation" and any(o["shape"] is None for o in part["operands"]):
        kind = "call"
    what, todo = map(gettext, SENTENCES[kind])
    sizes = _axes_by_size(task, case)
    numbers = task.sizes(case) if kind == "index" else {}
    operands = listed(_operand(operand, task, case, sizes, numbers) for operand in part["operands"])
    fills = {"keys": ", ".join(part.get("keys", ())), "text": part["text"], "operands": operands, "near": part.get("near", ""), "left": part.get("left"), "right": part.get("right")}
    return what.format_map(fills), todo.format_map(fills)


def fits(part: Mapping[str, Any] | None) -> bool:
    """Whether there is something to say: a name that is not there, or operands whose shapes are known."""
    return part is not None and (part["kind"] == "name" or bool(part["operands"]))


def _operand(operand: Mapping[str, Any], task: Task, case: Case, sizes: Mapping[int, str], numbers: Mapping[str, int]) -> str:
    """What an operand is. numbers: the sizes of axes, where they are wanted, too."""
    if operand["shape"] is not None:
        axes = task.arguments.get(operand["name"])
        value = case.arguments.get(operand["name"])
        if not axes or getattr(value, "shape", None) != tuple(operand["shape"]):
            axes = tuple(sizes.get(size, str(size)) for size in operand["shape"])
        axes = [f"{axis}={numbers[axis]}" if axis in numbers else axis for axis in axes]
        text = f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"
        return gettext(OPERAND).format(name=operand["text"], shape=text)
    if operand["number"] is not None:
        return gettext(NUMBER).format(name=operand["text"], number=operand["number"])
    if operand["length"] is not None:
        return gettext(LIST).format(name=operand["text"], type=operand["type"], length=operand["length"])
    if operand["type"] == "None":
        return gettext(NUMBER).format(name=operand["text"], number="None")
    return gettext(OTHER).format(name=operand["text"], type=operand["type"])


def _axes_by_size(task: Task, case: Case) -> dict[int, str]:
    """The name of an axis for each size that only one axis has."""
    try:
        sizes = task.sizes(case)
    except Exception:  # sizes that are read off arguments of another form
        return {}
    names = {axis for axes in task.arguments.values() for axis in axes or ()} | set(_axes_of(task.result))
    found: dict[int, set[str]] = {}
    for name in names | set(sizes):
        try:
            found.setdefault(axis_size(name, sizes), set()).add(name)
        except (KeyError, ValueError):
            continue
    return {size: next(iter(named)) for size, named in found.items() if len(named) == 1 and size != 1}


def _axes_of(output: Output) -> tuple[str, ...]:
    return output.axes + tuple(axis for item in output.items for axis in _axes_of(item))
