"""The five tasks of assignment 07-seq2seq: attention, two ways of decoding, BLEU, and a linear recurrence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from ... import reference
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake, sizes

ASSIGNMENT = "07-seq2seq"

GREEDY = Section("tasks/translation", "translation-greedy", "Greedy decoding")
BEAM = Section("tasks/translation", "translation-beam", "Beam search")
BLEU = Section("tasks/translation", "translation-bleu", "BLEU")
WEIGHTED_MEAN = Section("tasks/translation", "translation-attention", "Attention")
SCALED_DOT = Section("tasks/translation", "translation-scaled-dot", "The scaled dot product")
RECURRENCE = Section("tasks/beyond", "beyond-recurrence", "A linear recurrence")
SCAN = Section("tasks/beyond", "beyond-scan", "The parallel scan")


def _quiet(function: Callable) -> Callable:
    def without_warnings(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return without_warnings


# --- attention ---------------------------------------------------------------------------------


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
    return _quiet(lambda query, keys, values, lengths: _attend(query, keys, values, lengths, **changes))


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

    return _quiet(attention)


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


ATTENTION_TASK = Task(
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
        *(Mistake(f"masked-to-{low:g}", f"attention that sets the scores of the padding to {low:g}, which need not be below the real ones: "
                  "set them to minus infinity", _attend_with(masked=low)) for low in (-1.0, -10.0, -100.0)),
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
                "size", _quiet(_scaled_by_positions)),
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
        *(Mistake(f"epsilon-{epsilon:g}", f"a softmax with {epsilon:g} added below the fraction: after the maximum is subtracted the sum "
                  "is at least 1, so nothing need be added", _attend_with(softmax=_with_epsilon(epsilon))) for epsilon in (1e-5, 1e-6, 1e-8)),
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


# --- greedy_decode -----------------------------------------------------------------------------


def _log_table(rng: np.random.Generator, V: int, alpha: float = 1.0) -> np.ndarray:
    """Rows of log-probabilities `(V, V)`, the more uneven the smaller alpha is.

    Multiples of 2^-32, so that sums are exact: the same transitions in another order make an equal total, and not one that rounding decides.
    """
    return np.round(np.log(rng.dirichlet(np.full(V, alpha), size=V) + 1e-9) * 2.0**32) / 2.0**32


def _draw(rng: np.random.Generator, V: int, wanted: Callable, alpha: float = 1.0) -> tuple[np.ndarray, int, int]:
    """A table, a start and an end, other ids than 0, that show what `wanted(log_p, start, end)` asks for."""
    while True:
        log_p = _log_table(rng, V, alpha)
        start, end = (int(i) for i in 1 + rng.permutation(V - 1)[:2])
        if wanted(log_p, start, end):
            return log_p, start, end


def _greedy(log_p, start, end, max_len):
    ids, last = [], start
    while len(ids) < max_len and (not ids or last != end):
        last = int(np.argmax(log_p[last]))
        ids.append(last)
    return ids


def _ends(length: int, at_least: int = 1) -> Callable:
    """Greedy decoding ends by itself after so many ids, or after `at_least` to `length` ones."""

    def wanted(log_p, start, end):
        ids = _greedy(log_p, start, end, 50)
        return ids[-1] == end and at_least <= len(ids) <= length and start not in ids

    return wanted


def _never_ends(log_p, start, end):
    ids = _greedy(log_p, start, end, 50)
    return end not in ids and start not in ids and len(set(ids)) > 1 and 0 not in ids[:1]


def _start_again(log_p, start, end):
    ids = _greedy(log_p, start, end, 50)
    return end not in ids and start in ids[1:4]


def _greedy_case(name: str, log_p, start: int, end: int, max_len: int) -> Case:
    return Case(name, {"log_p": log_p, "start": start, "end": end, "max_len": max_len})


def _with_twin(log_p, token: int, twin: int) -> np.ndarray:
    """The table with `twin` made as likely everywhere as `token`, and followed by the same."""
    log_p = log_p.copy()
    log_p[:, twin] = log_p[:, token]
    log_p[twin] = log_p[token]
    return log_p


def _greedy_tie(rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """A table in which the likeliest tokens have twins of a higher id; the last id is one of them."""

    def wanted(log_p, start, end):
        ids = _greedy(log_p, start, end, 50)
        return ids[-1] == end and 3 <= len(ids) and 7 not in (start, end) and 7 not in ids and ids[0] != start

    log_p, start, end = _draw(rng, 8, wanted)
    return _with_twin(log_p, _greedy(log_p, start, end, 50)[0], 7), start, end


def _without(log_p, rng: np.random.Generator, path: list[int]) -> np.ndarray:
    """The table with about half of the transitions that `path` does not use made impossible."""
    impossible = rng.random(log_p.shape) < 0.5
    impossible[path[:-1], path[1:]] = False
    return np.where(impossible, -math.inf, log_p)


def _greedy_form(rng: np.random.Generator) -> Case:
    return _greedy_case("a few tokens", *_draw(rng, 6, _ends(5, at_least=2)), 8)


def _greedy_values(rng: np.random.Generator) -> list[Case]:
    exact = _draw(rng, 6, _ends(4, at_least=3))
    zeros = _draw(rng, 7, _ends(5, at_least=3))
    low = _draw(rng, 7, _ends(5, at_least=3))
    order = rng.permutation(7)
    log_p, start, _ = _draw(rng, 6, lambda log_p, start, _: _ends(5, at_least=2)(log_p, start, 0))
    return [
        _greedy_case("the likeliest token ends at once", *_draw(rng, 5, _ends(1)), 6),
        _greedy_case("two tokens", *_draw(rng, 5, _ends(2, at_least=2)), 6),
        _greedy_case("several tokens", *_draw(rng, 8, _ends(6, at_least=4)), 12),
        _greedy_case("the likeliest sequence is another one", *_draw(rng, 5, _not_the_best), 4),
        _greedy_case("an end that never comes: max_len stops it", *_draw(rng, 6, _never_ends), 7),
        _greedy_case("one token allowed (max_len=1)", *_draw(rng, 6, _never_ends), 1),
        _greedy_case("an end that comes with the last token allowed", *exact, len(_greedy(*exact, 50))),
        _greedy_case("an end that would come one token later", *exact, len(_greedy(*exact, 50)) - 1),
        _greedy_case("the start token comes again", *_draw(rng, 6, _start_again), 8),
        _greedy_case("ties", *_greedy_tie(rng), 12),
        _greedy_case("impossible transitions, whose log-probability is minus infinity",
                     _without(zeros[0], rng, [zeros[1], *_greedy(*zeros, 50)]), *zeros[1:], 12),
        _greedy_case("log-probabilities so low that exp gives 0", low[0] - 800.0 - 100.0 * order[:, None], *low[1:], 12),
        _greedy_case("an end with the id 0", log_p, start, 0, 9),
        _greedy_case("a larger vocabulary", *_draw(rng, 40, _ends(50, at_least=6)), 60),
    ]


def _decode(log_p, start, end, max_len, *, choose=None, before=0, follow=True):
    """Greedy decoding with another choice `choose(log_p, ids, last)`, or always from the start's row."""
    ids, last = [], start
    while len(ids) < max_len - before:
        token = int(np.argmax(log_p[last])) if choose is None else int(choose(log_p, ids, last))
        ids.append(token)
        if token == end:
            break
        last = token if follow else start
    return ids


def _decode_with(**changes) -> Callable:
    return lambda log_p, start, end, max_len: _decode(log_p, start, end, max_len, **changes)


def _greedy_then(change: Callable) -> Callable:
    """The right ids passed through `change(ids, log_p, start, end, max_len)`."""
    return lambda log_p, start, end, max_len: change(_greedy(log_p, start, end, max_len), log_p, start, end, max_len)


