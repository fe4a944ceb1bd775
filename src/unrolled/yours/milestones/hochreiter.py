"""Hochreiter and Schmidhuber 1997: the adding problem, by an LSTM and by a plain network, at several lengths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...language import gettext, listed
from ...plots import COLOURS
from .base import Functions, Milestone, Pace, Result, adam, tidy

UNITS, N, UPDATES = 16, 32, 400
LENGTHS = (8, 16, 32)
RIGHT = 0.04  # the paper's: an answer closer than this counts as right
OPEN = 2.0   # the bias of the forget gates: 0.98 of a value is kept per step when training begins


def sequences(T: int, N: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs X (T, N, 2): numbers in [-1, 1] and marks; and the targets (N,), 0.5 + (sum of the two marked numbers) / 4.

    As in the paper one of the first ten numbers is marked and one of the first half; first and last step carry the mark -1.
    """
    X = np.zeros((T, N, 2))
    X[:, :, 0] = rng.uniform(-1, 1, (T, N))
    columns = np.arange(N)
    early = min(10, T // 2)
    one = rng.integers(0, early, N)
    other = rng.integers(0, T // 2 - 1, N)
    other += other >= one  # among those that are not marked yet
    X[0, :, 1] = X[-1, :, 1] = -1
    X[one, columns, 1] = X[other, columns, 1] = 1
    X[0, (one == 0) | (other == 0), 0] = 0
    return X, 0.5 + (X[one, columns, 0] + X[other, columns, 0]) / 4


def _lstm(own: Functions, seed: int) -> tuple[dict[str, np.ndarray], Callable, Callable]:
    W_x, W_h, b = own["init_lstm"](2, UNITS, seed, OPEN)
    params = {"W_x": W_x.copy(), "W_h": W_h.copy(), "b": b.copy()}

    def forward(X):
        zero = np.zeros((X.shape[1], UNITS))
        return own["lstm_forward"](X, zero, zero, params["W_x"], params["W_h"], params["b"])

    def backward(dH, X, states):
        zero = np.zeros((X.shape[1], UNITS))
        return dict(zip(params, own["lstm_backward"](dH, X, zero, zero, *states, params["W_x"], params["W_h"], params["b"])[3:]))

    return params, forward, backward


def _rnn(own: Functions, seed: int) -> tuple[dict[str, np.ndarray], Callable, Callable]:
    rng = np.random.default_rng(seed)
    units = 2 * UNITS  # about as many weights as the LSTM has
    params = {name: rng.uniform(-1, 1, shape) / np.sqrt(units) for name, shape in {"W_xh": (2, units), "W_hh": (units, units), "b_h": (units,)}.items()}

    def forward(X):
        return (own["rnn_forward"](X, np.zeros((X.shape[1], units)), params["W_xh"], params["W_hh"], params["b_h"]),)

    def backward(dH, X, states):
        start = np.zeros((X.shape[1], units))
        return dict(zip(params, own["rnn_backward"](dH, X, start, *states, params["W_xh"], params["W_hh"])[2:]))

    return params, forward, backward


def _trained(own: Functions, make: Callable, T: int, updates: int, pace: Pace, what: str, until: float) -> tuple[list[float], float, float]:
    """Squared errors of every update, and afterwards the mean one on new sequences and the share of right answers."""
    params, forward, backward = make(own, 0)
    rng = np.random.default_rng(T)
    out = {"w": rng.uniform(-1, 1, next(iter(params.values())).shape[1] // (4 if "W_x" in params else 1)) / 4, "c": np.array([0.5])}
    everything = params | out
    update, errors = adam(everything, 0.02, updates), []
    for _ in pace.steps(updates, what, until):
        X, target = sequences(T, N, rng)
        states = forward(X)
        H = states[0]
        error = H[-1] @ out["w"] + out["c"] - target  # (N,)
        errors.append(float((error**2).mean()))
        dH = np.zeros_like(H)
        dH[-1] = 2 * error[:, None] * out["w"] / N
        grads = backward(dH, X, states) | {"w": 2 * H[-1].T @ error / N, "c": np.array([2 * error.mean()])}
        update(own["clip_by_norm"](grads, 1.0)[0])
    X, target = sequences(T, 1_000, rng)
    error = forward(X)[0][-1] @ out["w"] + out["c"] - target
    return errors, float((error**2).mean()), float((np.abs(error) < RIGHT).mean())


def _work(own: Functions, size: float, pace: Pace) -> Result:
    updates = max(20, round(UPDATES * size))
    lengths = LENGTHS if size >= 1 else LENGTHS[:1]
    found, done, total = {}, 0.0, 5.0 * sum(lengths)
    for T in lengths:
        for name, make, cost in (("LSTM", _lstm, 4.0), ("RNN", _rnn, 1.0)):
            done += cost * T
            found[name, T] = _trained(own, make, T, updates, pace, gettext("{name}, length {length}").format(name=name, length=T), done / total)
    variance = float(np.var(sequences(lengths[-1], 20_000, np.random.default_rng(0))[1]))

    def draw(figure) -> None:
        panels = figure.subplots(1, len(lengths), sharey=True, squeeze=False)[0]
        for axes, T in zip(panels, lengths):
            for name, colour in (("LSTM", COLOURS[0]), ("RNN", COLOURS[1])):
                errors = np.array(found[name, T][0])
                window = min(25, len(errors))
                axes.semilogy(np.convolve(errors, np.full(window, 1 / window), "valid"), color=colour, label=name)
            axes.axhline(variance, color="k", linestyle="--", linewidth=0.8, label="always the mean")
            axes.set(title=f"length {T}", xlabel="update")
            tidy(axes)
        panels[0].set_ylabel("mean squared error")
        panels[0].legend(frameon=False)

    said = [
        gettext(
            "Length {length}: the LSTM answers {lstm:.0%} of new sequences right, the plain network {rnn:.0%} "
            "(errors {lstm_error:.4f} and {rnn_error:.4f}; always the mean: {variance:.4f})."
        ).format(
            length=T, lstm=found["LSTM", T][2], rnn=found["RNN", T][2], lstm_error=found["LSTM", T][1], rnn_error=found["RNN", T][1], variance=variance
        )
        for T in lengths
    ]
    differs = gettext(
        "The paper's lengths are 100, 500 and 1,000, with 74,000 sequences and more for each, which two minutes do not allow; its LSTM had no forget gate and a "
        "truncated gradient, where this one has a forget gate that begins open, the full gradient, batches and Adam."
    )
    alt = gettext(
        "For the lengths {lengths} the squared error during training: the LSTM's curve falls far below the dashed line of always answering "
        "the mean, the plain network's stays near the line for the long sequences."
    ).format(lengths=listed(map(str, lengths)))
    figures = {f"{name} {T}": {"error": error, "right": right} for (name, T), (_, error, right) in found.items()} | {"variance": variance}
    return Result(said, differs, figures, draw, alt)


ADDING = Milestone(
    "hochreiter1997", "The adding problem", "Hochreiter and Schmidhuber (1997), Long Short-Term Memory",
    ("init_lstm", "lstm_forward", "lstm_backward", "rnn_forward", "rnn_backward", "clip_by_norm"),
    "An LSTM learns to add two marked numbers of a long sequence, with real values kept over hundreds of steps, where the recurrent networks before it did not.",
    _work,
)  # fmt: skip
