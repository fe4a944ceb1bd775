"""`attention`: the weights of a query over keys, and the mean of the values under them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, quiet

WEIGHTED_MEAN = Section("tasks/attention", "translation-attention", "Look at every word")
SCALED_DOT = Section("tasks/attention", "translation-scaled-dot", "The scaled dot product")


def _lengths(rng: np.random.Generator, T: int, N: int) -> np.ndarray:
    """Lengths from 1 to T, the first one short, the last one T."""
    lengths = rng.integers(1, T + 1, size=N)
    lengths[0], lengths[-1] = rng.integers(1, T), T
    return lengths


def _attention_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, E: int, lengths=None, **changed) -> Case:
    """Without padding unless lengths are given; `changed`: what replaces an argument, made from its value."""
    arguments = {
        "query": rng.normal(size=(N, D)),
        "keys": rng.normal(size=(T, N, D)),
        "values": rng.normal(size=(T, N, E)),
        "lengths": np.full(N, T) if lengths is None else lengths,
    }
    return Case(name, arguments | {argument: change(arguments[argument]) for argument, change in changed.items()})


def _attention_form(rng: np.random.Generator) -> Case:
    T, N, D, E = sizes(rng, 4)
    return _attention_case("several sequences of different lengths", rng, T, N, D, E, _lengths(rng, T, N))


def _padded_with(lengths: np.ndarray, what: Callable) -> Callable:
    """Keys or values `(T, N, .)` with their padding replaced by `what(real part)`."""

    def change(array: np.ndarray) -> np.ndarray:
        padding = np.arange(len(array))[:, None] >= lengths  # (T, N)
        return np.where(padding[..., None], what(array), array)

    return change


def _attention_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, E = sizes(rng, 4)
    T, N = T + 1, N + 1
    lengths = _lengths(rng, T, N)
    towards = rng.normal(size=(N, D))  # keys in this direction get the score 900, in the other one -900
    towards *= math.sqrt(900 * math.sqrt(D)) / np.linalg.norm(towards, axis=1, keepdims=True)
    level = np.where(np.arange(N) % 2, 1.0, -1.0)[:, None]
    return [
        _attention_case("two positions, one feature (D=1), one sequence", rng, 2, 1, 1, E),
        _attention_case("several positions, one sequence", rng, T, 1, D, E),
        _attention_case("several sequences without padding", rng, T, N, D, E),
        _attention_case("a query of zeros: every real position counts the same", rng, T, N, D, E, lengths, query=np.zeros_like),
        _attention_case("several sequences of different lengths", rng, T, N, D, E, lengths),
        _attention_case("padding that is zero", rng, T, N, D, E, lengths, keys=_padded_with(lengths, np.zeros_like),
                        values=_padded_with(lengths, np.zeros_like)),
        _attention_case("sequences with one real position each", rng, T, N, D, E, np.ones(N, dtype=int)),
        _attention_case("as many positions as sequences and features (T=N=D=E)", rng, N, N, N, N, _lengths(rng, N, N)),
        _attention_case("large scores, where exp alone overflows", rng, T, N, D, E, lengths, query=lambda _: towards,
                        keys=lambda keys: keys + towards),
        _attention_case("scores far below zero in the real positions", rng, T, N, D, E, lengths, query=lambda _: towards,
                        keys=lambda keys: keys - towards),
        _attention_case("scores of different size from sequence to sequence", rng, T, N, D, E, lengths, query=lambda _: towards,
                        keys=lambda keys: keys + level * towards),
        _attention_case("padding with large scores", rng, T, N, D, E, lengths, query=lambda _: towards,
                        keys=_padded_with(lengths, lambda keys: keys + 2 * towards)),
        _attention_case("one position (T=1)", rng, 1, N, D, E),
        _attention_case("many positions (T=60)", rng, 60, N, D, E, _lengths(rng, 60, N)),
    ]


def _real(T: int, lengths: np.ndarray) -> np.ndarray:
    """True at the real positions, `(T, N)`."""
    return np.arange(T)[:, None] < lengths


def _scores(query, keys):
    return (keys * query).sum(axis=-1) / math.sqrt(query.shape[-1])


def _softmax(scores, axis=0):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _mixed(weights, values):
    return (weights[..., None] * values).sum(axis=0)


def _attend(query, keys, values, lengths, *, scores=_scores, real=_real, masked=-math.inf, softmax=_softmax, mix=_mixed):
    weights = softmax(np.where(real(len(keys), lengths), scores(query, keys), masked))
    return mix(weights, values), weights


def _attend_with(**changes) -> Callable:
    return quiet(lambda query, keys, values, lengths: _attend(query, keys, values, lengths, **changes))


def _attend_then(change: Callable) -> Callable:
    """The right context and weights, passed through `change(context, weights)`."""
    return lambda *arguments: change(*_attend(*arguments))


def _scores_over(root: Callable) -> Callable:
    """Scores divided by `root(D)`."""
    return lambda query, keys: (keys * query).sum(axis=-1) / root(query.shape[-1])


def _from_weights(weigh: Callable) -> Callable:
    """Weights `weigh(scores, real)`, and the context that they give."""

    def attention(query, keys, values, lengths):
        weights = weigh(_scores(query, keys), _real(len(keys), lengths))
        return _mixed(weights, values), weights

    return quiet(attention)


def _unstable_softmax(scores):
    exponentials = np.exp(scores)
    return exponentials / exponentials.sum(axis=0)


def _global_max_softmax(scores):
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum(axis=0)


def _maximum_of_all(scores, real):
    exponentials = np.where(real, np.exp(scores - scores.max(axis=0)), 0.0)
    return exponentials / exponentials.sum(axis=0)


def _with_epsilon(epsilon: float) -> Callable:
    def softmax(scores):
        exponentials = np.exp(scores - scores.max(axis=0))
        return exponentials / (exponentials.sum(axis=0) + epsilon)

    return softmax


def _hardest(scores):
    return (np.arange(len(scores))[:, None] == scores.argmax(axis=0)).astype(float)


def _by_distance(query, keys):
    return -((keys - query) ** 2).sum(axis=-1) / math.sqrt(query.shape[-1])


def _by_cosine(query, keys):
    return (keys * query).sum(axis=-1) / np.linalg.norm(keys, axis=-1) / np.linalg.norm(query, axis=-1)


def _query_of_another(query, keys):
    return _scores(np.roll(query, 1, axis=0), keys)


def _scaled_by_values(query, keys, values, lengths):
    return _attend(query, keys, values, lengths, scores=_scores_over(lambda D: math.sqrt(values.shape[-1])))


def _scaled_by_positions(query, keys, values, lengths):
    return _attend(query, keys, values, lengths, scores=_scores_over(lambda D: math.sqrt(len(keys))))


def _query_scaled_in_place(query, keys, values, lengths):
    query /= math.sqrt(query.shape[-1])
    return _attend(query, keys, values, lengths, scores=_scores_over(lambda D: 1.0))


def _keys_in_place(query, keys, values, lengths):
    result = _attend(query, keys, values, lengths)
    keys *= query
    return result


def _values_in_place(query, keys, values, lengths):
    _, weights = _attend(query, keys, values, lengths)
    values *= weights[..., None]
    return values.sum(axis=0), weights


def _keys_zeroed(query, keys, values, lengths):
    keys[~_real(len(keys), lengths)] = 0.0
    return _attend(query, keys, values, lengths, real=lambda T, lengths: True)


def _first_positions_masked(T, lengths):
    return np.arange(T)[:, None] >= T - lengths


TASK = Task(
    name="attention", assignment=ASSIGNMENT, points=4, section=SCALED_DOT,
    arguments={"query": ("N", "D"), "keys": ("T", "N", "D"), "values": ("T", "N", "E"), "lengths": ("N",)},
    outputs=(Output("context", "array", ("N", "E")), Output("weights", "array", ("T", "N"))),
    form_case=_attention_form, value_cases=_attention_values,
    reference=reference.attention, solution=_attend,
    mistakes=(
        Mistake("no-mask", "attention that also looks at the padding: positions from lengths[n] on get weight 0",
                _attend_with(real=lambda T, lengths: True)),
        Mistake("one-position-less", "attention that leaves out the last real position: the real ones are t < lengths[n]",
                _attend_with(real=lambda T, lengths: np.arange(T)[:, None] < np.maximum(lengths - 1, 0))),
        Mistake("one-position-more", "attention that looks at one position of padding: the real ones are t < lengths[n]",
                _attend_with(real=lambda T, lengths: np.arange(T)[:, None] <= lengths)),
        Mistake("mask-upside-down", "attention that looks at the padding only: the mask is upside down",
                _attend_with(real=lambda T, lengths: np.arange(T)[:, None] >= lengths)),
        Mistake("padding-in-front", "attention that takes the padding to stand at the beginning: it stands at the end",
                _attend_with(real=_first_positions_masked)),
        Mistake("longest-length", "attention that uses the longest length for all sequences: each has its own",
                _attend_with(real=lambda T, lengths: np.arange(T)[:, None] < lengths.max())),
        Mistake("first-length", "attention that uses the first sequence's length for all: each has its own",
                _attend_with(real=lambda T, lengths: np.arange(T)[:, None] < lengths[0])),
        Mistake("masked-to-zero", "attention that sets the scores of the padding to 0, which is no small score, exp(0) is 1: set them to "
                "minus infinity", _attend_with(masked=0.0)),
        *(Mistake(f"masked-to-{low:g}", "attention that sets the scores of the padding to {low}, which need not be below the real ones: "
                  "set them to minus infinity", _attend_with(masked=low),
                  fills={"low": f"{low:g}"}) for low in (-1.0, -10.0, -100.0)),
        Mistake("added-100", "attention that lowers the scores of the padding by 100, which need not be enough: set them to minus infinity",
                _from_weights(lambda scores, real: _softmax(scores - 100.0 * ~real))),
        Mistake("masked-after-softmax", "weights whose padding was set to 0 after the softmax, so that they no longer sum to 1: mask the "
                "scores before it", _from_weights(lambda scores, real: _softmax(scores) * real)),
        Mistake("maximum-of-all", "a softmax that subtracts the maximum over real positions and padding together, under which the real ones "
                "can vanish: mask first", _from_weights(_maximum_of_all)),
        Mistake("keys-zeroed", "attention whose padding keys were set to 0 in place: a score of 0 is no small score, and the array is the "
                "caller's", _keys_zeroed),
        Mistake("not-scaled", "attention by dot products that are not divided by the square root of D",
                _attend_with(scores=_scores_over(lambda D: 1.0))),
        Mistake("divided-by-D", "attention by dot products divided by D: divide by its square root", _attend_with(scores=_scores_over(float))),
        Mistake("times-root-D", "attention by dot products multiplied by the square root of D: divide by it",
                _attend_with(scores=_scores_over(lambda D: 1 / math.sqrt(D)))),
        Mistake("scaled-by-root-E", "attention by dot products divided by the square root of E, the values' size: it is D, the keys'",
                _scaled_by_values),
        Mistake("scaled-by-root-T", "attention by dot products divided by the square root of the number of positions: it is D, the keys' "
                "size", quiet(_scaled_by_positions)),
        Mistake("softmax-over-batch", "a softmax over the sequences of the batch: it runs over the positions, axis 0",
                _attend_with(softmax=lambda scores: _softmax(scores, axis=1)), section=WEIGHTED_MEAN),
        Mistake("softmax-over-everything", "one softmax over all positions and sequences together: each sequence has its own",
                _attend_with(softmax=lambda scores: _softmax(scores, axis=(0, 1))), section=WEIGHTED_MEAN),
        Mistake("no-softmax", "the scores themselves as weights: a softmax over the positions makes weights of them",
                _attend_with(masked=0.0, softmax=lambda scores: scores), section=WEIGHTED_MEAN),
        Mistake("not-normalised", "weights that are not divided by their sum", _attend_with(
            softmax=lambda scores: np.exp(scores - scores.max(axis=0))), section=WEIGHTED_MEAN),
        Mistake("divided-by-sum", "scores divided by their sum: a softmax takes exp first", _attend_with(
            masked=0.0, softmax=lambda scores: scores / scores.sum(axis=0)), section=WEIGHTED_MEAN),
        Mistake("softmax-twice", "a softmax of a softmax", _attend_with(softmax=lambda scores: np.where(
            np.isfinite(scores), _softmax(np.where(np.isfinite(scores), _softmax(scores), -math.inf)), 0.0)), section=WEIGHTED_MEAN),
        Mistake("sigmoid", "a sigmoid of each score: weights of a sequence sum to 1, by a softmax over its positions",
                _attend_with(softmax=lambda scores: 1 / (1 + np.exp(-scores))), section=WEIGHTED_MEAN),
        Mistake("hardest", "all weight on the best position: a softmax gives every real one its part",
                _attend_with(softmax=_hardest), section=WEIGHTED_MEAN),
        Mistake("uniform", "the plain mean of the real values: the scores decide how much each counts", _attend_with(
            scores=lambda query, keys: np.zeros(keys.shape[:2])), section=WEIGHTED_MEAN),
        Mistake("by-distance", "attention by distances: the score is a dot product", _attend_with(scores=_by_distance)),
        Mistake("by-cosine", "attention by the cosine: the score is the dot product over the square root of D",
                _attend_with(scores=_by_cosine)),
        Mistake("sign", "attention with the sign of the scores turned round",
                _attend_with(scores=lambda query, keys: -_scores(query, keys))),
        Mistake("another-query", "attention in which each sequence's keys meet another one's query: pair n with n",
                _attend_with(scores=_query_of_another)),
        Mistake("base-2", "weights from powers of 2: a softmax uses exp", _attend_with(
            softmax=lambda scores: _softmax(scores * math.log(2))), section=WEIGHTED_MEAN),
        Mistake("overflow", "a softmax that exponentiates the scores as they are: subtract each sequence's maximum first",
                _attend_with(softmax=_unstable_softmax)),
        Mistake("global-maximum", "a softmax that subtracts one maximum for the whole batch: subtract each sequence's own",
                _attend_with(softmax=_global_max_softmax)),
        *(Mistake(f"epsilon-{epsilon:g}", "a softmax with {epsilon} added below the fraction: after the maximum is subtracted the sum "
                  "is at least 1, so nothing need be added", _attend_with(softmax=_with_epsilon(epsilon)),
                  fills={"epsilon": f"{epsilon:g}"}) for epsilon in (1e-5, 1e-6, 1e-8)),
        Mistake("keys-averaged", "right weights with the mean of the keys: the context is the mean of the values", lambda query, keys, values, lengths: (
            _attend(query, keys, keys, lengths)), section=WEIGHTED_MEAN),
        Mistake("divided-by-T", "a context divided by the number of positions: the weights sum to 1 already",
                _attend_with(mix=lambda weights, values: _mixed(weights, values) / len(values)), section=WEIGHTED_MEAN),
        Mistake("values-summed", "right weights with the plain sum of the values: weigh each value first", _attend_with(
            mix=lambda weights, values: values.sum(axis=0)), section=WEIGHTED_MEAN),
        Mistake("last-value-only", "right weights with the last position's value alone: sum over the positions",
                _attend_with(mix=lambda weights, values: weights[-1][:, None] * values[-1]), section=WEIGHTED_MEAN),
        Mistake("not-summed", "weighted values that are not summed over the positions", _attend_with(
            mix=lambda weights, values: weights[..., None] * values), section=WEIGHTED_MEAN),
        Mistake("context-alone", "a right context without the weights: return both", _attend_then(lambda context, weights: context)),
        Mistake("swapped", "right results in another order: the context comes first", _attend_then(lambda context, weights: (weights, context))),
        Mistake("batch-first", "right weights with the batch first: they are (T, N)", _attend_then(
            lambda context, weights: (context, weights.T.copy()))),
        Mistake("weights-kept-wide", "right weights with an axis too many, (T, N, 1): they are (T, N)",
                _attend_then(lambda context, weights: (context, weights[..., None]))),
        Mistake("query-in-place", "right results from a function that scales the caller's query in place: make a new array",
                _query_scaled_in_place),
        Mistake("keys-in-place", "right results from a function that multiplies the caller's keys in place: make a new array", _keys_in_place),
        Mistake("values-in-place", "right results from a function that weighs the caller's values in place: make a new array",
                _values_in_place),
        float32_mistake(_attend, tolerance=1e-4),
    ),
)