def _goes_on(log_p, start, end, max_len):
    return _greedy(log_p, start, -1, max_len)


def _no_repeats(log_p, ids, last):
    row = log_p[last].copy()
    row[[i for i in ids if len(set(ids)) < len(row)]] = -math.inf
    return row.argmax()


def _never(token_of: Callable) -> Callable:
    """Greedy decoding in which one token is never chosen."""

    def greedy_decode(log_p, start, end, max_len):
        table = log_p.copy()
        table[:, token_of(start, end)] = -math.inf
        return _greedy(table, start, end, max_len)

    return greedy_decode


def _start_masked_in_place(log_p, start, end, max_len):
    ids = _greedy(log_p, start, end, max_len)
    log_p[:, start] = -math.inf
    return ids


def _of_probabilities(log_p, start, end, max_len):
    return _greedy(np.exp(log_p), start, end, max_len)


def _end_put_last(ids, log_p, start, end, max_len):
    return ids if ids[-1] == end else [*ids[:-1], end]


def _end_appended(ids, log_p, start, end, max_len):
    return ids if ids[-1] == end else [*ids, end]


def _padded_with_end(ids, log_p, start, end, max_len):
    return ids + [end] * (max_len - len(ids))


GREEDY_TASK = Task(
    name="greedy_decode", assignment=ASSIGNMENT, points=2, section=GREEDY,
    arguments={"log_p": ("V", "V"), "start": None, "end": None, "max_len": None},
    outputs=(Output("ids", "list", items=(Output("id", "int"),)),),
    form_case=_greedy_form, value_cases=_greedy_values,
    reference=reference.greedy_decode, solution=_greedy,
    mistakes=(
        Mistake("end-left-out", "ids without the end: it belongs to them", _greedy_then(
            lambda ids, log_p, start, end, max_len: ids[:-1] if ids[-1] == end else ids)),
        Mistake("start-included", "ids that begin with the start: they are those after it", _greedy_then(
            lambda ids, log_p, start, end, max_len: [start, *ids])),
        Mistake("start-included-and-counted", "ids that begin with the start, which counts as one of max_len: the ids are those after it",
                _greedy_then(lambda ids, log_p, start, end, max_len: [start, *ids][:max_len])),
        Mistake("max_len-counts-start", "at most max_len - 1 ids: the start does not count", _decode_with(before=1)),
        Mistake("one-too-many", "at most max_len + 1 ids", _decode_with(before=-1)),
        Mistake("goes-on-after-end", "ids that go on after the end: stop there", _goes_on),
        Mistake("padded", "ids that are filled up to max_len with the end", _greedy_then(_padded_with_end)),
        Mistake("end-appended", "ids with an end put behind them where max_len was reached: an unfinished output stays unfinished",
                _greedy_then(_end_appended)),
        Mistake("end-put-last", "ids whose last one was replaced by the end where max_len was reached: an unfinished output stays "
                "unfinished", _greedy_then(_end_put_last)),
        Mistake("columns", "ids read down the columns: log_p[i, j] is log P(j | i), so take the row of the last id",
                _decode_with(choose=lambda log_p, ids, last: log_p[:, last].argmax())),
        Mistake("least-likely", "the least likely id at each step: log-probabilities are negative, and the largest is nearest to 0",
                _decode_with(choose=lambda log_p, ids, last: log_p[last].argmin())),
        Mistake("ties-to-the-highest", "ids in which a tie goes to the highest one: the lowest wins",
                _decode_with(choose=lambda log_p, ids, last: len(log_p) - 1 - log_p[last][::-1].argmax())),
        Mistake("start-row-always", "the likeliest id after the start, again and again: the row is that of the last id",
                _decode_with(follow=False)),
        Mistake("first-row", "a beginning from the first row of the table: it starts with the row of start",
                lambda log_p, start, end, max_len: _greedy(log_p, 0, end, max_len)),
        Mistake("most-frequent", "ids chosen by their total over all rows: take the row of the last id alone",
                _decode_with(choose=lambda log_p, ids, last: np.exp(log_p).sum(axis=0).argmax())),
        Mistake("no-repeats", "ids of which none comes twice: nothing forbids that", _decode_with(choose=_no_repeats)),
        Mistake("start-never-again", "ids among which the start never comes: nothing forbids it", _never(lambda start, end: start)),
        Mistake("stops-at-start", "ids that stop when the start comes again: only the end stops them", _greedy_then(
            lambda ids, log_p, start, end, max_len: ids[: ids.index(start) + 1] if start in ids else ids)),
        Mistake("stops-on-repeat", "ids that stop when one comes for the second time: only the end stops them", _greedy_then(
            lambda ids, log_p, start, end, max_len: next((ids[:i] for i in range(len(ids)) if ids[i] in ids[:i]), ids))),
        Mistake("end-is-0", "ids that stop at the id 0, whatever `end` is", lambda log_p, start, end, max_len: (
            _greedy(log_p, start, 0, max_len))),
        Mistake("end-is-false", "ids that never stop at an end whose id is 0, as from `if end and last == end`", lambda log_p, start, end, max_len: (
            _greedy(log_p, start, end or -1, max_len))),
        Mistake("first-only", "the first id alone: go on until the end", _greedy_then(lambda ids, *rest: ids[:1])),
        Mistake("last-only", "the last id alone: return all of them", _greedy_then(lambda ids, *rest: ids[-1:])),
        Mistake("reversed", "right ids from the last to the first", _greedy_then(lambda ids, *rest: ids[::-1])),
        Mistake("by-way-of-probabilities", "a choice among probabilities that have underflowed to 0: compare the logarithms as they came",
                _of_probabilities),
        Mistake("best-sequence", "the likeliest sequence of all: greedy decoding takes the likeliest id at each step",
                lambda log_p, start, end, max_len: _best_sequence(log_p, start, end, max_len)[0]),
        Mistake("array", "an array of right ids: return a list", _greedy_then(lambda ids, *rest: np.array(ids))),
        Mistake("with-total", "right ids with their log-probability: only beam_search returns that", _greedy_then(
            lambda ids, log_p, start, *rest: (ids, _total(log_p, start, ids)))),
        Mistake("one-hot", "a row of zeros and a one for each id: return the ids", _greedy_then(
            lambda ids, log_p, *rest: [np.eye(len(log_p))[i] for i in ids])),
        Mistake("table-changed", "right ids from a function that makes the start impossible in the caller's table: work on a copy",
                _start_masked_in_place),
    ),
)


# --- beam_search -------------------------------------------------------------------------------


def _total(log_p, start, ids) -> float:
    total = 0.0
    for i, j in zip([start, *ids], ids):
        total += float(log_p[i, j])
    return total


def _best_sequence(log_p, start, end, max_len):
    """The best of all sequences: the best way to each token at each length is enough, since only the last one matters."""
    best: dict[int, tuple[float, list[int]]] = {start: (0.0, [])}
    found = []
    for length in range(1, max_len + 1):
        ways = [(total - log_p[i, j], [*ids, j]) for i, (total, ids) in best.items() for j in range(len(log_p))]
        found += [way for way in ways if way[1][-1] == end or length == max_len]
        best = {}
        for total, ids in sorted(ways):
            if ids[-1] != end:
                best.setdefault(ids[-1], (total, ids))
    total, ids = min(found)
    return ids, float(-total)


def _by_total(candidates: list) -> list:
    """Best first; of equals the lexicographically smaller one."""
    return sorted(candidates, key=lambda c: (-c[1], c[0]))


def _finished(hypothesis: tuple, end: int) -> bool:
    return hypothesis[0][-1:] == (end,)


def _step_score(log_p, last: int, ids: tuple, total: float) -> Iterator[tuple]:
    for token in range(len(log_p)):
        yield (*ids, token), total + log_p[last, token]


