"""`sequential_batches`: windows of a text that continue one another, with their targets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .... import reference, text
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT

TARGETS = Section("sequences/text", "text-off-by-one", "Targets, and the mistake that everyone makes")
BATCHES = Section("sequences/text", "text-batches", "Two ways to cut a text")


def _batches_case(name: str, rng: np.random.Generator, tokens: int, N: int, T: int, offset: int = 0) -> Case:
    """A text of different ids, so that each shows where in the text it comes from."""
    return Case(name, {"ids": rng.permutation(tokens) + 10, "N": N, "T": T, "offset": offset})


def _batches_form(rng: np.random.Generator) -> Case:
    return _batches_case("two strips", rng, 26, 2, 4)


def _batches_values(rng: np.random.Generator) -> list[Case]:
    N, T = (int(size) for size in rng.permutation([2, 3, 4, 5])[:2])
    return [
        _batches_case("one strip, one batch (N=1)", rng, T + 1, 1, T),
        _batches_case("one strip, several batches (N=1)", rng, 3 * T + 1, 1, T),
        _batches_case("several strips, one batch", rng, N * T + 1, N, T),
        _batches_case("several strips, several batches", rng, 3 * N * T + 1, N, T),
        _batches_case("strips longer than their batches: a rest is left out", rng, N * (3 * T + 1) + 1, N, T),
        _batches_case("a text that can't be shared evenly among the strips", rng, 3 * N * T + N, N, T),
        _batches_case("a text one token too short for another batch", rng, 3 * N * T, N, T),
        _batches_case("an offset", rng, 3 * N * T + 4, N, T, offset=3),
        _batches_case("an offset that costs a batch", rng, 3 * N * T + 1, N, T, offset=1),
        _batches_case("one token a batch (T=1)", rng, 4 * N + 1, N, 1),
        _batches_case("as many strips as steps (N=T)", rng, 3 * T * T + T, T, T, offset=1),
        _batches_case("a longer text", rng, 500, 7, 11, offset=5),
    ]


def _strips(ids, start, N, L):
    """N strips of L tokens side by side, `(L, N)`."""
    return np.stack([ids[start + n * L : start + (n + 1) * L] for n in range(N)], axis=1)


def _cut(ids, N, T, offset=0, *, L=None, shift=1, count=None):
    """Right batches but for another strip length, target shift or number of batches."""
    ids = np.asarray(ids)
    L = (len(ids) - offset - 1) // N if L is None else L
    X, Y = _strips(ids, offset, N, L), _strips(ids, offset + shift, N, L)
    return [(X[t * T : (t + 1) * T], Y[t * T : (t + 1) * T]) for t in range(L // T if count is None else count)]


def _all_batches(change: Callable) -> Callable:
    """The right batches, each passed through `change(X, Y)`."""
    return lambda ids, N, T, offset: [change(X, Y) for X, Y in text.sequential_batches(ids, N, T, offset)]


def _last_target_wraps(X, Y):
    return X, np.roll(X, -1, axis=0)


def _interleaved(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X, Y = (ids[offset + s : offset + s + L * N].reshape(L, N) for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, L - T + 1, T)]


def _reshaped_batches(X, Y):
    return X.T.reshape(X.shape), Y.T.reshape(Y.shape)


def _windows_in_order(ids, N, T, offset):
    """Windows in the order of the text, N of them a batch: column n + 1 goes on where column n stops."""
    count = (len(ids) - offset - 1) // N // T
    X, Y = (ids[offset + s : offset + s + count * N * T].reshape(count, N, T) for s in (0, 1))
    return [(x.T, y.T) for x, y in zip(X, Y)]


def _incomplete_too(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    return _cut(ids, N, T, offset, count=-(-L // T))


def _overlapping(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X, Y = (_strips(ids, offset + s, N, L) for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(L - T + 1)]


def _offset_in_each_strip(ids, N, T, offset):
    L = (len(ids) - 1) // N
    X, Y = (_strips(ids, s, N, L)[offset:] for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, len(X) - T + 1, T)]


def _targets_end_with_strip(ids, N, T, offset):
    """The last target of each strip is left out, as if a strip's text ended there: its L counts inputs and last target."""
    L = (len(ids) - offset) // N
    strips = ids[offset : offset + N * L].reshape(N, L).T
    return [(strips[t : t + T], strips[t + 1 : t + T + 1]) for t in range(0, (L - 1) // T * T, T)]


def _strip_wraps(ids, N, T, offset):
    L = (len(ids) - offset - 1) // N
    X = ids[offset : offset + N * L].reshape(N, L).T
    Y = np.roll(X, -1, axis=0)
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, L - T + 1, T)]


def _window_of_T_and_one(ids, N, T, offset):
    """Windows of T + 1 tokens, one after another: the last target of a window is no input of the next."""
    L = (len(ids) - offset - 1) // N
    X, Y = (_strips(ids, offset + s, N, L) for s in (0, 1))
    return [(X[t : t + T], Y[t : t + T]) for t in range(0, L - T + 1, T + 1)]


