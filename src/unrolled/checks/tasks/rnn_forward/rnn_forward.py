"""`rnn_forward`: the states of all steps, one carried into the next."""

from __future__ import annotations

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, rnn_arguments, sizes, zeroed
from .shared import ASSIGNMENT, STATE, STEP

FORWARD = Section("recurrence/rnn-scratch", "scratch-forward", "The forward pass")


def _forward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, zero=(), scale=1.0) -> Case:
    return Case(name, zeroed(rnn_arguments(rng, T, N, D, H, scale), *zero))


def _forward_form(rng: np.random.Generator) -> Case:
    return _forward_case("several steps", rng, *sizes(rng, 4))


def _forward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        _forward_case("one step (T=1)", rng, 1, N, D, H),
        _forward_case("two steps", rng, 2, N, D, H),
        _forward_case("no input: the state alone is carried on (X and b_h are zero)", rng, T, N, D, H, zero=("X", "b_h")),
        _forward_case("several steps", rng, T + 2, N, D, H),
        _forward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _forward_case("one sequence (N=1)", rng, T, 1, D, H),
        _forward_case("large inputs, where tanh saturates", rng, T, N, D, H, scale=2000.0),
        _forward_case("many steps (T=60)", rng, 60, N, D, H),
    ]


def _stacked(step, X, state):
    """All states of a loop: `step(x, state)` from the given start."""
    states = []
    for X_t in X:
        state = step(X_t, state)
        states.append(state)
    return np.stack(states)


def _without_carrying(X, H_0, W_xh, W_hh, b_h):
    return np.stack([cells.rnn_step(X_t, H_0, W_xh, W_hh, b_h) for X_t in X])


def _reset_each_step(X, H_0, W_xh, W_hh, b_h):
    return np.tanh(X @ W_xh + b_h)


def _same_buffer(X, H_0, W_xh, W_hh, b_h):
    states, H_t = [], H_0.copy()
    for X_t in X:
        H_t[:] = cells.rnn_step(X_t, H_t, W_xh, W_hh, b_h)
        states.append(H_t)
    return np.stack(states)


def _writes_into_H_0(X, H_0, W_xh, W_hh, b_h):
    H = np.empty((len(X), *H_0.shape))
    for t, X_t in enumerate(X):
        H_0[:] = cells.rnn_step(X_t, H_0, W_xh, W_hh, b_h)
        H[t] = H_0
    return H


def _batch_for_time(X, H_0, W_xh, W_hh, b_h):
    start = np.zeros((X.shape[0], W_hh.shape[0]))
    states = _stacked(lambda x, h: cells.rnn_step(x, h, W_xh, W_hh, b_h), np.swapaxes(X, 0, 1), start)
    return np.swapaxes(states, 0, 1).copy()


def _first_input_skipped(X, H_0, W_xh, W_hh, b_h):
    H = np.empty((len(X), *H_0.shape))
    H[0] = H_0
    for t in range(1, len(X)):
        H[t] = cells.rnn_step(X[t], H[t - 1], W_xh, W_hh, b_h)
    return H


def _flows_into_next_sequence(X, H_0, W_xh, W_hh, b_h):
    H, h = np.empty((*X.shape[:2], W_hh.shape[0])), H_0[0]
    for n in range(X.shape[1]):
        for t in range(len(X)):
            h = H[t, n] = cells.rnn_step(X[t, n], h, W_xh, W_hh, b_h)
    return H


def _carries_before_tanh(X, H_0, W_xh, W_hh, b_h):
    return np.tanh(_stacked(lambda x, z: x @ W_xh + z @ W_hh + b_h, X, H_0))


def _bias_once(X, H_0, W_xh, W_hh, b_h):
    H_0 = cells.rnn_step(X[0], H_0, W_xh, W_hh, b_h)
    rest = cells.rnn_forward(X[1:], H_0, W_xh, W_hh, 0 * b_h) if len(X) > 1 else np.empty((0, *H_0.shape))
    return np.concatenate([H_0[None], rest])


