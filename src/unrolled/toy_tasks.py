"""Three small tasks on which pages watch gradients: the sum of 30 numbers, the first symbol of a sequence, and that symbol under a cut gradient.

Each is a recurrent network, a batch of its data, and a short loop. What a page changes (the start, the gradient, the backward pass) is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from . import cells, training
from .metrics import cross_entropy, cross_entropy_backward

Params = dict[str, np.ndarray]
Shorten = Callable[[Params], Params]  # what is done to the gradients before a step


# --- The sum of 30 numbers, by a linear network --------------------------------------------------


def init_sum(rng: np.random.Generator, H: int = 16) -> Params:
    """A linear recurrent network with one input and one output; `W_hh` is orthogonal."""
    bound = 1 / math.sqrt(H)
    return {
        "W_xh": rng.uniform(-bound, bound, (1, H)),
        "W_hh": np.linalg.qr(rng.normal(size=(H, H)))[0],
        "b_h": np.zeros(H),
        "W_hq": rng.uniform(-bound, bound, (H, 1)),
        "b_q": np.zeros(1),
    }


def sum_batch(rng: np.random.Generator, N: int = 32, T: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Random numbers X `(T, N, 1)`, and their sums over √T, y `(N, 1)`."""
    X = rng.normal(size=(T, N, 1))
    return X, X.sum(axis=0) / math.sqrt(T)


def sum_loss_and_gradients(params: Params, X: np.ndarray, y: np.ndarray) -> tuple[float, Params]:
    """Mean squared error of the answer after the last step, and its gradients."""
    W_xh, W_hh, b_h, W_hq, b_q = params.values()
    H = [np.zeros((X.shape[1], len(b_h)))]  # H[t] is the state after step t
    for x in X:  # (N, 1)
        H.append(x @ W_xh + H[-1] @ W_hh + b_h)  # (N, H)
    wrong_by = H[-1] @ W_hq + b_q - y  # (N, 1)
    dO = 2 * wrong_by / len(y)  # (N, 1)
    grads = {name: np.zeros_like(array) for name, array in params.items()}
    grads["W_hq"], grads["b_q"] = H[-1].T @ dO, dO.sum(axis=0)
    dZ = dO @ W_hq.T  # (N, H): no tanh, so dH_t and dZ_t are the same
    for t in reversed(range(len(X))):
        grads["W_xh"] += X[t].T @ dZ
        grads["W_hh"] += H[t].T @ dZ
        grads["b_h"] += dZ.sum(axis=0)
        dZ = dZ @ W_hh.T  # (N, H)
    return float((wrong_by * wrong_by).mean()), grads


def train_sum(lr: float, shorten: Shorten, updates: int = 300, seed: int = 0) -> Iterator[tuple[int, float, float, Params]]:
    """Train by plain gradient descent on `shorten(gradients)`; yields update, loss, norm and parameters before each step."""
    rng = np.random.default_rng(seed)
    params = init_sum(rng)
    for step in range(1, updates + 1):
        loss, grads = sum_loss_and_gradients(params, *sum_batch(rng))
        yield step, loss, training.gradient_norm(grads), params
        for name, g in shorten(grads).items():
            params[name] -= lr * g


# --- The first symbol ------------------------------------------------------------------------------


