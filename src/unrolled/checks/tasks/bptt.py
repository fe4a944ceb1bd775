"""The six tasks of assignment 03-bptt: the loss's gradient, backpropagation through time, truncation, clipping, gradient by lag."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from ... import cells, metrics, reference, text, training
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake, rnn_arguments, sizes, zeroed

ASSIGNMENT = "03-bptt"

OUTPUT = Section("recurrence/rnn-scratch", "scratch-backward", "The backward pass")
LOSS = Section("recurrence/rnn-scratch", "scratch-loss", "The loss")
BY_HAND = Section("recurrence/bptt", "bptt-by-hand", "By hand, step by step")
DERIVATION = Section("recurrence/bptt", "bptt-derivation", "One weight, many uses")
TRUNCATION = Section("recurrence/bptt", "bptt-truncation", "Cut short: truncation")
CLIPPING = Section("recurrence/rnn-scratch", "scratch-clipping", "Clipping")
DIRECTION = Section("recurrence/gradients", "grad-clipping", "Clipping, and what it does to the direction")
JACOBIANS = Section("recurrence/gradients", "grad-jacobians", "A product of Jacobians")

GRADIENTS = (
    Output("dW_xh", "array", ("D", "H")),
    Output("dW_hh", "array", ("H", "H")),
    Output("db_h", "array", ("H",)),
)


# --- cross_entropy_backward --------------------------------------------------------------------


def _loss_case(name: str, rng: np.random.Generator, T: int, N: int, V: int) -> Case:
    return Case(name, {"logits": 2 * rng.normal(size=(T, N, V)), "Y": rng.integers(0, V, size=(T, N))})


def _loss_form(rng: np.random.Generator) -> Case:
    return _loss_case("several steps and sequences", rng, *sizes(rng, 3))


def _loss_values(rng: np.random.Generator) -> list[Case]:
    T, N, V = sizes(rng, 3)
    same = _loss_case("", rng, T, N, V).arguments
    same["Y"] = np.full((T, N), int(rng.integers(0, V)))
    large = _loss_case("", rng, T, N, V).arguments
    large["logits"] = large["logits"] + 1000.0
    unlikely = _loss_case("", rng, T, N, V).arguments
    unlikely["logits"] = unlikely["logits"] - 900 * text.one_hot(unlikely["Y"], V)
    apart = _loss_case("", rng, T, N, V).arguments
    apart["logits"] = apart["logits"] + np.where(np.arange(N) % 2, 900.0, -900.0)[:, None]
    return [
        _loss_case("one token (T=1, N=1)", rng, 1, 1, V),
        _loss_case("one step, several sequences (T=1)", rng, 1, N, V),
        _loss_case("one sequence (N=1)", rng, T, 1, V),
        _loss_case("several steps and sequences", rng, T, N, V),
        Case("the same token came everywhere", same),
        _loss_case("as many steps as sequences and tokens (T=N=V)", rng, V, V, V),
        Case("large logits, where exp alone overflows", large),
        Case("tokens so unlikely that their probability underflows to 0", unlikely),
        Case("logits of different size from sequence to sequence", apart),
    ]


def _minus_one_hot(probs, Y, count=None):
    return (probs - text.one_hot(Y, probs.shape[-1])) / (count or Y.size)


def _softmax_over(axis):
    def backward(logits, Y):
        exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
        with np.errstate(all="ignore"):
            return _minus_one_hot(exponentials / exponentials.sum(axis=axis, keepdims=True), Y)

    return backward


def _unstable(logits, Y):
    exponentials = np.exp(logits)
    return _minus_one_hot(exponentials / exponentials.sum(axis=-1, keepdims=True), Y)


def _global_max(logits, Y):
    exponentials = np.exp(logits - logits.max())
    return _minus_one_hot(exponentials / exponentials.sum(axis=-1, keepdims=True), Y)


def _every_pair(logits, Y):
    dlogits = metrics.softmax(logits)
    dlogits[:, :, Y] -= 1
    return dlogits / Y.size


def _every_sequence(logits, Y):
    dlogits = metrics.softmax(logits)
    for t in range(len(Y)):
        dlogits[t, :, Y[t]] -= 1
    return dlogits / Y.size


def _in_the_logits(logits, Y):
    logits -= logits.max(axis=-1, keepdims=True)
    return metrics.cross_entropy_backward(logits, Y)


def _last_step_only(logits, Y):
    dlogits = np.zeros_like(logits)
    dlogits[-1] = metrics.cross_entropy_backward(logits[-1], Y[-1])
    return dlogits


def _own_token_only(logits, Y):
    return metrics.cross_entropy_backward(logits, Y) * text.one_hot(Y, logits.shape[-1])


def _by_probability(logits, Y):
    return -text.one_hot(Y, logits.shape[-1]) / metrics.softmax(logits) / Y.size


def _with_epsilon(epsilon):
    def backward(logits, Y):
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return _minus_one_hot(exponentials / (exponentials.sum(axis=-1, keepdims=True) + epsilon), Y)

    return backward


LOSS_TASK = Task(
    name="cross_entropy_backward", assignment=ASSIGNMENT, points=3, section=OUTPUT,
    arguments={"logits": ("T", "N", "V"), "Y": ("T", "N")},
    outputs=(Output("dlogits", "array", ("T", "N", "V")),),
    form_case=_loss_form, value_cases=_loss_values,
    reference=reference.cross_entropy_backward, solution=metrics.cross_entropy_backward,
    mistakes=(
        Mistake("sum", "the gradient of a sum over all tokens: the loss is a mean, so divide by T * N",
                lambda logits, Y: _minus_one_hot(metrics.softmax(logits), Y, 1)),
        Mistake("divided-by-N", "a gradient divided by N only: the loss is a mean over T * N tokens",
                lambda logits, Y: _minus_one_hot(metrics.softmax(logits), Y, Y.shape[1])),
        Mistake("divided-by-T", "a gradient divided by T only: the loss is a mean over T * N tokens",
                lambda logits, Y: _minus_one_hot(metrics.softmax(logits), Y, Y.shape[0])),
        Mistake("divided-by-TNV", "a gradient divided by T * N * V: the mean runs over the T * N tokens, not over the vocabulary",
                lambda logits, Y: _minus_one_hot(metrics.softmax(logits), Y, logits.size)),
        Mistake("divided-by-V", "a gradient divided by V: the loss is a mean over T * N tokens",
                lambda logits, Y: _minus_one_hot(metrics.softmax(logits), Y, logits.shape[-1])),
        Mistake("divided-twice", "a gradient divided by T * N twice",
                lambda logits, Y: metrics.cross_entropy_backward(logits, Y) / Y.size),
        Mistake("sign", "one-hot minus softmax: that is minus the gradient, and training would climb",
                lambda logits, Y: -metrics.cross_entropy_backward(logits, Y)),
        Mistake("softmax-alone", "the softmax without minus the one-hot row: the token that came must be pulled up",
                lambda logits, Y: metrics.softmax(logits) / Y.size),
        Mistake("one-hot-alone", "minus the one-hot row without the softmax: all other tokens must be pushed down",
                lambda logits, Y: _minus_one_hot(np.zeros_like(logits), Y)),
        Mistake("own-token-only", "a gradient at the token that came only: the softmax makes every logit of the row count",
                _own_token_only),
        Mistake("log-softmax", "log-probabilities minus the one-hot row: it is the probabilities, the softmax itself",
                lambda logits, Y: _minus_one_hot(metrics.log_softmax(logits), Y), section=LOSS),
        Mistake("logits-alone", "the logits minus the one-hot row: the softmax comes first",
                lambda logits, Y: _minus_one_hot(logits, Y)),
        Mistake("softmax-twice", "a softmax of a softmax, minus the one-hot row: one softmax",
                lambda logits, Y: _minus_one_hot(metrics.softmax(metrics.softmax(logits)), Y)),
        Mistake("by-probability", "minus one-hot over the probability: that is the gradient for the probabilities, and the chain rule "
                "goes on through the softmax to the logits", _by_probability),
        Mistake("softmax-over-time", "a softmax over axis 0, time: it runs over the vocabulary, the last axis", _softmax_over(0)),
        Mistake("softmax-over-batch", "a softmax over axis 1, the batch: it runs over the vocabulary, the last axis", _softmax_over(1)),
        Mistake("softmax-over-everything", "a softmax over all axes together: each step and sequence has its own",
                _softmax_over((0, 1, 2))),
        Mistake("every-pair", "an assignment like dlogits[:, :, Y] -= 1, which marks every token of the batch in every row: each row "
                "gets a single -1, at its own target", _every_pair),
        Mistake("every-sequence", "an assignment like dlogits[t, :, Y[t]] -= 1, which marks each sequence's token in every sequence's "
                "row: pair the sequence index with its own target", _every_sequence),
        Mistake("targets-shifted", "a gradient against targets one step further on: Y is already shifted",
                lambda logits, Y: metrics.cross_entropy_backward(logits, np.roll(Y, -1, axis=0))),
        Mistake("best-guess", "a gradient against the most likely token in place of the token that came: use Y",
                lambda logits, Y: metrics.cross_entropy_backward(logits, logits.argmax(axis=-1))),
        Mistake("last-step-only", "a gradient at the last step only: every step is predicted", _last_step_only),
        Mistake("bits", "the gradient of a loss in bits: the loss is in nats",
                lambda logits, Y: metrics.cross_entropy_backward(logits, Y) / math.log(2)),
        Mistake("overflow", "a softmax that exponentiates the logits as they are: subtract each row's maximum first", _unstable),
        Mistake("global-maximum", "a softmax that subtracts one maximum for the whole array: subtract each row's own", _global_max),
        *(Mistake(f"epsilon-{epsilon:g}", f"a softmax with {epsilon:g} added below the fraction: after the maximum is subtracted the sum "
                  "is at least 1, so nothing need be added", _with_epsilon(epsilon)) for epsilon in (1e-5, 1e-6, 1e-7, 1e-8)),
        Mistake("in-the-logits", "a right gradient that subtracts the maximum from the caller's logits in place: make a new array",
                _in_the_logits),
        Mistake("flattened", "a right gradient with the time and batch axes joined: keep them apart, (T, N, V)",
                lambda logits, Y: metrics.cross_entropy_backward(logits, Y).reshape(-1, logits.shape[-1])),
        float32_mistake(metrics.cross_entropy_backward),
    ),
)


# --- rnn_step_backward -------------------------------------------------------------------------


def _step(dH_t, X_t, H_prev, H_t, W_xh, W_hh, slope=None):
    """The right gradients, but for another slope of the tanh if given."""
    dZ_t = dH_t * ((1 - H_t * H_t) if slope is None else slope)
    return dZ_t @ W_xh.T, dZ_t @ W_hh.T, X_t.T @ dZ_t, H_prev.T @ dZ_t, dZ_t.sum(axis=0)


def _step_with_slope(slope: Callable) -> Callable:
    """The step with `slope(H_prev, H_t)` in place of 1 - H_t ** 2."""
    return lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: _step(dH_t, X_t, H_prev, H_t, W_xh, W_hh, slope(H_prev, H_t))


def _step_but(place: int, part: Callable) -> Callable:
    """The step with one of its results replaced by `part(dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t)`."""

    def step(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
        results = list(_step(dH_t, X_t, H_prev, H_t, W_xh, W_hh))
        results[place] = part(dH_t, X_t, H_prev, H_t, W_xh, W_hh, dH_t * (1 - H_t * H_t))
        return tuple(results)

    return step


def _step_weights(weights: Callable) -> Callable:
    """The step with each of its three weight gradients passed through `weights(gradient, N)`."""

    def step(dH_t, X_t, *rest):
        dX_t, dH_prev, *grads = _step(dH_t, X_t, *rest)
        return dX_t, dH_prev, *(weights(grad, len(X_t)) for grad in grads)

    return step


def _order(*places: int) -> Callable:
    """The right step with its results in another order."""

    def step(*arguments):
        results = _step(*arguments)
        return tuple(results[place] for place in places)

    return step


def _writes_into_dH_t(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    dH_t *= 1 - H_t**2
    return dH_t @ W_xh.T, dH_t @ W_hh.T, X_t.T @ dH_t, H_prev.T @ dH_t, dH_t.sum(axis=0)


def _writes_into_H_t(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    H_t *= -H_t
    H_t += 1
    return _step(dH_t, X_t, H_prev, H_t, W_xh, W_hh, slope=H_t)


STEP_MISTAKES = (
    Mistake("slope-left-out", "a step that leaves out the slope of the tanh, 1 - H_t ** 2", _step_with_slope(lambda before, H_t: 1.0)),
    Mistake("slope-of-previous-state", "a step with the slope 1 - H_prev ** 2: the tanh made H_t, so its slope is 1 - H_t ** 2",
            _step_with_slope(lambda before, H_t: 1 - before**2)),
    Mistake("slope-not-squared", "a step with the slope 1 - H_t: it is 1 - H_t ** 2", _step_with_slope(lambda before, H_t: 1 - H_t)),
    Mistake("tanh-again", "a step with the slope 1 - tanh(H_t) ** 2: H_t is already what came out of the tanh",
            _step_with_slope(lambda before, H_t: 1 - np.tanh(H_t) ** 2)),
    Mistake("sigmoid-slope", "a step with the sigmoid's slope H_t * (1 - H_t)", _step_with_slope(lambda before, H_t: H_t * (1 - H_t))),
    Mistake("relu-slope", "a step with the slope of ReLU", _step_with_slope(lambda before, H_t: (H_t > 0).astype(float))),
    Mistake("slope-twice", "a step that multiplies by the slope of the tanh twice",
            _step_with_slope(lambda before, H_t: (1 - H_t**2) ** 2)),
    Mistake("slope-with-wrong-sign", "a step with the slope H_t ** 2 - 1", _step_with_slope(lambda before, H_t: H_t**2 - 1)),
    Mistake("state-after-the-step", "a step that takes dW_hh from H_t: the weights met the state before the step, H_prev",
            _step_but(3, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: H_t.T @ dZ_t)),
    Mistake("W_hh-not-transposed", "a step that sends dZ_t @ W_hh back to H_prev: backward, the matrix is transposed, dZ_t @ W_hh.T",
            _step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t @ W_hh)),
)  # these are mistakes of rnn_backward, too


STEP_TASK = Task(
    name="rnn_step_backward", assignment=ASSIGNMENT, points=4, section=BY_HAND,
    arguments={"dH_t": ("N", "H"), "X_t": ("N", "D"), "H_prev": ("N", "H"), "H_t": ("N", "H"), "W_xh": ("D", "H"), "W_hh": ("H", "H")},
    outputs=(Output("dX_t", "array", ("N", "D")), Output("dH_prev", "array", ("N", "H")), *GRADIENTS),
    form_case=lambda rng: _step_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=lambda rng: _step_values(rng),
    reference=reference.rnn_step_backward, solution=_step,
    mistakes=(
        *STEP_MISTAKES,
        Mistake("upstream-left-out", "a step that leaves out what comes from above: the slope of the tanh is multiplied by dH_t",
                lambda dH_t, *rest: _step(np.ones_like(dH_t), *rest)),
        Mistake("W_xh-not-transposed", "a step that sends dZ_t @ W_xh back to the input, which runs only where D = H: dZ_t @ W_xh.T",
                _step_but(0, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t @ W_xh)),
        Mistake("dW_hh-transposed", "a step with dW_hh transposed: rows belong to H_prev, columns to H_t, so H_prev.T @ dZ_t",
                _step_but(3, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.T @ H_prev)),
        Mistake("dW_xh-transposed", "a step with dW_xh transposed: it has the shape of W_xh, so X_t.T @ dZ_t",
                _step_but(2, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.T @ X_t)),
        Mistake("weights-before-slope", "a step that takes dW_xh, dW_hh and db_h from dH_t: take them from dZ_t, which has gone "
                "through the tanh's slope",
                lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: (
                    *_step(dH_t, X_t, H_prev, H_t, W_xh, W_hh)[:2], *_step(dH_t, X_t, H_prev, H_t, W_xh, W_hh, 1.0)[2:])),
        Mistake("inputs-before-slope", "a step that takes dX_t and dH_prev from dH_t: take them from dZ_t, which has gone through the "
                "tanh's slope",
                lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: (
                    *_step(dH_t, X_t, H_prev, H_t, W_xh, W_hh, 1.0)[:2], *_step(dH_t, X_t, H_prev, H_t, W_xh, W_hh)[2:])),
        Mistake("dH_prev-before-slope", "a step that takes dH_prev from dH_t: take it from dZ_t, which has gone through the tanh's slope",
                _step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t @ W_hh.T)),
        Mistake("bias-before-slope", "a step that takes db_h from dH_t: the bias stands inside the tanh, so take it from dZ_t",
                _step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t.sum(axis=0))),
        Mistake("bias-mean", "a step that averages db_h over the sequences: every sequence uses the bias, so sum",
                _step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.mean(axis=0))),
        Mistake("bias-not-summed", "a step whose db_h has a row for each sequence: sum over the N sequences",
                _step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t)),
        Mistake("bias-keeps-axis", "a step whose db_h has the shape (1, H): it has the shape of b_h, (H,)",
                _step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.sum(axis=0, keepdims=True))),
        Mistake("bias-summed-over-units", "a step that sums db_h over the units, axis 1: sum over the sequences, axis 0",
                _step_but(4, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dZ_t.sum(axis=1))),
        Mistake("mean-over-batch", "a step that divides the weight gradients by N: the loss has been averaged already, so sum",
                _step_weights(lambda grad, N: grad / N)),
        Mistake("first-sequence-only", "a step whose weight gradients come from the first sequence only: sum over all",
                lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh: (
                    *_step(dH_t, X_t, H_prev, H_t, W_xh, W_hh)[:2], *_step(dH_t[:1], X_t[:1], H_prev[:1], H_t[:1], W_xh, W_hh)[2:])),
        Mistake("weights-swapped", "right gradients with dW_hh before dW_xh: keep the order of the result", _order(0, 1, 3, 2, 4)),
        Mistake("inputs-swapped", "right gradients with dH_prev before dX_t: keep the order of the result", _order(1, 0, 2, 3, 4)),
        Mistake("weights-first", "right gradients with those of the weights first: keep the order of the result",
                _order(2, 3, 4, 0, 1)),
        Mistake("own-part-of-dH_prev", "a step that adds dH_t to dH_prev: the only way from H_prev to the loss is through this step",
                _step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t + dZ_t @ W_hh.T)),
        Mistake("writes-into-dH_t", "right gradients from a step that writes into dH_t, as dH_t *= ... does: make a new array",
                _writes_into_dH_t),
        Mistake("writes-into-H_t", "right gradients from a step that writes into H_t: make a new array", _writes_into_H_t),
        float32_mistake(_step),
    ),
)


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    sequence = zeroed(_sequence(rng, 1, N, D, H, scale), *zero)
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


# --- rnn_backward ------------------------------------------------------------------------------


def _sequence(rng: np.random.Generator, T: int, N: int, D: int, H: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Arguments of `rnn_forward`; units of which some saturate for a scale of 3."""
    sequence = rnn_arguments(rng, T, N, D, H)
    sequence["X"] *= scale
    return sequence


