"""`minimal_scan`: a linear recurrence for all steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, quiet

RECURRENCE = Section("tasks/beyond", "beyond-recurrence", "A linear recurrence")
SCAN = Section("tasks/beyond", "beyond-scan", "The parallel scan")


def _scan_case(name: str, rng: np.random.Generator, T: int, N: int, H: int, **changed) -> Case:
    """Gates between -1 and 1; `changed`: what replaces an argument, made from its value."""
    arguments = {"a": rng.uniform(-1, 1, size=(T, N, H)), "b": rng.normal(size=(T, N, H)), "h0": rng.normal(size=(N, H))}
    return Case(name, arguments | {argument: change(arguments[argument]) for argument, change in changed.items()})


def _scan_form(rng: np.random.Generator) -> Case:
    return _scan_case("several steps and sequences", rng, *sizes(rng, 3))


def _some_zero(rng: np.random.Generator) -> Callable:
    def change(a: np.ndarray) -> np.ndarray:
        a = np.where(rng.random(a.shape) < 0.3, 0.0, a)
        a[1] = 0.0
        return a

    return change


def _scan_values(rng: np.random.Generator) -> list[Case]:
    T, N, H = sizes(rng, 3)
    return [
        _scan_case("one step, one sequence (T=1, N=1)", rng, 1, 1, H),
        _scan_case("inputs of zero: only the start, through the gates", rng, T + 1, N, H, b=np.zeros_like),
        _scan_case("a start of zero", rng, T + 1, N, H, h0=np.zeros_like),
        _scan_case("gates of one: a running sum", rng, T + 1, N, H, a=np.ones_like),
        _scan_case("two steps (T=2)", rng, 2, N, H),
        _scan_case("three steps (T=3)", rng, 3, N, H),
        _scan_case("positive gates", rng, T + 3, N, H, a=np.abs),
        _scan_case("gates of both signs", rng, T + 3, N, H),
        _scan_case("some gates of zero, which forget", rng, T + 3, N, H, a=_some_zero(rng)),
        _scan_case("gates above one", rng, 9, N, H, a=lambda a: 1 + np.abs(a)),
        _scan_case("as many steps as sequences and units (T=N=H)", rng, H + 1, H + 1, H + 1),
        _scan_case("a power of two (T=32)", rng, 32, N, H),
        _scan_case("one step more than a power of two (T=33)", rng, 33, 1, 1),
        _scan_case("many steps with gates of one half, whose product underflows (T=1200)", rng, 1200, 1, 2, a=lambda a: np.full_like(a, 0.5)),
    ]


def _loop(a, b, h0, *, step=lambda a_t, b_t, h: a_t * h + b_t, carry=True):
    h, states = h0, []
    for a_t, b_t in zip(a, b):
        new = step(a_t, b_t, h)
        states.append(new)
        h = new if carry else h0
    return np.stack(states)


def _loop_with(step: Callable) -> Callable:
    return quiet(lambda a, b, h0: _loop(a, b, h0, step=step))


def _scanned(a, b, h0, *, hasty=False, rounds=0, grow=lambda distance: 2 * distance):
    """The scan in rounds over whole arrays, with one of its parts replaced."""
    a, b = a.copy(), b.copy()
    b[0] += a[0] * h0
    distances, distance = [], 1
    while distance < len(a):
        distances.append(distance)
        distance = grow(distance)
    for distance in distances[: len(distances) - rounds]:
        new_a = a[distance:] * a[:-distance]
        new_b = (new_a if hasty else a[distance:]) * b[:-distance] + b[distance:]
        a[distance:], b[distance:] = new_a, new_b
    return b


def _scanned_with(**changes) -> Callable:
    return quiet(lambda a, b, h0: _scanned(a, b, h0, **changes))


def _by_products(a, b, h0):
    A = np.cumprod(a, axis=0)
    return A * (h0 + np.cumsum(b / A, axis=0))


def _by_logarithms(a, b, h0):
    ell = np.cumsum(np.log(a), axis=0)
    return np.exp(ell) * (h0 + np.cumsum(b * np.exp(-ell), axis=0))


def _start_in_place(a, b, h0):
    b[0] += a[0] * h0
    return _loop(a, b, np.zeros_like(h0))


def _states_in_b(a, b, h0):
    h = h0
    for t in range(len(a)):
        b[t] += a[t] * h
        h = b[t]
    return b


def _same_memory(a, b, h0):
    h, states = h0.copy(), []
    for a_t, b_t in zip(a, b):
        h *= a_t
        h += b_t
        states.append(h)
    return np.stack(states)


def _h0_in_place(a, b, h0):
    states = []
    for a_t, b_t in zip(a, b):
        h0 *= a_t
        h0 += b_t
        states.append(h0.copy())
    return np.stack(states)


def _along_sequences(a, b, h0):
    H = np.empty_like(b)
    for t in range(len(a)):
        h = h0[0]
        for n in range(a.shape[1]):
            h = H[t, n] = a[t, n] * h + b[t, n]
    return H


def _gates_early(a, b, h0):
    return _loop(np.concatenate([np.ones_like(a[:1]), a[:-1]]), b, h0)


def _gates_late(a, b, h0):
    return _loop(np.concatenate([a[1:], a[-1:]]), b, h0)


def _inputs_early(a, b, h0):
    return _loop(a, np.concatenate([np.zeros_like(b[:1]), b[:-1]]), h0)


TASK = Task(
    name="minimal_scan", assignment=ASSIGNMENT, points=3, section=RECURRENCE,
    arguments={"a": ("T", "N", "H"), "b": ("T", "N", "H"), "h0": ("N", "H")},
    outputs=(Output("H", "array", ("T", "N", "H")),),
    form_case=_scan_form, value_cases=_scan_values,
    reference=reference.minimal_scan, solution=_scanned,
    mistakes=(
        Mistake("state-not-carried", "a recurrence whose state is not carried from step to step: each step starts from the one before",
                lambda a, b, h0: _loop(a, b, h0, carry=False)),
        Mistake("start-ignored", "a recurrence that starts from zero: it starts from h0", lambda a, b, h0: _loop(a, b, np.zeros_like(h0))),
        Mistake("start-without-gate", "a recurrence whose first step takes h0 as it is: the first gate applies to it, too",
                lambda a, b, h0: _loop(np.concatenate([np.ones_like(a[:1]), a[1:]]), b, h0)),
        Mistake("start-added-everywhere", "a recurrence from zero with h0 added to every state", lambda a, b, h0: (
            _loop(a, b, np.zeros_like(h0)) + h0)),
        Mistake("start-included", "T + 1 states that begin with h0: the states are those after it", lambda a, b, h0: (
            np.concatenate([h0[None], _loop(a, b, h0)]))),
        Mistake("start-in-place-of-last", "states that begin with h0 and lack the last one: the states are those after h0", lambda a, b, h0: (
            np.concatenate([h0[None], _loop(a, b, h0)[:-1]]))),
        Mistake("last-state-only", "the last state alone: return all of them", lambda a, b, h0: _loop(a, b, h0)[-1]),
        Mistake("gate-left-out", "a running sum: the state before is multiplied by a_t", _loop_with(lambda a, b, h: h + b)),
        Mistake("input-left-out", "products of gates: b_t is added at each step", _loop_with(lambda a, b, h: a * h)),
        Mistake("exchanged", "a recurrence with a and b exchanged", _loop_with(lambda a, b, h: b * h + a)),
        Mistake("gate-after", "a recurrence a_t (h + b_t): the gate multiplies the state before b_t is added",
                _loop_with(lambda a, b, h: a * (h + b))),
        Mistake("gate-on-input", "a recurrence h + a_t b_t: the gate multiplies the state before", _loop_with(lambda a, b, h: h + a * b)),
        Mistake("convex", "a recurrence a_t h + (1 - a_t) b_t, as inside a GRU: b_t is added as it is",
                _loop_with(lambda a, b, h: a * h + (1 - a) * b)),
        Mistake("convex-other-way", "a recurrence (1 - a_t) h + a_t b_t: it is a_t h + b_t", _loop_with(lambda a, b, h: (1 - a) * h + a * b)),
        Mistake("minus", "a recurrence a_t h - b_t: b_t is added", _loop_with(lambda a, b, h: a * h - b)),
        Mistake("tanh", "a recurrence with a tanh: this one is linear, which is why it can be scanned",
                _loop_with(lambda a, b, h: np.tanh(a * h + b))),
        Mistake("sigmoid", "a recurrence with a sigmoid of the gates: they come as they are to be used",
                _loop_with(lambda a, b, h: h / (1 + np.exp(-a)) + b)),
        Mistake("gates-one-step-early", "a recurrence with the gate of the step before: a[t] belongs to the step from h[t - 1] to h[t]", _gates_early),
        Mistake("gates-one-step-late", "a recurrence with the gate of the step after: a[t] belongs to the step from h[t - 1] to h[t]", _gates_late),
        Mistake("inputs-one-step-early", "a recurrence with the b of the step before", _inputs_early),
        Mistake("first-gate-only", "a recurrence with the first step's gate throughout: each step has its own", lambda a, b, h0: (
            _loop(np.broadcast_to(a[:1], a.shape), b, h0))),
        Mistake("reversed", "a recurrence from the last step to the first", lambda a, b, h0: _loop(a[::-1], b[::-1], h0)[::-1].copy()),
        Mistake("along-the-batch", "a recurrence along the sequences of the batch: it runs along time, axis 0", _along_sequences),
        Mistake("product-and-sum", "products of all gates times h0, plus the sum of all b: an input passes the gates after it, too",
                lambda a, b, h0: np.cumprod(a, axis=0) * h0 + np.cumsum(b, axis=0), section=SCAN),
        Mistake("closed-form", "the closed form with a division by the product of the gates, which becomes 0: go step by step, or scan",
                quiet(_by_products)),
        Mistake("logarithms", "the closed form with logarithms of the gates, which must not be negative or 0: go step by step, or scan",
                quiet(_by_logarithms)),
        Mistake("hasty-scan", "a scan that changes a before b is computed: both need the old a", _scanned_with(hasty=True), section=SCAN),
        Mistake("one-round-less", "a scan with one round too few: the distance doubles while it is smaller than T", _scanned_with(rounds=1),
                section=SCAN),
        Mistake("one-round", "a scan with one round: the distance doubles until everything reaches back to the start",
                _scanned_with(grow=lambda distance: 10**9), section=SCAN),
        Mistake("distance-by-one", "a scan whose distance grows by one: it doubles, since every pair covers twice as many steps as before",
                _scanned_with(grow=lambda distance: distance + 1), section=SCAN),
        Mistake("distance-squared", "a scan whose distance grows too fast: it doubles", _scanned_with(grow=lambda distance: 4 * distance),
                section=SCAN),
        Mistake("same-memory", "a list of one and the same array, changed in place at each step: make a new array each time", _same_memory),
        Mistake("start-put-into-b", "right states from a function that puts the start into the caller's b: work on a copy", _start_in_place),
        Mistake("states-in-b", "right states that were written into the caller's b: make a new array", _states_in_b),
        Mistake("h0-in-place", "right states from a function that writes into the caller's h0: make a new array", _h0_in_place),
        Mistake("list", "a list of right states: stack them", lambda a, b, h0: list(_loop(a, b, h0))),
        Mistake("batch-first", "right states with the batch first: time is the first axis", lambda a, b, h0: (
            _loop(a, b, h0).swapaxes(0, 1).copy())),
        float32_mistake(_loop, tolerance=3e-6),
    ),
)
