"""Does a model of words give the verbs of toy English the right number? And the window network, which can't beyond its window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from . import training
from .metrics import cross_entropy_backward
from .text import Vocabulary, one_hot

Tagged = list[tuple[str, str]]  # (word, tag), as corpora.tag_words gives them
DISAGREES = "last noun disagrees"


@dataclass(frozen=True)
class VerbTest:
    """One verb of a text: where it stands, its number, how many nouns stand between it and its subject, whether the last of them disagrees."""

    position: int
    number: str
    between: int
    disagrees: bool


def verb_tests(tagged: Tagged) -> list[VerbTest]:
    """A test for each verb."""
    tests, between, last = [], 0, ""
    for position, (_, tag) in enumerate(tagged):
        kind, _, number = tag.partition("-")
        if kind in ("subject", "noun"):
            between = 0 if kind == "subject" else between + 1
            last = number
        elif kind in ("be", "verb"):
            tests.append(VerbTest(position, number, between, last != number))
    return tests


def verb_ids(tagged: Tagged, vocabulary: Vocabulary, number: str) -> np.ndarray:
    """The ids of all verbs of a number, "singular" or "plural", that a text contains."""
    tags = {f"be-{number}", f"verb-{number}"}
    return vocabulary.encode(sorted({word for word, tag in tagged if tag in tags}))


def agreement(tests: list[VerbTest], probs: np.ndarray, first: int, singular: np.ndarray, plural: np.ndarray) -> dict[int | str, float]:
    """Shares of verbs whose right number gets more probability than the wrong one.

    probs[i] is a model's distribution `(V,)` for word first + i; singular, plural: ids of verbs. By nouns between (3 stands for three or more), and
    for those verbs whose last noun disagrees.
    """
    hits: dict[int | str, list[bool]] = {0: [], 1: [], 2: [], 3: [], DISAGREES: []}
    for test in tests:
        if test.position >= first:
            p = probs[test.position - first]
            right = bool((p[plural].sum() > p[singular].sum()) == (test.number == "plural"))
            hits[min(test.between, 3)].append(right)
            if test.disagrees:
                hits[DISAGREES].append(right)
    return {group: float(np.mean(hit)) for group, hit in hits.items()}


# --- The window network --------------------------------------------------------------------------


def windows_over(ids: np.ndarray, k: int) -> np.ndarray:
    """Every k ids in a row that another one follows: `(n, k)`."""
    return np.lib.stride_tricks.sliding_window_view(ids, k)[:-1]


def window_logits(params: training.Params, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For windows of ids `(n, k)`: logits `(n, V)`, the hidden layer `(n, H)`, the inputs `(n, k·V)`."""
    X = one_hot(windows, len(params["b_2"])).reshape(len(windows), -1)
    A = np.tanh(X @ params["W_1"] + params["b_1"])
    return A @ params["W_2"] + params["b_2"], A, X


def train_window(ids: np.ndarray, V: int, k: int, H: int = 32, batch: int = 128) -> training.Params:
    """An MLP that predicts the next of V words from the last k, trained by Adam for 200 k updates."""
    rng = np.random.default_rng(0)
    bound = 1 / math.sqrt(H)
    params = {
        "W_1": rng.uniform(-bound, bound, (k * V, H)),
        "b_1": np.zeros(H),
        "W_2": rng.uniform(-bound, bound, (H, V)),
        "b_2": np.zeros(V),
    }
    windows, updates = windows_over(ids, k), 200 * k
    optimizer = training.Adam(lr=1e-2, steps=updates)
    for _ in range(updates):
        rows = rng.integers(0, len(windows), batch)
        logits, A, X = window_logits(params, windows[rows])
        dlogits = cross_entropy_backward(logits, ids[rows + k])
        dZ = dlogits @ params["W_2"].T * (1 - A * A)  # (batch, H)
        optimizer.update(params, {"W_1": X.T @ dZ, "b_1": dZ.sum(axis=0), "W_2": A.T @ dlogits, "b_2": dlogits.sum(axis=0)})
    return params