def _backward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, loss_at=slice(None), zero=(), scale=1.0) -> Case:
    """loss_at: the steps whose state the loss sees; dH is zero at the others."""
    sequence = zeroed(_sequence(rng, T, N, D, H, scale), *zero)
    dH = np.zeros((T, N, H))
    dH[loss_at] = rng.normal(size=dH[loss_at].shape)
    return Case(name, {"dH": dH, "X": sequence["X"], "H_0": sequence["H_0"], "H": cells.rnn_forward(**sequence),
                       "W_xh": sequence["W_xh"], "W_hh": sequence["W_hh"]})


def _backward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        _backward_case("one step (T=1)", rng, 1, N, D, H),
        _backward_case("two steps, loss at the last one", rng, 2, N, D, H, loss_at=-1),
        _backward_case("two steps, loss at both", rng, 2, N, D, H),
        _backward_case("several steps, loss at the last one", rng, T + 2, N, D, H, loss_at=-1),
        _backward_case("several steps, loss at all", rng, T + 2, N, D, H),
        _backward_case("a start state of zero", rng, T + 2, N, D, H, zero=("H_0",)),
        _backward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _backward_case("one sequence (N=1)", rng, T, 1, D, H),
        _backward_case("large inputs, where tanh saturates", rng, T, 8, D, 8, scale=3.0),
        _backward_case("many steps (T=60)", rng, 60, N, D, H),
    ]


