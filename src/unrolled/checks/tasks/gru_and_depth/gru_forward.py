"""`gru_forward`: the states of all steps."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, order_in, sizes, zeroed
from .shared import ASSIGNMENT, FORWARD, STATE, STEP_CHANGES, VARIANTS, WEIGHT_AXES, gru_arguments, gru_step_with, reset_before, wide_open


def _forward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    return Case(name, zeroed(gru_arguments(rng, T, N, D, H, scale), *zero))


def _remembering(rng: np.random.Generator, T: int, N: int, D: int, H: int) -> Case:
    """Update gates near 1: what is in the state at the start is still there at the end."""
    case = _forward_case("a long memory: update gates near 1 (T=60)", rng, T, N, D, H)
    case.arguments["b_x"][H : 2 * H] += 8
    return case


def _forward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        _forward_case("one step (T=1)", rng, 1, N, D, H),
        _forward_case("two steps from a start of zero, one sequence", rng, 2, 1, D, H, zero=("H_0",)),
        _forward_case("two steps, one sequence", rng, 2, 1, D, H),
        _forward_case("no input: the state alone is carried on (X and both biases are zero)", rng, T, N, D, H, zero=("X", "b_x", "b_h")),
        _forward_case("several steps and sequences", rng, T + 2, N, D, H),
        _forward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _forward_case("one unit (H=1)", rng, T, N, D, 1),
        _forward_case("large inputs, where the gates saturate", rng, T, N, D, H, scale=8.0),
        wide_open(_forward_case("biases so large that exp overflows", rng, T, N, D, H)),
        _remembering(rng, 60, N, D, H),
    ]


def _forward(X, H_0, *weights, step=gru_step_with, carry=lambda H_t, H_0: H_t):
    """All states, but for another step, or another state carried from step to step than that which came out."""
    H, H_t = [], H_0
    for X_t in X:
        H_t = step(X_t, H_t, *weights)
        H.append(H_t)
        H_t = carry(H_t, H_0)
    return np.stack(H)


def _carrying(carry: Callable) -> Callable:
    return functools.partial(_forward, carry=carry)


def _returning(change: Callable) -> Callable:
    """The right states, returned as `change(H)`."""
    return lambda *arguments: change(_forward(*arguments))


def _candidate_carried(X, H_0, *weights):
    H, n = [], H_0
    for X_t in X:
        H.append(gru_step_with(X_t, n, *weights))
        n = gru_step_with(X_t, n, *weights, mix=lambda r, z, n, H_prev: n)
    return np.stack(H)


def _writes_into_H_0(X, H_0, *weights):
    H = []
    for X_t in X:
        H_0[:] = gru_step_with(X_t, H_0, *weights)
        H.append(H_0.copy())
    return np.stack(H)


def _first_input_skipped(X, H_0, *weights):
    return np.concatenate([H_0[None], *([_forward(X[1:], H_0, *weights)] if len(X) > 1 else [])])


def _flows_into_next_sequence(X, H_0, *weights):
    H, h = np.empty((*X.shape[:2], H_0.shape[1])), H_0[:1]
    for n in range(X.shape[1]):
        for t in range(len(X)):
            h = gru_step_with(X[t, n : n + 1], h, *weights)
            H[t, n] = h[0]
    return H


def _batch_for_time(X, H_0, *weights):
    """The sequences walked through in place of the steps."""
    return np.swapaxes(_forward(np.swapaxes(X, 0, 1), H_0[: len(X)], *weights), 0, 1).copy()


TASK = Task(
    name="gru_forward", assignment=ASSIGNMENT, points=4, section=FORWARD, uses=("gru_step",),
    arguments={"X": ("T", "N", "D"), "H_0": ("N", "H"), **WEIGHT_AXES},
    outputs=(Output("H", "array", ("T", "N", "H")),),
    form_case=lambda rng: _forward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_forward_values,
    reference=reference.gru_forward, solution=lambda *arguments: cells.gru_forward(*arguments)[0],
    mistakes=(
        *(Mistake(name, f"a network {words}", functools.partial(_forward, step=functools.partial(gru_step_with, **changes)), section=section,
                  fills=order_in(changes))
          for name, words, changes, section in STEP_CHANGES),
        Mistake("reset-before-product", "a network whose reset gate multiplies the old state before the product, (r * H_prev) @ W_hn, as "
                "in the published paper: here and in torch it comes after, r * (H_prev @ W_hn + b_hn)",
                functools.partial(_forward, step=reset_before), section=VARIANTS),
        Mistake("state-not-carried", "a network whose every step starts from H_0: carry H_t into the next step",
                _carrying(lambda H_t, H_0: H_0), section=STATE),
        Mistake("state-reset", "a network whose state is set to zero after every step: carry H_t into the next step",
                _carrying(lambda H_t, H_0: 0 * H_t), section=STATE),
        Mistake("candidate-carried", "a network that carries the candidate n into the next step: carry H_t", _candidate_carried),
        Mistake("first-sequence's-state", "a network that carries the first sequence's state to all",
                _carrying(lambda H_t, H_0: np.repeat(H_t[:1], len(H_t), axis=0))),
        Mistake("start-left-out", "a network that starts from zeros: start from H_0",
                lambda X, H_0, *weights: _forward(X, 0 * H_0, *weights)),
        Mistake("start-included", "right states with the start before them, T + 1 of them: H_0 is not among the results",
                lambda X, H_0, *weights: np.concatenate([H_0[None], _forward(X, H_0, *weights)])),
        Mistake("one-step-late", "right states one step late, the start among them: H[0] comes after the first input",
                lambda X, H_0, *weights: np.concatenate([H_0[None], _forward(X, H_0, *weights)[:-1]])),
        Mistake("first-input-skipped", "a network that stores H_0 as its first state and never reads X[0]: the first result is the state "
                "after the first input", _first_input_skipped),
        Mistake("input-one-step-late", "a network that reads X[t - 1] at step t; at t = 0 that wraps round to the last input",
                lambda X, *rest: _forward(np.roll(X, 1, axis=0), *rest)),
        Mistake("reversed", "a network that reads from the last step to the first", lambda X, *rest: _forward(X[::-1], *rest)[::-1].copy()),
        Mistake("results-reversed", "right states from the last step to the first", _returning(lambda H: H[::-1].copy())),
        Mistake("last-state-only", "the right state of the last step only: return all of them", _returning(lambda H: H[-1])),
        Mistake("list", "right states in a list: stack them to one array with np.stack", _returning(list)),
        Mistake("last-state-too", "right states, returned with the last one beside them as torch does: return H alone",
                _returning(lambda H: (H, H[-1]))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, H)",
                _returning(lambda H: np.swapaxes(H, 0, 1).copy())),
        Mistake("batch-for-time", "a network that walks along the batch in place of time, which runs only where T is N or less: the first "
                "axis is time", _batch_for_time),
        Mistake("flows-into-next-sequence", "a network in which the last state of a sequence starts the next one: each sequence of the "
                "batch starts from its own row of H_0", _flows_into_next_sequence),
        Mistake("one-buffer", "a network that keeps one and the same array at every step, so that all show the last state: make a new "
                "array at each step", _returning(lambda H: np.repeat(H[-1:], len(H), axis=0))),
        Mistake("writes-into-H_0", "right states from a network that uses H_0 as its working buffer and so changes the caller's array: "
                "start from a copy", _writes_into_H_0),
        float32_mistake(lambda *arguments: cells.gru_forward(*arguments)[0], tolerance=1e-3),
    ),
)
