"""What the tasks of assignment 03-bptt share."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .... import cells
from ...task import Case, Mistake, Output, Section
from ..common import rnn_arguments, zeroed

ASSIGNMENT = "03-bptt"
BY_HAND = Section("recurrence/bptt", "bptt-by-hand", "By hand, step by step")

GRADIENTS = (
    Output("dW_xh", "array", ("D", "H")),
    Output("dW_hh", "array", ("H", "H")),
    Output("db_h", "array", ("H",)),
)


def step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh, slope=None):
    """The right gradients, but for another slope of the tanh if given."""
    dZ_t = dH_t * ((1 - H_t * H_t) if slope is None else slope)
    return dZ_t @ W_xh.T, dZ_t @ W_hh.T, X_t.T @ dZ_t, H_prev.T @ dZ_t, dZ_t.sum(axis=0)


def step_with_slope(slope: Callable) -> Callable:
    """The step with `slope(H_prev, H_t)` in place of 1 - H_t ** 2."""
    return lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh, slope(H_prev, H_t))


def step_but(place: int, part: Callable) -> Callable:
    """The step with one of its results replaced by `part(dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t)`."""

    def step(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
        results = list(step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh))
        results[place] = part(dH_t, X_t, H_prev, H_t, W_xh, W_hh, dH_t * (1 - H_t * H_t))
        return tuple(results)

    return step


STEP_MISTAKES = (
    Mistake("slope-left-out", "a step that leaves out the slope of the tanh, 1 - H_t ** 2", step_with_slope(lambda before, H_t: 1.0)),
    Mistake("slope-of-previous-state", "a step with the slope 1 - H_prev ** 2: the tanh made H_t, so its slope is 1 - H_t ** 2",
            step_with_slope(lambda before, H_t: 1 - before**2)),
    Mistake("slope-not-squared", "a step with the slope 1 - H_t: it is 1 - H_t ** 2", step_with_slope(lambda before, H_t: 1 - H_t)),
    Mistake("tanh-again", "a step with the slope 1 - tanh(H_t) ** 2: H_t is already what came out of the tanh",
            step_with_slope(lambda before, H_t: 1 - np.tanh(H_t) ** 2)),
    Mistake("sigmoid-slope", "a step with the sigmoid's slope H_t * (1 - H_t)", step_with_slope(lambda before, H_t: H_t * (1 - H_t))),
    Mistake("relu-slope", "a step with the slope of ReLU", step_with_slope(lambda before, H_t: (H_t > 0).astype(float))),
    Mistake("slope-twice", "a step that multiplies by the slope of the tanh twice",
            step_with_slope(lambda before, H_t: (1 - H_t**2) ** 2)),
    Mistake("slope-with-wrong-sign", "a step with the slope H_t ** 2 - 1", step_with_slope(lambda before, H_t: H_t**2 - 1)),
    Mistake("state-after-the-step", "a step that takes dW_hh from H_t: the weights met the state before the step, H_prev",
            step_but(3, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: H_t.T @ dZ_t)),
    Mistake("W_hh-not-transposed", "a step that sends dZ_t @ W_hh back to H_prev: backward, the matrix is transposed, dZ_t @ W_hh.T",
            step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t @ W_hh)),
)  # these are mistakes of rnn_backward, too


def backward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, loss_at=slice(None), zero=(), scale=1.0) -> Case:
    """loss_at: the steps whose state the loss sees; dH is zero at the others."""
    sequence = zeroed(rnn_arguments(rng, T, N, D, H, scale), *zero)
    dH = np.zeros((T, N, H))
    dH[loss_at] = rng.normal(size=dH[loss_at].shape)
    return Case(name, {"dH": dH, "X": sequence["X"], "H_0": sequence["H_0"], "H": cells.rnn_forward(**sequence),
                       "W_xh": sequence["W_xh"], "W_hh": sequence["W_hh"]})


def through_time(dH, X, H_0, H, W_xh, W_hh, *, step=step_backward, H_prev=None, passes=lambda t: True):
    """Right gradients through time, but for another step, other previous states, or gradients that do not pass from step t to t - 1."""
    H_prev = cells.previous_states(H, H_0) if H_prev is None else H_prev
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in reversed(range(len(X))):
        dX[t], flowing, *terms = step(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
        sums = [total + term for total, term in zip(sums, terms)]
        if t and not passes(t):
            flowing = np.zeros_like(H_0)
    return dX, flowing, *sums


def in_every_step(backward: Callable) -> tuple[Mistake, ...]:
    """The mistakes of one step as mistakes of `backward(*arguments, step=...)`."""
    return tuple(
        Mistake(mistake.name, mistake.sentence.replace("a step", "a backward pass", 1), functools.partial(backward, step=mistake.function),
                section=BY_HAND)
        for mistake in STEP_MISTAKES
    )
