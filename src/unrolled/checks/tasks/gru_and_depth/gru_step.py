"""`gru_step`: the new state of one step."""

from __future__ import annotations

import functools

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, order_in, sizes, zeroed
from .shared import ASSIGNMENT, STEP, STEP_CHANGES, VARIANTS, WEIGHT_AXES, gru_arguments, gru_step_with, reset_before, wide_open


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    X, H_0, *weights = gru_arguments(rng, 1, N, D, H, scale).values()
    return Case(name, zeroed({"X_t": X[0], "H_prev": H_0, **dict(zip(WEIGHT_AXES, weights))}, *zero))


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("the input alone (H_prev and both biases are zero)", rng, 1, D, H, zero=("H_prev", "b_x", "b_h")),
        _step_case("the state alone (X_t and both biases are zero)", rng, 1, D, H, zero=("X_t", "b_x", "b_h")),
        _step_case("the biases alone (X_t and H_prev are zero)", rng, 1, D, H, zero=("X_t", "H_prev")),
        _step_case("one sequence, one input, one unit (N=D=H=1)", rng, 1, 1, 1),
        _step_case("several sequences", rng, N, D, H),
        _step_case("as many sequences as inputs and units (N=D=H)", rng, H, H, H),
        _step_case("large inputs, where the gates saturate", rng, N, D, H, scale=8.0),
        wide_open(_step_case("biases so large that exp overflows", rng, N, D, H)),
    ]


def _into_H_prev(*arguments):
    H_prev = arguments[1]
    H_prev[:] = gru_step_with(*arguments)
    return H_prev


def _reset_in_place(X_t, H_prev, W_x, W_h, b_x, b_h):
    """The reset gate before the product, by `H_prev *= r`, which also spoils what is kept."""
    H = H_prev.shape[1]
    r, z = np.split(cells.sigmoid(X_t @ W_x[:, : 2 * H] + b_x[: 2 * H] + H_prev @ W_h[:, : 2 * H] + b_h[: 2 * H]), 2, axis=-1)
    H_prev *= r
    n = np.tanh(X_t @ W_x[:, 2 * H :] + b_x[2 * H :] + H_prev @ W_h[:, 2 * H :] + b_h[2 * H :])
    return (1 - z) * n + z * H_prev


TASK = Task(
    name="gru_step", assignment=ASSIGNMENT, points=5, section=STEP,
    arguments={"X_t": ("N", "D"), "H_prev": ("N", "H"), **WEIGHT_AXES},
    outputs=(Output("H_t", "array", ("N", "H")),),
    form_case=lambda rng: _step_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=_step_values,
    reference=reference.gru_step, solution=cells.gru_step,
    mistakes=(
        *(Mistake(name, f"a step {words}", functools.partial(gru_step_with, **changes), section=section,
                  fills=order_in(changes))
          for name, words, changes, section in STEP_CHANGES),
        Mistake("reset-before-product", "a step whose reset gate multiplies the old state before the product, (r * H_prev) @ W_hn, as in "
                "the published paper: here and in torch it comes after, r * (H_prev @ W_hn + b_hn)", reset_before, section=VARIANTS),
        Mistake("candidate-returned", "a right step that returns the candidate beside the new state: return H_t alone",
                lambda *arguments: (gru_step_with(*arguments), gru_step_with(*arguments, mix=lambda r, z, n, H_prev: n))),
        Mistake("first-sequence-only", "a step that gives every sequence the state of the first",
                lambda *arguments: np.repeat(gru_step_with(*arguments)[:1], len(arguments[0]), axis=0)),
        Mistake("into-H_prev", "a right step that writes the new state into H_prev: make a new array", _into_H_prev),
        Mistake("reset-in-place", "a step that multiplies H_prev itself by the reset gate, as H_prev *= r does: the update gate still "
                "needs it, and so does the caller", _reset_in_place, section=VARIANTS),
        float32_mistake(cells.gru_step, tolerance=1e-4),
    ),
)
