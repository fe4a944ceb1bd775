"""The figures and tables that chapters share. matplotlib is imported when a figure is drawn."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Colours that stay apart for the colour-blind (Okabe & Ito), in the order in which curves take them.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def use_style() -> None:
    """Set the look of all figures of a page: call it once, in the page's first cell."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "figure.figsize": (7, 3.6),
            "figure.dpi": 110,
            "savefig.bbox": "tight",
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "font.size": 11,
            "legend.frameon": False,
        }
    )


def ladder_table(rungs: Mapping[str, float]) -> str:
    """The ladder as text: for each model its loss in nats, perplexity, and bits per character.

    rungs: the name of each model with its held-out loss in nats per character.
    """
    width = max(len(name) for name in ("model", *rungs))
    lines = [f"{'model':<{width}}  nats/char  perplexity  bits/char"]
    for name, nats in rungs.items():
        lines.append(f"{name:<{width}}  {nats:9.3f}  {math.exp(nats):10.2f}  {nats / math.log(2):9.3f}")
    return "\n".join(lines)


def ladder(rungs: Mapping[str, float], floor: float | None = None, axes: Any = None) -> None:
    """Draw the ladder: a bar for each model's held-out loss in bits per character, and a line at the floor.

    rungs: the name of each model with its loss in nats per character; floor: the entropy rate in nats per character; axes: where to
    draw, a figure of its own if None.
    """
    import matplotlib.pyplot as plt

    names = list(rungs)
    bits = [nats / math.log(2) for nats in rungs.values()]
    if axes is None:
        _, axes = plt.subplots(figsize=(7, 0.5 * len(names) + 1.1))
    axes.barh(names, bits, color=COLOURS[0], height=0.6)
    for row, (value, nats) in enumerate(zip(bits, rungs.values(), strict=True)):
        axes.annotate(
            f"{value:.2f} bits, perplexity {math.exp(nats):.2f}", (value, row), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=10,
        )
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("held-out loss in bits per character")
    axes.set_xlim(0, max(bits) * 1.45)
    if floor is not None:
        axes.axvline(floor / math.log(2), color=COLOURS[1], linestyle="--")
        axes.annotate(
            "entropy rate", (floor / math.log(2), -0.5), xytext=(4, 0), textcoords="offset points",
            color=COLOURS[1], va="bottom", fontsize=10, annotation_clip=False,
        )


def smoothed(values: Sequence[float] | np.ndarray, window: int) -> np.ndarray:
    """Means over a sliding window: `(len(values) - window + 1,)`."""
    if not 1 <= window <= len(values):
        raise ValueError(f"window must lie in 1..{len(values)}, the number of values; received {window}.")
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


class ColouredText:
    """Text whose characters are shaded by a value, as a notebook shows it; plain text elsewhere."""

    def __init__(self, tokens: Sequence[str], values: np.ndarray, highest: float, unit: str):
        self.tokens, self.values, self.highest, self.unit = list(tokens), values, highest, unit

    def _repr_html_(self) -> str:
        spans = []
        for token, value in zip(self.tokens, self.values, strict=True):
            shade = min(max(float(value) / self.highest, 0.0), 1.0)
            spans.append(
                f'<span style="background:rgba(213,94,0,{0.85 * shade:.2f})" '
                f'title="{value:.2f} {html.escape(self.unit)}">{html.escape(token)}</span>'
            )
        return (
            '<div style="font-family:monospace;white-space:pre-wrap;line-height:1.8;overflow-wrap:anywhere">'
            f"{''.join(spans)}</div>"
        )

    def __repr__(self) -> str:
        return "".join(self.tokens)


def coloured_text(tokens: Sequence[str], values: np.ndarray, highest: float = 5.0, unit: str = "bits") -> ColouredText:
    """Shade each token by its value (`(len(tokens),)`), from nothing at 0 to the full colour at `highest`."""
    if len(tokens) != len(values):
        raise ValueError(f"Expected one value a token; received {len(tokens)} tokens and {len(values)} values.")
    if not highest > 0:
        raise ValueError(f"highest, the value of the full colour, must be more than 0; received {highest}.")
    return ColouredText(tokens, np.asarray(values), highest, unit)
