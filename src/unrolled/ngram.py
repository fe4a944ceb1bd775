"""Counting language models: n-grams with Laplace smoothing, and interpolated Kneser-Ney.

A k-gram is kept as two numbers: the id of its first k - 1 tokens (a (k-1)-gram) and its last token. Every order is
then one sorted array of integers, memory grows with the number of distinct n-grams only, and counting and scoring run over
whole texts at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Order:
    """The distinct k-grams of a text, for one k.

    keys: `(M,)` int64, sorted: id of the first k - 1 tokens times V, plus the last token; a k-gram's id is its place here. counts: `(M,)`, how
    often each occurs. continuations: `(M,)`, how many different tokens stand before it (zeros for the highest order counted).
    """

    keys: np.ndarray
    counts: np.ndarray
    continuations: np.ndarray

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The id of each key, -1 for one that does not occur: so for each that was made of a context with the id -1."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, places, -1)


def _distinct(keys: np.ndarray, space: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sorted distinct keys, a place where each occurs, the id of every entry, and the counts, as np.unique gives them.

    Where the keys come from a small space, a table is faster than sorting, and its memory is in proportion to the text.
    """
    if space > 4 * len(keys):
        return np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    table = np.bincount(keys, minlength=space)
    distinct = np.flatnonzero(table)
    places = np.empty(space, dtype=np.int64)
    places[keys] = np.arange(len(keys))
    ids = np.empty(space, dtype=np.int64)
    ids[distinct] = np.arange(len(distinct))
    return distinct, places[distinct], ids[keys], table[distinct]


def count_orders(ids: np.ndarray, n: int, V: int) -> list[Order]:
    """Count all k-grams for k = 1..n. ids: `(tokens,)` integers in 0..V-1, at least n of them."""
    if n < 1:
        raise ValueError(f"The order n must be 1 or more, received {n}.")
    ids = _checked_ids(ids, V)
    if len(ids) < n:
        raise ValueError(
            f"Counting {n}-grams needs a text of at least {n} tokens; received {len(ids)}: is the corpus empty, or n too large?"
        )
    counted: list[tuple[np.ndarray, np.ndarray]] = []
    continuations: list[np.ndarray] = []
    ending = np.zeros(len(ids) + 1, dtype=np.int64)  # ids of the (k-1)-grams that end just before each token; the empty one at first
    space = 1
    for _ in range(n):
        # A k-gram that ends at token i begins with the (k-1)-gram that ends at token i - 1.
        keys = ending[:-1] * V + ids[len(ids) - len(ending) + 1 :]
        distinct, places, inverse, counts = _distinct(keys, space * V)
        if counted:
            # The last k - 1 tokens of a distinct k-gram are a (k-1)-gram, with one more token that stands before it.
            continuations.append(np.bincount(ending[1:][places], minlength=len(counted[-1][0])))
        counted.append((distinct, counts))
        ending, space = inverse, len(distinct)
    continuations.append(np.zeros(len(counted[-1][0]), dtype=np.int64))
    return [Order(keys, counts, before) for (keys, counts), before in zip(counted, continuations, strict=True)]


def _checked_ids(ids: np.ndarray, V: int) -> np.ndarray:
    """The ids as `(tokens,)` int64. Raises ValueError unless they are integers in 0..V-1, in one row."""
    ids = np.asarray(ids)
    # An empty list is an array of floats to NumPy: no tokens, rather than tokens of a wrong kind.
    if ids.ndim != 1 or (len(ids) and not np.issubdtype(ids.dtype, np.integer)):
        raise ValueError(
            f"A text should be integer ids of shape (tokens,); received {ids.dtype} of shape {ids.shape}: encode the text first."
        )
    if len(ids) and not (0 <= ids.min() and ids.max() < V):
        raise ValueError(
            f"Ids must lie in 0..{V - 1} for V={V}; received {ids.min()}..{ids.max()}. "
            "Encode the text with the vocabulary that the model was counted with."
        )
    return ids.astype(np.int64, copy=False)


