"""`rnn_step_backward`: the gradients of one step, from the gradient of its state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, rnn_arguments, sizes, zeroed
from .shared import ASSIGNMENT, BY_HAND, GRADIENTS, STEP_MISTAKES, step_backward, step_but


def _step_weights(weights: Callable) -> Callable:
    """The step with each of its three weight gradients passed through `weights(gradient, N)`."""

    def step(dH_t, X_t, *rest):
        dX_t, dH_prev, *grads = step_backward(dH_t, X_t, *rest)
        return dX_t, dH_prev, *(weights(grad, len(X_t)) for grad in grads)

    return step


def _order(*places: int) -> Callable:
    """The right step with its results in another order."""

    def step(*arguments):
        results = step_backward(*arguments)
        return tuple(results[place] for place in places)

    return step


def _writes_into_dH_t(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    dH_t *= 1 - H_t**2
    return dH_t @ W_xh.T, dH_t @ W_hh.T, X_t.T @ dH_t, H_prev.T @ dH_t, dH_t.sum(axis=0)


def _writes_into_H_t(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    H_t *= -H_t
    H_t += 1
    return step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh, slope=H_t)


TASK = Task(
    name="rnn_step_backward", assignment=ASSIGNMENT, points=4, section=BY_HAND,
    arguments={"dH_t": ("N", "H"), "X_t": ("N", "D"), "H_prev": ("N", "H"), "H_t": ("N", "H"), "W_xh": ("D", "H"), "W_hh": ("H", "H")},
    outputs=(Output("dX_t", "array", ("N", "D")), Output("dH_prev", "array", ("N", "H")), *GRADIENTS),
    form_case=lambda rng: _step_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=lambda rng: _step_values(rng),
    reference=reference.rnn_step_backward, solution=step_backward,
    mistakes=(
        *STEP_MISTAKES,
        Mistake("upstream-left-out", "a step that leaves out what comes from above: the slope of the tanh is multiplied by dH_t",
                lambda dH_t, *rest: step_backward(np.ones_like(dH_t), *rest)),
        Mistake("W_xh-not-transposed", "a step that sends dZ_t @ W_xh back to the input, which runs only where D = H: dZ_t @ W_xh.T",
                step_but(0, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t @ W_xh)),
        Mistake("dW_hh-transposed", "a step with dW_hh transposed: rows belong to H_prev, columns to H_t, so H_prev.T @ dZ_t",
                step_but(3, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.T @ H_prev)),
        Mistake("dW_xh-transposed", "a step with dW_xh transposed: it has the shape of W_xh, so X_t.T @ dZ_t",
                step_but(2, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.T @ X_t)),
        Mistake("weights-before-slope", "a step that takes dW_xh, dW_hh and db_h from dH_t: take them from dZ_t, which has gone "
                "through the tanh's slope",
                lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: (
                    *step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh)[:2], *step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh, 1.0)[2:])),
        Mistake("inputs-before-slope", "a step that takes dX_t and dH_prev from dH_t: take them from dZ_t, which has gone through the "
                "tanh's slope",
                lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: (
                    *step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh, 1.0)[:2], *step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh)[2:])),
        Mistake("dH_prev-before-slope", "a step that takes dH_prev from dH_t: take it from dZ_t, which has gone through the tanh's slope",
                step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t @ W_hh.T)),
        Mistake("bias-before-slope", "a step that takes db_h from dH_t: the bias stands inside the tanh, so take it from dZ_t",
                step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t.sum(axis=0))),
        Mistake("bias-mean", "a step that averages db_h over the sequences: every sequence uses the bias, so sum",
                step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.mean(axis=0))),
        Mistake("bias-not-summed", "a step whose db_h has a row for each sequence: sum over the N sequences",
                step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t)),
        Mistake("bias-keeps-axis", "a step whose db_h has the shape (1, H): it has the shape of b_h, (H,)",
                step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.sum(axis=0, keepdims=True))),
        Mistake("bias-summed-over-units", "a step that sums db_h over the units, axis 1: sum over the sequences, axis 0",
                step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.sum(axis=1))),
        Mistake("mean-over-batch", "a step that divides the weight gradients by N: the loss has been averaged already, so sum",
                _step_weights(lambda grad, N: grad / N)),
        Mistake("first-sequence-only", "a step whose weight gradients come from the first sequence only: sum over all",
                lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: (
                    *step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh)[:2],
                    *step_backward(dH_t[:1], X_t[:1], H_prev[:1], H_t[:1], W_xh, W_hh)[2:])),
        Mistake("weights-swapped", "right gradients with dW_hh before dW_xh: keep the order of the result", _order(0, 1, 3, 2, 4)),
        Mistake("inputs-swapped", "right gradients with dH_prev before dX_t: keep the order of the result", _order(1, 0, 2, 3, 4)),
        Mistake("weights-first", "right gradients with those of the weights first: keep the order of the result",
                _order(2, 3, 4, 0, 1)),
        Mistake("own-part-of-dH_prev", "a step that adds dH_t to dH_prev: the only way from H_prev to the loss is through this step",
                step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t + dZ_t @ W_hh.T)),
        Mistake("writes-into-dH_t", "right gradients from a step that writes into dH_t, as dH_t *= ... does: make a new array",
                _writes_into_dH_t),
        Mistake("writes-into-H_t", "right gradients from a step that writes into H_t: make a new array", _writes_into_H_t),
        float32_mistake(step_backward),
    ),
)


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    sequence = zeroed(rnn_arguments(rng, 1, N, D, H, scale), *zero)
    H_t = cells.rnn_forward(**sequence)[0]
    return Case(name, {"dH_t": rng.normal(size=(N, H)), "X_t": sequence["X"][0], "H_prev": sequence["H_0"], "H_t": H_t,
                       "W_xh": sequence["W_xh"], "W_hh": sequence["W_hh"]})


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("one sequence, one input, one unit (N=D=H=1)", rng, 1, 1, 1),
        _step_case("the state before is zero (H_prev)", rng, 1, D, H, zero=("H_0",)),
        _step_case("the input is zero (X_t)", rng, 1, D, H, zero=("X",)),
        _step_case("one sequence (N=1)", rng, 1, D, H),
        _step_case("several sequences", rng, N, D, H),
        _step_case("as many inputs as units (D=H)", rng, N, H, H),
        _step_case("as many sequences as inputs and units (N=D=H)", rng, H, H, H),
        _step_case("large inputs, where tanh saturates", rng, 8, D, 8, scale=3.0),
    ]