def _through_time(dH, X, H_0, H, W_xh, W_hh, *, step=_step, H_prev=None, passes=lambda t: True):
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


def _nothing_flows(dH, X, H_0, H, W_xh, W_hh):
    return _through_time(dH, X, H_0, H, W_xh, W_hh, passes=lambda t: False)


def _not_accumulated(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    for t in reversed(range(len(X))):
        dX[t], flowing, *sums = _step(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
    return dX, flowing, *sums


def _forward_in_time(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in range(len(X)):
        dX[t], flowing, *terms = _step(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
        sums = [total + term for total, term in zip(sums, terms)]
    return dX, flowing, *sums


def _flowing_piles_up(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in reversed(range(len(X))):
        dX[t], back, *terms = _step(dH[t] + flowing, X[t], H_prev[t], H[t], W_xh, W_hh)
        flowing = flowing + back
        sums = [total + term for total, term in zip(sums, terms)]
    return dX, flowing, *sums


def _one_more_step(dH, X, H_0, H, W_xh, W_hh):
    """dH_0 is the gradient of the state after the first step."""
    results = list(_through_time(dH, X, H_0, H, W_xh, W_hh))
    rest = _through_time(dH[1:], X[1:], H[0], H[1:], W_xh, W_hh)[1] if len(X) > 1 else 0
    results[1] = dH[0] + rest
    return tuple(results)


def _own_gradient_after_slope(dH, X, H_0, H, W_xh, W_hh):
    dX, flowing = np.zeros_like(X), np.zeros_like(H_0)
    H_prev = cells.previous_states(H, H_0)
    sums = [np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))]
    for t in reversed(range(len(X))):
        dZ_t = dH[t] + flowing * (1 - H[t] ** 2)
        dX[t], flowing, *terms = _step(dZ_t, X[t], H_prev[t], H[t], W_xh, W_hh, 1.0)
        sums = [total + term for total, term in zip(sums, terms)]
    return dX, flowing, *sums


def _flows_around_the_tanh(dH, X, H_0, H, W_xh, W_hh):
    return _through_time(dH, X, H_0, H, W_xh, W_hh,
                         step=_step_but(1, lambda dH_t, X_t, H_prev, H_t, W_xh, W_hh, dZ_t: dH_t @ W_hh.T))


def _flows_without_weights(dH, X, H_0, H, W_xh, W_hh):
    return _through_time(dH, X, H_0, H, W_xh, W_hh, step=_step_but(1, lambda *arguments: arguments[-1]))


def _writes_into_dH(dH, X, H_0, H, W_xh, W_hh):
    results = _through_time(dH.copy(), X, H_0, H, W_xh, W_hh)
    for t in range(len(X) - 1, 0, -1):
        dH[t - 1] += _step(dH[t], X[t], H[t - 1], H[t], W_xh, W_hh)[1]
    dH[0] *= 1 - H[0] ** 2
    return results


def _changed(place: int, change: Callable) -> Callable:
    """The right backward pass with one of its results changed."""

    def backward(dH, X, *rest):
        results = list(_through_time(dH, X, *rest))
        results[place] = change(results[place])
        return tuple(results)

    return backward


def _last_loss_only(dH, X, *rest):
    only = np.zeros_like(dH)
    only[-1] = dH[-1]
    return _through_time(only, X, *rest)


def _weights_of_own_losses(dH, X, *rest):
    return *_through_time(dH, X, *rest)[:2], *_nothing_flows(dH, X, *rest)[2:]


def _divided(by: Callable) -> Callable:
    def backward(dH, X, *rest):
        dX, dH_0, *weights = _through_time(dH, X, *rest)
        return dX, dH_0, *(grad / by(X) for grad in weights)

    return backward


def _in_every_step(backward: Callable) -> tuple[Mistake, ...]:
    """The mistakes of one step as mistakes of `backward(*arguments, step=...)`."""
    return tuple(
        Mistake(mistake.name, mistake.sentence.replace("a step", "a backward pass", 1), functools.partial(backward, step=mistake.function),
                section=BY_HAND)
        for mistake in STEP_MISTAKES
    )


def _bias_by_sequence(dH, X, H_0, H, W_xh, W_hh):
    *results, db_h = _through_time(dH, X, H_0, H, W_xh, W_hh)
    flowing, db_h = 0 * H_0, 0 * H_0
    for dH_t, H_t in zip(dH[::-1], H[::-1]):
        dZ_t = (dH_t + flowing) * (1 - H_t**2)
        flowing, db_h = dZ_t @ W_hh.T, db_h + dZ_t
    return *results, db_h


def _writes_into_H_0(dH, X, H_0, H, W_xh, W_hh):
    results = _through_time(dH, X, H_0, H, W_xh, W_hh)
    H_0[:] = results[1]
    return results


def _first_sequence(dH, X, H_0, H, W_xh, W_hh):
    H_prev = np.concatenate([np.broadcast_to(H_0[:1], H_0.shape)[None], H[:-1]])
    return _through_time(dH, X, H_0, H, W_xh, W_hh, H_prev=H_prev)


BACKWARD_TASK = Task(
    name="rnn_backward", assignment=ASSIGNMENT, points=4, section=BY_HAND,
    arguments={"dH": ("T", "N", "H"), "X": ("T", "N", "D"), "H_0": ("N", "H"), "H": ("T", "N", "H"), "W_xh": ("D", "H"),
               "W_hh": ("H", "H")},
    outputs=(Output("dX", "array", ("T", "N", "D"), per_step=True), Output("dH_0", "array", ("N", "H")), *GRADIENTS),
    form_case=lambda rng: _backward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_backward_values,
    reference=reference.rnn_backward, solution=cells.rnn_backward,
    mistakes=(
        *_in_every_step(_through_time),
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
                lambda dH, X, H_0, H, W_xh, W_hh: _through_time(dH, X, H_0, H, W_xh, W_hh, H_prev=np.roll(H, 1, axis=0))),
        Mistake("H_0-left-out", "a backward pass whose dW_hh leaves out the first step: there the state before is H_0, which need not be "
                "zero",
                lambda dH, X, H_0, H, W_xh, W_hh: _through_time(
                    dH, X, H_0, H, W_xh, W_hh, H_prev=cells.previous_states(H, 0 * H_0))),
        Mistake("H_0-at-every-step", "a backward pass whose dW_hh uses H_0 at every step: step t started from H[t - 1]",
                lambda dH, X, H_0, H, W_xh, W_hh: _through_time(
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
                lambda dH, *rest: _through_time(np.roll(dH, 1, axis=0), *rest)),
        Mistake("bias-summed-over-time-only", "a backward pass whose db_h has a row for each sequence: sum over time and over the "
                "sequences", _bias_by_sequence),
        Mistake("writes-into-dH", "right gradients from a backward pass that adds what flows back into dH itself: the caller's array may "
                "not change", _writes_into_dH),
        Mistake("writes-into-H_0", "right gradients from a backward pass that uses H_0 as a buffer: the caller's array may not change",
                _writes_into_H_0),
        float32_mistake(cells.rnn_backward),
    ),
)


# --- truncated_rnn_backward --------------------------------------------------------------------


def _truncated_case(name: str, rng: np.random.Generator, k: int, T: int, *rest, **options) -> Case:
    case = _backward_case(name, rng, T, *rest, **options)
    return Case(case.name, {**case.arguments, "k": k})


def _truncated_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    k = int(rng.integers(3, 6))
    return [
        _truncated_case("two steps, each for itself (k=1)", rng, 1, 2, N, D, H),
        _truncated_case("two stretches of two steps, loss at the last step", rng, 2, 4, N, D, H, loss_at=-1),
        _truncated_case("two stretches of two steps, loss at all", rng, 2, 4, N, D, H),
        _truncated_case("several stretches, loss at all", rng, k, 3 * k, N, D, H),
        _truncated_case("a last stretch that is shorter (T is no multiple of k)", rng, k, 2 * k + 2, N, D, H),
        _truncated_case("every step for itself (k=1)", rng, 1, 5, N, D, H),
        _truncated_case("one stretch, nothing is cut (k=T)", rng, k, k, N, D, H),
        _truncated_case("stretches longer than the text (k>T)", rng, k + 3, k, N, D, H),
        _truncated_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, 2, k + 2, k + 2, H, H),
        _truncated_case("one sequence (N=1)", rng, 2, 5, 1, D, H),
        _truncated_case("many steps (T=50, k=8)", rng, 8, 50, N, D, H),
    ]


def _truncated(dH, X, H_0, H, W_xh, W_hh, k, *, step=_step, H_prev=None):
    return _through_time(dH, X, H_0, H, W_xh, W_hh, step=step, H_prev=H_prev, passes=lambda t: t % k != 0)


def _cut_where(passes: Callable) -> Callable:
    """Truncation that lets a gradient pass from step t to t - 1 where `passes(t, k, T)`."""
    return lambda dH, X, H_0, H, W_xh, W_hh, k: _through_time(
        dH, X, H_0, H, W_xh, W_hh, passes=lambda t: passes(t, k, len(X)))


def _state_cut_too(dH, X, H_0, H, W_xh, W_hh, k, start=lambda H_0: 0 * H_0):
    H_prev = cells.previous_states(H, H_0)
    H_prev[k::k] = start(H_0)
    return _truncated(dH, X, H_0, H, W_xh, W_hh, k, H_prev=H_prev)


def _stretches(dH, X, H_0, H, W_xh, W_hh, k) -> list[tuple]:
    """The right gradients of each stretch, from the first to the last."""
    H_prev = cells.previous_states(H, H_0)
    return [
        cells.rnn_backward(dH[s : s + k], X[s : s + k], H_prev[s], H[s : s + k], W_xh, W_hh) for s in range(0, len(X), k)
    ]


def _joined(parts: list[tuple], start: int = 0, weights: Callable = sum) -> tuple:
    """The stretches' gradients put together; dH_0 from the one given, weights by `weights`."""
    dX, dH_0, *grads = zip(*parts)
    return np.concatenate(dX), dH_0[start], *(weights(list(grad)) for grad in grads)


def _whole_stretches_only(dH, X, H_0, H, W_xh, W_hh, k):
    parts = _stretches(dH, X, H_0, H, W_xh, W_hh, k)
    if len(X) % k:
        parts[-1] = tuple(0 * grad for grad in parts[-1])
    return _joined(parts)


def _first_stretch_only(*arguments):
    first, *others = _stretches(*arguments)
    return _joined([first, *(tuple(0 * grad for grad in part) for part in others)])


def _last_k_steps(dH, X, H_0, H, W_xh, W_hh, k):
    start = max(0, len(X) - k)
    dX_end, *others = _through_time(dH[start:], X[start:], cells.previous_states(H, H_0)[start], H[start:], W_xh, W_hh)
    dX = np.zeros_like(X)
    dX[start:] = dX_end
    return dX, *others


def _dH_0_of_all_stretches(*arguments):
    parts = _stretches(*arguments)
    dX, _, *weights = _joined(parts)
    return dX, sum(part[1] for part in parts), *weights


def _sliding_window(dH, X, H_0, H, W_xh, W_hh, k):
    """Each step's own gradient goes back over k steps, wherever it starts."""
    results = None
    for s in range(len(X)):
        only = np.zeros_like(dH)
        only[s] = dH[s]
        terms = _through_time(only, X, H_0, H, W_xh, W_hh, passes=lambda t, s=s: t > s - k + 1)
        if s >= k:
            terms = (terms[0], 0 * terms[1], *terms[2:])
        results = terms if results is None else tuple(a + b for a, b in zip(results, terms))
    return results


def _last_loss_of_stretch_only(dH, X, H_0, H, W_xh, W_hh, k):
    only = np.zeros_like(dH)
    ends = [*range(k - 1, len(dH) - 1, k), len(dH) - 1]
    only[ends] = dH[ends]
    return _truncated(only, X, H_0, H, W_xh, W_hh, k)


def _number_of_stretches(dH, X, H_0, H, W_xh, W_hh, k):
    return _truncated(dH, X, H_0, H, W_xh, W_hh, max(1, math.ceil(len(X) / k)))


def _dH_0_of_one_stretch_only(*arguments):
    dX, dH_0, *weights = _truncated(*arguments)
    k = arguments[-1]
    return dX, dH_0 if len(dX) <= k else 0 * dH_0, *weights


def _dX_reversed_by_stretch(*arguments):
    parts = _stretches(*arguments)
    return np.concatenate([part[0] for part in reversed(parts)]), *_joined(parts)[1:]


def _truncated_into_dH(dH, X, H_0, H, W_xh, W_hh, k):
    results = _truncated(dH, X, H_0, H, W_xh, W_hh, k)
    dH += 1
    return results


TRUNCATED_TASK = Task(
    name="truncated_rnn_backward", assignment=ASSIGNMENT, points=2, section=TRUNCATION,
    arguments={**BACKWARD_TASK.arguments, "k": None},
    outputs=BACKWARD_TASK.outputs,
    form_case=lambda rng: _truncated_case("several stretches", rng, 2, 6, *sizes(rng, 3)),
    value_cases=_truncated_values,
    reference=reference.truncated_rnn_backward, solution=_truncated,
    mistakes=(
        Mistake("not-truncated", "a backward pass that is not truncated: it takes no notice of k", _cut_where(lambda t, k, T: True)),
        Mistake("nothing-flows", "a backward pass in which nothing flows from any step to the one before: inside a stretch of k steps it "
                "does", _cut_where(lambda t, k, T: False)),
        Mistake("cut-one-step-late", "a backward pass cut one step further on: nothing flows from code step k to k - 1, so the first "
                "stretch is steps 0 to k - 1", _cut_where(lambda t, k, T: (t - 1) % k != 0 or t == 1)),
        Mistake("cut-one-step-early", "a backward pass cut one step too early: nothing flows from code step k to k - 1, so the first "
                "stretch is steps 0 to k - 1", _cut_where(lambda t, k, T: (t + 1) % k != 0)),
        Mistake("stretches-from-the-end", "a backward pass whose stretches are counted from the last step: they begin at code steps 0, "
                "k, 2k, ...", _cut_where(lambda t, k, T: (T - t) % k != 0)),
        Mistake("cut-once", "a backward pass cut at code step k only: cut at 2k, 3k, ..., too", _cut_where(lambda t, k, T: t != k)),
        Mistake("last-k-steps", "a backward pass over the last k steps only: every stretch has losses and gradients of its own",
                _last_k_steps),
        Mistake("first-stretch-only", "a backward pass over the first stretch only", _first_stretch_only),
        Mistake("whole-stretches-only", "a backward pass that leaves out a last stretch shorter than k: it counts, too",
                _whole_stretches_only),
        Mistake("sliding-window", "a backward pass in which each step's own gradient goes back over k steps: the cuts stand still, at "
                "code steps k, 2k, ...", _sliding_window),
        Mistake("state-cut-too", "a backward pass that sets the state before a cut to zero in dW_hh: the gradient is cut, the value of "
                "the state is not", _state_cut_too),
        Mistake("H_0-at-each-stretch", "a backward pass that lets every stretch start from H_0 in dW_hh: it started from the last state of "
                "the stretch before, H[m * k - 1]",
                lambda *arguments: _state_cut_too(*arguments, start=lambda H_0: H_0)),
        Mistake("dH_0-of-last-stretch", "a backward pass whose dH_0 comes from the last stretch: only the first one begins at H_0",
                lambda *arguments: _joined(_stretches(*arguments), start=-1)),
        Mistake("dH_0-of-all-stretches", "a backward pass whose dH_0 is the sum over all stretches: only the first one begins at H_0",
                _dH_0_of_all_stretches),
        Mistake("dH_0-zero", "a backward pass that returns zeros for dH_0 as soon as something is cut: the gradient of the first stretch "
                "reaches H_0", _dH_0_of_one_stretch_only),
        Mistake("last-weights", "a backward pass that keeps the weight gradients of the last stretch only: add those of all stretches",
                lambda *arguments: _joined(_stretches(*arguments), weights=lambda grads: grads[-1])),
        Mistake("first-weights", "a backward pass that keeps the weight gradients of the first stretch only: add those of all stretches",
                lambda *arguments: _joined(_stretches(*arguments), weights=lambda grads: grads[0])),
        Mistake("weights-averaged", "a backward pass that averages the weight gradients over the stretches: add them",
                lambda *arguments: _joined(_stretches(*arguments), weights=lambda grads: sum(grads) / len(grads))),
        Mistake("last-loss-of-stretch-only", "a backward pass in which only the last step of each stretch has a gradient of its own: dH[t] "
                "counts at every step", _last_loss_of_stretch_only),
        Mistake("number-of-stretches", "a backward pass cut into k stretches: k is the number of steps in one", _number_of_stretches),
        Mistake("dX-stretches-reversed", "a backward pass whose dX has the last stretch first", _dX_reversed_by_stretch),
        *_in_every_step(_truncated),
        Mistake("H_0-wraps-round", "a backward pass that takes H[t - 1] also at t = 0, where Python wraps round to the last state: the "
                "state before the first step is H_0",
                lambda dH, X, H_0, H, W_xh, W_hh, k: _truncated(
                    dH, X, H_0, H, W_xh, W_hh, k, H_prev=np.roll(H, 1, axis=0)), section=BY_HAND),
        Mistake("writes-into-dH", "right gradients from a backward pass that writes into dH: the caller's array may not change",
                _truncated_into_dH),
        float32_mistake(_truncated),
    ),
)


# --- clip_by_norm ------------------------------------------------------------------------------

SHAPES = {"W_xh": ("D", "H"), "W_hh": ("H", "H"), "b_h": ("H",), "W_hq": ("H", "V"), "b_q": ("V",)}


def _clip_case(name: str, rng: np.random.Generator, norm: float, theta: float, large: str | None = None) -> Case:
    """Gradients of that norm together; that of the array `large`, if given, holds nearly all of it."""
    named = dict(zip("DHV", sizes(rng, 3)))
    grads = {name: rng.normal(size=[named[axis] for axis in axes]) for name, axes in SHAPES.items()}
    if large:
        grads[large] *= 30
    scale = norm / math.sqrt(sum((g * g).sum() for g in grads.values()))
    return Case(name, {"grads": {name: g * scale for name, g in grads.items()}, "theta": theta})


def _clip_values(rng: np.random.Generator) -> list[Case]:
    return [
        _clip_case("a norm above theta", rng, norm=5.0, theta=1.0),
        _clip_case("a norm below theta", rng, norm=2.0, theta=5.0),
        _clip_case("a norm just above theta, each array's own far below", rng, norm=3.1, theta=3.0),
        _clip_case("a norm below theta and below 1", rng, norm=0.2, theta=0.3),
        _clip_case("a norm above theta and below 1", rng, norm=0.3, theta=0.2),
        _clip_case("one array holds nearly all of the norm", rng, norm=50.0, theta=2.0, large="W_hh"),
        _clip_case("a bias holds nearly all of the norm", rng, norm=50.0, theta=2.0, large="b_q"),
        _clip_case("tiny gradients", rng, norm=1e-6, theta=1e-7),
        _clip_case("an exploded gradient", rng, norm=1e9, theta=1.0),
    ]


def _clip_sizes(arguments: dict) -> dict[str, int]:
    grads = arguments["grads"]
    return {"D": len(grads["W_xh"]), "H": len(grads["W_hh"]), "V": len(grads["b_q"])}


def _scaled(grads, scale):
    return {name: g * scale for name, g in grads.items()}


def _clip_if(condition: Callable) -> Callable:
    """Clipping where `condition(norm, theta)`."""

    def clip(grads, theta):
        norm = training.gradient_norm(grads)
        return _scaled(grads, theta / norm if condition(norm, theta) else 1.0), norm

    return clip


def _clip_with(norm_of: Callable) -> Callable:
    """Clipping by another norm of all gradients."""

    def clip(grads, theta):
        norm = float(norm_of(grads))
        return _scaled(grads, theta / norm if norm > theta else 1.0), norm

    return clip


def _clip_by(factor: Callable) -> Callable:
    """Clipping by the factor `factor(norm, theta)` where the norm exceeds theta."""

    def clip(grads, theta):
        norm = training.gradient_norm(grads)
        return _scaled(grads, factor(norm, theta) if norm > theta else 1.0), norm

    return clip


def _each_array(grads, theta):
    clipped = {name: g * min(1.0, theta / np.linalg.norm(g)) for name, g in grads.items()}
    return clipped, training.gradient_norm(grads)


def _norm_after(grads, theta):
    clipped, _ = training.clip_by_norm(grads, theta)
    return clipped, training.gradient_norm(clipped)


def _in_place(grads, theta):
    norm = training.gradient_norm(grads)
    if norm > theta:
        for g in grads.values():
            g *= theta / norm
    return grads, norm


def _all_norms(grads, ord=None):
    return [np.linalg.norm(g, ord) for g in grads.values()]


CLIP_TASK = Task(
    name="clip_by_norm", assignment=ASSIGNMENT, points=2, section=CLIPPING,
    arguments={"grads": None, "theta": None},
    outputs=(
        Output("clipped", "dict", items=tuple(Output(name, "array", axes) for name, axes in SHAPES.items())),
        Output("norm", "float"),
    ),
    form_case=lambda rng: _clip_case("a norm above theta", rng, norm=5.0, theta=1.0),
    value_cases=_clip_values, measure=_clip_sizes,
    reference=reference.clip_by_norm, solution=training.clip_by_norm,
    mistakes=(
        Mistake("each-array-apart", "clipping of each array by a norm of its own, which turns the direction: one norm over all arrays, one "
                "factor for all", _each_array, section=DIRECTION),
        Mistake("by-value", "clipping of each entry to the range from -theta to theta, which turns the direction: scale all entries by one "
                "factor", lambda grads, theta: ({name: np.clip(g, -theta, theta) for name, g in grads.items()},
                                                training.gradient_norm(grads)), section=DIRECTION),
        Mistake("always-scaled", "gradients scaled to the norm theta even where it was smaller: scale only when the norm exceeds theta",
                _clip_if(lambda norm, theta: True)),
        Mistake("never-scaled", "gradients that are never scaled", _clip_if(lambda norm, theta: False)),
        Mistake("scaled-where-smaller", "gradients scaled where the norm is below theta, and left alone where it exceeds it",
                _clip_if(lambda norm, theta: norm < theta)),
        Mistake("compared-with-square", "gradients scaled where the squared norm exceeds theta: compare the norm itself",
                _clip_if(lambda norm, theta: norm**2 > theta)),
        Mistake("compared-with-one", "gradients scaled where the norm exceeds 1: compare it with theta",
                _clip_if(lambda norm, theta: norm > 1)),
        Mistake("squared-norm", "clipping by the squared norm: the square root is missing",
                _clip_with(lambda grads: training.gradient_norm(grads) ** 2)),
        Mistake("sum-of-norms", "clipping by the sum of the arrays' norms: add the squares of all entries, then one square root",
                _clip_with(lambda grads: sum(_all_norms(grads)))),
        Mistake("largest-norm", "clipping by the largest of the arrays' norms: one norm over all entries together",
                _clip_with(lambda grads: max(_all_norms(grads)))),
        Mistake("mean-of-norms", "clipping by the mean of the arrays' norms: one norm over all entries together",
                _clip_with(lambda grads: np.mean(_all_norms(grads)))),
        Mistake("last-norm", "clipping by the norm of the last array: the sum starts anew for each array",
                _clip_with(lambda grads: _all_norms(grads)[-1])),
        Mistake("spectral-norm", "clipping by norms with ord=2, which for a matrix is its largest singular value: sum the squares of all "
                "entries", _clip_with(lambda grads: math.sqrt(sum(norm**2 for norm in _all_norms(grads, 2))))),
        Mistake("sum-of-absolutes", "clipping by the sum of absolute values: sum the squares, then one square root",
                _clip_with(lambda grads: sum(np.abs(g).sum() for g in grads.values()))),
        Mistake("largest-entry", "clipping by the largest entry: the norm is the root of the sum of all squares",
                _clip_with(lambda grads: max(np.abs(g).max() for g in grads.values()))),
        Mistake("root-mean-square", "clipping by the root of the mean square: the norm is the root of the sum",
                _clip_with(lambda grads: math.sqrt(np.mean(np.concatenate([g.ravel() ** 2 for g in grads.values()]))))),
        Mistake("matrices-only", "clipping by the norm of the matrices: the biases' gradients count, too",
                _clip_with(lambda grads: math.sqrt(sum((g * g).sum() for g in grads.values() if g.ndim == 2)))),
        Mistake("factor-upside-down", "gradients multiplied by norm / theta: the factor is theta / norm",
                _clip_by(lambda norm, theta: norm / theta)),
        Mistake("factor-theta", "gradients multiplied by theta: the factor is theta / norm", _clip_by(lambda norm, theta: theta)),
        Mistake("factor-one-over-norm", "gradients scaled to the norm 1: scale them to theta", _clip_by(lambda norm, theta: 1 / norm)),
        Mistake("factor-squared", "gradients multiplied by theta over the squared norm", _clip_by(lambda norm, theta: theta / norm**2)),
        Mistake("zeros", "gradients set to zero where the norm exceeds theta: shorten them to theta", _clip_by(lambda norm, theta: 0.0)),
        Mistake("norm-after", "right gradients with the norm after clipping: return the norm before", _norm_after),
        Mistake("norm-squared-returned", "right gradients with the square of the norm", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[0], training.gradient_norm(grads) ** 2)),
        Mistake("factor-returned", "right gradients with the factor in place of the norm", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[0], min(1.0, theta / training.gradient_norm(grads)))),
        *(Mistake(f"epsilon-{epsilon:g}", f"a factor theta / (norm + {epsilon:g}), as in torch: leave the {epsilon:g} out",
                  _clip_by(lambda norm, theta, epsilon=epsilon: theta / (norm + epsilon))) for epsilon in (1e-6, 1e-8, 1e-10, 1e-12)),
        Mistake("in-place", "right gradients that were put into the caller's arrays, as by g *= ..., or into the caller's dict: make "
                "new ones", _in_place),
        Mistake("norm-left-out", "right gradients without the norm: return both", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[0])),
        Mistake("swapped", "right results in another order: the gradients come first", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[::-1])),
        Mistake("list", "right gradients in a list: return a dict with the same keys", lambda grads, theta: (
            list(training.clip_by_norm(grads, theta)[0].values()), training.gradient_norm(grads))),
        float32_mistake(training.clip_by_norm),
    ),
)


