"""`ngram_counts`: how often each n-gram stands in a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Task
from .shared import ASSIGNMENT, COUNTING


def _ngram_case(name: str, ids, n: int) -> Case:
    return Case(name, {"ids": np.array(ids), "n": n})


def _ngram_form(rng: np.random.Generator) -> Case:
    return _ngram_case("a short text, pairs (n=2)", rng.integers(0, 4, size=12), 2)


def _ngram_values(rng: np.random.Generator) -> list[Case]:
    once = rng.permutation(20)[:8]
    token = int(rng.integers(1, 9))
    short = rng.integers(0, 3, size=15)
    short[-1], short[0] = 3, 4  # the last token and the first occur once
    return [
        _ngram_case("pairs that occur once (n=2)", once, 2),
        _ngram_case("one pair again and again (n=2)", [token] * 6, 2),
        _ngram_case("a short text, pairs (n=2)", short, 2),
        _ngram_case("single tokens (n=1)", short, 1),
        _ngram_case("triples (n=3)", short, 3),
        _ngram_case("a text as long as the n-gram", once[:5], 5),
        _ngram_case("a longer text, four tokens (n=4)", rng.integers(0, 3, size=150), 4),
        _ngram_case("a longer text, pairs (n=2)", rng.integers(0, 12, size=200), 2),
    ]


def _grams(ids, n, count=None, step=1) -> dict:
    ids = [int(i) for i in ids]
    return dict(Counter(tuple(ids[i : i + n]) for i in range(0, len(ids) - n + 1 if count is None else count, step)))


def _ngrams_changed(change: Callable) -> Callable:
    """The right counts with every key changed; counts of keys that became equal are added."""

    def ngram_counts(ids, n):
        counts: Counter = Counter()
        for gram, count in _grams(ids, n).items():
            counts[change(gram)] += count
        return dict(counts)

    return ngram_counts


TASK = Task(
    name="ngram_counts", assignment=ASSIGNMENT, points=3, section=COUNTING,
    arguments={"ids": ("L",), "n": None},
    outputs=(Output("counts", "mapping", items=(Output("count", "int"),)),),
    form_case=_ngram_form, value_cases=_ngram_values,
    reference=reference.ngram_counts, solution=_grams,
    mistakes=(
        Mistake("last-left-out", "counts without the last n-gram, as from range(len(ids) - n): there are len(ids) - n + 1 places",
                lambda ids, n: _grams(ids, n, len(ids) - n)),
        Mistake("first-left-out", "counts without the first n-gram", lambda ids, n: _grams(ids[1:], n)),
        Mistake("last-token-left-out", "counts that stop at place len(ids) - 2, which is right for pairs only: there are "
                "len(ids) - n + 1 places", lambda ids, n: _grams(ids, n, len(ids) - 1)),
        Mistake("shorter-at-the-end", "counts with shorter pieces from the end of the text: stop where n tokens no longer fit",
                lambda ids, n: _grams(ids, n, len(ids))),
        Mistake("wraps-round", "counts that go on from the end of the text to its beginning",
                lambda ids, n: _grams([*ids, *ids[: n - 1]], n)),
        Mistake("no-overlap", "counts of pieces that don't overlap: an n-gram starts at every token",
                lambda ids, n: _grams(ids, n, step=n)),
        Mistake("always-pairs", "counts of pairs whatever n is", lambda ids, n: _grams(ids, 2)),
        Mistake("one-more", "counts of pieces of n + 1 tokens", lambda ids, n: _grams(ids, n + 1)),
        Mistake("one-less", "counts of pieces of n - 1 tokens", lambda ids, n: _grams(ids, n - 1)),
        Mistake("all-orders", "counts of n-grams of all orders up to n: only n itself", lambda ids, n: {
            gram: count for k in range(1, n + 1) for gram, count in _grams(ids, k).items()}),
        Mistake("padded", "counts of a text padded at its beginning: nothing stands before the first token",
                lambda ids, n: _grams([0] * (n - 1) + [*ids], n)),
        Mistake("reversed", "keys with the later token first: keep the order of the text", _ngrams_changed(lambda gram: gram[::-1])),
        Mistake("sorted", "keys whose tokens are sorted: (1, 2) and (2, 1) are different n-grams",
                _ngrams_changed(lambda gram: tuple(sorted(gram)))),
        Mistake("sets", "keys that are sets of tokens: (1, 2) and (2, 1) are different n-grams, and (1, 1) has two tokens",
                _ngrams_changed(frozenset)),
        Mistake("bare-tokens", "counts whose keys for n=1 are bare ids: they are tuples of one",
                _ngrams_changed(lambda gram: gram if len(gram) > 1 else gram[0])),
        Mistake("strings", "keys that are strings: they are tuples of ids", _ngrams_changed(lambda gram: " ".join(map(str, gram)))),
        Mistake("once-each", "a count of 1 for every n-gram: add 1 at each occurrence", lambda ids, n: dict.fromkeys(_grams(ids, n), 1)),
        Mistake("one-too-many", "counts that start at 1 and are raised at the first occurrence, too", lambda ids, n: {
            gram: count + 1 for gram, count in _grams(ids, n).items()}),
        Mistake("one-too-few", "counts that start at 0 and are not raised at the first occurrence", lambda ids, n: {
            gram: count - 1 for gram, count in _grams(ids, n).items()}),
        Mistake("frequencies", "shares of all n-grams: return counts, whole numbers", lambda ids, n: {
            gram: count / (len(ids) - n + 1) for gram, count in _grams(ids, n).items()}),
        Mistake("floats", "right counts as floats: they are whole numbers", lambda ids, n: {
            gram: float(count) for gram, count in _grams(ids, n).items()}),
        Mistake("nested", "a dict of dicts, by first tokens and last token: the key is the whole n-gram", lambda ids, n: {
            gram[:-1]: {gram[-1]: count} for gram, count in _grams(ids, n).items()}),
        Mistake("list", "a list of the n-grams: count them in a dict", lambda ids, n: list(_grams(ids, n).items())),
    ),
)
