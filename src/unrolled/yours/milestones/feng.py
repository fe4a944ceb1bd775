"""Feng et al. 2024: a linear recurrence step by step and by a parallel scan: the same states, and where each is faster."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ...language import gettext, listed, ngettext
from ...plots import COLOURS
from .base import Functions, Milestone, Pace, Result, tidy

LENGTHS = (16, 64, 256, 1024, 4096)
WIDTHS = (1, 64)  # units


def parallel_scan(a: np.ndarray, b: np.ndarray, h0: np.ndarray) -> np.ndarray:
    """All states of h_t = a_t h_{t-1} + b_t in about log2(T) rounds over whole arrays [hillis1986]. a, b: (T, N, H); h0: (N, H)."""
    a, b = a.copy(), b.copy()
    b[0] += a[0] * h0  # step 1 now starts from zero
    distance = 1
    while distance < len(a):
        b[distance:] = a[distance:] * b[:-distance] + b[distance:]
        a[distance:] = a[distance:] * a[:-distance]
        distance *= 2
    return b


def _seconds(work: Callable[[], object], rounds: int = 9) -> float:
    """The best time of a call."""
    best = np.inf
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def _work(own: Functions, size: float, pace: Pace) -> Result:
    lengths = LENGTHS if size >= 1 else LENGTHS[:3]
    rng, worst, times = np.random.default_rng(0), 0.0, {}
    for H in WIDTHS:
        for T in lengths:
            gate = 1 / (1 + np.exp(-rng.normal(size=(T, 1, H))))  # the gate of a minimal GRU reads the input alone
            a, b, h0 = 1 - gate, gate * rng.normal(size=(T, 1, H)), rng.normal(size=(1, H))
            yours, scanned = own["minimal_scan"](a, b, h0), parallel_scan(a, b, h0)
            worst = max(worst, float(np.linalg.norm(yours - scanned) / np.linalg.norm(scanned)))
            times[H, T] = _seconds(lambda: own["minimal_scan"](a, b, h0)), _seconds(lambda: parallel_scan(a, b, h0))
            next(pace.steps(1, gettext("{steps} steps of {units} units").format(steps=T, units=H)), None)

    def draw(figure) -> None:
        panels = figure.subplots(1, len(WIDTHS), sharey=True)
        for axes, H in zip(panels, WIDTHS):
            axes.loglog(lengths, [1e3 * times[H, T][0] for T in lengths], "o-", color=COLOURS[0], label="your minimal_scan")
            axes.loglog(lengths, [1e3 * times[H, T][1] for T in lengths], "s-", color=COLOURS[1], label="parallel scan, on one core")
            axes.set(title=f"{H} unit{'s' if H > 1 else ''}", xlabel="steps")
            tidy(axes)
        panels[0].set_ylabel("milliseconds")
        panels[0].legend(frameon=False)

    said = [gettext("Both give the same states: they differ by {worst:.0e} of their norm at most.").format(worst=worst)]
    for H in WIDTHS:
        faster = [T for T in lengths if times[H, T][1] < times[H, T][0]]
        rows = listed(gettext("{ratio:.1f} times at {steps}").format(ratio=times[H, T][0] / times[H, T][1], steps=T) for T in lengths)
        if faster:
            ratio = ngettext(
                "With {units} unit the parallel scan is faster at {faster} steps. Your time over its time: {rows} steps.",
                "With {units} units the parallel scan is faster at {faster} steps. Your time over its time: {rows} steps.",
                H,
            )
        else:
            ratio = ngettext(
                "With {units} unit the parallel scan is faster at none of these lengths. Your time over its time: {rows} steps.",
                "With {units} units the parallel scan is faster at none of these lengths. Your time over its time: {rows} steps.",
                H,
            )
        said.append(ratio.format(units=H, faster=listed(map(str, faster)), rows=rows))
    differs = gettext(
        "The paper's speed-up, 175 times for 512 steps, is that of training on a GPU against a network that must go step by step. On one core the scan does "
        "more work than the loop, and wins only where the loop pays more for its steps in Python than for its numbers."
    )
    last = lengths[-1]
    alt = gettext(
        "Milliseconds against steps, on logarithmic scales, for {narrow} unit and for {wide} units: the loop's line has slope one; at {last} steps of one unit "
        "the scan takes {share:.1%} of the loop's time."
    ).format(narrow=WIDTHS[0], wide=WIDTHS[1], last=last, share=times[WIDTHS[0], last][1] / times[WIDTHS[0], last][0])
    return Result(said, differs, {"worst": worst, "times": {f"{H} x {T}": pair for (H, T), pair in times.items()}}, draw, alt)


SCAN = Milestone(
    "feng2024", "Were RNNs all we needed?", "Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), Were RNNs All We Needed?",
    ("minimal_scan",),
    "Gates that read the input alone make a recurrence linear in its state, so that all states come from a parallel scan: minimal versions of LSTM and GRU "
    "trained 175 times as fast at a length of 512, and predicted about as well as recent models.",
    _work,
)  # fmt: skip