def first_symbol_batch(rng: np.random.Generator, lag: int, N: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Ids X `(lag + 1, N)`: first 0 or 1, which is the answer y `(N,)`; then random ids from 2 to 5."""
    X = rng.integers(2, 6, size=(lag + 1, N))
    X[0] = rng.integers(0, 2, size=N)
    return X, X[0]


def init_first(rng: np.random.Generator, recurrent: str, H: int = 32) -> Params:
    """A tanh network with six inputs and two outputs, uniform in ±1/√H; `recurrent` "orthogonal" makes `W_hh` so."""
    bound = 1 / math.sqrt(H)
    params = {
        "W_xh": rng.uniform(-bound, bound, (6, H)),
        "W_hh": rng.uniform(-bound, bound, (H, H)),
        "b_h": np.zeros(H),
        "W_hq": rng.uniform(-bound, bound, (H, 2)),
        "b_q": np.zeros(2),
    }
    if recurrent == "orthogonal":
        params["W_hh"] = np.linalg.qr(rng.normal(size=(H, H)))[0]
    return params


def first_loss_and_gradients(params: Params, X: np.ndarray, y: np.ndarray) -> tuple[float, Params, float]:
    """Cross-entropy of the one answer, after the last step; its gradients; the share of right answers."""
    W_xh, W_hh, b_h, W_hq, b_q = params.values()
    H_0 = np.zeros((X.shape[1], len(b_h)))  # (N, H)
    H = cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)  # (T, N, H)
    logits = H[-1] @ W_hq + b_q  # (N, 2)
    dlogits = cross_entropy_backward(logits, y)  # (N, 2)
    dH = np.zeros_like(H)  # (T, N, H)
    dH[-1] = dlogits @ W_hq.T
    _, _, *cell = cells.rnn_backward(dH, X, H_0, H, W_xh, W_hh)
    grads = dict(zip(params, [*cell, H[-1].T @ dlogits, dlogits.sum(axis=0)], strict=True))
    right = float((logits.argmax(axis=1) == y).mean())
    return cross_entropy(logits, y), grads, right


def learn_first(
    lag: int, recurrent: str, shorten: Shorten, optimizer: training.SGD | training.Adam | None = None, updates: int = 300, seed: int = 0
) -> tuple[float, float, float]:
    """Train on the first symbol, by gradient descent at a rate of 1 unless an optimizer is given.

    Returns the loss and the share of right answers on 1,000 new sequences, and the norm of the first gradient that reaches the rows of `W_xh` of
    the two symbols.
    """
    rng = np.random.default_rng(seed)
    params = init_first(rng, recurrent)
    optimizer = optimizer or training.SGD(1.0)
    arrives = 0.0
    for update in range(updates):
        _, grads, _ = first_loss_and_gradients(params, *first_symbol_batch(rng, lag))
        if update == 0:
            arrives = float(np.linalg.norm(grads["W_xh"][:2]))
        optimizer.update(params, shorten(grads))
    loss, _, right = first_loss_and_gradients(params, *first_symbol_batch(np.random.default_rng(1), lag, N=1000))
    return loss, right, arrives


# --- The first symbol, with another backward pass ----------------------------------------------------

STEPS, WIDTH = 20, 16  # of the network that `train_memory` trains


def train_memory(backward: Callable, seed: int = 0, updates: int = 200, N: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Train a network to say after 20 steps which symbol, A or B, came first; 19 random symbols, c or d, follow it.

    backward(rng, dH, X, H_0, H, W_xh, W_hh) gives the five gradients `(dX, dH_0, dW_xh, dW_hh, db_h)`, X in one-hot rows. The rows of `W_xh` for A
    and B start at zero and `W_hh` is orthogonal. Returns the loss of each update `(updates,)`, in nats, and the final rows for A and B `(2, H)`.
    """
    rng = np.random.default_rng(seed)
    orthogonal, _ = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))
    params = training.init_model(training.RNN, 4, WIDTH, rng).params
    params["W_hh"] = orthogonal
    params["W_hq"], params["b_q"] = params["W_hq"][:, :2], np.zeros(2)
    params["W_xh"][:2] = 0  # A and B
    params["W_xh"][2:] /= 2  # c and d
    optimizer, losses = training.Adam(5e-3), []
    H_0 = np.zeros((N, WIDTH))
    for _ in range(updates):
        ids = rng.integers(2, 4, (STEPS, N))  # c, d
        ids[0] = rng.integers(0, 2, N)  # A, B
        W_xh, W_hh, b_h, W_hq, b_q = params.values()
        X, Y = np.eye(4)[ids], ids[:1]  # (T, N, 4), (1, N)
        H = cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)  # (T, N, H)
        logits = cells.output_logits(H[-1:], W_hq, b_q)  # (1, N, 2)
        losses.append(cross_entropy(logits, Y))
        dH = np.zeros_like(H)  # a loss at the end only
        dH[-1:], dW_hq, db_q = cells.output_logits_backward(cross_entropy_backward(logits, Y), H[-1:], W_hq)
        _, _, *grads = backward(rng, dH, X, H_0, H, W_xh, W_hh)
        optimizer.update(params, training.clip_by_norm(dict(zip(params, [*grads, dW_hq, db_q], strict=True)), 1.0)[0])
    return np.array(losses), params["W_xh"][:2]
