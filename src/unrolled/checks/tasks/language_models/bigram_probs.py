"""`bigram_probs`: from counted pairs to probabilities, with Laplace's smoothing."""

from __future__ import annotations

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake
from .shared import ASSIGNMENT, COUNTING, quiet

LAPLACE = Section("sequences/language-models", "lm-laplace", "Laplace: one more of everything")


def _bigram_case(name: str, ids, V: int, alpha: float) -> Case:
    return Case(name, {"ids": np.array(ids), "V": V, "alpha": alpha})


def _bigram_form(rng: np.random.Generator) -> Case:
    return _bigram_case("a short text", rng.integers(0, 5, size=20), 5, 1.0)


def _bigram_values(rng: np.random.Generator) -> list[Case]:
    V = int(rng.integers(4, 8))
    i, j = (int(token) for token in rng.permutation(V)[:2])
    ending = np.append(rng.integers(0, V - 1, size=30), [V - 1])  # the last token occurs at the end only
    skewed = np.minimum(rng.geometric(0.4, size=150) - 1, V - 1)
    return [
        _bigram_case("two tokens, one pair (alpha=1)", [i, j], V, 1.0),
        _bigram_case("the same pair again and again (alpha=1)", [i, j] * 4 + [i], V, 1.0),
        _bigram_case("a short text (alpha=1)", rng.integers(0, V, size=25), V, 1.0),
        _bigram_case("another alpha", rng.integers(0, V, size=25), V, 0.25),
        _bigram_case("a small alpha", skewed, V, 0.001),
        _bigram_case("a last token that has no successor", ending, V, 0.5),
        _bigram_case("tokens of the vocabulary that never occur", rng.integers(0, V, size=20), V + 3, 0.1),
        _bigram_case("a large alpha", skewed, V, 50.0),
        _bigram_case("a longer text", rng.integers(0, 30, size=600), 30, 0.05),
    ]


def _pairs(ids, V, alpha=0.0):
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    return counts + alpha


def _rows(smoothed):
    return smoothed / smoothed.sum(axis=1, keepdims=True)


def _bigram_probs(ids, V, alpha):
    return _rows(_pairs(ids, V, alpha))


def _buffered(ids, V, alpha):
    counts = np.zeros((V, V))
    counts[ids[:-1], ids[1:]] += 1
    return _rows(counts + alpha)


def _totals_of_tokens(ids, V, alpha):
    return (_pairs(ids, V, alpha)) / (np.bincount(ids, minlength=V) + alpha * V)[:, None]


def _unsmoothed(ids, V, alpha):
    return _rows(_pairs(ids, V))


def _alpha_where_zero(ids, V, alpha):
    counts = _pairs(ids, V)
    return _rows(np.where(counts > 0, counts, alpha))


def _alpha_in_seen_rows(ids, V, alpha):
    counts = _pairs(ids, V)
    return np.where(counts.sum(axis=1, keepdims=True) > 0, _rows(counts + alpha), 0.0)


def _zeros_in_unseen_rows(ids, V, alpha):
    counts = _pairs(ids, V)
    return (counts + alpha) / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


