"""`rnn_step`: the new state from an input and the state before."""

from __future__ import annotations

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, rnn_arguments, sizes, zeroed
from .shared import ASSIGNMENT, STATE, STEP


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    sequence = rnn_arguments(rng, 1, N, D, H, scale)
    arguments = {"X_t": sequence["X"][0], "H_prev": sequence["H_0"],
                 **{name: sequence[name] for name in ("W_xh", "W_hh", "b_h")}}
    return Case(name, zeroed(arguments, *zero))


def _step_form(rng: np.random.Generator) -> Case:
    return _step_case("all terms", rng, *sizes(rng, 3))


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("the input term alone (H_prev and b_h are zero)", rng, N, D, H, zero=("H_prev", "b_h")),
        _step_case("the recurrent term alone (X_t and b_h are zero)", rng, N, D, H, zero=("X_t", "b_h")),
        _step_case("the bias alone (X_t and H_prev are zero)", rng, N, D, H, zero=("X_t", "H_prev")),
        _step_case("all terms", rng, N, D, H),
        _step_case("as many inputs as units (D=H)", rng, N, H, H),
        _step_case("one sequence (N=1)", rng, 1, D, H),
        _step_case("large inputs, where tanh saturates", rng, N, D, H, scale=2000.0),
    ]


def _step_in_place(X_t, H_prev, W_xh, W_hh, b_h):
    H_prev[:] = cells.rnn_step(X_t, H_prev, W_xh, W_hh, b_h)
    return H_prev


TASK = Task(
    name="rnn_step", assignment=ASSIGNMENT, points=4, section=STEP,
    arguments={"X_t": ("N", "D"), "H_prev": ("N", "H"), "W_xh": ("D", "H"), "W_hh": ("H", "H"), "b_h": ("H",)},
    outputs=(Output("H_t", "array", ("N", "H")),),
    form_case=_step_form, value_cases=_step_values,
    reference=reference.rnn_step, solution=cells.rnn_step,
    mistakes=(
        Mistake("bias-left-out", "a step whose bias b_h is left out",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh)),
        Mistake("bias-twice", "a step that adds the bias twice: this network has one bias, torch keeps two",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h + H_prev @ W_hh + b_h)),
        Mistake("bias-after-tanh", "a step that adds the bias after the tanh: it belongs inside",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh) + b_h),
        Mistake("state-left-out", "a step that leaves out the previous state: without H_prev W_hh there is no recurrence",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h), section=STATE),
        Mistake("input-left-out", "a step that leaves out the input term X_t W_xh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(H_prev @ W_hh + b_h)),
        Mistake("W_hh-transposed", "a step with W_hh transposed: rows times matrices, H_prev @ W_hh, not H_prev @ W_hh.T",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh.T + b_h)),
        Mistake("W_xh-transposed", "a step with W_xh transposed, which runs only where D = H",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh.T + H_prev @ W_hh + b_h)),
        Mistake("tanh-left-out", "a step without the tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: X_t @ W_xh + H_prev @ W_hh + b_h),
        Mistake("tanh-of-each-term", "a step that takes the tanh of each term apart: sum first, then one tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh) + np.tanh(H_prev @ W_hh) + np.tanh(b_h)),
        Mistake("tanh-of-input-and-of-state", "a step that takes one tanh of the input term and another of state and bias: sum first, then "
                "one tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh) + np.tanh(H_prev @ W_hh + b_h)),
        Mistake("stacked-in-another-order", "a step that puts [H_prev, X_t] side by side but W_xh above W_hh: the order must be the same",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(
                    np.concatenate([H_prev, X_t], axis=1) @ np.concatenate([W_xh, W_hh]) + b_h)),
        Mistake("tanh-of-input-only", "a step that puts only the input inside the tanh and adds the recurrent term outside",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h) + H_prev @ W_hh),
        Mistake("sigmoid", "a step with the logistic sigmoid in place of tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: cells.sigmoid(X_t @ W_xh + H_prev @ W_hh + b_h)),
        Mistake("relu", "a step with ReLU in place of tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.maximum(X_t @ W_xh + H_prev @ W_hh + b_h, 0)),
        Mistake("residual", "a step that adds the previous state to the new one: H_prev enters through W_hh only",
                lambda X_t, H_prev, W_xh, W_hh, b_h: H_prev + cells.rnn_step(X_t, H_prev, W_xh, W_hh, b_h)),
        Mistake("overwrites-the-state", "a right step that writes its result into H_prev: the caller still needs the old state",
                _step_in_place),
        Mistake("tanh-of-mean", "a step that averages over the batch somewhere: each sequence has its own state",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + (H_prev @ W_hh).mean(axis=0) + b_h)),
        float32_mistake(cells.rnn_step),
    ),
)
