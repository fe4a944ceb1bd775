"""`cross_entropy_backward`: the gradient of the mean loss with respect to the logits."""

from __future__ import annotations

import math

import numpy as np

from .... import metrics, reference, text
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, from_sequence_to_sequence, loss_case, sizes
from .shared import ASSIGNMENT

OUTPUT = Section("recurrence/rnn-scratch", "scratch-backward", "The backward pass")
LOSS = Section("recurrence/rnn-scratch", "scratch-loss", "The loss")


def _loss_form(rng: np.random.Generator) -> Case:
    return loss_case("several steps and sequences", rng, *sizes(rng, 3))


def _loss_values(rng: np.random.Generator) -> list[Case]:
    T, N, V = sizes(rng, 3)
    same = loss_case("", rng, T, N, V).arguments
    same["Y"] = np.full((T, N), int(rng.integers(0, V)))
    large = loss_case("large logits, where exp alone overflows", rng, T, N, V, shift=1000.0)
    unlikely = loss_case("", rng, T, N, V).arguments
    unlikely["logits"] = unlikely["logits"] - 900 * text.one_hot(unlikely["Y"], V)
    apart = loss_case("logits of different size from sequence to sequence", rng, T, N, V, shift=from_sequence_to_sequence(N))
    return [
        loss_case("one token (T=1, N=1)", rng, 1, 1, V),
        loss_case("one step, several sequences (T=1)", rng, 1, N, V),
        loss_case("one sequence (N=1)", rng, T, 1, V),
        loss_case("several steps and sequences", rng, T, N, V),
        Case("the same token came everywhere", same),
        loss_case("as many steps as sequences and tokens (T=N=V)", rng, V, V, V),
        large,
        Case("tokens so unlikely that their probability underflows to 0", unlikely),
        apart,
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


TASK = Task(
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
        *(Mistake(f"epsilon-{epsilon:g}", "a softmax with {epsilon} added below the fraction: after the maximum is subtracted the sum "
                  "is at least 1, so nothing need be added", _with_epsilon(epsilon),
                  fills={"epsilon": f"{epsilon:g}"}) for epsilon in (1e-5, 1e-6, 1e-7, 1e-8)),
        Mistake("in-the-logits", "a right gradient that subtracts the maximum from the caller's logits in place: make a new array",
                _in_the_logits),
        Mistake("flattened", "a right gradient with the time and batch axes joined: keep them apart, (T, N, V)",
                lambda logits, Y: metrics.cross_entropy_backward(logits, Y).reshape(-1, logits.shape[-1])),
        float32_mistake(metrics.cross_entropy_backward),
    ),
)
