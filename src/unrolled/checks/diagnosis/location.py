"""Where a wrong result is wrong and where it is right: by output, block, step, sequence, and by what the cases have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...language import gettext, listed_long, texts
from .. import compare
from ..task import Case, Task
from .parts import BLOCKS, Seen, blocks_of, in_order, named

LIMIT = 3  # sentences

SENTENCES = texts({
    "outputs": "{wrong} differ in some case; {right} are right in every case.",
    "output": "Only {wrong} differs; {right} are right in every case.",
    "blocks": "Of {name} only the columns of {wrong} differ: {right} are right.",
    "above": "{name} is {value} in one case; it can never be above {limit}.",
    "below": "{name} is {value} in one case; it can never be below {limit}.",
    "sums": "{name}: your values sum to 1 over axis {found}; they should over axis {right}.",
    "ones": "With one sequence every entry of {name} is 1: you divide by a sum over the sequences of the batch.",
    "steps-first": "{name}: only the first step is wrong.",
    "steps-last": "{name}: only the last step is wrong.",
    "steps-right-first": "{name}: the first {count} steps are right in every case, and what comes after them is not.",
    "step-right-first": "{name}: the first step is right in every case, and what comes after it is not.",
    "steps-right-last": "{name}: the last {count} steps are right in every case, and what comes before them is not.",
    "step-right-last": "{name}: the last step is right in every case, and what comes before it is not.",
    "sequence-first": "{name}: only the first sequence of the batch is right.",
    "sequence-last": "{name}: only the last sequence of the batch is right.",
    "half": "{name}: the first half of the sequences is right, the second is not.",
    "size-small": "Everything is right in the cases with {size} ≤ {limit}, and wrong where {size} is larger.",
    "size-one": "Everything is right in the cases with {size} = 1, and wrong where {size} is larger.",
    "size-large": "Everything is right in the cases with {size} ≥ {limit}, and wrong where {size} is smaller.",
    "zero": "Everything is right where {names} is zero: what is wrong is what {names} adds.",
    "only": "Everything is right but for this: {cases}.",
    "right-in": "These cases are right: {cases}.",
    "entries-first": "{name}: the first {count} entries are right in every case.",
    "equal-steps": "{name}: in your result all steps are equal.",
    "zeros": "{name}: in your result every entry is zero.",
    "zero-steps": "{name}: in your result the last step is zero.",
    "sequences-equal": "{name}: in your result all sequences are equal.",
    "shape-swapped": "{name}: the axes are those that are asked for, in another order: {found} in place of {right}.",
})
RANGES = {"BLEU": (0.0, 1.0), "perplexity": (1.0, np.inf), "loss": (0.0, np.inf), "weights": (0.0, 1.0), "probs": (0.0, 1.0), "norm": (0.0, np.inf),
          "norms": (0.0, np.inf), "total": (-np.inf, 0.0)}  # fmt: skip


def located(task: Task, parts: dict[str, list[Seen]], done: list[tuple[Case, Any, Any]]) -> list[str]:
    """Up to three sentences on where the result is right and where it is wrong, the most telling first."""
    wrong = in_order(name for name, seen in parts.items() if not all(one.right for one in seen))
    if not wrong:
        return []
    found = list(dict.fromkeys([*_impossible(parts, wrong), *_by_block(parts, wrong), *_by_output(parts, wrong), *_by_property(task, done),
                                *_by_step(parts, wrong), *_by_sequence(parts, wrong), *_alike(parts, wrong)]))  # fmt: skip
    return found[:LIMIT] or list(_by_case(task, done))[:1]


def _say(kind: str, **fills: Any) -> str:
    return gettext(SENTENCES[kind]).format_map(fills)


def _impossible(parts: dict[str, list[Seen]], wrong: list[str]) -> Iterator[str]:
    for name in wrong:
        low, high = RANGES.get(name, (-np.inf, np.inf))
        for one in parts[name]:
            if one.output.kind not in ("array", "float"):
                break
            values = np.asarray(one.value, dtype=np.float64)
            if values.max(initial=-np.inf) > high + 1e-9:
                yield _say("above", name=name, value=f"{values.max():.4g}", limit=f"{high:g}")
                break
            if values.min(initial=np.inf) < low - 1e-9:
                yield _say("below", name=name, value=f"{values.min():.4g}", limit=f"{low:g}")
                break
        yield from _sums(name, parts[name])


def _sums(name: str, seen: list[Seen]) -> Iterator[str]:
    """Weights that sum to 1 over another axis than they should."""
    arrays = [one for one in seen if one.is_array and one.value.ndim >= 2 and min(one.value.shape) > 1 and one.value.shape == one.truth.shape]
    if not arrays:
        return
    with np.errstate(all="ignore"):
        def axes(values: list[np.ndarray]) -> set[int]:
            return {a for a in range(values[0].ndim) if all(np.allclose(v.sum(axis=a)[v.sum(axis=a) != 0], 1) for v in values)}

        right, mine = axes([one.truth for one in arrays]), axes([one.value for one in arrays])
    if len(right) == 1 and mine and not mine & right:
        yield _say("sums", name=name, found=min(mine), right=min(right))


def _by_block(parts: dict[str, list[Seen]], wrong: list[str]) -> Iterator[str]:
    said = set()
    for name in wrong:
        count = blocks_of(parts[name][0].output)
        if count not in BLOCKS:
            continue
        fine = [all(np.shape(one.value) == np.shape(one.truth) and _close(_block(one.value, count, k), _block(one.truth, count, k)) for one in parts[name])
                for k in range(count)]
        if any(fine) and not all(fine) and tuple(fine) not in said:
            said.add(tuple(fine))
            names = BLOCKS[count]
            yield _say("blocks", name=name, wrong=named(n for n, ok in zip(names, fine) if not ok), right=named(n for n, ok in zip(names, fine) if ok))


def _block(array: np.ndarray, count: int, k: int) -> np.ndarray:
    return np.split(array, count, axis=-1)[k]


def _close(value: Any, truth: Any) -> bool:
    return compare.relative_error(value, truth) <= 1e-9


def _by_output(parts: dict[str, list[Seen]], wrong: list[str]) -> Iterator[str]:
    right = [name for name in parts if name not in wrong]
    if right:
        kind = "output" if len(wrong) == 1 else "outputs"
        yield _say(kind, wrong=named(wrong), right=named(right))


def _by_step(parts: dict[str, list[Seen]], wrong: list[str]) -> Iterator[str]:
    for name in wrong:
        seen = [one for one in parts[name] if one.is_array and one.output.axes[:1] == ("T",) and np.shape(one.value) == np.shape(one.truth) and len(one.truth) > 2]
        steps = [[_close(v, t) for v, t in zip(one.value, one.truth)] for one in seen]
        steps = [flags for flags in steps if not all(flags)]
        if not steps:
            continue
        if all(flags[1:] == [True] * (len(flags) - 1) for flags in steps):
            yield _say("steps-first", name=name)
        elif all(flags[:-1] == [True] * (len(flags) - 1) for flags in steps):
            yield _say("steps-last", name=name)
        else:
            first, last = min(_leading(flags) for flags in steps), min(_leading(flags[::-1]) for flags in steps)
            if first:
                yield _say("steps-right-first" if first > 1 else "step-right-first", name=name, count=first)
            if last:
                yield _say("steps-right-last" if last > 1 else "step-right-last", name=name, count=last)
        if all(not np.any(one.value[-1]) and np.any(one.truth[-1]) for one in seen):
            yield _say("zero-steps", name=name)


def _leading(flags: list[bool]) -> int:
    return flags.index(False) if False in flags else len(flags)


def _by_sequence(parts: dict[str, list[Seen]], wrong: list[str]) -> Iterator[str]:
    for name in wrong:
        seen = [one for one in parts[name] if one.is_array and "N" in one.output.axes and np.shape(one.value) == np.shape(one.truth)]
        flags = []
        for one in seen:
            axis = one.output.axes.index("N")
            values, truths = np.moveaxis(one.value, axis, 0), np.moveaxis(one.truth, axis, 0)
            if len(values) > 1:
                flags.append([_close(v, t) for v, t in zip(values, truths)])
        flags = [f for f in flags if not all(f)]
        if not flags:
            continue
        if all(f[0] and not any(f[1:]) for f in flags):
            yield _say("sequence-first", name=name)
        elif all(f[-1] and not any(f[:-1]) for f in flags):
            yield _say("sequence-last", name=name)
        elif len(flags) > 1 and all(all(f[: len(f) // 2]) and not any(f[(len(f) + 1) // 2 :]) for f in flags):
            yield _say("half", name=name)


def _alike(parts: dict[str, list[Seen]], wrong: list[str]) -> Iterator[str]:
    for name in wrong:
        arrays = [one for one in parts[name] if one.is_array and one.value.size > 1 and np.any(one.truth)]
        if not arrays:
            continue
        if all(not np.any(one.value) for one in arrays):
            yield _say("zeros", name=name)
            continue
        for axis, kind in (("T", "equal-steps"), ("N", "sequences-equal")):
            long = [one for one in arrays if axis in one.output.axes and one.sizes.get(axis, 1) > 1 and one.value.ndim == len(one.output.axes)]
            with np.errstate(all="ignore"):
                if long and all(np.all(np.ptp(one.value, axis=one.output.axes.index(axis)) == 0) and np.any(np.ptp(one.truth, axis=one.output.axes.index(axis)))
                                for one in long):
                    yield _say(kind, name=name)


# --- What cases have in common -----------------------------------------------------------------


def _fine(task: Task, done: list[tuple[Case, Any, Any]]) -> list[tuple[Case, bool]]:
    """Whether all is right, case by case."""
    found = []
    for case, seen, truth in done:
        right = seen.error_type is None and not compare.type_problem(seen.value, task.result)
        try:
            right = right and not compare.shape_problem(seen.value, task.result, task.sizes(case))
            right = right and compare.value_problem(seen.value, truth, task.result, task.tolerance) is None
        except (ValueError, TypeError, KeyError, IndexError):
            right = False
        found.append((case, bool(right)))
    return found


def _by_property(task: Task, done: list[tuple[Case, Any, Any]]) -> Iterator[str]:
    cases = _fine(task, done)
    good, bad = [c for c, ok in cases if ok], [c for c, ok in cases if not ok]
    if not good or not bad:
        return
    sizes = {id(case): task.sizes(case) for case, _ in cases}
    for name in sorted({n for s in sizes.values() for n in s}, key=lambda n: n not in ("T", "N")):
        if not all(name in s for s in sizes.values()):
            continue
        small, large = [sizes[id(c)][name] for c in good], [sizes[id(c)][name] for c in bad]
        if max(small) < min(large):
            yield _say("size-one" if max(small) == 1 else "size-small", size=name, limit=max(small))
        elif min(small) > max(large):
            yield _say("size-large", size=name, limit=min(small))
        else:
            continue
        return
    for name in task.arguments:
        zero = {id(c): isinstance(c.arguments[name], np.ndarray) and not np.any(c.arguments[name]) for c, _ in cases}
        if all(zero[id(c)] for c in good) and not any(zero[id(c)] for c in bad):
            yield _say("zero", names=name)
            return


def _by_case(task: Task, done: list[tuple[Case, Any, Any]]) -> Iterator[str]:
    cases = _fine(task, done)
    good, bad = [c.name for c, ok in cases if ok], [c.name for c, ok in cases if not ok]
    if good and len(bad) <= 2:
        yield _say("only", cases=listed_long(map(gettext, dict.fromkeys(bad))))
    elif good:
        yield _say("right-in", cases=listed_long(map(gettext, dict.fromkeys(good[:4]))))
