"""`rnn_backward`: backpropagation through all steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, BY_HAND, GRADIENTS, backward_case, in_every_step, step_backward, step_but, through_time

DERIVATION = Section("recurrence/bptt", "bptt-derivation", "One weight, many uses")


def _backward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        backward_case("one step (T=1)", rng, 1, N, D, H),
        backward_case("two steps, loss at the last one", rng, 2, N, D, H, loss_at=-1),
        backward_case("two steps, loss at both", rng, 2, N, D, H),
        backward_case("several steps, loss at the last one", rng, T + 2, N, D, H, loss_at=-1),
        backward_case("several steps, loss at all", rng, T + 2, N, D, H),
        backward_case("a start state of zero", rng, T + 2, N, D, H, zero=("H_0",)),
        backward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        backward_case("one sequence (N=1)", rng, T, 1, D, H),
        backward_case("large inputs, where tanh saturates", rng, T, 8, D, 8, scale=3.0),
        backward_case("many steps (T=60)", rng, 60, N, D, H),
    ]


def _nothing_flows(dH, X, H_0, H, W_xh, W_hh):
    return through_time(dH, X, H_0, H, W_xh, W_hh, passes=lambda t: False)


def _not_accumulated(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    for t in reversed(range(len(X))):
        dX[t], flowing, *sums = step_backward(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
    return dX, flowing, *sums


def _forward_in_time(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in range(len(X)):
        dX[t], flowing, *terms = step_backward(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
        sums = [total + term for total, term in zip(sums, terms)]
    return dX, flowing, *sums


def _flowing_piles_up(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in reversed(range(len(X))):
        dX[t], back, *terms = step_backward(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
        flowing = flowing + back
        sums = [total + term for total, term in zip(sums, terms)]
    return dX, flowing, *sums


def _one_more_step(dH, X, H_0, H, W_xh, W_hh):
    """dH_0 is the gradient of the state after the first step."""
    results = list(through_time(dH, X, H_0, H, W_xh, W_hh))
    rest = through_time(dH[1:], X[1:], H[0], H[1:], W_xh, W_hh)[1] if len(X) > 1 else 0
    results[1] = dH[0] + rest
    return tuple(results)


def _own_gradient_after_slope(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in reversed(range(len(X))):
        dZ_t = dH[t] + flowing * (1 - H[t] ** 2)
        dX[t], flowing, *terms = step_backward(dZ_t, X[t], H_prev[t], H[t], W_xh, W_hh, 1.0)
        sums = [total + term for total, term in zip(sums, terms)]
    return dX, flowing, *sums


def _flows_around_the_tanh(dH, X, H_0, H, W_xh, W_hh):
    return through_time(dH, X, H_0, H, W_xh, W_hh,
                         step=step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t @ W_hh.T))


def _flows_without_weights(dH, X, H_0, H, W_xh, W_hh):
    return through_time(dH, X, H_0, H, W_xh, W_hh, step=step_but(1, lambda *arguments: arguments[-1]))


def _writes_into_dH(dH, X, H_0, H, W_xh, W_hh):
    results = through_time(dH.copy(), X, H_0, H, W_xh, W_hh)
    for t in range(len(X) - 1, 0, -1):
        dH[t - 1] += step_backward(dH[t], X[t], H[t - 1], H[t], W_xh, W_hh)[1]
    dH[0] *= 1 - H[0] ** 2
    return results


def _changed(place: int, change: Callable) -> Callable:
    """The right backward pass with one of its results changed."""

    def backward(dH, X, *rest):
        results = list(through_time(dH, X, *rest))
        results[place] = change(results[place])
        return tuple(results)

    return backward


def _last_loss_only(dH, X, *rest):
    only = np.zeros_like(dH)
    only[-1] = dH[-1]
    return through_time(only, X, *rest)


def _weights_of_own_losses(dH, X, *rest):
    return *through_time(dH, X, *rest)[:2], *_nothing_flows(dH, X, *rest)[2:]


def _divided(by: Callable) -> Callable:
    def backward(dH, X, *rest):
        dX, dH_0, *weights = through_time(dH, X, *rest)
        return dX, dH_0, *(grad / by(X) for grad in weights)

    return backward


def _bias_by_sequence(dH, X, H_0, H, W_xh, W_hh):
    *results, db_h = through_time(dH, X, H_0, H, W_xh, W_hh)
    flowing, db_h = 0 * H_0, 0 * H_0
    for dH_t, H_t in zip(dH[::-1], H[::-1]):
        dZ_t = (dH_t + flowing) * (1 - H_t**2)
        flowing, db_h = dZ_t @ W_hh.T, db_h + dZ_t
    return *results, db_h


def _writes_into_H_0(dH, X, H_0, H, W_xh, W_hh):
    results = through_time(dH, X, H_0, H, W_xh, W_hh)
    H_0[:] = results[1]
    return results


def _first_sequence(dH, X, H_0, H, W_xh, W_hh):
    H_prev = np.concatenate([np.broadcast_to(H_0[:1], H_0.shape)[None], H[:-1]])
    return through_time(dH, X, H_0, H, W_xh, W_hh, H_prev=H_prev)


TASK = Task(
    name="rnn_backward", assignment=ASSIGNMENT, points=4, section=BY_HAND, uses=("rnn_step_backward",),
    arguments={"dH": ("T", "N", "H"), "X": ("T", "N", "D"), "H_0": ("N", "H"), "H": ("T", "N", "H"), "W_xh": ("D", "H"),
               "W_hh": ("H", "H")},
    outputs=(Output("dX", "array", ("T", "N", "D"), per_step=True), Output("dH_0", "array", ("N", "H")), *GRADIENTS),
    form_case=lambda rng: backward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_backward_values,
    reference=reference.rnn_backward, solution=cells.rnn_backward,
    mistakes=(
        *in_every_step(through_time),
        Mistake("gradient-not-carried", "a backward pass in which nothing flows from a step to the one before: what rnn_step_backward "
                "returns as dH_prev is added to dH[t - 1]", _nothing_flows, section=DERIVATION),
        Mistake("not-accumulated", "a backward pass that keeps the weight gradients of the first step only: they are sums over all "
                "steps, += and not =", _not_accumulated, section=DERIVATION),
        Mistake("forward-in-time", "a backward pass that walks from the first step to the last: gradients flow from the last to the first",
                _forward_in_time),
        Mistake("loss-at-last-step-only", "a backward pass that begins with dH[-1] and never adds the other steps' own dH[t]",
                _last_loss_only),
        Mistake("flowing-piles-up", "a backward pass that adds to what flows back in place of replacing it: at each step it is dH_prev "
                "alone", _flowing_piles_up),
        Mistake("own-gradient-after-slope", "a backward pass that adds dH[t] after the slope of the tanh: add it first, the slope is for "
                "the whole sum", _own_gradient_after_slope),
        Mistake("flows-around-the-tanh", "a backward pass in which what flows back skips the slope of the tanh: dH_prev is "
                "dZ_t @ W_hh.T", _flows_around_the_tanh),
        Mistake("flows-without-weights", "a backward pass in which dZ_t flows to the step before as it is: on the way it is multiplied "
                "by W_hh.T", _flows_without_weights),
        Mistake("weights-of-own-losses", "a backward pass whose weight gradients come from each step's own dH[t] only: what flows back "
                "from later steps counts, too", _weights_of_own_losses, section=DERIVATION),
        Mistake("H_0-wraps-round", "a backward pass that takes H[t - 1] also at t = 0, where Python wraps round to the last state: the "
                "state before the first step is H_0",
                lambda dH, X, H_0, H, W_xh, W_hh: through_time(dH, X, H_0, H, W_xh, W_hh, H_prev=np.roll(H, 1, axis=0))),
        Mistake("H_0-left-out", "a backward pass whose dW_hh leaves out the first step: there the state before is H_0, which need not be "
                "zero",
                lambda dH, X, H_0, H, W_xh, W_hh: through_time(
                    dH, X, H_0, H, W_xh, W_hh, H_prev=cells.previous_states(H, 0 * H_0))),
        Mistake("H_0-at-every-step", "a backward pass whose dW_hh uses H_0 at every step: step t started from H[t - 1]",
                lambda dH, X, H_0, H, W_xh, W_hh: through_time(
                    dH, X, H_0, H, W_xh, W_hh, H_prev=np.broadcast_to(H_0, H.shape))),
        Mistake("H_0-of-first-sequence", "a backward pass that gives every sequence the first one's row of H_0", _first_sequence),
        Mistake("dH_0-one-step-short", "a backward pass that returns the gradient of the state after the first step as dH_0: one step "
                "further back, through the tanh and W_hh.T", _one_more_step),
        Mistake("dH_0-zero", "a backward pass that returns zeros for dH_0", _changed(1, np.zeros_like)),
        Mistake("dX-reversed", "a backward pass whose dX runs from the last step to the first: turn the list round before stacking",
                _changed(0, lambda dX: dX[::-1].copy())),
        Mistake("dX-summed", "a backward pass whose dX is one step's, not an array of all steps", _changed(0, lambda dX: dX[0])),
        Mistake("dX-as-list", "right gradients with dX as a list: stack it to one array", _changed(0, list)),
        Mistake("mean-over-time", "a backward pass that divides the weight gradients by T: the loss has been averaged already, so sum",
                _divided(len)),
        Mistake("mean-over-batch", "a backward pass that divides the weight gradients by N: the loss has been averaged already, so sum",
                _divided(lambda X: X.shape[1])),
        Mistake("mean-over-tokens", "a backward pass that divides the weight gradients by T * N: the loss has been averaged already, so "
                "sum", _divided(lambda X: X.shape[0] * X.shape[1])),
        Mistake("upstream-one-step-late", "a backward pass that adds dH[t - 1] at step t: each step's own gradient is dH[t]",
                lambda dH, *rest: through_time(np.roll(dH, 1, axis=0), *rest)),
        Mistake("bias-summed-over-time-only", "a backward pass whose db_h has a row for each sequence: sum over time and over the "
                "sequences", _bias_by_sequence),
        Mistake("writes-into-dH", "right gradients from a backward pass that adds what flows back into dH itself: the caller's array may "
                "not change", _writes_into_dH),
        Mistake("writes-into-H_0", "right gradients from a backward pass that uses H_0 as a buffer: the caller's array may not change",
                _writes_into_H_0),
        float32_mistake(cells.rnn_backward),
    ),
)
