"""`cross_entropy`: the mean loss of logits against the tokens that came."""

from __future__ import annotations

import math

import numpy as np

from .... import metrics, reference, text
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, from_sequence_to_sequence, loss_case, sizes
from .shared import ASSIGNMENT, LOSS


def _loss_form(rng: np.random.Generator) -> Case:
    return loss_case("several steps and sequences", rng, *sizes(rng, 3))


def _loss_values(rng: np.random.Generator) -> list[Case]:
    T, N, V = sizes(rng, 3)
    unlikely = loss_case("", rng, T, N, V).arguments
    # Lower the logit of the token that came, from token to token further: probabilities from 1e-4 down to 1e-19.
    gaps = np.linspace(10, 45, T * N).reshape(T, N, 1)
    unlikely["logits"] = unlikely["logits"] - gaps * text.one_hot(unlikely["Y"], V)
    underflow = loss_case("", rng, T, N, V).arguments
    underflow["logits"] = underflow["logits"] - 900 * text.one_hot(underflow["Y"], V)
    large = loss_case("large logits, where exp alone overflows", rng, T, N, V, shift=1000.0)
    apart = loss_case("logits of different size from sequence to sequence", rng, T, N, V, shift=from_sequence_to_sequence(N))
    return [
        loss_case("one token (T=1, N=1)", rng, 1, 1, V),
        loss_case("one step, several sequences (T=1)", rng, 1, N, V),
        loss_case("one sequence (N=1)", rng, T, 1, V),
        loss_case("several steps and sequences", rng, T, N, V),
        loss_case("as many steps as sequences and tokens (T=N=V)", rng, V, V, V),
        large,
        Case("very unlikely tokens", unlikely),
        Case("tokens so unlikely that their probability underflows to 0", underflow),
        apart,
    ]


def _picked(log_probs, Y):
    return np.take_along_axis(log_probs, Y[..., None], axis=-1)[..., 0]


def _unstable(logits, Y):
    exponentials = np.exp(logits)
    return float(-np.log(_picked(exponentials / exponentials.sum(axis=-1, keepdims=True), Y)).mean())


def _global_max(logits, Y):
    exponentials = np.exp(logits - logits.max())
    return float(-np.log(_picked(exponentials / exponentials.sum(axis=-1, keepdims=True), Y)).mean())


def _log_of_softmax(logits, Y):
    return float(-np.log(_picked(metrics.softmax(logits), Y)).mean())


def _softmax_over(axis):
    def loss(logits, Y):
        exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
        with np.errstate(all="ignore"):
            return float(-np.log(_picked(exponentials / exponentials.sum(axis=axis, keepdims=True), Y)).mean())

    return loss


def _with_epsilon(epsilon: float):
    return lambda logits, Y: float(-np.log(_picked(metrics.softmax(logits), Y) + epsilon).mean())


def _clipped(epsilon: float):
    return lambda logits, Y: float(-np.log(np.clip(_picked(metrics.softmax(logits), Y), epsilon, 1.0)).mean())


def _maximum_in_sum_only(logits, Y):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=-1))
    return float((log_sums - _picked(logits, Y)).mean())


def _nats(logits, Y):
    return -_picked(metrics.log_softmax(logits), Y)  # (T, N)


TASK = Task(
    name="cross_entropy", assignment=ASSIGNMENT, points=5, section=LOSS,
    arguments={"logits": ("T", "N", "V"), "Y": ("T", "N")},
    outputs=(Output("loss", "float"),),
    form_case=_loss_form, value_cases=_loss_values,
    reference=reference.cross_entropy, solution=metrics.cross_entropy,
    mistakes=(
        Mistake("sum", "a sum over all tokens: take the mean over T and N",
                lambda logits, Y: float(_nats(logits, Y).sum())),
        Mistake("sum-over-time", "a sum over time and a mean over sequences: take the mean over both",
                lambda logits, Y: float(_nats(logits, Y).sum(axis=0).mean())),
        Mistake("sum-over-batch", "a mean over time and a sum over sequences: take the mean over both",
                lambda logits, Y: float(_nats(logits, Y).mean(axis=0).sum())),
        Mistake("mean-over-vocabulary", "a mean over T, N and V: the one-hot rows' zeros must not be counted",
                lambda logits, Y: float(_nats(logits, Y).mean() / logits.shape[-1])),
        Mistake("last-step-only", "a loss of the last step only: every step is predicted",
                lambda logits, Y: float(_nats(logits, Y)[-1].mean())),
        Mistake("no-minus", "a loss without its minus sign", lambda logits, Y: -metrics.cross_entropy(logits, Y)),
        Mistake("bits", "a loss in bits: use the natural logarithm",
                lambda logits, Y: metrics.cross_entropy(logits, Y) / math.log(2)),
        Mistake("perplexity", "a perplexity, exp of the loss: return the loss itself, in nats",
                lambda logits, Y: float(np.exp(metrics.cross_entropy(logits, Y)))),
        Mistake("no-softmax", "a loss on the logits themselves: softmax turns them into probabilities first",
                lambda logits, Y: float(-_picked(logits, Y).mean())),
        Mistake("no-log", "a mean probability without its logarithm",
                lambda logits, Y: float(-_picked(metrics.softmax(logits), Y).mean())),
        Mistake("softmax-over-time", "a softmax over axis 0, time: it runs over the vocabulary, the last axis", _softmax_over(0)),
        Mistake("softmax-over-batch", "a softmax over axis 1, the batch: it runs over the vocabulary, the last axis",
                _softmax_over(1)),
        Mistake("softmax-over-everything", "a softmax over all axes together: each step and sequence has its own",
                _softmax_over((0, 1, 2))),
        Mistake("best-guess", "a loss of the most likely token in place of the token that came: pick by Y",
                lambda logits, Y: metrics.cross_entropy(logits, logits.argmax(axis=-1))),
        Mistake("every-pair", "a mean over every pair of a row and a target, as from log_probs[:, :, Y]: pair each row with its own "
                "target, by np.take_along_axis", lambda logits, Y: float(-metrics.log_softmax(logits)[:, :, Y].mean())),
        Mistake("maximum-in-sum-only", "a log-softmax that subtracts the maximum inside the sum only: subtract it from the logit, too",
                _maximum_in_sum_only),
        Mistake("targets-shifted", "a loss against targets one step further on: Y is already shifted",
                lambda logits, Y: metrics.cross_entropy(logits, np.roll(Y, -1, axis=0))),
        Mistake("overflow", "a loss that exponentiates the logits as they are: subtract each row's maximum first", _unstable),
        Mistake("global-maximum", "a loss that subtracts one maximum for the whole array: subtract each row's own", _global_max),
        Mistake("log-of-softmax", "a loss that takes the log of a softmax that has underflowed to 0: compute the log-softmax "
                "directly, shifted logits minus the log of the sum", _log_of_softmax),
        *(Mistake(f"epsilon-{epsilon:g}", "a loss with {epsilon} added inside the log: compute the log-softmax directly",
                  _with_epsilon(epsilon),
                  fills={"epsilon": f"{epsilon:g}"}) for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        *(Mistake(f"clipped-{epsilon:g}", "a loss with probabilities clipped at {epsilon}: compute the log-softmax directly",
                  _clipped(epsilon),
                  fills={"epsilon": f"{epsilon:g}"}) for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        Mistake("per-token", "the losses of all tokens, not their mean", lambda logits, Y: _nats(logits, Y)),
        float32_mistake(metrics.cross_entropy),
    ),
)
