"""`bleu`: how many n-grams of a translation stand in a reference."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT

BLEU = Section("tasks/translation", "translation-bleu", "BLEU")
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


TASK = Task(
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
        *(Mistake(f"floor-{epsilon:g}", "BLEU with {epsilon} in place of a precision of 0: the score is 0 then",
                  _bleu_with(precision=_floor(epsilon)),
                  fills={"epsilon": f"{epsilon:g}"}) for epsilon in (0.1, 1e-3, 1e-9, 1e-10, 1e-12)),
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
