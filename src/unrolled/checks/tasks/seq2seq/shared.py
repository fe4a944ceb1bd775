"""What the tasks of assignment 07-seq2seq share."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...task import Section

ASSIGNMENT = "07-seq2seq"
GREEDY = Section("tasks/translation", "translation-greedy", "Greedy decoding")


def quiet(function: Callable) -> Callable:
    def without_warnings(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return without_warnings


def log_table(rng: np.random.Generator, V: int, alpha: float = 1.0) -> np.ndarray:
    """Rows of log-probabilities `(V, V)`, the more uneven the smaller alpha is.

    Multiples of 2^-32, so that sums are exact: the same transitions in another order make an equal total, and not one that rounding decides.
    """
    return np.round(np.log(rng.dirichlet(np.full(V, alpha), size=V) + 1e-9) * 2.0**32) / 2.0**32


def draw(rng: np.random.Generator, V: int, wanted: Callable, alpha: float = 1.0) -> tuple[np.ndarray, int, int]:
    """A table, a start and an end, other ids than 0, that show what `wanted(log_p, start, end)` asks for."""
    while True:
        log_p = log_table(rng, V, alpha)
        start, end = (int(i) for i in 1 + rng.permutation(V - 1)[:2])
        if wanted(log_p, start, end):
            return log_p, start, end


def greedy_with(log_p, start, end, max_len):
    ids, last = [], start
    while len(ids) < max_len and (not ids or last != end):
        last = int(np.argmax(log_p[last]))
        ids.append(last)
    return ids


def never_ends(log_p, start, end):
    ids = greedy_with(log_p, start, end, 50)
    return end not in ids and start not in ids and len(set(ids)) > 1 and 0 not in ids[:1]


def with_twin(log_p, token: int, twin: int) -> np.ndarray:
    """The table with `twin` made as likely everywhere as `token`, and followed by the same."""
    log_p = log_p.copy()
    log_p[:, twin] = log_p[:, token]
    log_p[twin] = log_p[token]
    return log_p


def without(log_p, rng: np.random.Generator, path: list[int]) -> np.ndarray:
    """The table with about half of the transitions that `path` does not use made impossible."""
    impossible = rng.random(log_p.shape) < 0.5
    impossible[path[:-1], path[1:]] = False
    return np.where(impossible, -math.inf, log_p)


def total_logp(log_p, start, ids) -> float:
    total = 0.0
    for i, j in zip([start, *ids], ids):
        total += float(log_p[i, j])
    return total


def best_sequence(log_p, start, end, max_len):
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


def not_the_best(log_p, start, end) -> bool:
    """Greedy decoding to four ids ends, and misses the best sequence."""
    ids = greedy_with(log_p, start, end, 4)
    return 2 <= len(ids) and ids[-1] == end and start not in ids and best_sequence(log_p, start, end, 4)[0] != ids
