"""Bengio, Simard and Frasconi 1994: to keep one bit over a growing number of steps, a plain network fails."""

from __future__ import annotations

import numpy as np

from ...language import gettext, listed
from ...plots import COLOURS
from .base import Functions, Milestone, Pace, Result, adam, tidy

UNITS, N, UPDATES, SEEDS = 12, 32, 120, 6
LAGS = (5, 10, 20, 40, 80)
RIGHT = 0.95  # the share of right answers from which the bit counts as kept


def sequences(lag: int, N: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs X (lag + 1, N, 2): the bit as ±1 in the first feature at the first step, noise in the second; and the bits (N,), 0 or 1."""
    bits = rng.integers(0, 2, N)
    X = np.zeros((lag + 1, N, 2))
    X[0, :, 0] = 2 * bits - 1
    X[1:, :, 1] = 0.2 * rng.normal(size=(lag, N))
    return X, bits


def _trained(own: Functions, lag: int, seed: int, updates: int, pace: Pace, until: float) -> tuple[float, list[float]]:
    """The share of right answers after training, and the gradient norm by lag before it."""
    rng = np.random.default_rng([seed, lag])
    params = {name: rng.uniform(-1, 1, shape) / np.sqrt(UNITS) for name, shape in {"W_xh": (2, UNITS), "W_hh": (UNITS, UNITS), "b_h": (UNITS,), "w": (UNITS,)}.items()}
    weights = ("W_xh", "W_hh", "b_h")
    update, start = adam(params, 0.01, updates), np.zeros((N, UNITS))
    norms = own["gradient_norm_by_lag"](own["rnn_forward"](sequences(lag, N, rng)[0], start, *(params[name] for name in weights)), params["W_hh"])
    for _ in pace.steps(updates, gettext("a bit over {lag} steps, network {number} of {networks}").format(lag=lag, number=seed + 1, networks=SEEDS), until):
        X, bits = sequences(lag, N, rng)
        H = own["rnn_forward"](X, start, *(params[name] for name in weights))
        dlogits = (1 / (1 + np.exp(-(H[-1] @ params["w"]))) - bits) / N  # (N,)
        dH = np.zeros_like(H)
        dH[-1] = dlogits[:, None] * params["w"]
        _, _, *grads = own["rnn_backward"](dH, X, start, H, params["W_xh"], params["W_hh"])
        update(own["clip_by_norm"](dict(zip(weights, grads)) | {"w": H[-1].T @ dlogits}, 1.0)[0])
    X, bits = sequences(lag, 500, rng)
    H = own["rnn_forward"](X, np.zeros((500, UNITS)), *(params[name] for name in weights))
    return float(((H[-1] @ params["w"] > 0) == bits).mean()), [float(norm) for norm in norms]


def _work(own: Functions, size: float, pace: Pace) -> Result:
    updates, seeds = round(UPDATES * size), max(2, round(SEEDS * min(1.0, size)))
    right, norms, total = {}, {}, sum(LAGS)
    done = 0
    for lag in LAGS:
        done += lag
        runs = [_trained(own, lag, seed, updates, pace, done / total) for seed in range(seeds)]
        right[lag], norms[lag] = [share for share, _ in runs], runs[0][1]
    kept = {lag: sum(share >= RIGHT for share in shares) / seeds for lag, shares in right.items()}

    def draw(figure) -> None:
        left, middle = figure.subplots(1, 2)
        for lag, shares in right.items():
            left.plot([lag] * seeds, shares, "o", color=COLOURS[0], alpha=0.5)
        left.plot(LAGS, [np.median(right[lag]) for lag in LAGS], color=COLOURS[0], label="median of the networks")
        left.axhline(0.5, color="k", linestyle="--", linewidth=0.8, label="guessing")
        left.set(xlabel="steps that the bit must be kept", ylabel="share of right answers", xscale="log", ylim=(0.4, 1.03))
        left.set_xticks(LAGS, [str(lag) for lag in LAGS])
        left.minorticks_off()
        left.legend(frameon=False)
        middle.semilogy(norms[LAGS[-1]], color=COLOURS[1])
        middle.set(xlabel="steps back", ylabel="norm of the Jacobian, before training")
        tidy(left), tidy(middle)

    shares = listed(gettext("{share:.0%} over {lag}").format(share=kept[lag], lag=lag) for lag in LAGS)
    fade = norms[LAGS[-1]][-1] / norms[LAGS[-1]][0]
    said = [
        gettext(
            "Of {networks} networks each, trained by {updates} updates, this share kept the bit (in {right:.0%} of new sequences): {shares} steps."
        ).format(networks=seeds, updates=updates, right=RIGHT, shares=shares),
        gettext(
            "Before training the last state depends on the first one of {steps} steps with a norm that is {fade:.0e} of the one at lag 0."
        ).format(steps=LAGS[-1], fade=fade),
    ]
    differs = gettext(
        "The paper held the input's length apart from the noise and compared several ways of training; here it is Adam with clipped gradients, and "
        "where the gradient still arrives some networks keep the bit longer than under the plain descent of 1994."
    )
    alt = gettext(
        "Left: the share of right answers by the number of steps; {near:.0%} of the networks keep the bit over {fewest} steps, {far:.0%} over {most}. "
        "Right: the norm of the Jacobian falls with the number of steps back, on a logarithmic scale."
    ).format(near=kept[LAGS[0]], fewest=LAGS[0], far=kept[LAGS[-1]], most=LAGS[-1])
    return Result(said, differs, {"right": right, "kept": kept, "norms": norms}, draw, alt)


A_BIT_KEPT = Milestone(
    "bengio1994", "A bit, kept", "Bengio, Simard and Frasconi (1994), Learning Long-Term Dependencies with Gradient Descent Is Difficult",
    ("rnn_forward", "rnn_backward", "clip_by_norm", "gradient_norm_by_lag"),
    "Gradient descent has ever more trouble as the span that must be bridged grows: either a network latches on to information robustly, and then its "
    "gradients vanish, or its gradients arrive and it forgets.",
    _work,
)  # fmt: skip
