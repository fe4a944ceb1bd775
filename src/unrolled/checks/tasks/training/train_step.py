"""`train_step`: one update from one window."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, CLIPPING, PARAMS, TRAINING, WINDOWS, measure_params, some_params, update_mistakes, updated, window_gradients


def _step_case(name: str, rng: np.random.Generator, T: int, N: int, V: int, H: int, lr: float = 0.5, theta: float = 100.0,
               zero_start: bool = False, sharpness: float = 1.0) -> Case:
    X, Y = rng.integers(0, V, size=(2, T, N))
    H_0 = np.zeros((N, H)) if zero_start else rng.uniform(-1, 1, size=(N, H))
    return Case(name, {"params": some_params(rng, V, H, sharpness), "X": X, "Y": Y, "H_0": H_0, "lr": lr, "theta": theta})


def _step_values(rng: np.random.Generator) -> list[Case]:
    T, N, V, H = sizes(rng, 4)
    return [
        _step_case("one step, one sequence (T=1, N=1), a zero start state, nothing to clip", rng, 1, 1, V, H, zero_start=True),
        _step_case("one step, several sequences (T=1), nothing to clip", rng, 1, N, V, H),
        _step_case("two steps, nothing to clip", rng, 2, N, V, H),
        _step_case("several steps, nothing to clip", rng, T + 2, N, V, H),
        _step_case("a gradient that is clipped", rng, T + 2, N, V, H, theta=0.05),
        _step_case("a gradient that is clipped to a norm above that of each array", rng, T, N, V, H, theta=0.5, sharpness=3.0),
        _step_case("another learning rate", rng, T, N, V, H, lr=3.0, theta=0.2),
        _step_case("as many steps as sequences, as many tokens as units (T=N, V=H)", rng, T + 1, T + 1, H, H),
        _step_case("one sequence (N=1)", rng, T, 1, V, H, theta=0.1),
        _step_case("sure and wrong predictions", rng, T, N, V, H, sharpness=30.0, theta=1.0),
        _step_case("logits so large that exp alone overflows", rng, T + 2, N, V, H, sharpness=5000.0, theta=1.0),
        _step_case("many steps (T=40)", rng, 40, N, V, H),
    ]


def _loss_after(params, X, Y, H_0, lr, theta):
    new, H_T, _ = updated(params, X, Y, H_0, lr, theta)
    return new, H_T, updated(new, X, Y, H_0, lr, theta)[2]


def _state_after(params, X, Y, H_0, lr, theta):
    new, _, loss = updated(params, X, Y, H_0, lr, theta)
    return new, updated(new, X, Y, H_0, lr, theta)[1], loss


def _in_place(params, X, Y, H_0, lr, theta):
    new, H_T, loss = updated(params, X, Y, H_0, lr, theta)
    for name in params:
        params[name] -= params[name] - new[name]
    return params, H_T, loss


def _moved(move: Callable) -> Callable:
    """The update with `move(w, gradient, lr)` in place of w - lr * gradient."""

    def step(params, X, Y, H_0, lr, theta):
        _, H_T, loss = updated(params, X, Y, H_0, lr, theta)
        grads = window_gradients(params, X, Y, H_0, theta)
        return {name: move(params[name], grads[name], lr) for name in params}, H_T, loss

    return step


def _result(change: Callable) -> Callable:
    """The right update with its results passed through `change(params, H_T, loss, N)`."""
    return lambda params, X, *rest: change(*updated(params, X, *rest), X.shape)


def _clips_the_update(params, X, Y, H_0, lr, theta):
    return updated(params, X, Y, H_0, lr, theta / lr)


def _all_states(params, X, Y, H_0, lr, theta):
    new, _, loss = updated(params, X, Y, H_0, lr, theta)
    return new, cells.rnn_forward(X, H_0, params["W_xh"], params["W_hh"], params["b_h"]), loss


def _start_ignored(params, X, Y, H_0, lr, theta):
    return updated(params, X, Y, 0 * H_0, lr, theta)


def _inputs_predicted(params, X, Y, H_0, lr, theta):
    return updated(params, X, X, H_0, lr, theta)


TASK = Task(
    name="train_step", assignment=ASSIGNMENT, points=6, section=TRAINING,
    arguments={"params": None, "X": ("T", "N"), "Y": ("T", "N"), "H_0": ("N", "H"), "lr": None, "theta": None},
    outputs=(PARAMS, Output("H_T", "array", ("N", "H")), Output("loss", "float")),
    form_case=lambda rng: _step_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_step_values, measure=measure_params,
    reference=reference.train_step, solution=updated,
    mistakes=(
        *update_mistakes("an update", updated),
        Mistake("uphill", "an update that adds the gradient: subtract it", _moved(lambda w, g, lr: w + lr * g)),
        Mistake("no-learning-rate", "an update of one whole gradient: multiply it by lr", _moved(lambda w, g, lr: w - g)),
        Mistake("divided-by-lr", "an update that divides the gradient by lr", _moved(lambda w, g, lr: w - g / lr)),
        Mistake("weights-scaled", "an update that multiplies the weights with the gradient: w - lr * gradient",
                _moved(lambda w, g, lr: w - lr * g * w)),
        Mistake("no-update", "an update that returns the parameters as they were", _moved(lambda w, g, lr: w)),
        Mistake("gradients", "the gradients in place of the new parameters", _moved(lambda w, g, lr: g)),
        Mistake("gradient-of-sum", "an update by the gradient of the summed loss: the loss is a mean over T * N tokens",
                functools.partial(updated, tokens=1)),
        Mistake("clips-the-update", "an update whose length lr * gradient is clipped: clip the gradient, then multiply by lr",
                _clips_the_update, section=CLIPPING),
        Mistake("start-ignored", "an update that starts from zeros and ignores H_0", _start_ignored, section=WINDOWS),
        Mistake("inputs-predicted", "an update that takes the inputs X for the targets, too", _inputs_predicted),
        Mistake("loss-after", "an update that returns the loss after it: return the one before", _loss_after),
        Mistake("state-after", "an update that returns the last state of the new network: return that of the network before the update",
                _state_after),
        Mistake("loss-summed", "an update that returns the loss summed over the tokens: it is a mean",
                _result(lambda params, H_T, loss, shape: (params, H_T, loss * shape[0] * shape[1]))),
        Mistake("perplexity", "an update that returns the perplexity: return the loss itself, in nats",
                _result(lambda params, H_T, loss, shape: (params, H_T, math.exp(loss)))),
        Mistake("bits", "an update that returns the loss in bits: use the natural logarithm",
                _result(lambda params, H_T, loss, shape: (params, H_T, loss / math.log(2)))),
        Mistake("start-returned", "an update that returns H_0: return the state after the last step",
                lambda params, X, Y, H_0, lr, theta: (updated(params, X, Y, H_0, lr, theta)[0], H_0, updated(params, X, Y, H_0, lr, theta)[2])),
        Mistake("all-states", "an update that returns the states of all steps: return the last one", _all_states),
        Mistake("another-order", "right results in another order: return `params, H_T, loss`",
                _result(lambda params, H_T, loss, shape: (loss, params, H_T))),
        Mistake("in-place", "a right update that changes the caller's arrays, as by params[name] -= ...: make new ones", _in_place),
        float32_mistake(updated),
    ),
)