# --- gradient_norm_by_lag ----------------------------------------------------------------------


def _lag_case(name: str, rng: np.random.Generator, T: int, N: int, H: int, radius: float = 1.0, size: float = 0.9) -> Case:
    """States up to `size`, and weights whose singular values are about `radius`."""
    return Case(name, {"H": rng.uniform(-size, size, size=(T, N, H)), "W_hh": radius * rng.normal(size=(H, H)) / math.sqrt(H)})


def _lag_values(rng: np.random.Generator) -> list[Case]:
    T, N, H = sizes(rng, 3)
    return [
        _lag_case("one step back (T=2), one sequence", rng, 2, 1, H),
        _lag_case("two steps back (T=3), one sequence", rng, 3, 1, H),
        _lag_case("states near zero, where the slope of the tanh is 1", rng, T + 1, 1, H, size=1e-6),
        _lag_case("one unit (H=1)", rng, T + 1, 1, 1),
        _lag_case("several steps, one sequence", rng, T + 2, 1, H),
        _lag_case("several sequences", rng, T + 2, N, H),
        _lag_case("as many steps as sequences and units (T=N=H)", rng, H + 1, H + 1, H + 1),
        _lag_case("large weights, under which gradients grow", rng, T + 2, N, H, radius=3.0),
        _lag_case("saturated states, where gradients vanish", rng, T + 2, N, H, size=0.999),
        _lag_case("one step (T=1)", rng, 1, N, H),
        _lag_case("many steps (T=40)", rng, 40, N, H),
    ]


