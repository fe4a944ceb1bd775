"""How good is a prediction: cross-entropy, perplexity, bits per character; word and phoneme error rate."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax over the last axis, without overflow: same shape as `logits`."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, without overflow: same shape as `logits`."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _check_targets(logits: np.ndarray, Y: np.ndarray) -> None:
    # NumPy would spread a Y of another shape over the logits, and count a negative id from the end: wrong without a word.
    if Y.shape != logits.shape[:-1] or Y.size == 0:
        raise ValueError(
            f"Y should hold one id for each row of logits, at least one: shape {logits.shape[:-1]} for logits of shape "
            f"{logits.shape}; received {Y.shape}."
        )
    if not np.issubdtype(Y.dtype, np.integer):
        raise ValueError(f"Y should hold integer ids; received {Y.dtype}.")
    V = logits.shape[-1]
    if Y.min() < 0 or Y.max() >= V:
        raise ValueError(f"Ids in Y must lie in 0..{V - 1} for V={V} logits; received {Y.min()}..{Y.max()}.")


def cross_entropy(logits: np.ndarray, Y: np.ndarray) -> float:
    """Mean cross-entropy in nats per token.

    logits: `(..., V)`. Y: `(...)` integer ids of the tokens that came. Raises ValueError if Y does not fit the logits.
    """
    _check_targets(logits, Y)
    picked = np.take_along_axis(log_softmax(logits), Y[..., None], axis=-1)
    return float(-picked.mean(dtype=np.float64))


def cross_entropy_backward(logits: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Gradient of `cross_entropy` with respect to the logits: softmax minus one-hot, over the number of tokens."""
    _check_targets(logits, Y)
    dlogits = softmax(logits)
    picked = np.take_along_axis(dlogits, Y[..., None], axis=-1)
    np.put_along_axis(dlogits, Y[..., None], picked - 1, axis=-1)
    dlogits /= Y.size
    return dlogits


def perplexity(log_probs: np.ndarray) -> float:
    """exp of minus the mean of natural-log probabilities: the geometric mean of 1/p.

    log_probs: any shape, natural logarithms, at least one. Best 1; uniform over V tokens: V.
    """
    log_probs = np.asarray(log_probs, dtype=np.float64)
    if log_probs.size == 0:
        raise ValueError("Perplexity needs at least one log-probability; received none.")
    if log_probs.max() > 1e-9:
        raise ValueError(f"Log-probabilities are 0 or less; received one of {log_probs.max():.4g}: are these probabilities?")
    return float(np.exp(-log_probs.mean()))


def bits_per_character(nats_per_token: float, characters_per_token: float = 1.0) -> float:
    """Convert a loss in nats per token to bits per character."""
    if not characters_per_token > 0:
        raise ValueError(f"characters_per_token must be more than 0, received {characters_per_token}.")
    return nats_per_token / (math.log(2) * characters_per_token)


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """How many tokens must be put in, taken out or replaced to turn a into b, at least."""
    row = list(range(len(b) + 1))  # from nothing to the first tokens of b
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def pronunciation_errors(
    outputs: Mapping[str, Sequence[Hashable]], listed: Mapping[str, Sequence[Sequence[Hashable]]]
) -> tuple[float, float]:
    """Word error rate and phoneme error rate, as the literature counts them [bisani2008].

    outputs: for each word one pronunciation. listed: for each of these words all that count as right. A word is an error when its output equals none of
    them. Phonemes are compared with the listed pronunciation that is nearest; their rate is the sum of edit distances over the sum of the lengths of those,
    and can exceed 1. Raises ValueError when there is no word, or nothing listed for one.
    """
    missing = [word for word in outputs if not listed.get(word)]
    if missing or not outputs:
        raise ValueError(
            f"Expected at least one word, and for each a pronunciation in the list; received {len(outputs)} words, {len(missing)} of them without: "
            f"{', '.join(missing[:3]) or 'no word at all'}."
        )
    wrong = edits = phonemes = 0
    for word, output in outputs.items():
        distance, length = min((edit_distance(output, right), -len(right)) for right in listed[word])
        wrong += distance > 0
        edits += distance
        phonemes -= length
    return wrong / len(outputs), edits / phonemes
