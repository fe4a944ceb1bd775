"""Elman 1990: a network reads letters without spaces, and its surprise rises where a word begins."""

from __future__ import annotations

import numpy as np

from ... import corpora
from ...language import gettext
from ...plots import COLOURS
from .base import Functions, Milestone, Pace, Result, log_softmax, tidy

UNITS, SEQUENCES, STEPS, UPDATES = 64, 16, 16, 1_000
SHOWN = 48  # letters in the picture


def letters(length: int, seed: int) -> tuple[str, np.ndarray]:
    """Toy English without spaces and full stops, and the place of each letter in its word, from 0."""
    words = corpora.toy_english(2 * length, seed).text.replace(".", "").split()
    text = "".join(words)[:length]
    return text, np.array([place for word in words for place in range(len(word))])[:length]


def _work(own: Functions, size: float, pace: Pace) -> Result:
    updates = round(UPDATES * size)
    text, _ = letters(SEQUENCES * STEPS * updates // 4 + SEQUENCES, seed=0)  # read four times
    alphabet = sorted(set(text))
    V = len(alphabet)
    ids = np.array([alphabet.index(letter) for letter in text])
    batches = own["sequential_batches"](ids, SEQUENCES, STEPS, 0)
    rng = np.random.default_rng(0)
    shapes = {"W_xh": (V, UNITS), "W_hh": (UNITS, UNITS), "b_h": (UNITS,), "W_hq": (UNITS, V), "b_q": (V,)}
    params = {name: rng.uniform(-1, 1, shape) / np.sqrt(UNITS) for name, shape in shapes.items()}
    state, losses = np.zeros((SEQUENCES, UNITS)), []
    for step in pace.steps(updates, gettext("reading letters")):
        params, state, loss = own["train_step"](params, *batches[step % len(batches)], state, 1.0, 1.0)
        losses.append(loss)

    unseen, places = letters(8_000, seed=1)
    ids = np.array([alphabet.index(letter) for letter in unseen])
    H = own["rnn_forward"](own["one_hot"](ids[:-1, None], V), np.zeros((1, UNITS)), params["W_xh"], params["W_hh"], params["b_h"])
    logits = own["output_logits"](H, params["W_hq"], params["b_q"])[:, 0]
    bits = -log_softmax(logits)[np.arange(len(ids) - 1), ids[1:]] / np.log(2)  # surprise at each letter but the first
    places, rises = places[1:], np.diff(bits, prepend=np.nan)
    by_place = [float(bits[places == place].mean()) for place in range(5)]
    starts = places == 0
    share = float((rises[starts][1:] > 0).mean())
    inside = float((rises[~starts][1:] > 0).mean())

    def draw(figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=[3, 1])
        begin = int(np.flatnonzero(starts)[20])
        window = slice(begin, begin + SHOWN)
        left.plot(range(SHOWN), bits[window], "-o", color=COLOURS[0], markersize=3)
        for place in np.flatnonzero(starts[window]):
            left.axvline(place, color=COLOURS[1], linewidth=0.8, linestyle="--")
        left.set_xticks(range(SHOWN), list(unseen[1:][window]), fontsize=8)
        left.set(ylabel="surprise in bits", title="dashed: a word begins")
        right.bar(range(1, 6), by_place, color=COLOURS[0])
        right.set(xlabel="letter of its word", title="mean")
        tidy(left), tidy(right)

    said = [
        gettext(
            "After {updates:,} updates the first letter of a word costs {first:.2f} bits, the second {second:.2f}, the third {third:.2f}."
        ).format(updates=len(losses), first=by_place[0], second=by_place[1], third=by_place[2]),
        gettext(
            "The surprise rises at {share:.0%} of the word beginnings, and at {inside:.0%} of the other letters. Nothing in the text marks where a word begins."
        ).format(share=share, inside=inside),
    ]
    differs = gettext(
        "Elman drew the error of a network of 20 units, on letters of a text of 15 different words, 4,963 letters in all; here it is the surprise in bits on "
        "unseen text of a grammar with more words, trained by backpropagation through 16 steps, where his network passed the gradient through one copy of "
        "its state only."
    )
    alt = gettext(
        "Left: the surprise at each of {letters} letters, a line that jumps up at dashed lines where words begin and falls within the words. "
        "Right: bars of the mean surprise, {first:.1f} bits at the first letter of a word down to {third:.1f} at the third."
    ).format(letters=SHOWN, first=by_place[0], third=by_place[2])
    return Result(said, differs, {"by_place": by_place, "rises": share, "inside": inside, "losses": losses}, draw, alt)


WORD_BOUNDARIES = Milestone(
    "elman1990", "Where does a word begin?", "Elman (1990), Finding Structure in Time",
    ("sequential_batches", "train_step", "one_hot", "rnn_forward", "output_logits"),
    "A simple recurrent network that predicts the next letter of a text without spaces errs most at the first letter of each word and less and less "
    "within it: the error says where words begin.",
    _work,
)  # fmt: skip