def _jacobian(slope, W_hh):
    return W_hh * slope


def _products(H, W_hh, *, slope=lambda H_t: 1 - H_t**2, jacobian=_jacobian, before=False, first=0):
    """Products of Jacobians `(T, N, H, H)` by lag; `first`: the code step, counted from the end, whose slope is used first."""
    T, N, size = H.shape
    product = np.broadcast_to(np.eye(size), (N, size, size))
    products = [product]
    for k in range(1, T):
        J = np.stack([jacobian(slope(h), W_hh) for h in H[(T - k - first) % T]])
        product = product @ J if before else J @ product
        products.append(product)
    return np.stack(products)


def _norms(products):
    return np.linalg.norm(products, axis=(2, 3)).mean(axis=1)


def _gradient_norm_by_lag(H, W_hh):
    return _norms(_products(H, W_hh))


def _lag_with(**changes) -> Callable:
    return lambda H, W_hh: _norms(_products(H, W_hh, **changes))


def _lag_norm(norm: Callable) -> Callable:
    """The right products `(T, N, H, H)` with another norm."""
    return lambda H, W_hh: norm(_products(H, W_hh))


def _last_slope_only(H, W_hh):
    return _norms(_products(np.broadcast_to(H[-1], H.shape), W_hh))


def _one_lag_less(H, W_hh):
    norms = _gradient_norm_by_lag(np.concatenate([H[:1], H]), W_hh)
    return norms[1:]