TASK = Task(
    name="sequential_batches", assignment=ASSIGNMENT, points=4, section=BATCHES,
    arguments={"ids": ("L",), "N": None, "T": None, "offset": None},
    outputs=(Output("batches", "list", items=(
        Output("pair", "tuple", items=(Output("X", "ids", ("T", "N")), Output("Y", "ids", ("T", "N")))),)),),
    form_case=_batches_form, value_cases=_batches_values,
    reference=reference.sequential_batches, solution=text.sequential_batches,
    mistakes=(
        Mistake("targets-not-shifted", "targets equal to the inputs: Y is X one token further on", _all_batches(lambda X, Y: (X, X.copy())),
                section=TARGETS),
        Mistake("targets-one-back", "targets one token back: Y is X one token further on",
                lambda ids, N, T, offset: [(Y, X) for X, Y in text.sequential_batches(ids, N, T, offset)], section=TARGETS),
        Mistake("targets-two-on", "targets two tokens further on",
                lambda ids, N, T, offset: _cut(np.append(ids, ids[-1]), N, T, offset, L=(len(ids) - offset - 1) // N, shift=2),
                section=TARGETS),
        Mistake("last-target-wraps", "targets rolled within each window, so that the last one is the window's first input: take the ids one "
                "further on from the text", _all_batches(_last_target_wraps), section=TARGETS),
        Mistake("strip-wraps", "targets rolled within each strip, so that the last one is the strip's first input: take the ids one further "
                "on from the text", _strip_wraps, section=TARGETS),
        Mistake("batch-first", "batches (N, T): time is the first axis, (T, N)", _all_batches(lambda X, Y: (X.T.copy(), Y.T.copy()))),
        Mistake("interleaved", "batches in which neighbouring tokens stand side by side, as from reshape(L, N): each column runs through a "
                "strip of its own, reshape(N, L) and then transpose", _interleaved),
        Mistake("reshaped", "windows turned to (T, N) by reshape, which keeps the order of memory and mixes the strips: transpose, .T",
                _all_batches(_reshaped_batches)),
        Mistake("windows-in-order", "batches whose columns are windows one after another in the text: a batch must go on where the one "
                "before it stopped, column by column", _windows_in_order),
        Mistake("offset-ignored", "batches from the beginning of the text: it starts at offset",
                lambda ids, N, T, offset: text.sequential_batches(ids, N, T)),
        Mistake("offset-at-both-ends", "strips shortened by the offset at both ends: only the first `offset` tokens are left out",
                lambda ids, N, T, offset: text.sequential_batches(ids[: len(ids) - offset], N, T, offset)),
        Mistake("offset-not-in-L", "strips whose length takes no notice of the offset: L = (len(ids) - offset - 1) // N",
                lambda ids, N, T, offset: _cut(np.append(ids, [0] * offset), N, T, offset, L=(len(ids) - 1) // N)),
        Mistake("offset-in-each-strip", "strips that each leave out their own first tokens: the offset is for the whole text",
                _offset_in_each_strip),
        Mistake("L-without-minus-1", "strips of length (len(ids) - offset) // N: the last input needs a target, so one token less",
                lambda ids, N, T, offset: _cut(np.append(ids, 0), N, T, offset, L=(len(ids) - offset) // N), section=TARGETS),
        Mistake("targets-in-the-strip", "strips that hold inputs and last target: the last target of a strip is the first token of the "
                "next, so L = (len(ids) - offset - 1) // N", _targets_end_with_strip, section=TARGETS),
        Mistake("L-too-short", "strips one token too short: L = (len(ids) - offset - 1) // N",
                lambda ids, N, T, offset: _cut(ids, N, T, offset, L=(len(ids) - offset - 1) // N - 1)),
        Mistake("L-cut-to-windows", "strips cut to a whole number of windows before they are laid side by side: the next strip starts L "
                "tokens on, and what remains of each is left out",
                lambda ids, N, T, offset: _cut(ids, N, T, offset, L=(len(ids) - offset - 1) // N // T * T)),
        Mistake("incomplete-batch", "batches with a shorter one at the end: leave it out", _incomplete_too),
        Mistake("last-batch-left-out", "batches without the last one: there are L // T",
                lambda ids, N, T, offset: text.sequential_batches(ids, N, T, offset)[:-1]),
        Mistake("first-batch-only", "the first batch only", lambda ids, N, T, offset: text.sequential_batches(ids, N, T, offset)[:1]),
        Mistake("overlapping", "batches that overlap, each one token further on: a batch starts T tokens after the one before",
                _overlapping),
        Mistake("windows-T-plus-1", "batches that start T + 1 tokens after the one before: the last target of a window is the first "
                "input of the next", _window_of_T_and_one, section=TARGETS),
        Mistake("reversed", "batches from the last to the first", lambda ids, N, T, offset: (
            text.sequential_batches(ids, N, T, offset)[::-1])),
        Mistake("one-batch", "right strips in a single batch: cut them into windows of T steps",
                lambda ids, N, T, offset: text.sequential_batches(ids, N, (len(ids) - offset - 1) // N, offset)),
        Mistake("array", "one array of right batches: return a list of pairs",
                lambda ids, N, T, offset: np.array(text.sequential_batches(ids, N, T, offset))),
        Mistake("floats", "right batches of floats: ids are whole numbers", _all_batches(lambda X, Y: (X.astype(float), Y.astype(float)))),
        Mistake("two-lists", "a list of inputs and a list of targets: return a list of pairs (X, Y)",
                lambda ids, N, T, offset: tuple(map(list, zip(*text.sequential_batches(ids, N, T, offset))))),
    ),
)