def _beam(log_p, start, end, width, max_len, *, order=_by_total, extend=_step_score, prune=None, row=None, final=None,
          finished=_finished):
    """Beam search with one of its parts replaced.

    order(candidates): sorted, best first. extend(log_p, last, ids, total): the extensions. prune(ordered, width): what is kept. row(ids): whose
    row of the table is read. final(kept): the order at the end.
    """
    kept = [((), 0.0)]
    for _ in range(max_len):
        candidates = []
        for ids, total in kept:
            if finished((ids, total), end):
                candidates.append((ids, total))
                continue
            last = row(ids, start) if row else (ids[-1] if ids else start)
            candidates += extend(log_p, last, ids, total)
        kept = order(candidates)[:width] if prune is None else prune(order(candidates), width)
    ids, total = (final(kept, end) if final else kept)[0]
    return list(ids), float(total)


def _beam_with(**changes) -> Callable:
    return _quiet(lambda log_p, start, end, width, max_len: _beam(log_p, start, end, width, max_len, **changes))


def _beam_then(change: Callable) -> Callable:
    """The right ids and total passed through `change(ids, total, log_p, start, end)`."""
    return lambda log_p, start, end, width, max_len: change(*_beam(log_p, start, end, width, max_len), log_p, start, end)


def _set_aside(log_p, start, end, width, max_len):
    """Finished hypotheses leave the beam for a list of their own, and take no place in it."""
    kept, done = [((), 0.0)], []
    for _ in range(max_len):
        candidates = [c for ids, total in kept for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        done += [c for c in _by_total(candidates)[:width] if _finished(c, end)]
        kept = [c for c in _by_total(candidates) if not _finished(c, end)][:width]
    ids, total = _by_total(done + kept)[0]
    return list(ids), float(total)


def _slots_closed(log_p, start, end, width, max_len):
    """Finished hypotheses leave the beam, and the beam has a place less for each."""
    kept, done = [((), 0.0)], []
    for _ in range(max_len):
        candidates = [c for ids, total in kept for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        ordered = _by_total(candidates)[: width - len(done)]
        done += [c for c in ordered if _finished(c, end)]
        kept = [c for c in ordered if not _finished(c, end)]
        if not kept:
            break
    ids, total = _by_total(done + kept)[0]
    return list(ids), float(total)


def _finished_dropped(log_p, start, end, width, max_len):
    """Finished hypotheses are no candidates of the next step: only those that end at the last step remain."""
    kept = [((), 0.0)]
    for _ in range(max_len):
        candidates = [c for ids, total in kept if not _finished((ids, total), end)
                      for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        if not candidates:
            break
        kept = _by_total(candidates)[:width]
    ids, total = kept[0]
    return list(ids), float(total)


def _per_parent(count: Callable) -> Callable:
    """Of the extensions of each hypothesis only the best `count(width)` become candidates."""

    def beam_search(log_p, start, end, width, max_len):
        def extend(log_p, last, ids, total):
            return _by_total(list(_step_score(log_p, last, ids, total)))[: count(width) if ids else width]

        return _beam(log_p, start, end, width, max_len, extend=extend)

    return beam_search


def _no_pruning(log_p, start, end, width, max_len):
    """The best `width` extensions of every hypothesis, and all of them are kept."""
    def extend(log_p, last, ids, total):
        return _by_total(list(_step_score(log_p, last, ids, total)))[:width]

    return _beam(log_p, start, end, width, max_len, extend=extend, prune=lambda ordered, width: ordered[:400])


def _finished_first(kept, end):
    return sorted(kept, key=lambda c: not _finished(c, end))


def _by_mean(hypotheses: list, _) -> list:
    return sorted(hypotheses, key=lambda c: c[1] / max(1, len(c[0])), reverse=True)


def _stops_at_first(log_p, start, end, width, max_len):
    kept = [((), 0.0)]
    for _ in range(max_len):
        candidates = [c for ids, total in kept for c in _step_score(log_p, ids[-1] if ids else start, ids, total)]
        kept = _by_total(candidates)[:width]
        if done := [c for c in kept if _finished(c, end)]:
            kept = done
            break
    ids, total = kept[0]
    return list(ids), float(total)


def _end_row_zeroed_in_place(log_p, start, end, width, max_len):
    result = _beam(log_p, start, end, width, max_len)
    log_p[end, end] = 0.0
    return result


def _search_case(name: str, log_p, start: int, end: int, width: int, max_len: int) -> Case:
    return Case(name, {"log_p": log_p, "start": start, "end": end, "width": width, "max_len": max_len})


def _not_the_best(log_p, start, end) -> bool:
    """Greedy decoding to four ids ends, and misses the best sequence."""
    ids = _greedy(log_p, start, end, 4)
    return 2 <= len(ids) and ids[-1] == end and start not in ids and _best_sequence(log_p, start, end, 4)[0] != ids


def _differ(width: int, max_len: int, one: Callable, other: Callable) -> Callable:
    """These two ways of searching give different ids."""
    return lambda log_p, start, end: one(log_p, start, end, width, max_len)[0] != other(log_p, start, end, width, max_len)[0]


def _differs(width: int, max_len: int, *others: Callable, and_also: Callable | None = None) -> Callable:
    """Beam search gives other ids than each of these ways of searching."""

    def wanted(log_p, start, end):
        ids, total = _beam(log_p, start, end, width, max_len)
        if and_also and not and_also(ids, end):
            return False
        return all(other(log_p, start, end, width, max_len)[0] != ids for other in others)

    return wanted


def _ended(ids, end) -> bool:
    return ids[-1] == end and len(ids) >= 2


def _unfinished(ids, end) -> bool:
    return ids[-1] != end


def _narrower(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, width - 1, max_len)


def _wider(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, width + 1, max_len)


def _width_1(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, 1, max_len)


def _search_tie(rng: np.random.Generator, width: int = 2) -> tuple[np.ndarray, int, int]:
    """A table in which every token has a twin, so that the beam must choose among equals at every step."""

    def wanted(log_p, start, end):
        twins = twinned(log_p)
        return (start in (1, 2) and end in (1, 2, 3) and _differs(width, 5, _last_of_equals)(twins, start, end)
                and _ended(_beam(twins, start, end, width, 5)[0], end) and len(_beam(twins, start, end, width, 5)[0]) >= 3)

    def twinned(log_p):
        for token in range(4, 6):
            log_p = _with_twin(log_p, token, token + 2)
        return log_p

    log_p, start, end = _draw(rng, 8, wanted)
    return twinned(log_p), start, end


def _crossed_tie(rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """A table in which two sequences are equally likely, and the one with the larger ids is ahead after a step."""
    log_p = rng.uniform(-14.0, -12.0, size=(5, 5))
    likely, unlikely = rng.uniform(-1.0, -0.5), rng.uniform(-2.0, -1.5)
    log_p[0, 2], log_p[2, 4] = unlikely, likely
    log_p[0, 3], log_p[3, 4] = likely, unlikely
    return log_p, 0, 1


def _last_of_equals(log_p, start, end, width, max_len):
    return _beam(log_p, start, end, width, max_len, order=lambda candidates: sorted(candidates, key=lambda c: (c[1], c[0]))[::-1])


def _beam_form(rng: np.random.Generator) -> Case:
    return _search_case("width 2, a few tokens", *_draw(rng, 6, _differs(2, 5, _width_1, and_also=_ended)), 2, 5)


def _beam_values(rng: np.random.Generator) -> list[Case]:
    V = int(rng.integers(5, 8))
    means = _beam_with(final=_by_mean), _beam_with(order=lambda candidates: _by_mean(candidates, None))
    shorter = _differs(3, 6, *means, and_also=_ended)
    wide = _draw(rng, 4, _differs(64, 4, _width_1, and_also=_ended))
    sparse = _draw(rng, V, _differs(3, 6, _width_1, and_also=_ended))
    path = [sparse[1], *_beam(*sparse, 3, 6)[0]]
    low = _draw(rng, V, _differs(3, 6, _width_1, and_also=_ended))
    end_is_0 = _draw(rng, 5, lambda log_p, start, end: _differs(2, 5, _width_1, and_also=_ended)(log_p, start, 0))
    return [
        _search_case("one token allowed (max_len=1), width 1", *_draw(rng, V, _never_ends), 1, 1),
        _search_case("width 1, which is greedy", *_draw(rng, V, _not_the_best), 1, 4),
        _search_case("width 2 finds what greedy misses", *_draw(rng, V, _differs(2, 4, _width_1, and_also=_ended)), 2, 4),
        _search_case("a finished hypothesis stays while others go on",
                     *_draw(rng, V, _differs(3, 6, _stops_at_first, _finished_dropped, and_also=_ended), alpha=0.5), 3, 6),
        _search_case("a finished hypothesis keeps its place in the beam", *_draw(rng, V, _differs(3, 6, _set_aside, _slots_closed)), 3, 6),
        _search_case("the best one kept is unfinished at max_len",
                     *_draw(rng, V, _differs(3, 5, _beam_with(final=_finished_first), and_also=_unfinished)), 3, 5),
        _search_case("two of the kept come from the same beginning",
                     *_draw(rng, V, _differs(3, 5, _per_parent(lambda width: 1), _no_pruning)), 3, 5),
        _search_case("a short output is likelier than a longer one",
                     *_draw(rng, V, lambda *table: shorter(*table) and _differ(3, 6, *means)(*table)), 3, 6),
        _search_case("one place more or less in the beam would matter", *_draw(rng, V, _differs(2, 6, _narrower, _wider)), 2, 6),
        _search_case("a beam so wide that it drops nothing", *wide, 64, 4),
        _search_case("the start token comes again", *_draw(rng, 5, _differs(
            2, 6, lambda log_p, start, *a: _beam(_impossible(log_p, start), start, *a))), 2, 6),
        _search_case("ties", *_search_tie(rng), 2, 5),
        _search_case("ties in a wider beam", *_search_tie(rng, 3), 3, 5),
        _search_case("a tie between a likelier beginning and a likelier end", *_crossed_tie(rng), 2, 2),
        _search_case("impossible transitions, whose log-probability is minus infinity", _without(sparse[0], rng, path), *sparse[1:], 3, 6),
        _search_case("an end with the id 0", end_is_0[0], end_is_0[1], 0, 2, 5),
        _search_case("log-probabilities so low that exp gives 0", low[0] - 800.0, *low[1:], 3, 6),
        _search_case("a larger vocabulary", *_draw(rng, 20, _differs(4, 10, _width_1)), 4, 10),
    ]


def _impossible(log_p, token: int):
    log_p = log_p.copy()
    log_p[:, token] = -math.inf
    return log_p


BEAM_TASK = Task(
    name="beam_search", assignment=ASSIGNMENT, points=4, section=BEAM,
    arguments={"log_p": ("V", "V"), "start": None, "end": None, "width": None, "max_len": None},
    outputs=(Output("ids", "list", items=(Output("id", "int"),)), Output("total", "float")),
    form_case=_beam_form, value_cases=_beam_values,
    reference=reference.beam_search, solution=_beam,
    mistakes=(
        Mistake("greedy", "greedy decoding: keep the best `width` at each step", _width_1, section=GREEDY),
        Mistake("one-narrower", "a beam with one place less than `width`", lambda log_p, start, end, width, max_len: (
            _beam(log_p, start, end, max(1, width - 1), max_len))),
        Mistake("one-wider", "a beam with one place more than `width`", _wider),
        Mistake("best-of-all", "the best of all sequences: the beam drops what is not among the best `width`",
                lambda log_p, start, end, width, max_len: _best_sequence(log_p, start, end, max_len)),
        Mistake("one-child-each", "a beam in which each hypothesis goes on with its likeliest token only: all extensions of all of them are "
                "candidates together", _per_parent(lambda width: 1)),
        Mistake("no-pruning", "a search that keeps the best `width` extensions of every hypothesis: of all candidates together the best "
                "`width` are kept", _no_pruning),
        Mistake("finished-set-aside", "finished hypotheses that are put aside and leave their place in the beam to others: they stay among the "
                "candidates, unchanged", _set_aside),
        Mistake("places-closed", "finished hypotheses that are put aside and keep their place for ever: better ones may push them out",
                _slots_closed),
        Mistake("finished-dropped", "finished hypotheses that are forgotten at the next step: they stay among the candidates, unchanged",
                _finished_dropped),
        Mistake("finished-extended", "finished hypotheses that go on after the end: they stay as they are", _beam_with(
            finished=lambda hypothesis, end: False)),
        Mistake("stops-at-first-finished", "a search that stops as soon as one hypothesis is finished: go on until all kept are finished, or to "
                "max_len", _stops_at_first),
        Mistake("finished-preferred", "the best finished hypothesis where an unfinished one is better: unfinished ones count, too",
                _beam_with(final=_finished_first)),
        Mistake("mean-at-the-end", "the hypothesis with the best mean log-probability a token: compare the totals", _beam_with(
            final=_by_mean)),
        Mistake("mean-at-each-step", "a beam sorted by the mean log-probability a token: compare the totals", _beam_with(
            order=lambda candidates: _by_mean(candidates, None))),
        Mistake("last-step-only", "a beam sorted by the last token's log-probability alone: add up the totals", _beam_with(
            extend=lambda log_p, last, ids, total: [((*ids, token), log_p[last, token]) for token in range(len(log_p))])),
        Mistake("worst-kept", "a beam that keeps the least likely: log-probabilities are negative, and the largest is nearest to 0",
                _beam_with(order=lambda candidates: sorted(candidates, key=lambda c: (c[1], c[0])))),
        Mistake("worst-returned", "the last of those kept: return the best", _beam_with(final=lambda kept, end: kept[::-1])),
        Mistake("longest-returned", "the longest of those kept: return the best", _beam_with(
            final=lambda kept, end: sorted(kept, key=lambda c: -len(c[0])))),
        Mistake("ties-to-the-larger", "a beam in which a tie goes to the lexicographically larger ids: the smaller ones win",
                _last_of_equals),
        Mistake("columns", "a search down the columns: log_p[i, j] is log P(j | i), so take the row of the last id",
                lambda log_p, *rest: _beam(log_p.T, *rest)),
        Mistake("start-row-always", "extensions by the start's row at every step: the row is that of the last id", _beam_with(
            row=lambda ids, start: start)),
        Mistake("first-row", "a beginning from the first row of the table: it starts with the row of start",
                lambda log_p, start, *rest: _beam(log_p, 0, *rest)),
        Mistake("start-never-again", "hypotheses among which the start never comes: nothing forbids it",
                lambda log_p, start, *rest: _beam(_impossible(log_p, start), start, *rest)),
        Mistake("end-left-out", "right ids without the end: it belongs to them", _beam_then(
            lambda ids, total, log_p, start, end: (ids[:-1] if ids[-1] == end else ids, total))),
        Mistake("end-not-counted", "a total without the end's log-probability", _beam_then(
            lambda ids, total, log_p, start, end: (ids, _total(log_p, start, ids[:-1] if ids[-1] == end else ids)))),
        Mistake("first-not-counted", "a total without the first token's log-probability, the one after the start", _beam_then(
            lambda ids, total, log_p, start, end: (ids, _total(log_p, ids[0], ids[1:])))),
        Mistake("start-included", "right ids that begin with the start: they are those after it", _beam_then(
            lambda ids, total, log_p, start, end: ([start, *ids], total))),
        Mistake("max_len-counts-start", "at most max_len - 1 ids: the start does not count", lambda log_p, start, end, width, max_len: (
            _beam(log_p, start, end, width, max_len - 1))),
        Mistake("one-too-many", "at most max_len + 1 ids", lambda log_p, start, end, width, max_len: (
            _beam(log_p, start, end, width, max_len + 1))),
        Mistake("end-is-0", "hypotheses that finish at the id 0, whatever `end` is", lambda log_p, start, end, *rest: (
            _beam(log_p, start, 0, *rest))),
        Mistake("probability", "right ids with the probability: return the total of the logarithms", _beam_then(
            lambda ids, total, *rest: (ids, math.exp(total)))),
        Mistake("minus-total", "right ids with the total's sign turned round", _beam_then(lambda ids, total, *rest: (ids, -total))),
        Mistake("mean-returned", "right ids with the mean a token: return the total", _beam_then(
            lambda ids, total, *rest: (ids, total / len(ids)))),
        Mistake("product-of-logs", "log-probabilities that are multiplied: add them", _beam_with(
            extend=lambda log_p, last, ids, total: [
                ((*ids, token), total * log_p[last, token] if ids else log_p[last, token]) for token in range(len(log_p))])),
        Mistake("by-way-of-probabilities", "products of probabilities, which underflow to 0: add the logarithms as they came",
                _quiet(lambda log_p, start, end, width, max_len: _of_products(log_p, start, end, width, max_len))),
        Mistake("ids-alone", "right ids without the total: return both", _beam_then(lambda ids, *rest: ids)),
        Mistake("swapped", "right results in another order: the ids come first", _beam_then(lambda ids, total, *rest: (total, ids))),
        Mistake("array", "an array of right ids: return a list", _beam_then(lambda ids, total, *rest: (np.array(ids), total))),
        Mistake("all-kept", "a list of what was kept: return the best of it alone", _beam_then(
            lambda ids, total, *rest: [(ids, total)])),
        Mistake("table-changed", "right results from a function that writes into the caller's table: work on a copy",
                _end_row_zeroed_in_place),
        float32_mistake(_beam, tolerance=1e-5),
    ),
)


def _of_products(log_p, start, end, width, max_len):
    """The beam by products of probabilities; the logarithm is taken at the end."""
    p = np.exp(log_p)

    def extend(_, last, ids, total):
        return [((*ids, token), (total if ids else 1.0) * p[last, token]) for token in range(len(p))]

    ids, product = _beam(log_p, start, end, width, max_len, extend=extend)
    return ids, float(np.log(product))


# --- bleu --------------------------------------------------------------------------------------


WORDS = ("the", "key", "is", "on", "a", "table", "in", "two", "red", "box")


def _sentence(rng: np.random.Generator, length: int) -> list[str]:
    """Five different words at most, so that some n-grams come again."""
    return [str(word) for word in rng.choice(WORDS[:5], size=length)]


def _bleu_case(name: str, candidate: list, reference: list, n: int) -> Case:
    return Case(name, {"candidate": list(candidate), "reference": list(reference), "n": n})


def _distinct(rng: np.random.Generator, count: int) -> list[str]:
    return [str(word) for word in rng.permutation(WORDS)[:count]]


def _bleu_form(rng: np.random.Generator) -> Case:
    return _bleu_case("single tokens (n=1)", ["the", "key", "is", "red"], ["the", "key", "is", "on", "a"], 1)


def _related(rng: np.random.Generator, length: int, cut: int, wanted: Callable, n: int) -> tuple[list[str], list[str]]:
    """A candidate that is a disturbed reference, `cut` tokens shorter, for which `wanted(candidate, reference, n)` holds."""
    while True:
        reference = _sentence(rng, length)
        candidate = [word if rng.random() < 0.7 else str(rng.choice(WORDS[:5])) for word in reference]
        candidate = candidate[: length - cut] if cut >= 0 else candidate + _sentence(rng, -cut)
        if wanted(candidate, reference, n):
            return candidate, reference


def _apart(*others: Callable) -> Callable:
    """BLEU is above 0 and below 1, and none of these gives the same."""

    def wanted(candidate, reference, n):
        right = _bleu(candidate, reference, n)
        return 0 < right < 1 and all(abs(other(candidate, reference, n) - right) > 1e-3 for other in others)

    return wanted


def _bleu_values(rng: np.random.Generator) -> list[Case]:
    words = _distinct(rng, 8)
    half = words[:3] + [words[7]]
    shuffled = [words[i] for i in (1, 0, 3, 2, 5, 4)]
    long, other = _related(rng, 60, 4, _apart(_no_clipping), 4)
    return [
        _bleu_case("single tokens (n=1), three of four are in the reference", half, words[:4], 1),
        _bleu_case("a token more often than in the reference (n=1)", [words[0]] * 4 + [words[1]], [words[0], words[1], *words[2:5]], 1),
        _bleu_case("a token more often in the reference (n=1)", [words[0], words[1], words[2], words[3]],
                   [words[0], words[0], words[1], words[4]], 1),
        _bleu_case("two orders (n=2)", words[:4] + [words[6]], words[:4] + [words[5]], 2),
        _bleu_case("right tokens, some in another order (n=2)", [words[0], words[1], words[2], words[4], words[3]], words[:5], 2),
        _bleu_case("pairs more often than in the reference (n=2)", words[:2] * 3, [*words[:2], words[3], *words[:2], words[4]], 2),
        _bleu_case("a candidate shorter than the reference (n=1)", words[:3], words[:6], 1),
        _bleu_case("a candidate longer than the reference (n=1)", words[:6], words[:3], 1),
        _bleu_case("three orders (n=3), too short", *_related(rng, 10, 2, _apart(_no_clipping), 3), 3),
        _bleu_case("four orders (n=4), as long as the reference", *_related(rng, 12, 0, _apart(_no_clipping), 4), 4),
        _bleu_case("four orders (n=4), too long", *_related(rng, 12, -2, _apart(_no_clipping), 4), 4),
        _bleu_case("a perfect candidate (n=4)", words[:6], words[:6], 4),
        _bleu_case("an order without a match: pairs (n=2)", shuffled, words[:6], 2),
        _bleu_case("fewer tokens than n", words[:3], words[:3], 4),
        _bleu_case("as many tokens as n", words[:4], words[:5], 4),
        _bleu_case("no token in common (n=1)", words[:3], words[4:7], 1),
        _bleu_case("an empty candidate", [], words[:4], 2),
        _bleu_case("numbers as tokens (n=2)", [1, 12, 2, 3, 3], [11, 2, 12, 2, 3], 2),
        _bleu_case("tokens that contain others (n=1)", ["on", "one", "tone", "s"], ["stone", "on", "tones", "s", "o"], 1),
        _bleu_case("a long candidate (n=4)", long, other, 4),
    ]


def _grams(tokens, k) -> Counter:
    return Counter(tuple(tokens[i : i + k]) for i in range(len(tokens) - k + 1))


def _precision(candidate, reference, k):
    have = _grams(candidate, k)
    return (have & _grams(reference, k)).total() / have.total()


def _brevity(c, r):
    return math.exp(min(0.0, 1 - r / c))


def _geometric(precisions):
    return math.exp(sum(map(math.log, precisions)) / len(precisions)) if min(precisions) > 0 else 0.0


def _bleu(candidate, reference, n, *, precision=_precision, brevity=_brevity, mean=_geometric, orders=lambda n: range(1, n + 1), short=True):
    if short and len(candidate) < n:
        return 0.0
    return float(brevity(len(candidate), len(reference)) * mean([precision(candidate, reference, k) for k in orders(n)]))


def _bleu_with(**changes) -> Callable:
    return lambda candidate, reference, n: _bleu(candidate, reference, n, **changes)


def _unclipped(candidate, reference, k):
    have, allowed = _grams(candidate, k), _grams(reference, k)
    return sum(count for gram, count in have.items() if gram in allowed) / have.total()


_no_clipping = _bleu_with(precision=_unclipped)


def _of_sets(candidate, reference, k):
    have, allowed = set(_grams(candidate, k)), set(_grams(reference, k))
    return len(have & allowed) / len(have)


def _distinct_over_all(candidate, reference, k):
    have, allowed = _grams(candidate, k), _grams(reference, k)
    return len(have.keys() & allowed.keys()) / have.total()


def _recall(candidate, reference, k):
    allowed = _grams(reference, k)
    return (_grams(candidate, k) & allowed).total() / allowed.total() if allowed else 0.0


def _in_place_of(candidate, reference, k):
    """Matches at the same position only."""
    have = [tuple(candidate[i : i + k]) for i in range(len(candidate) - k + 1)]
    return sum(gram == tuple(reference[i : i + k]) for i, gram in enumerate(have)) / len(have)


def _over_tokens(candidate, reference, k):
    return (_grams(candidate, k) & _grams(reference, k)).total() / len(candidate)


def _apart_pieces(candidate, reference, k):
    have, allowed = (Counter(tuple(tokens[i : i + k]) for i in range(0, len(tokens) - k + 1, k)) for tokens in (candidate, reference))
    return (have & allowed).total() / have.total()


def _last_gram_left_out(candidate, reference, k):
    have, allowed = (Counter(tuple(tokens[i : i + k]) for i in range(len(tokens) - k)) for tokens in (candidate, reference))
    return (have & allowed).total() / max(1, have.total())


def _unordered(candidate, reference, k):
    have, allowed = (Counter(tuple(sorted(map(str, gram))) for gram in _grams(tokens, k).elements()) for tokens in (candidate, reference))
    return (have & allowed).total() / have.total()


def _joined(candidate, reference, k):
    """Tokens joined without a sign between them, so that "1", "12" and "11", "2" look the same."""
    have, allowed = (Counter("".join(map(str, gram)) for gram in _grams(tokens, k).elements()) for tokens in (candidate, reference))
    return (have & allowed).total() / have.total()


def _inside_the_text(candidate, reference, k):
    """Each n-gram of the candidate is looked for in the reference written as one string."""
    text = " ".join(map(str, reference))
    have = _grams(candidate, k)
    return sum(min(count, text.count(" ".join(map(str, gram)))) for gram, count in have.items()) / have.total()


def _smoothed(added: float, first: int = 1) -> Callable:
    def precision(candidate, reference, k):
        have = _grams(candidate, k)
        more = added if k >= first else 0.0
        return ((have & _grams(reference, k)).total() + more) / (have.total() + more)

    return precision


def _floor(epsilon: float) -> Callable:
    return lambda candidate, reference, k: max(epsilon, _precision(candidate, reference, k))


def _effective(candidate, reference, n):
    """Only as many orders as the candidate has n-grams of."""
    if not candidate:
        return 0.0
    return _bleu(candidate, reference, min(n, len(candidate)))


def _skip_zeros(precisions):
    above = [p for p in precisions if p > 0]
    return _geometric(above) if above else 0.0


def _one_sum(candidate, reference, n):
    """One precision for the n-grams of all orders together."""
    if len(candidate) < n:
        return 0.0
    have, allowed = (sum((_grams(tokens, k) for k in range(1, n + 1)), Counter()) for tokens in (candidate, reference))
    return _brevity(len(candidate), len(reference)) * (have & allowed).total() / have.total()


def _f1(candidate, reference, k):
    precision, recall = _precision(candidate, reference, k), _recall(candidate, reference, k)
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def _crosses_out(candidate, reference, n):
    """The right score; single tokens that matched are removed from the caller's reference."""
    score = _bleu(candidate, reference, n)
    for token in candidate:
        if token in reference:
            reference.remove(token)
    return score


def _no_guard(candidate, reference, n):
    """Logarithms of zero precisions are minus infinity, and their exp is 0; but a candidate without n-grams divides by zero."""
    return _bleu(candidate, reference, n, short=False)


def _log_of_zero(candidate, reference, n):
    return _bleu(candidate, reference, n, mean=lambda precisions: math.exp(sum(map(math.log, precisions)) / len(precisions)))


BLEU_TASK = Task(
    name="bleu", assignment=ASSIGNMENT, points=4, section=BLEU,
    arguments={"candidate": None, "reference": None, "n": None},
    outputs=(Output("BLEU", "float"),),
    form_case=_bleu_form, value_cases=_bleu_values,
    reference=reference.bleu, solution=_bleu,
    mistakes=(
        Mistake("not-clipped", "BLEU without clipping: no n-gram counts more often than the reference has it", _no_clipping),
        Mistake("sets", "BLEU from sets of n-grams: one that stands in both texts twice counts twice", _bleu_with(precision=_of_sets)),
        Mistake("clipped-at-one", "BLEU in which each n-gram counts once at most: it counts as often as the reference has it",
                _bleu_with(precision=_distinct_over_all)),
        Mistake("recall", "BLEU by the share of the reference's n-grams: a precision is the share of the candidate's",
                _bleu_with(precision=_recall)),
        Mistake("swapped", "BLEU of the reference against the candidate", lambda candidate, reference, n: _bleu(reference, candidate, n)
                if reference else 0.0),
        Mistake("f1", "BLEU from precision and recall: BLEU has the brevity penalty in place of the recall", _bleu_with(precision=_f1)),
        Mistake("same-position", "BLEU that counts n-grams at the same place only: they may stand anywhere", _bleu_with(precision=_in_place_of)),
        Mistake("over-tokens", "BLEU whose precisions are divided by the number of tokens: there are len(candidate) - k + 1 k-grams",
                _bleu_with(precision=_over_tokens)),
        Mistake("no-overlap", "BLEU from pieces that don't overlap: a k-gram starts at every token", _bleu_with(precision=_apart_pieces)),
        Mistake("last-gram-left-out", "BLEU without the last k-gram of each text, as from range(len(tokens) - k): there are len(tokens) - k + 1",
                _bleu_with(precision=_last_gram_left_out)),
        Mistake("unordered", "BLEU from n-grams without order: (a, b) and (b, a) are different", _bleu_with(precision=_unordered)),
        Mistake("joined", "BLEU from tokens joined without a sign between them, so that different n-grams look the same: use tuples",
                _bleu_with(precision=_joined)),
        Mistake("inside-the-text", "BLEU that looks for n-grams in the reference as one string, where parts of tokens match: compare whole "
                "tokens", _bleu_with(precision=_inside_the_text)),
        Mistake("no-brevity-penalty", "BLEU without the brevity penalty", _bleu_with(brevity=lambda c, r: 1.0)),
        Mistake("penalty-upside-down", "a brevity penalty exp(1 - c / r), which strikes long candidates: it is exp(1 - r / c) for short ones",
                _bleu_with(brevity=lambda c, r: math.exp(min(0.0, 1 - c / r)))),
        Mistake("reward-for-length", "a factor exp(1 - r / c) for long candidates, too, which raises the score: it is at most 1",
                _bleu_with(brevity=lambda c, r: math.exp(1 - r / c))),
        Mistake("penalty-both-ways", "a penalty for long candidates, too: only short ones are punished",
                _bleu_with(brevity=lambda c, r: math.exp(1 - max(c, r) / min(c, r)))),
        Mistake("ratio", "a brevity penalty c / r: it is exp(1 - r / c)", _bleu_with(brevity=lambda c, r: min(1.0, c / r))),
        Mistake("penalty-without-1", "a brevity penalty exp(-r / c): it is exp(1 - r / c)", _bleu_with(
            brevity=lambda c, r: math.exp(-r / c) if c < r else 1.0)),
        Mistake("penalty-by-difference", "a brevity penalty exp(c - r): it is exp(1 - r / c)", _bleu_with(
            brevity=lambda c, r: math.exp(min(0, c - r)))),
        Mistake("penalty-in-the-root", "a brevity penalty under the root with the precisions: it multiplies the geometric mean",
                lambda candidate, reference, n: _bleu(candidate, reference, n, brevity=lambda c, r: _brevity(c, r) ** (1 / n))),
        Mistake("arithmetic-mean", "the arithmetic mean of the precisions: take the geometric mean",
                _bleu_with(mean=lambda precisions: sum(precisions) / len(precisions))),
        Mistake("harmonic-mean", "the harmonic mean of the precisions: take the geometric mean", _bleu_with(
            mean=lambda precisions: len(precisions) / sum(1 / p for p in precisions) if min(precisions) > 0 else 0.0)),
        Mistake("product", "the product of the precisions: take its n-th root", _bleu_with(mean=math.prod)),
        Mistake("square-root", "the square root of the product: take the n-th root", _bleu_with(
            mean=lambda precisions: math.sqrt(math.prod(precisions)))),
        Mistake("no-exp", "the sum of log-precisions without the exp", _bleu_with(
            mean=lambda precisions: math.log(_geometric(precisions)) if min(precisions) > 0 else 0.0)),
        Mistake("order-n-only", "the precision of order n alone: all orders from 1 to n count", _bleu_with(orders=lambda n: [n])),
        Mistake("order-1-only", "the precision of single tokens alone: all orders from 1 to n count", _bleu_with(orders=lambda n: [1])),
        Mistake("n-left-out", "orders up to n - 1, as from range(1, n): n itself counts, too", _bleu_with(
            orders=lambda n: range(1, n), mean=lambda precisions: _geometric(precisions) if precisions else 1.0)),
        Mistake("without-single-tokens", "orders from 2 to n: single tokens count, too", _bleu_with(orders=lambda n: range(min(2, n), n + 1))),
        Mistake("always-four", "orders 1 to 4 whatever n is", lambda candidate, reference, n: _bleu(candidate, reference, 4)),
        Mistake("orders-together", "one precision for the n-grams of all orders together: each order has its own", _one_sum),
        Mistake("smoothed", "BLEU with 1 added to every count: nothing is smoothed here", _bleu_with(precision=_smoothed(1.0))),
        Mistake("smoothed-from-2", "BLEU with 1 added to the counts of order 2 and above: nothing is smoothed here",
                _bleu_with(precision=_smoothed(1.0, first=2))),
        *(Mistake(f"floor-{epsilon:g}", f"BLEU with {epsilon:g} in place of a precision of 0: the score is 0 then",
                  _bleu_with(precision=_floor(epsilon))) for epsilon in (0.1, 1e-3, 1e-9, 1e-10, 1e-12)),
        Mistake("zeros-skipped", "BLEU that leaves out orders without a match: the score is 0 then", _bleu_with(mean=_skip_zeros)),
        Mistake("fewer-orders", "BLEU with fewer orders for a candidate shorter than n: the score is 0 then", _effective),
        Mistake("division-by-zero", "a division by the number of n-grams of a candidate that has none: return 0 when it is shorter than n",
                _no_guard),
        Mistake("log-of-zero", "a logarithm of a precision of 0: return 0 then", _log_of_zero),
        Mistake("percent", "BLEU in percent: it lies between 0 and 1", _bleu_with(
            mean=lambda precisions: 100 * _geometric(precisions))),
        Mistake("reference-used-up", "a right score from a function that removes tokens from the caller's reference: work on a copy",
                _crosses_out),
    ),
)


# --- minimal_scan ------------------------------------------------------------------------------


def _scan_case(name: str, rng: np.random.Generator, T: int, N: int, H: int, **changed) -> Case:
    """Gates between -1 and 1; `changed`: what replaces an argument, made from its value."""
    arguments = {"a": rng.uniform(-1, 1, size=(T, N, H)), "b": rng.normal(size=(T, N, H)), "h0": rng.normal(size=(N, H))}
    return Case(name, arguments | {argument: change(arguments[argument]) for argument, change in changed.items()})


def _scan_form(rng: np.random.Generator) -> Case:
    return _scan_case("several steps and sequences", rng, *sizes(rng, 3))


def _some_zero(rng: np.random.Generator) -> Callable:
    def change(a: np.ndarray) -> np.ndarray:
        a = np.where(rng.random(a.shape) < 0.3, 0.0, a)
        a[1] = 0.0
        return a

    return change


def _scan_values(rng: np.random.Generator) -> list[Case]:
    T, N, H = sizes(rng, 3)
    return [
        _scan_case("one step, one sequence (T=1, N=1)", rng, 1, 1, H),
        _scan_case("inputs of zero: only the start, through the gates", rng, T + 1, N, H, b=np.zeros_like),
        _scan_case("a start of zero", rng, T + 1, N, H, h0=np.zeros_like),
        _scan_case("gates of one: a running sum", rng, T + 1, N, H, a=np.ones_like),
        _scan_case("two steps (T=2)", rng, 2, N, H),
        _scan_case("three steps (T=3)", rng, 3, N, H),
        _scan_case("positive gates", rng, T + 3, N, H, a=np.abs),
        _scan_case("gates of both signs", rng, T + 3, N, H),
        _scan_case("some gates of zero, which forget", rng, T + 3, N, H, a=_some_zero(rng)),
        _scan_case("gates above one", rng, 9, N, H, a=lambda a: 1 + np.abs(a)),
        _scan_case("as many steps as sequences and units (T=N=H)", rng, H + 1, H + 1, H + 1),
        _scan_case("a power of two (T=32)", rng, 32, N, H),
        _scan_case("one step more than a power of two (T=33)", rng, 33, 1, 1),
        _scan_case("many steps with gates of one half, whose product underflows (T=1200)", rng, 1200, 1, 2, a=lambda a: np.full_like(a, 0.5)),
    ]


def _loop(a, b, h0, *, step=lambda a_t, b_t, h: a_t * h + b_t, carry=True):
    h, states = h0, []
    for a_t, b_t in zip(a, b):
        new = step(a_t, b_t, h)
        states.append(new)
        h = new if carry else h0
    return np.stack(states)


def _loop_with(step: Callable) -> Callable:
    return _quiet(lambda a, b, h0: _loop(a, b, h0, step=step))


def _scanned(a, b, h0, *, hasty=False, rounds=0, grow=lambda distance: 2 * distance):
    """The scan in rounds over whole arrays, with one of its parts replaced."""
    a, b = a.copy(), b.copy()
    b[0] += a[0] * h0
    distances, distance = [], 1
    while distance < len(a):
        distances.append(distance)
        distance = grow(distance)
    for distance in distances[: len(distances) - rounds]:
        new_a = a[distance:] * a[:-distance]
        new_b = (new_a if hasty else a[distance:]) * b[:-distance] + b[distance:]
        a[distance:], b[distance:] = new_a, new_b
    return b


def _scanned_with(**changes) -> Callable:
    return _quiet(lambda a, b, h0: _scanned(a, b, h0, **changes))


def _by_products(a, b, h0):
    A = np.cumprod(a, axis=0)
    return A * (h0 + np.cumsum(b / A, axis=0))


def _by_logarithms(a, b, h0):
    ell = np.cumsum(np.log(a), axis=0)
    return np.exp(ell) * (h0 + np.cumsum(b * np.exp(-ell), axis=0))


def _start_in_place(a, b, h0):
    b[0] += a[0] * h0
    return _loop(a, b, np.zeros_like(h0))


def _states_in_b(a, b, h0):
    h = h0
    for t in range(len(a)):
        b[t] += a[t] * h
        h = b[t]
    return b


def _same_memory(a, b, h0):
    h, states = h0.copy(), []
    for a_t, b_t in zip(a, b):
        h *= a_t
        h += b_t
        states.append(h)
    return np.stack(states)


def _h0_in_place(a, b, h0):
    states = []
    for a_t, b_t in zip(a, b):
        h0 *= a_t
        h0 += b_t
        states.append(h0.copy())
    return np.stack(states)


def _along_sequences(a, b, h0):
    H = np.empty_like(b)
    for t in range(len(a)):
        h = h0[0]
        for n in range(a.shape[1]):
            h = H[t, n] = a[t, n] * h + b[t, n]
    return H


def _gates_early(a, b, h0):
    return _loop(np.concatenate([np.ones_like(a[:1]), a[:-1]]), b, h0)


def _gates_late(a, b, h0):
    return _loop(np.concatenate([a[1:], a[-1:]]), b, h0)


def _inputs_early(a, b, h0):
    return _loop(a, np.concatenate([np.zeros_like(b[:1]), b[:-1]]), h0)


SCAN_TASK = Task(
    name="minimal_scan", assignment=ASSIGNMENT, points=3, section=RECURRENCE,
    arguments={"a": ("T", "N", "H"), "b": ("T", "N", "H"), "h0": ("N", "H")},
    outputs=(Output("H", "array", ("T", "N", "H")),),
    form_case=_scan_form, value_cases=_scan_values,
    reference=reference.minimal_scan, solution=_scanned,
    mistakes=(
        Mistake("state-not-carried", "a recurrence whose state is not carried from step to step: each step starts from the one before",
                lambda a, b, h0: _loop(a, b, h0, carry=False)),
        Mistake("start-ignored", "a recurrence that starts from zero: it starts from h0", lambda a, b, h0: _loop(a, b, np.zeros_like(h0))),
        Mistake("start-without-gate", "a recurrence whose first step takes h0 as it is: the first gate applies to it, too",
                lambda a, b, h0: _loop(np.concatenate([np.ones_like(a[:1]), a[1:]]), b, h0)),
        Mistake("start-added-everywhere", "a recurrence from zero with h0 added to every state", lambda a, b, h0: (
            _loop(a, b, np.zeros_like(h0)) + h0)),
        Mistake("start-included", "T + 1 states that begin with h0: the states are those after it", lambda a, b, h0: (
            np.concatenate([h0[None], _loop(a, b, h0)]))),
        Mistake("start-in-place-of-last", "states that begin with h0 and lack the last one: the states are those after h0", lambda a, b, h0: (
            np.concatenate([h0[None], _loop(a, b, h0)[:-1]]))),
        Mistake("last-state-only", "the last state alone: return all of them", lambda a, b, h0: _loop(a, b, h0)[-1]),
        Mistake("gate-left-out", "a running sum: the state before is multiplied by a_t", _loop_with(lambda a, b, h: h + b)),
        Mistake("input-left-out", "products of gates: b_t is added at each step", _loop_with(lambda a, b, h: a * h)),
        Mistake("exchanged", "a recurrence with a and b exchanged", _loop_with(lambda a, b, h: b * h + a)),
        Mistake("gate-after", "a recurrence a_t (h + b_t): the gate multiplies the state before b_t is added",
                _loop_with(lambda a, b, h: a * (h + b))),
        Mistake("gate-on-input", "a recurrence h + a_t b_t: the gate multiplies the state before", _loop_with(lambda a, b, h: h + a * b)),
        Mistake("convex", "a recurrence a_t h + (1 - a_t) b_t, as inside a GRU: b_t is added as it is",
                _loop_with(lambda a, b, h: a * h + (1 - a) * b)),
        Mistake("convex-other-way", "a recurrence (1 - a_t) h + a_t b_t: it is a_t h + b_t", _loop_with(lambda a, b, h: (1 - a) * h + a * b)),
        Mistake("minus", "a recurrence a_t h - b_t: b_t is added", _loop_with(lambda a, b, h: a * h - b)),
        Mistake("tanh", "a recurrence with a tanh: this one is linear, which is why it can be scanned",
                _loop_with(lambda a, b, h: np.tanh(a * h + b))),
        Mistake("sigmoid", "a recurrence with a sigmoid of the gates: they come as they are to be used",
                _loop_with(lambda a, b, h: h / (1 + np.exp(-a)) + b)),
        Mistake("gates-one-step-early", "a recurrence with the gate of the step before: a[t] belongs to the step from h[t - 1] to h[t]", _gates_early),
        Mistake("gates-one-step-late", "a recurrence with the gate of the step after: a[t] belongs to the step from h[t - 1] to h[t]", _gates_late),
        Mistake("inputs-one-step-early", "a recurrence with the b of the step before", _inputs_early),
        Mistake("first-gate-only", "a recurrence with the first step's gate throughout: each step has its own", lambda a, b, h0: (
            _loop(np.broadcast_to(a[:1], a.shape), b, h0))),
        Mistake("reversed", "a recurrence from the last step to the first", lambda a, b, h0: _loop(a[::-1], b[::-1], h0)[::-1].copy()),
        Mistake("along-the-batch", "a recurrence along the sequences of the batch: it runs along time, axis 0", _along_sequences),
        Mistake("product-and-sum", "products of all gates times h0, plus the sum of all b: an input passes the gates after it, too",
                lambda a, b, h0: np.cumprod(a, axis=0) * h0 + np.cumsum(b, axis=0), section=SCAN),
        Mistake("closed-form", "the closed form with a division by the product of the gates, which becomes 0: go step by step, or scan",
                _quiet(_by_products)),
        Mistake("logarithms", "the closed form with logarithms of the gates, which must not be negative or 0: go step by step, or scan",
                _quiet(_by_logarithms)),
        Mistake("hasty-scan", "a scan that changes a before b is computed: both need the old a", _scanned_with(hasty=True), section=SCAN),
        Mistake("one-round-less", "a scan with one round too few: the distance doubles while it is smaller than T", _scanned_with(rounds=1),
                section=SCAN),
        Mistake("one-round", "a scan with one round: the distance doubles until everything reaches back to the start",
                _scanned_with(grow=lambda distance: 10**9), section=SCAN),
        Mistake("distance-by-one", "a scan whose distance grows by one: it doubles, since every pair covers twice as many steps as before",
                _scanned_with(grow=lambda distance: distance + 1), section=SCAN),
        Mistake("distance-squared", "a scan whose distance grows too fast: it doubles", _scanned_with(grow=lambda distance: 4 * distance),
                section=SCAN),
        Mistake("same-memory", "a list of one and the same array, changed in place at each step: make a new array each time", _same_memory),
        Mistake("start-put-into-b", "right states from a function that puts the start into the caller's b: work on a copy", _start_in_place),
        Mistake("states-in-b", "right states that were written into the caller's b: make a new array", _states_in_b),
        Mistake("h0-in-place", "right states from a function that writes into the caller's h0: make a new array", _h0_in_place),
        Mistake("list", "a list of right states: stack them", lambda a, b, h0: list(_loop(a, b, h0))),
        Mistake("batch-first", "right states with the batch first: time is the first axis", lambda a, b, h0: (
            _loop(a, b, h0).swapaxes(0, 1).copy())),
        float32_mistake(_loop, tolerance=3e-6),
    ),
)

TASKS = (ATTENTION_TASK, GREEDY_TASK, BEAM_TASK, BLEU_TASK, SCAN_TASK)