LAG_TASK = Task(
    name="gradient_norm_by_lag", assignment=ASSIGNMENT, points=2, section=JACOBIANS,
    arguments={"H": ("T", "N", "H"), "W_hh": ("H", "H")},
    outputs=(Output("norms", "array", ("T",), per_step=True),),
    form_case=lambda rng: _lag_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=_lag_values,
    reference=reference.gradient_norm_by_lag, solution=_gradient_norm_by_lag,
    mistakes=(
        Mistake("slope-left-out", "norms of the powers of W_hh: each Jacobian has the slopes of the tanh, 1 - H[t] ** 2, too",
                _lag_with(slope=np.ones_like)),
        Mistake("slope-not-squared", "norms with the slope 1 - H[t]: it is 1 - H[t] ** 2", _lag_with(slope=lambda H_t: 1 - H_t)),
        Mistake("tanh-again", "norms with the slope 1 - tanh(H[t]) ** 2: H[t] is already what came out of the tanh",
                _lag_with(slope=lambda H_t: 1 - np.tanh(H_t) ** 2)),
        Mistake("rows-scaled", "norms of Jacobians whose rows are scaled by the slopes: the slope belongs to the unit of the later state, a "
                "column of W_hh", _lag_with(jacobian=lambda slope, W_hh: slope[:, None] * W_hh)),
        Mistake("W_hh-transposed", "norms of Jacobians with W_hh transposed and its columns scaled: W_hh * (1 - H[t] ** 2), or the "
                "transpose of all of it", _lag_with(jacobian=lambda slope, W_hh: W_hh.T * slope)),
        Mistake("order-reversed", "norms of products in the wrong order: going back one step more multiplies by the earlier Jacobian from "
                "the left", _lag_with(before=True)),
        Mistake("slope-one-step-early", "norms with the slopes of the step before, H[t - 1]: the Jacobian from H[t - 1] to H[t] has the "
                "slope at H[t]", _lag_with(first=1)),
        Mistake("slope-one-step-late", "norms that use H[T - k + 1] where H[T - k] is right, wrapping round to H[0] at first",
                _lag_with(first=-1)),
        Mistake("last-slope-only", "norms with the slopes of the last step throughout: each Jacobian has its own step's",
                _last_slope_only),
        Mistake("one-lag-too-far", "norms that start with one Jacobian at entry 0: entry k is a product of k Jacobians, so entry 0 is the "
                "identity's", _one_lag_less),
        Mistake("entry-0-is-one", "right norms but for entry 0: the identity of H units has the Frobenius norm sqrt(H)",
                lambda H, W_hh: np.concatenate([[1.0], _gradient_norm_by_lag(H, W_hh)[1:]])),
        Mistake("divided-by-root-H", "norms divided by sqrt(H), so that entry 0 is 1: entry 0 is sqrt(H)",
                lambda H, W_hh: _gradient_norm_by_lag(H, W_hh) / math.sqrt(len(W_hh))),
        Mistake("reversed", "right norms with the largest lag first: entry k belongs to lag k",
                lambda H, W_hh: _gradient_norm_by_lag(H, W_hh)[::-1].copy()),
        Mistake("single-Jacobians", "norms of single Jacobians: entry k is the norm of the product of k of them",
                lambda H, W_hh: np.array([math.sqrt(len(W_hh))] + [
                    np.linalg.norm(W_hh * (1 - H[-k][:, None] ** 2), axis=(1, 2)).mean() for k in range(1, len(H))])),
        Mistake("product-of-norms", "products of the Jacobians' norms: take the norm of the product, which is smaller",
                lambda H, W_hh: np.concatenate([np.full((1, H.shape[1]), math.sqrt(len(W_hh))), np.cumprod(
                    [np.linalg.norm(W_hh * (1 - H[-k][:, None] ** 2), axis=(1, 2)) for k in range(1, len(H))], axis=0).reshape(
                        -1, H.shape[1])]).mean(axis=1)),
        Mistake("norm-of-mean", "norms of the Jacobian averaged over the sequences: take each sequence's norm, then the mean",
                _lag_norm(lambda products: np.linalg.norm(products.mean(axis=1), axis=(1, 2)))),
        Mistake("mean-state", "norms for the mean state of the sequences: take each sequence's norm, then the mean",
                lambda H, W_hh: _gradient_norm_by_lag(H.mean(axis=1, keepdims=True), W_hh)),
        Mistake("first-sequence-only", "norms of the first sequence: take the mean over all",
                lambda H, W_hh: _gradient_norm_by_lag(H[:, :1], W_hh)),
        Mistake("sum-over-sequences", "norms summed over the sequences: take the mean",
                _lag_norm(lambda products: np.linalg.norm(products, axis=(2, 3)).sum(axis=1))),
        Mistake("one-norm-over-all", "one norm over all sequences together: take each sequence's norm, then the mean",
                _lag_norm(lambda products: np.sqrt((products**2).sum(axis=(1, 2, 3))))),
        Mistake("root-mean-square", "the root of the mean square over the sequences: take each sequence's norm, then the mean",
                _lag_norm(lambda products: np.sqrt((products**2).sum(axis=(2, 3)).mean(axis=1)))),
        Mistake("squared", "squared norms: take the square root", _lag_norm(lambda products: (products**2).sum(axis=(2, 3)).mean(axis=1))),
        Mistake("spectral-norm", "largest singular values: the Frobenius norm is the root of the sum of all squares",
                _lag_norm(lambda products: np.linalg.norm(products, ord=2, axis=(2, 3)).mean(axis=1))),
        Mistake("spectral-radius", "largest absolute eigenvalues: the Frobenius norm is the root of the sum of all squares",
                _lag_norm(lambda products: np.abs(np.linalg.eigvals(products)).max(axis=-1).mean(axis=1))),
        Mistake("sum-of-ones", "gradients of the sum of the last state: a gradient's norm is not the Jacobian's",
                _lag_norm(lambda products: np.linalg.norm(products.sum(axis=3), axis=2).mean(axis=1))),
        Mistake("one-lag-more", "T + 1 norms, up to a lag of T: H_0 is not among the arguments, so lags run from 0 to T - 1",
                lambda H, W_hh: np.append(_gradient_norm_by_lag(H, W_hh), 0.0)),
        float32_mistake(_gradient_norm_by_lag, tolerance=1e-4),
    ),
)

TASKS = (LOSS_TASK, STEP_TASK, BACKWARD_TASK, TRUNCATED_TASK, CLIP_TASK, LAG_TASK)
