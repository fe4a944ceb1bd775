"""`masked_cross_entropy`: the mean loss over the real tokens, the padding left out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import metrics, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, PADDING, real_places, some_lengths

LOSS = Section("recurrence/rnn-scratch", "scratch-loss", "The loss")


def _loss_case(name: str, rng: np.random.Generator, T: int, V: int, lengths: list[int], padding: Callable | None = None) -> Case:
    """padding: the logits there, made from those that were drawn, `(tokens, V)`, and the targets, `(tokens,)`."""
    lengths = np.array(lengths)
    logits, Y = 2 * rng.normal(size=(T, len(lengths), V)), rng.integers(0, V, size=(T, len(lengths)))
    if padding:
        outside = ~real_places(T, lengths)
        logits[outside] = padding(logits[outside], Y[outside])
    return Case(name, {"logits": logits, "Y": Y, "lengths": lengths})


def _with_logits(case: Case, change: Callable) -> Case:
    """The case with the logits `change(logits, one-hot rows of Y)`."""
    logits, Y, lengths = case.arguments.values()
    return Case(case.name, {"logits": change(logits, np.eye(logits.shape[-1])[Y]), "Y": Y, "lengths": lengths})


def _loss_values(rng: np.random.Generator) -> list[Case]:
    V = sizes(rng, 1)[0]
    T, N = int(rng.integers(6, 9)), int(rng.integers(3, 6))
    mixed = functools.partial(some_lengths, rng, N)
    gaps = np.linspace(10, 45, T * N).reshape(T, N, 1)  # probabilities from 1e-4 down to 1e-19
    sizes_apart = np.where(np.arange(N) % 2, 900.0, -900.0)[:, None]
    return [
        _loss_case("one token (T=1, N=1)", rng, 1, V, [1]),
        _loss_case("several sequences without padding", rng, T, V, [T] * N),
        _loss_case("one sequence with padding behind it", rng, T, V, [T - 3]),
        _loss_case("several sequences of different lengths", rng, T, V, mixed(T)),
        _loss_case("no sequence as long as the array", rng, T, V, mixed(T - 2)),
        _loss_case("as many steps as sequences and tokens (T=N=V)", rng, T, T, some_lengths(rng, T, T)),
        _loss_case("padding whose targets are very unlikely", rng, T, V, mixed(T), lambda logits, Y: logits - 900 * np.eye(V)[Y]),
        _with_logits(_loss_case("large logits, where exp alone overflows", rng, T, V, mixed(T)), lambda logits, rows: logits + 1000.0),
        _with_logits(_loss_case("very unlikely tokens", rng, T, V, mixed(T)), lambda logits, rows: logits - gaps * rows),
        _with_logits(_loss_case("tokens so unlikely that their probability underflows to 0", rng, T, V, mixed(T)),
                     lambda logits, rows: logits - 900 * rows),
        _with_logits(_loss_case("logits of different size from sequence to sequence", rng, T, V, mixed(T)),
                     lambda logits, rows: logits + sizes_apart),
        _loss_case("padding whose logits are infinite", rng, T, V, mixed(T), lambda logits, Y: np.full_like(logits, -np.inf)),
    ]


def _nats(logits, Y):
    """(T, N): the loss at each place of the array."""
    with np.errstate(all="ignore"):
        return -np.take_along_axis(metrics.log_softmax(logits), Y[..., None], axis=-1)[..., 0]


def _masked(logits, Y, lengths, *, nats=_nats, real=real_places, mean=lambda nats, real: nats[real].mean()):
    """Right, but for other losses `(T, N)`, another mask `real(T, lengths)`, or another mean over the two."""
    with np.errstate(all="ignore"):
        return float(mean(nats(logits, Y), real(len(Y), lengths)))


def _masked_with(**changes) -> Callable:
    return functools.partial(_masked, **changes)


def _from_probs(loss: Callable, axis: int | tuple[int, ...] = -1) -> Callable:
    """The masked mean of `loss(probability of the token that came)`, from a softmax over the axis."""

    def nats(logits, Y):
        with np.errstate(all="ignore"):
            exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
            probs = exponentials / exponentials.sum(axis=axis, keepdims=True)
            return loss(np.take_along_axis(probs, Y[..., None], axis=-1)[..., 0])

    return _masked_with(nats=nats)


def _from_exponentials(shift: Callable) -> Callable:
    """Losses from exp(logits - shift(logits)) over its sum."""

    def nats(logits, Y):
        with np.errstate(all="ignore"):
            exponentials = np.exp(logits - shift(logits))
            probs = exponentials / exponentials.sum(axis=-1, keepdims=True)
            return -np.log(np.take_along_axis(probs, Y[..., None], axis=-1)[..., 0])

    return _masked_with(nats=nats)


def _logits_zeroed(logits, Y, lengths):
    zeroed_logits = np.where(real_places(len(Y), lengths)[..., None], logits, 0)
    return float(_nats(zeroed_logits, Y).mean())


def _targets_zeroed(logits, Y, lengths):
    return float(_nats(logits, Y * real_places(len(Y), lengths)).mean())


def _padding_by_id(logits, Y, lengths):
    return _masked(logits, Y, lengths, real=lambda T, lengths: Y != 0)


def _maximum_taken_from_logits(logits, Y, lengths):
    with np.errstate(all="ignore"):
        logits -= logits.max(axis=-1, keepdims=True)
    return _masked(logits, Y, lengths)


def _padding_of_logits_zeroed(logits, Y, lengths):
    logits[~real_places(len(Y), lengths)] = 0
    return _masked(logits, Y, lengths)


# Means over losses that are 0 in the padding: name, the sentence after “a ”, and the mean of these losses and the mask, (T, N) each.
WRONG_MEANS: tuple[tuple[str, str, Callable], ...] = (
    ("divided-by-all-places", "sum over the real tokens that is divided by T * N: divide by the number of real tokens, lengths.sum()",
     lambda nats, real: nats.sum() / nats.size),
    ("divided-by-longest", "sum over the real tokens that is divided by N times the longest length: divide by the number of real tokens, "
     "lengths.sum()", lambda nats, real: nats.sum() / (real.sum(axis=0).max() * real.shape[1])),
    ("mean-of-sequence-means", "mean of the sequences' own means, in which a token of a short sequence counts for more: one mean over all "
     "real tokens together", lambda nats, real: (nats.sum(axis=0) / real.sum(axis=0)).mean()),
    ("mean-of-step-means", "mean of the steps' own means, in which a token of a long sequence counts for more: one mean over all real "
     "tokens together", lambda nats, real: (nats.sum(axis=1) / real.sum(axis=1))[real.any(axis=1)].mean()),
    ("mean-of-all-step-means", "mean over T steps of each step's own mean, in which steps that no sequence reaches count as 0: one mean "
     "over all real tokens together", lambda nats, real: (nats.sum(axis=1) / np.maximum(real.sum(axis=1), 1)).mean()),
    ("sum", "sum over the real tokens: divide by their number", lambda nats, real: nats.sum()),
    ("divided-by-N", "sum over the real tokens that is divided by N: divide by the number of real tokens, lengths.sum()",
     lambda nats, real: nats.sum() / nats.shape[1]),
    ("divided-by-T", "sum over the real tokens that is divided by T: divide by the number of real tokens, lengths.sum()",
     lambda nats, real: nats.sum() / nats.shape[0]),
    ("mask-one-too-few", "mean that leaves out the last token of each sequence: real are the steps t < lengths[n], counted from 0",
     lambda nats, real: (nats[:-1] * real[1:]).sum() / real[1:].sum()),
)  # fmt: skip


def _wrong_mean(mean: Callable, pick: Callable) -> Callable:
    """`mean` over the losses that `pick(real, nats, 0)` leaves: by np.where, or by a product, where an infinite one spoils it."""
    return _masked_with(mean=lambda nats, real: mean(pick(real, nats, 0), real))


TASK = Task(
    name="masked_cross_entropy", assignment=ASSIGNMENT, points=3, section=PADDING,
    arguments={"logits": ("T", "N", "V"), "Y": ("T", "N"), "lengths": ("N",)},
    outputs=(Output("loss", "float"),),
    form_case=lambda rng: _loss_case("several sequences of different lengths", rng, 6, sizes(rng, 1)[0], [6, 2, 4]),
    value_cases=_loss_values,
    reference=reference.masked_cross_entropy, solution=_masked,
    mistakes=(
        Mistake("padding-counted", "a mean over all places of the array: padding is no prediction, so leave it out",
                _masked_with(mean=lambda nats, real: nats.mean())),
        *(Mistake(f"{name}{by}", f"a {words}{also}", _wrong_mean(mean, pick)) for name, words, mean in WRONG_MEANS
          for by, also, pick in (
              ("", "", np.where),
              ("-by-factor", "; besides, it multiplies the padding by 0, and 0 * inf is not a number", lambda real, nats, _: nats * real))),
        Mistake("mask-as-factor", "a mean that multiplies the padding's losses by 0, where an infinite one gives 0 * inf, not a number: "
                "pick the real tokens, losses[mask], or use np.where",
                _masked_with(mean=lambda nats, real: (nats * real).sum() / real.sum())),
        Mistake("mask-one-too-many", "a mean that counts one token of padding in each sequence: real are the steps t < lengths[n], counted "
                "from 0", _masked_with(real=lambda T, lengths: real_places(T, lengths + 1))),
        Mistake("mask-inverted", "a mean over the padding alone: the real tokens are those before lengths[n]",
                _masked_with(mean=lambda nats, real: nats[~real].mean())),
        Mistake("mask-transposed", "a mask (N, T), which runs only where T = N: time is the first axis, np.arange(T)[:, None] < lengths",
                _masked_with(real=lambda T, lengths: real_places(T, lengths).T)),
        Mistake("padding-by-id", "a loss that takes every target with the id 0 for padding: 0 may be a real token and padding may hold any "
                "id; what is real is said by lengths", _padding_by_id),
        Mistake("logits-zeroed", "a mean over all places with the padding's logits set to 0: that is a uniform guess, and it costs log(V)",
                _logits_zeroed),
        Mistake("targets-zeroed", "a mean over all places with the padding's targets set to 0: 0 is a token like any other",
                _targets_zeroed),
        Mistake("last-tokens-only", "a loss of the last real token of each sequence only: all real tokens are predicted",
                _masked_with(real=lambda T, lengths: np.arange(T)[:, None] == lengths - 1)),
        Mistake("first-length-for-all", "a mask that gives every sequence the first one's length: lengths[n] is that of sequence n",
                _masked_with(real=lambda T, lengths: real_places(T, np.full_like(lengths, lengths[0])))),
        Mistake("shortest-for-all", "a mask that ends with the shortest sequence: each has its own length",
                _masked_with(real=lambda T, lengths: real_places(T, np.full_like(lengths, lengths.min())))),
        Mistake("longest-for-all", "a mask that ends with the longest sequence: each has its own length",
                _masked_with(real=lambda T, lengths: real_places(T, np.full_like(lengths, lengths.max())))),
        Mistake("tokens", "the losses of all real tokens, not their mean",
                lambda logits, Y, lengths: _nats(logits, Y)[real_places(len(Y), lengths)]),
        Mistake("no-minus", "a loss without its minus sign", _masked_with(nats=lambda logits, Y: -_nats(logits, Y)), section=LOSS),
        Mistake("bits", "a loss in bits: use the natural logarithm", _masked_with(nats=lambda logits, Y: _nats(logits, Y) / math.log(2)),
                section=LOSS),
        Mistake("perplexity", "a perplexity, exp of the loss: return the loss itself, in nats",
                lambda *arguments: math.exp(min(_masked(*arguments), 700)), section=LOSS),
        Mistake("no-log", "a mean probability without its logarithm", _from_probs(lambda p: p), section=LOSS),
        Mistake("no-softmax", "a loss on the logits themselves: a softmax turns them into probabilities first", _masked_with(
            nats=lambda logits, Y: -np.take_along_axis(logits, Y[..., None], axis=-1)[..., 0]), section=LOSS),
        Mistake("targets-shifted", "a loss against targets one step further on: Y is already shifted",
                _masked_with(nats=lambda logits, Y: _nats(logits, np.roll(Y, -1, axis=0)))),
        Mistake("best-guess", "a loss of the most likely token in place of the token that came: pick by Y",
                _masked_with(nats=lambda logits, Y: _nats(logits, logits.argmax(axis=-1))), section=LOSS),
        Mistake("softmax-over-time", "a softmax over axis 0, time: it runs over the vocabulary, the last axis",
                _from_probs(lambda p: -np.log(p), axis=0), section=LOSS),
        Mistake("softmax-over-batch", "a softmax over axis 1, the batch: it runs over the vocabulary, the last axis",
                _from_probs(lambda p: -np.log(p), axis=1), section=LOSS),
        Mistake("softmax-over-everything", "a softmax over all axes together: each step and sequence has its own",
                _from_probs(lambda p: -np.log(p), axis=(0, 1, 2)), section=LOSS),
        Mistake("overflow", "a loss that exponentiates the logits as they are: subtract each row's maximum first",
                _from_exponentials(lambda logits: 0), section=LOSS),
        Mistake("global-maximum", "a loss that subtracts one maximum for the whole array: subtract each row's own",
                _from_exponentials(lambda logits: logits.max()), section=LOSS),
        Mistake("log-of-softmax", "a loss that takes the log of a softmax that has underflowed to 0: compute the log-softmax directly, "
                "shifted logits minus the log of the sum", _from_probs(lambda p: -np.log(p)), section=LOSS),
        *(Mistake(f"epsilon-{epsilon:g}", "a loss with {epsilon} added inside the log: compute the log-softmax directly",
                  _from_probs(lambda p, epsilon=epsilon: -np.log(p + epsilon)), section=LOSS,
                  fills={"epsilon": f"{epsilon:g}"})
          for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        *(Mistake(f"clipped-{epsilon:g}", "a loss with probabilities clipped at {epsilon}: compute the log-softmax directly",
                  _from_probs(lambda p, epsilon=epsilon: -np.log(np.clip(p, epsilon, 1))), section=LOSS,
                  fills={"epsilon": f"{epsilon:g}"})
          for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        Mistake("maximum-taken-from-logits", "a right loss that subtracts the maximum inside the caller's logits: make a new array",
                _maximum_taken_from_logits),
        Mistake("padding-of-logits-zeroed", "a right loss that sets the padding to zero in the caller's logits: make a new array",
                _padding_of_logits_zeroed),
        float32_mistake(_masked, tolerance=1e-5),
    ),
)