def ngram_counts(ids: np.ndarray, n: int, V: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct n-grams of a text, in lexicographic order `(M, n)`, and how often each occurs `(M,)`."""
    orders = count_orders(ids, n, V)
    grams = np.empty((len(orders[-1].keys), n), dtype=np.int64)
    rows = np.arange(len(orders[-1].keys))
    for column, order in zip(reversed(range(n)), reversed(orders)):
        rows, grams[:, column] = np.divmod(order.keys[rows], V)
    return grams, orders[-1].counts


class _NGramModel:
    """What both models share: which orders there are, and how a probability is made from lower to higher order.

    A model gives, for the context of k - 1 tokens, P_k(token | context); the first tokens of a text, whose context is shorter than n - 1,
    are given P_k of the order that fits.
    """

    def __init__(self, ids: np.ndarray, n: int, V: int):
        self.n, self.V = n, V
        self.orders = count_orders(ids, n, V)

    def _terms(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For order k: the numerator of each k-gram, and for each context the weight of the order below and the denominator."""
        raise NotImplementedError

    def _prepare(self) -> None:
        self._tables = [self._terms(k) for k in range(1, self.n + 1)]

    def _order_probs(self, k: int, context: np.ndarray, gram: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """P_k from ids of contexts and k-grams (-1: never seen) and the probabilities of the order below; all of one shape."""
        numerator, weight, denominator = self._tables[k - 1]
        # A context may be known and yet have no successor, at the end of the text: then the order below decides alone.
        total = denominator[context]
        known = (context >= 0) & (total > 0)
        share = np.where(known, weight[context], 1.0)
        counted = np.where(known & (gram >= 0), numerator[gram], 0.0)
        return (counted + share * lower) / np.where(known, total, 1.0)

    def log_probs(self, ids: np.ndarray) -> np.ndarray:
        """Natural log-probability of each of ids[1:], given the n - 1 tokens before it: `(len(ids) - 1,)`."""
        ids = _checked_ids(ids, self.V)
        if len(ids) < 2:
            raise ValueError(
                f"Scoring needs at least two tokens, one to start from and one to predict; received {len(ids)}: use a longer text."
            )
        probs = np.full(len(ids), 1 / self.V)
        ending = np.zeros(len(ids) + 1, dtype=np.int64)
        for k, order in enumerate(self.orders, 1):
            start = k - 1  # the first token that has k - 1 tokens before it
            context = ending[:-1]
            gram = order.find(context * self.V + ids[start:])
            probs[start:] = self._order_probs(k, context, gram, probs[start:])
            ending = gram
        return np.log(probs[1:])

    def probs(self, context: np.ndarray) -> np.ndarray:
        """The distribution of the token after a context, of which the last n - 1 tokens count: `(V,)`, sums to 1."""
        context = _checked_ids(context, self.V)
        context = context[max(0, len(context) - self.n + 1) :]
        tokens = np.arange(self.V)
        probs = np.full(self.V, 1 / self.V)
        for k in range(1, len(context) + 2):
            before = np.zeros(1, dtype=np.int64)
            for order, token in zip(self.orders, context[len(context) - k + 1 :]):
                before = order.find(before * self.V + token)
            before = np.repeat(before, self.V)
            gram = self.orders[k - 1].find(before * self.V + tokens)
            probs = self._order_probs(k, before, gram, probs)
        return probs

    def start(self, context: np.ndarray) -> list[np.ndarray]:
        """What `extend` needs to know after a context `(tokens,)`: the ids of its last 0, 1, ..., n - 1 tokens as k-grams, each of shape `()`."""
        context = _checked_ids(context, self.V)
        state = [np.zeros((), dtype=np.int64)]
        for token in context[max(0, len(context) - self.n + 1) :]:
            _, state = self.extend(state, token)
        return state

    def extend(self, state: list[np.ndarray], tokens: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Probabilities of many tokens, each after a context of its own, and the state after each: for searches that keep many hypotheses.

        state: as `start` and `extend` return it, arrays of any shape that fits that of tokens, ids in 0..V-1.
        """
        shape = np.broadcast_shapes(np.shape(tokens), *(part.shape for part in state))
        probs = np.full(shape, 1 / self.V)
        after = [np.zeros(shape, dtype=np.int64)]
        for k, context in enumerate(state, 1):
            gram = np.where(context >= 0, self.orders[k - 1].find(context * self.V + tokens), -1)
            probs = self._order_probs(k, context, gram, probs)
            after.append(gram)
        return probs, after[: self.n]

    def held_out_loss(self, ids: np.ndarray) -> float:
        """Mean nats a token over ids[1:]."""
        return float(-self.log_probs(ids).mean())

    def sample(self, prefix: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
        """Continue a prefix (it may be empty): `length` ids after it, `(length,)`."""
        drawn = _checked_ids(prefix, self.V).tolist()
        for _ in range(length):
            cumulative = np.cumsum(self.probs(np.array(drawn[-self.n :], dtype=np.int64)))
            drawn.append(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")))
        return np.array(drawn[len(drawn) - length :], dtype=np.int64)


class Laplace(_NGramModel):
    """Add-alpha smoothing: P(w | context) = (count + alpha) / (count of the context + alpha V). No lower order is mixed in.

    alpha = 1 is Laplace's rule. ids: `(tokens,)` in 0..V-1.
    """

    def __init__(self, ids: np.ndarray, n: int, V: int, alpha: float = 1.0):
        if not 0 < alpha < math.inf:
            raise ValueError(f"alpha must be a number greater than 0, received {alpha}: without it unseen n-grams get probability 0.")
        super().__init__(ids, n, V)
        self.alpha = alpha
        self._prepare()

    def _terms(self, k):
        order = self.orders[k - 1]
        contexts = len(self.orders[k - 2].keys) if k > 1 else 1
        total = np.bincount(order.keys // self.V, weights=order.counts, minlength=contexts)
        return order.counts + self.alpha, np.zeros(contexts), total + self.alpha * self.V

    def _order_probs(self, k, context, gram, lower):
        numerator, _, denominator = self._tables[k - 1]
        counted = np.where(gram >= 0, numerator[gram], self.alpha)
        total = np.where(context >= 0, denominator[context], self.alpha * self.V)
        return counted / total


class KneserNey(_NGramModel):
    """Interpolated Kneser-Ney [kneser1995, chen1999] with one discount an order.

    The highest order counts occurrences; every lower one counts how many different tokens stand before a k-gram. A discount
    is taken from each count, and what a context has saved goes to the order below; the lowest is mixed with the uniform
    distribution. The discount is m1 / (m1 + 2 m2), where m1 and m2 k-grams have the count 1 and 2 [ney1994].
    """

    def __init__(self, ids: np.ndarray, n: int, V: int):
        super().__init__(ids, n, V)
        self._prepare()

    def _terms(self, k):
        order = self.orders[k - 1]
        contexts = len(self.orders[k - 2].keys) if k > 1 else 1
        counts = order.counts if k == self.n else order.continuations
        once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
        discount = once / (once + 2 * twice) if once else 0.5
        owners = order.keys // self.V
        total = np.bincount(owners, weights=counts, minlength=contexts)
        saved = np.bincount(owners, weights=np.minimum(counts, discount), minlength=contexts)
        return np.maximum(counts - discount, 0.0), saved, total


def best_order(train: np.ndarray, held_out: np.ndarray, V: int, orders: Iterable[int] = range(2, 11)) -> tuple[int, float]:
    """The order n of the Kneser-Ney model that predicts held_out[1:] best after counting train, and its loss in nats a token.

    It is chosen on the held-out text itself. That favours counting, as a baseline should be favoured. A model of the largest order
    that counts alone would not do: the highest order of Kneser-Ney counts otherwise than the lower ones.
    """
    losses = {n: KneserNey(train, n, V).held_out_loss(held_out) for n in orders if n <= len(train)}
    best = min(losses, key=losses.get)
    return best, losses[best]


def count_ladder(train: np.ndarray, held_out: np.ndarray, V: int) -> dict[str, float]:
    """The rungs of the ladder that counting reaches: for each model its loss on held_out[1:], in nats a token.

    train, held_out: ids in 0..V-1. The n-gram models are interpolated Kneser-Ney; beside the orders 1, 2, 3 and 5 there is the one that
    predicts this held-out text best (`best_order`), so that a network is compared with the best that counting can do. Later chapters add their
    models to the dictionary; `plots.ladder_table` and `plots.ladder` show it.
    """
    rungs = {"uniform": math.log(V)}
    best, _ = best_order(train, held_out, V)
    for n in sorted({1, 2, 3, 5, best}):
        rungs[order_name(n)] = KneserNey(train, n, V).held_out_loss(held_out)
    return rungs


def order_name(n: int) -> str:
    """What the ladder calls the Kneser-Ney model of that order: "bigram", "7-gram Kneser–Ney"."""
    return {1: "unigram", 2: "bigram", 3: "trigram"}.get(n, f"{n}-gram Kneser–Ney")
