"""References for assignment 01: the definitions themselves, spelled out token by token; torch for the two with arithmetic."""

from __future__ import annotations

import numpy as np

from .torch_arrays import numpy_array, tensor, torch_module

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tokenize(text: str) -> list[str]:
    """Letters and single spaces, character by character: a space is written when a letter comes after something else."""
    tokens: list[str] = []
    pending = False
    for character in text.lower():
        if character in LETTERS:
            tokens += [" ", character] if pending and tokens else [character]
            pending = False
        else:
            pending = True
    return tokens


def build_vocab(tokens: list[str]) -> dict[str, int]:
    """`<unk>` is 0; a token's id is 1 plus the number of tokens that go before it."""
    counts = {token: tokens.count(token) for token in set(tokens)}

    def goes_before(a: str, b: str) -> bool:
        return counts[a] > counts[b] or (counts[a] == counts[b] and a < b)

    return {"<unk>": 0} | {token: 1 + sum(goes_before(other, token) for other in counts) for token in counts}


def ngram_counts(ids, n) -> dict[tuple[int, ...], int]:
    """For each n-gram of the text, how many positions show it."""
    ids = [int(i) for i in ids]
    grams = [tuple(ids[start : start + n]) for start in range(len(ids) - n + 1)]
    return {gram: grams.count(gram) for gram in grams}


def bigram_probs(ids, V, alpha) -> np.ndarray:
    """`(V, V)`: one-hot rows of each token times those of the token after it, in torch, smoothed and divided by the row totals."""
    one_hot = torch_module().nn.functional.one_hot(tensor(ids), V).double()
    smoothed = one_hot[:-1].T @ one_hot[1:] + alpha
    return numpy_array(smoothed / smoothed.sum(dim=1, keepdim=True))


def perplexity(log_probs) -> float:
    """exp of minus the mean, in torch."""
    return tensor(log_probs).mean().neg().exp().item()


def sequential_batches(ids, N, T, offset) -> list[tuple[np.ndarray, np.ndarray]]:
    """Batch by batch and token by token from its place in the text."""
    L = (len(ids) - offset - 1) // N
    batches = []
    for batch in range(L // T):
        X, Y = np.empty((2, T, N), dtype=np.int64)
        for t in range(T):
            for n in range(N):
                place = offset + n * L + batch * T + t
                X[t, n], Y[t, n] = ids[place], ids[place + 1]
        batches.append((X, Y))
    return batches