TASK = Task(
    name="rnn_forward", assignment=ASSIGNMENT, points=5, section=FORWARD, uses=("rnn_step",),
    arguments={"X": ("T", "N", "D"), "H_0": ("N", "H"), "W_xh": ("D", "H"), "W_hh": ("H", "H"), "b_h": ("H",)},
    outputs=(Output("H", "array", ("T", "N", "H")),),
    form_case=_forward_form, value_cases=_forward_values,
    reference=reference.rnn_forward, solution=cells.rnn_forward,
    mistakes=(
        Mistake("state-not-carried", "a network whose state is not carried from step to step: every step starts from H_0",
                _without_carrying, section=STATE),
        Mistake("state-reset", "a network whose state is set to zero before every step", _reset_each_step, section=STATE),
        Mistake("start-state-ignored", "a network that starts from zeros and ignores H_0",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, 0 * H_0, W_xh, W_hh, b_h)),
        Mistake("one-step-late", "a network whose states are stored one step late: H_0 comes first and the last state is lost",
                lambda X, H_0, W_xh, W_hh, b_h: np.concatenate(
                    [H_0[None], cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)[:-1]])),
        Mistake("first-input-skipped", "a network that stores H_0 as its first state and never reads X[0]: the first result is the state "
                "after the first input", _first_input_skipped),
        Mistake("flows-into-next-sequence", "a network in which the last state of a sequence starts the next one: each sequence of the "
                "batch starts from its own row of H_0", _flows_into_next_sequence),
        Mistake("start-state-included", "a right network that returns H_0 as well, T + 1 states: H_0 is not among the results",
                lambda X, H_0, W_xh, W_hh, b_h: np.concatenate(
                    [H_0[None], cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)])),
        Mistake("last-state-only", "a right network that returns the last state only: keep the state of every step",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)[-1]),
        Mistake("list-not-stacked", "a right network that returns a list of states: stack them to one array with np.stack",
                lambda X, H_0, W_xh, W_hh, b_h: list(cells.rnn_forward(X, H_0, W_xh, W_hh, b_h))),
        Mistake("sequences-first", "a right network that returns (N, T, H): time is the first axis",
                lambda X, H_0, W_xh, W_hh, b_h: np.swapaxes(cells.rnn_forward(X, H_0, W_xh, W_hh, b_h), 0, 1).copy()),
        Mistake("batch-for-time", "a network that walks along axis 1, the batch, and so lets one sequence flow into the next: "
                "time is axis 0", _batch_for_time),
        Mistake("backwards", "a network that reads the sequence from its end",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X[::-1], H_0, W_xh, W_hh, b_h)[::-1].copy()),
        Mistake("input-one-step-late", "a network that uses X[t-1] for the state of code index t; at t=0 that wraps round to "
                "the last input",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(np.roll(X, 1, axis=0), H_0, W_xh, W_hh, b_h)),
        Mistake("same-buffer", "a list that holds the same array T times: each step overwrote it, so that all entries show the "
                "last state; make a new array at each step", _same_buffer),
        Mistake("writes-into-H_0", "a right network that uses H_0 as its working buffer and so changes the caller's array: start "
                "from a copy", _writes_into_H_0),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_prev @ W_hh, not H_prev @ W_hh.T",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, H_0, W_xh, W_hh.T, b_h), section=STEP),
        Mistake("bias-left-out", "a network whose bias b_h is left out",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, H_0, W_xh, W_hh, 0 * b_h), section=STEP),
        Mistake("bias-at-first-step-only", "a network that adds the bias at the first step only: it belongs to every step",
                _bias_once, section=STEP),
        Mistake("tanh-left-out", "a network without the tanh",
                lambda X, H_0, W_xh, W_hh, b_h: _stacked(lambda x, h: x @ W_xh + h @ W_hh + b_h, X, H_0), section=STEP),
        Mistake("carries-before-tanh", "a network that carries on the sum before the tanh: the state is what comes out of the tanh",
                _carries_before_tanh, section=STEP),
        float32_mistake(cells.rnn_forward),
    ),
)
