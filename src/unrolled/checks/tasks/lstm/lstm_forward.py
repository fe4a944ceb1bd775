"""`lstm_forward`: the states of all steps."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, order_in, sizes
from .shared import ASSIGNMENT, STEP_CHANGES, WEIGHT_AXES, forward_case, into_C_prev, lstm_step_with, remembering, wide_open

FORWARD = Section("gates/lstm", "lstm-scratch", "The forward pass")


def _forward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        forward_case("one step (T=1)", rng, 1, N, D, H),
        forward_case("two steps from starts of zero, one sequence", rng, 2, 1, D, H, zero=("H_0", "C_0")),
        forward_case("two steps, one sequence", rng, 2, 1, D, H),
        forward_case("a start in the cell alone (H_0 is zero)", rng, T, N, D, H, zero=("H_0",)),
        forward_case("a start in the hidden state alone (C_0 is zero)", rng, T, N, D, H, zero=("C_0",)),
        forward_case("several steps and sequences", rng, T + 2, N, D, H),
        forward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        forward_case("one unit (H=1)", rng, T, N, D, 1),
        forward_case("large inputs, where the gates saturate", rng, T, N, D, H, scale=8.0),
        wide_open(forward_case("biases so large that exp overflows", rng, T, N, D, H)),
        remembering(rng, 60, N, D, H),
    ]


def _forward(X, H_0, C_0, W_x, W_h, b, *, step=lstm_step_with, carries=lambda H_t, C_t, H_0, C_0: (H_t, C_t)):
    """All states, but for another step, or others carried from step to step than those that came out."""
    H, C, H_t, C_t = [], [], H_0, C_0
    for X_t in X:
        H_t, C_t = step(X_t, H_t, C_t, W_x, W_h, b)
        H.append(H_t)
        C.append(C_t)
        H_t, C_t = carries(H_t, C_t, H_0, C_0)
    return np.stack(H), np.stack(C)


def _carrying(carries: Callable) -> Callable:
    return functools.partial(_forward, carries=carries)


def _returning(change: Callable) -> Callable:
    """The right states, returned as `change(H, C)`."""
    return lambda *arguments: change(*_forward(*arguments))


def _one_buffer(X, H_0, C_0, *weights):
    H, C = _forward(X, H_0, C_0, *weights)
    return np.repeat(H[-1:], len(X), axis=0), np.repeat(C[-1:], len(X), axis=0)


def _start_in_place(X, H_0, C_0, W_x, W_h, b):
    H, C = [], []
    for X_t in X:
        H_t, C_t = lstm_step_with(X_t, H_0, C_0, W_x, W_h, b)
        H_0[:], C_0[:] = H_t, C_t
        H.append(H_t)
        C.append(C_t)
    return np.stack(H), np.stack(C)


def _cell_in_place(X, H_0, C_0, W_x, W_h, b):
    H, H_t, C_t = [], H_0, C_0
    C = []
    for X_t in X:
        H_t, C_t = into_C_prev(X_t, H_t, C_t, W_x, W_h, b)
        H.append(H_t)
        C.append(C_t)
    return np.stack(H), np.stack(C)


def _batch_for_time(X, H_0, C_0, *weights):
    """The sequences walked through in place of the steps."""
    states = _forward(X.swapaxes(0, 1), H_0[: len(X)], C_0[: len(X)], *weights)
    return tuple(state.swapaxes(0, 1) for state in states)


TASK = Task(
    name="lstm_forward", assignment=ASSIGNMENT, points=4, section=FORWARD, uses=("lstm_step",),
    arguments={"X": ("T", "N", "D"), "H_0": ("N", "H"), "C_0": ("N", "H"), **WEIGHT_AXES},
    outputs=(Output("H", "array", ("T", "N", "H")), Output("C", "array", ("T", "N", "H"))),
    form_case=lambda rng: forward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_forward_values,
    reference=reference.lstm_forward, solution=lambda *arguments: cells.lstm_forward(*arguments)[:2],
    mistakes=(
        *(Mistake(name, f"a network {words}", functools.partial(_forward, step=functools.partial(lstm_step_with, **changes)), section=section,
                  fills=order_in(changes))
          for name, words, changes, section in STEP_CHANGES),
        Mistake("nothing-carried", "a network whose every step starts from H_0 and C_0: carry H_t and C_t into the next step",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_0, C_0))),
        Mistake("cell-not-carried", "a network that carries H_t and starts every step from C_0: carry C_t, too",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_t, C_0))),
        Mistake("hidden-not-carried", "a network that carries C_t and starts every step from H_0: carry H_t, too",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_0, C_t))),
        Mistake("hidden-carried-as-cell", "a network that carries H_t as the cell state, too: carry C_t",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_t, H_t))),
        Mistake("cell-carried-as-hidden", "a network that carries C_t as the hidden state, too: carry H_t",
                _carrying(lambda H_t, C_t, H_0, C_0: (C_t, C_t))),
        Mistake("carried-swapped", "a network that carries C_t as the hidden state and H_t as the cell state",
                _carrying(lambda H_t, C_t, H_0, C_0: (C_t, H_t))),
        Mistake("squashed-cell-carried", "a network that carries tanh(C_t): carry C_t as it is",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_t, np.tanh(C_t)))),
        Mistake("one-sequence's-state", "a network that carries the first sequence's states to all",
                _carrying(lambda H_t, C_t, H_0, C_0: (np.repeat(H_t[:1], len(H_t), axis=0), np.repeat(C_t[:1], len(C_t), axis=0)))),
        Mistake("starts-left-out", "a network that starts from zeros: start from H_0 and C_0",
                lambda X, H_0, C_0, *weights: _forward(X, 0 * H_0, 0 * C_0, *weights)),
        Mistake("H_0-left-out", "a network whose hidden state starts from zeros: start from H_0",
                lambda X, H_0, C_0, *weights: _forward(X, 0 * H_0, C_0, *weights)),
        Mistake("C_0-left-out", "a network whose cell state starts from zeros: start from C_0",
                lambda X, H_0, C_0, *weights: _forward(X, H_0, 0 * C_0, *weights)),
        Mistake("starts-swapped", "a network that starts from C_0 as the hidden state and from H_0 as the cell state",
                lambda X, H_0, C_0, *weights: _forward(X, C_0, H_0, *weights)),
        Mistake("swapped", "right states with C before H", _returning(lambda H, C: (C, H))),
        Mistake("last-cell-only", "right states, but C of the last step only: return all of them", _returning(lambda H, C: (H, C[-1]))),
        Mistake("last-states-only", "right states of the last step only: return all of them", _returning(lambda H, C: (H[-1], C[-1]))),
        Mistake("hidden-only", "right hidden states without the cell states: return both", _returning(lambda H, C: H)),
        Mistake("hidden-twice", "right hidden states, returned as the cell states, too", _returning(lambda H, C: (H, H.copy()))),
        Mistake("lists", "right states in two lists: stack each to one array", _returning(lambda H, C: (list(H), list(C)))),
        Mistake("one-array", "right states joined to one array: return two", _returning(lambda H, C: np.concatenate([H, C], axis=-1))),
        Mistake("pairs", "right states as a list of pairs, step by step: return H and C, each one array",
                _returning(lambda H, C: list(zip(H, C)))),
        Mistake("start-included", "right states with the start before them: H_0 and C_0 are not among the results",
                lambda X, H_0, C_0, *weights: tuple(
                    np.concatenate([start[None], states]) for start, states in zip((H_0, C_0), _forward(X, H_0, C_0, *weights)))),
        Mistake("one-step-late", "right states one step late, the start among them: H[0] and C[0] come after the first input",
                lambda X, H_0, C_0, *weights: tuple(
                    np.concatenate([start[None], states[:-1]]) for start, states in zip((H_0, C_0), _forward(X, H_0, C_0, *weights)))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, H)",
                _returning(lambda H, C: (H.swapaxes(0, 1).copy(), C.swapaxes(0, 1).copy()))),
        Mistake("batch-for-time", "a network that walks along the batch in place of time, which runs only where T is N or less: the first axis "
                "is time", _batch_for_time),
        Mistake("reversed", "a network that reads from the last step to the first",
                lambda X, *rest: tuple(states[::-1].copy() for states in _forward(X[::-1], *rest))),
        Mistake("results-reversed", "right states from the last step to the first", _returning(lambda H, C: (H[::-1].copy(), C[::-1].copy()))),
        Mistake("one-buffer", "a network that keeps one and the same array at every step, so that all show the last state: make a new "
                "array at each step, or copy", _one_buffer),
        Mistake("in-H_0-and-C_0", "right states from a network that writes into H_0 and C_0: the caller's arrays may not change",
                _start_in_place),
        Mistake("in-C_0", "a network that works inside C_0, as C_t *= f does, and keeps that one array at every step: make a new one",
                _cell_in_place),
        float32_mistake(lambda *arguments: cells.lstm_forward(*arguments)[:2], tolerance=1e-4),
    ),
)
