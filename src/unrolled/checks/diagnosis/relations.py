"""Simple relations between a learner's results and the truth that hold on every case: a factor, a transpose, other blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from ...language import gettext, listed_long, sentences, texts
from .. import compare
from .parts import BLOCKS, Seen, blocks_of, in_order, named

TOLERANCE = 1e-9

SENTENCES: dict[str, tuple[str, str]] = texts({
    "sign": ("{names}: the right values with the opposite sign.", "Turn the sign of {names}."),
    "factor": ("{names}: the right values times {factor}, in every case.", "Look for a factor of {factor} in the computation of {names}."),
    "base": ("{names}: the right value in logarithms to base {base}.", "Use the natural logarithm, np.log."),
    "times-size": ("{names}: the right values times {size}.", "Divide {names} by {size}: a mean is taken where you take a sum."),
    "over-size": ("{names}: the right values divided by {size}.", "Leave the division by {size} out of {names}."),
    "offset": ("{names}: the right values plus {number}, in every case.", "Look for {number} too much in {names}."),
    "transposed": ("{names}: the right values, transposed.", "Transpose {names}: rows belong to what comes in, columns to what goes out."),
    "reversed": ("{names}: the right values with the last step first.", "Turn the order of the steps of {names}."),
    "late": ("{names}: the right values, one step late.", "Entry t of {names} belongs to step t: look at what stands there first."),
    "early": ("{names}: the right values, one step early.", "Entry t of {names} belongs to step t: look at what stands there first."),
    "clipped": ("{names}: the right values, cut off at −{number} and {number}.", "Leave the clipping out: the task asks for the values as they are."),
    "blocks": ("{names}: where {right} belong, in this order, stand the values of {found}.", "Put into each block of {names} what belongs to it."),
    "in-place-of": ("Where {names} belongs stands the right {other}.", "Look at the order of what is returned."),
    "exp": ("{names}: the exponential of the right value.", "Leave the last exponential out."),
    "log": ("{names}: the logarithm of the right value.", "The exponential is missing at the end."),
    "square": ("{names}: the square of the right value.", "The square root is missing."),
    "root": ("{names}: the square root of the right value.", "Leave the square root out."),
    "inverse": ("{names}: one over the right value.", "Turn the fraction of {names} round."),
    "complement": ("{names}: one minus the right value.", "Return {names} itself, and not what is missing to 1."),
})
NOT_FINITE = texts(("And your result is not a finite number here: {cases}.", "Look where a logarithm of 0, a division by 0 or an exponential of a large number comes in."))
FUNCTIONS: dict[str, Callable] = {
    "exp": np.exp, "log": np.log, "square": np.square, "root": np.sqrt, "inverse": lambda t: 1 / t, "complement": lambda t: 1 - t,
}  # fmt: skip


def relation(parts: dict[str, list[Seen]]) -> tuple[str, str] | None:
    """What holds between the parts that are wrong and the truth, and what to do about it; None where nothing simple does.

    Cases in which the result is not finite are told apart: there nothing can hold."""
    broken = dict.fromkeys(one.case.name for seen in parts.values() for one in seen if not _finite(one))
    parts = {name: [one for one in seen if one.case.name not in broken] for name, seen in parts.items()}
    wrong = [name for name, seen in parts.items() if not all(one.right for one in seen)]
    if not wrong or any(len(parts[name]) < 2 for name in wrong):
        return None
    found: dict[tuple, list[str]] = {}
    for name in wrong:
        one = next(_relations(name, parts), None)
        if one is None:
            return None
        found.setdefault(one, []).append(name)
    if len(found) > 2:
        return None
    told = []
    for (kind, *fills), names in found.items():
        filling = dict(fills) | {"names": named(in_order(names))}
        told.append([gettext(text).format_map(filling) for text in SENTENCES[kind]])
    if broken:
        told.append([gettext(text).format(cases=listed_long(map(gettext, list(broken)[:3]))) for text in NOT_FINITE])
    return sentences(*(t[0] for t in told)), sentences(*(t[1] for t in told))


def _finite(one: Seen) -> bool:
    """Whether a number or an array of numbers is finite where the truth is."""
    if one.output.kind not in ("array", "float") or np.shape(one.value) != np.shape(one.truth):
        return True
    return bool(np.all(np.isfinite(np.asarray(one.value, dtype=np.float64)) | ~np.isfinite(np.asarray(one.truth, dtype=np.float64))))


def _relations(name: str, parts: dict[str, list[Seen]]) -> Iterator[tuple]:
    """The relations of a part, simplest first, as (kind, (placeholder, text), ...)."""
    seen = parts[name]
    if not all(one.output.kind in ("array", "float") and np.shape(one.value) == np.shape(one.truth) for one in seen):
        return
    pairs = [(np.asarray(one.value, dtype=np.float64), np.asarray(one.truth, dtype=np.float64)) for one in seen]
    if not all(np.all(np.isfinite(v)) for v, _ in pairs):
        return
    for other, there in parts.items():
        if other != name and len(there) == len(seen) and all(np.shape(a.value) == np.shape(b.truth) for a, b in zip(seen, there)):
            if all(_close(a.value, b.truth) for a, b in zip(seen, there)):
                yield "in-place-of", ("other", other)
    with np.errstate(all="ignore"):
        yield from _factors(seen, pairs)
        yield from _arranged(seen, pairs)
        for kind, function in FUNCTIONS.items():
            if all(_close(v, function(t)) for v, t in pairs) and not all(_close(t, function(t)) for _, t in pairs):
                yield (kind,)
        offsets = [float(np.mean(v - t)) for v, t in pairs]
        if np.ptp(offsets) <= TOLERANCE * abs(offsets[0]) and all(_close(v, t + offsets[0]) for v, t in pairs):
            yield "offset", ("number", f"{offsets[0]:.6g}")


def _close(value: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(other))) and compare.relative_error(value, other) <= TOLERANCE


def _factors(seen: list[Seen], pairs: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple]:
    used = [(one, v, t) for one, (v, t) in zip(seen, pairs) if np.any(t)]
    if len(used) < 2 or any(np.any(v) for v, t in pairs if not np.any(t)):
        return
    ratios = [float((v * t).sum() / (t * t).sum()) for _, v, t in used]
    if not all(np.isfinite(r) and r and _close(v, r * t) for r, (_, v, t) in zip(ratios, used)):
        return
    if np.ptp(ratios) <= TOLERANCE * abs(ratios[0]):
        ratio = ratios[0]
        if math.isclose(ratio, -1):
            yield ("sign",)
        for base in (2, 10):
            if math.isclose(ratio, 1 / math.log(base), rel_tol=1e-9):
                yield "base", ("base", str(base))
        yield "factor", ("factor", f"{ratio:.6g}")
    names = [n for n in used[0][0].sizes if all(n in one.sizes for one, *_ in used)]
    for count in (1, 2):
        for chosen in itertools.combinations(names, count):
            sizes = [math.prod(one.sizes[n] for n in chosen) for one, *_ in used]
            if len(set(sizes)) < 2:
                continue
            size = "size", " · ".join(chosen)
            if all(math.isclose(r, s, rel_tol=1e-9) for r, s in zip(ratios, sizes)):
                yield "times-size", size
            if all(math.isclose(r * s, 1, rel_tol=1e-9) for r, s in zip(ratios, sizes)):
                yield "over-size", size


def _arranged(seen: list[Seen], pairs: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple]:
    first = seen[0]
    if not first.is_array:
        return
    if all(v.ndim == 2 and v.shape == t.T.shape and _close(v, t.T) for v, t in pairs):
        yield ("transposed",)
    if first.output.axes[:1] == ("T",):
        longer = [(v, t) for v, t in pairs if len(t) > 1]
        if longer and all(_close(v, t[::-1]) for v, t in pairs):
            yield ("reversed",)
        if longer and all(_close(v[1:], t[:-1]) for v, t in longer):
            yield ("late",)
        if longer and all(_close(v[:-1], t[1:]) for v, t in longer):
            yield ("early",)
    limits = [float(np.abs(v).max(initial=0)) for v, t in pairs if np.abs(v).max(initial=0) < np.abs(t).max(initial=0) * (1 - 1e-6)]
    if limits and np.ptp(limits) == 0 and limits[0] and all(_close(v, np.clip(t, -limits[0], limits[0])) for v, t in pairs):
        yield "clipped", ("number", f"{limits[0]:g}")
    count = blocks_of(first.output)
    if count in BLOCKS:
        yield from _blocks(count, pairs)


def _blocks(count: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple]:
    """Blocks in which the right values of another block stand."""
    values, truths = ([np.split(array, count, axis=-1) for array in arrays] for arrays in zip(*pairs))
    places = []
    for k in range(count):
        same = [j for j in range(count) if all(_close(v[k], t[j]) for v, t in zip(values, truths))]
        if not same:
            return
        places.append(k if k in same else same[0])
    moved = [k for k in range(count) if places[k] != k]
    if moved:
        names = BLOCKS[count]
        yield "blocks", ("right", named(names[k] for k in moved)), ("found", named(names[places[k]] for k in moved))
