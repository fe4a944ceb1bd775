"""`lstm_step`: the new hidden state and cell state of one step."""

from __future__ import annotations

import functools

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, order_in, sizes, zeroed
from .shared import ASSIGNMENT, CELL, STEP_CHANGES, WEIGHT_AXES, into_C_prev, lstm_arguments, lstm_step_with, wide_open


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    arguments = lstm_arguments(rng, 1, N, D, H, scale)
    X, H_0, C_0, *weights = arguments.values()
    arguments = {"X_t": X[0], "H_prev": H_0, "C_prev": C_0, **dict(zip(WEIGHT_AXES, weights))}
    return Case(name, zeroed(arguments, *zero))


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("the input alone (H_prev, C_prev and b are zero)", rng, 1, D, H, zero=("H_prev", "C_prev", "b")),
        _step_case("the hidden state alone (X_t, C_prev and b are zero)", rng, 1, D, H, zero=("X_t", "C_prev", "b")),
        _step_case("the biases alone (X_t, H_prev and C_prev are zero)", rng, 1, D, H, zero=("X_t", "H_prev", "C_prev")),
        _step_case("the cell state alone (X_t, H_prev and b are zero)", rng, 1, D, H, zero=("X_t", "H_prev", "b")),
        _step_case("one sequence, one input, one unit (N=D=H=1)", rng, 1, 1, 1),
        _step_case("several sequences", rng, N, D, H),
        _step_case("as many sequences as inputs and units (N=D=H)", rng, H, H, H),
        _step_case("large inputs, where the gates saturate", rng, N, D, H, scale=8.0),
        wide_open(_step_case("biases so large that exp overflows", rng, N, D, H)),
    ]


def _into_H_prev(X_t, H_prev, C_prev, W_x, W_h, b):
    H_t, C_t = lstm_step_with(X_t, H_prev, C_prev, W_x, W_h, b)
    H_prev[:] = H_t
    return H_t, C_t


STEP_OUTPUTS = (Output("H_t", "array", ("N", "H")), Output("C_t", "array", ("N", "H")))

TASK = Task(
    name="lstm_step", assignment=ASSIGNMENT, points=5, section=CELL,
    arguments={"X_t": ("N", "D"), "H_prev": ("N", "H"), "C_prev": ("N", "H"), **WEIGHT_AXES},
    outputs=STEP_OUTPUTS,
    form_case=lambda rng: _step_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=_step_values,
    reference=reference.lstm_step, solution=cells.lstm_step,
    mistakes=(
        *(Mistake(name, f"a step {words}", functools.partial(lstm_step_with, **changes), section=section,
                  fills=order_in(changes))
          for name, words, changes, section in STEP_CHANGES),
        Mistake("swapped", "a right step that returns C_t before H_t", lambda *arguments: lstm_step_with(*arguments)[::-1]),
        Mistake("states-swapped", "a step that takes C_prev for H_prev and H_prev for C_prev: H_prev comes first",
                lambda X_t, H_prev, C_prev, *weights: lstm_step_with(X_t, C_prev, H_prev, *weights)),
        Mistake("cell-not-returned", "a right step that returns H_t alone: the next step needs C_t, too",
                lambda *arguments: lstm_step_with(*arguments)[0]),
        Mistake("squashed-cell-returned", "a right step that returns tanh(C_t) in place of C_t",
                lambda *arguments: (lambda H_t, C_t: (H_t, np.tanh(C_t)))(*lstm_step_with(*arguments))),
        Mistake("first-sequence-only", "a step that gives every sequence the state of the first",
                lambda *arguments: tuple(np.repeat(state[:1], len(state), axis=0) for state in lstm_step_with(*arguments))),
        Mistake("into-C_prev", "a right step that works inside C_prev, as C_prev *= f does: make a new array", into_C_prev),
        Mistake("into-H_prev", "a right step that writes H_t into H_prev: make a new array", _into_H_prev),
        float32_mistake(cells.lstm_step, tolerance=1e-4),
    ),
)
