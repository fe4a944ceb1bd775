"""Results of the right form that hold the strangest values: no check breaks down over them, and none earns anything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from unrolled.checks import TASKS
from unrolled.checks import run as checks_run
from unrolled.checks.compare import axis_size
from unrolled.checks.task import Case, Output
from unrolled.grading import wire

pytestmark = pytest.mark.slow

MOST = 9  # values a task
REALS = (np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, -1.0)
IDS = (
    np.int64(-1), np.int64(-(2**63)), np.int64(2**63 - 1), np.uint64(2**64 - 1), np.int8(-128), np.array(10**9, dtype=">i4")[()],
)  # fmt: skip
NUMBERS = (*REALS, 2**511, -(2**511), np.float16(1.5), np.array(-3.0), np.float32(np.nan), np.uint64(2**64 - 1))
WHOLE = (2**511, -(2**511), np.int8(-1), np.array(-3), np.uint64(2**64 - 1))
TEXTS = ("", "\x00", "\N{REPLACEMENT CHARACTER}", "\u202e" * 10_000, "%s{0}<script>", "nan")
KEYS = ("", "\x1b[2J", 2**500, -1, ("a", -1), ((1, 2), "b"), 1.5, None, np.float32(np.nan))


def values(output: Output, sizes: dict[str, int]) -> Iterator[Any]:
    """Values of the form of an output, one after the other."""
    if output.kind in ("array", "ids"):
        shape = tuple(axis_size(axis, sizes) if axis_known(axis, sizes) else 3 for axis in output.axes)
        for value in REALS if output.kind == "array" else IDS:
            yield np.full(shape, value)
    elif output.kind in ("float", "int", "str"):
        yield from {"float": NUMBERS, "int": WHOLE, "str": TEXTS}[output.kind]
    elif output.kind == "tuple":
        yield from zip(*(itertools.islice(itertools.cycle(values(item, sizes)), 7) for item in output.items))
    elif output.kind == "dict":
        for parts in zip(*(itertools.islice(itertools.cycle(values(item, sizes)), 7) for item in output.items)):
            yield dict(zip([item.name for item in output.items], parts))
    elif output.kind == "list":
        for part in values(output.items[0], sizes):
            yield from ([], [part], [part] * 3, [part] * 500)
    else:
        for part, key in itertools.product(itertools.islice(values(output.items[0], sizes), 4), KEYS):
            yield from ({}, {key: part})


def axis_known(axis: str, sizes: dict[str, int]) -> bool:
    return axis.lstrip("0123456789") in sizes or axis in sizes


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_strange_values_of_the_right_form_earn_nothing_and_break_no_check(task):
    def result(arguments: dict[str, Any]) -> list[Any]:
        return list(values(task.result, task.sizes(Case("strange", arguments))))

    many = len(result(task.form_case(np.random.default_rng(5)).arguments))
    for place in range(0, many, -(-many // MOST)):

        def call(arguments: dict[str, Any], place: int = place) -> checks_run.Observation:
            return checks_run.Observation(value=wire.decode(wire.encode(result(arguments)[place])))

        with np.errstate(all="ignore"):
            record = checks_run.run(task, call, seed=5)
        assert record.points == 0 and not record.passed and record.message, (place, record)