TASK = Task(
    name="bigram_probs", assignment=ASSIGNMENT, points=4, section=LAPLACE,
    arguments={"ids": ("L",), "V": None, "alpha": None},
    outputs=(Output("probs", "array", ("V", "V")),),
    form_case=_bigram_form, value_cases=_bigram_values,
    reference=reference.bigram_probs, solution=_bigram_probs,
    mistakes=(
        Mistake("transposed", "a table with P(i | j) at [i, j]: the row is the token before, and rows sum to 1",
                lambda ids, V, alpha: _bigram_probs(ids, V, alpha).T),
        Mistake("counts-transposed", "a table of counts with the later token as row: the row is the token before",
                lambda ids, V, alpha: _rows(_pairs(ids, V, alpha).T)),
        Mistake("columns", "a table whose columns sum to 1: divide each row by its total",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / _pairs(ids, V, alpha).sum(axis=0)),
        Mistake("rows-without-keepdims", "a table divided by the row totals along the wrong axis, as by counts / counts.sum(axis=1): keep "
                "the axis with keepdims=True", lambda ids, V, alpha: _pairs(ids, V, alpha) / _pairs(ids, V, alpha).sum(axis=1)),
        Mistake("joint", "a table that sums to 1 as a whole, P(i, j): each row sums to 1",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / _pairs(ids, V, alpha).sum()),
        Mistake("counts", "smoothed counts that are not divided by the row total", lambda ids, V, alpha: _pairs(ids, V, alpha)),
        Mistake("buffered", "counts in which a pair counts once, as from counts[ids[:-1], ids[1:]] += 1, which NumPy does once for equal "
                "indices: use np.add.at, or a loop", _buffered, section=COUNTING),
        Mistake("totals-of-tokens", "a table divided by how often each token occurs: the last token of the text has no successor, so "
                "take the row totals", _totals_of_tokens),
        Mistake("unsmoothed", "a table without alpha", quiet(_unsmoothed)),
        Mistake("alpha-is-1", "a table with alpha = 1 whatever is passed", lambda ids, V, alpha: _bigram_probs(ids, V, 1.0)),
        Mistake("alpha-squared", "a table with alpha added twice", lambda ids, V, alpha: _bigram_probs(ids, V, 2 * alpha)),
        Mistake("alpha-above-only", "a table with alpha above the fraction only: the row total grows by alpha * V",
                lambda ids, V, alpha: _zeros_in_unseen_rows(ids, V, alpha)),
        Mistake("alpha-once-below", "a table whose row totals grow by alpha: there are V entries in a row, so by alpha * V",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha)),
        Mistake("V-below-without-alpha", "a table whose row totals grow by V: with alpha they grow by alpha * V",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + V)),
        Mistake("V-squared-below", "a table whose row totals grow by alpha * V * V: a row has V entries",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha * V * V)),
        Mistake("alpha-below-only", "a table with alpha below the fraction only: unseen pairs keep probability 0",
                lambda ids, V, alpha: _pairs(ids, V) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha * V)),
        Mistake("seen-tokens-below", "row totals that grow by alpha for each token that occurs: for each of all V",
                lambda ids, V, alpha: _pairs(ids, V, alpha) / (_pairs(ids, V).sum(axis=1, keepdims=True) + alpha * len(set(ids)))),
        Mistake("alpha-where-zero", "a table with alpha in place of the zeros only: `alpha` is added to every count", _alpha_where_zero),
        Mistake("alpha-in-seen-rows", "a table with rows of zeros for tokens without a successor: with alpha they are uniform",
                _alpha_in_seen_rows),
        Mistake("two-apart", "counts of tokens two places apart: pair each with the next one",
                lambda ids, V, alpha: _rows(alpha + _pairs(ids[::2], V) + _pairs(ids[1::2], V)), section=COUNTING),
        Mistake("wraps-round", "counts that pair the last token with the first",
                lambda ids, V, alpha: _bigram_probs(np.append(ids, ids[0]), V, alpha), section=COUNTING),
        Mistake("last-pair-left-out", "counts without the last pair", lambda ids, V, alpha: _bigram_probs(ids[:-1], V, alpha),
                section=COUNTING),
        Mistake("first-pair-left-out", "counts without the first pair", lambda ids, V, alpha: _bigram_probs(ids[1:], V, alpha),
                section=COUNTING),
        Mistake("no-overlap", "counts of every other pair: a pair starts at every token",
                lambda ids, V, alpha: _rows(alpha + sum((_pairs(ids[i : i + 2], V) for i in range(0, len(ids) - 1, 2)), np.zeros((V, V)))),
                section=COUNTING),
        Mistake("width-from-ids", "a table whose size is the largest id + 1: it has V rows and columns",
                lambda ids, V, alpha: _bigram_probs(ids, int(ids.max()) + 1, alpha)),
        Mistake("logarithms", "log-probabilities: return the probabilities themselves",
                lambda ids, V, alpha: np.log(_bigram_probs(ids, V, alpha))),
        float32_mistake(lambda ids, V, alpha: _rows(_pairs(ids, V, alpha).astype(np.float32)).astype(np.float64)),
    ),
)
