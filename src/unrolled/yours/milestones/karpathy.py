"""Karpathy 2015: a character model writes, and one of its cells tracks something that nobody told it about."""

from __future__ import annotations

import numpy as np

from ... import corpora
from ...language import gettext
from ...plots import COLOURS
from .base import Functions, Milestone, Pace, Result, adam, log_softmax, tidy

UNITS, SEQUENCES, STEPS, UPDATES = 48, 16, 32, 500
SENTENCES = ("the keys near the cabinet are old. ", "the key near the cabinets is old. ")


def _work(own: Functions, size: float, pace: Pace) -> Result:
    updates = round(UPDATES * size)
    text = corpora.toy_english(260_000 if size >= 1 else 60_000, seed=0).text
    alphabet = sorted(set(text))
    V = len(alphabet)

    def ids_of(string: str) -> np.ndarray:
        return np.array([alphabet.index(character) for character in string])

    batches = own["sequential_batches"](ids_of(text), SEQUENCES, STEPS, 0)
    rng = np.random.default_rng(0)
    W_x, W_h, b = own["init_lstm"](V, UNITS, 0, 1.0)
    params = {"W_x": W_x.copy(), "W_h": W_h.copy(), "b": b.copy(), "W_hq": rng.uniform(-1, 1, (UNITS, V)) / np.sqrt(UNITS), "b_q": np.zeros(V)}
    cell = [params[name] for name in ("W_x", "W_h", "b")]  # the same arrays, which training changes in place
    update = adam(params, 0.02, updates)
    zero = np.zeros((SEQUENCES, UNITS))
    state, losses = (zero, zero), []
    for step in pace.steps(updates, gettext("reading characters")):
        place = step % len(batches)
        state = (zero, zero) if place == 0 else state
        X, Y = batches[place]
        X = own["one_hot"](X, V)
        H, C = own["lstm_forward"](X, *state, *cell)
        logits = own["output_logits"](H, params["W_hq"], params["b_q"])
        losses.append(float(own["cross_entropy"](logits, Y)))
        dlogits = own["cross_entropy_backward"](logits, Y)
        grads = dict(zip(("W_x", "W_h", "b"), own["lstm_backward"](dlogits @ params["W_hq"].T, X, *state, H, C, *cell[:2], cell[2])[3:]))
        grads |= {"W_hq": np.tensordot(H, dlogits, axes=([0, 1], [0, 1])), "b_q": dlogits.sum(axis=(0, 1))}
        state = H[-1], C[-1]
        update(own["clip_by_norm"](grads, 1.0)[0])

    def read(string: str) -> tuple[np.ndarray, np.ndarray]:
        start = np.zeros((1, UNITS))
        H, C = own["lstm_forward"](own["one_hot"](ids_of(string)[:, None], V), start, start, *cell)
        return H[:, 0], C[:, 0]

    unseen = corpora.toy_english(20_000, seed=1)
    H, C = read(unseen.text)
    log_probs = log_softmax(own["output_logits"](H[:, None], params["W_hq"], params["b_q"])[:, 0])
    loss = float(-log_probs[np.arange(len(H) - 1), ids_of(unseen.text)[1:]].mean())
    half = len(H) // 2
    unit, middle, sign, right = _tracks(C, _verb_read(unseen.text), half)
    sites = [site for site in unseen.sites if site.nouns_between > 0]
    before = C[[site.position - 1 for site in sites]]  # (sites, units): what was read is all up to the verb
    plural = np.array([site.subject_number == "plural" for site in sites])
    number_unit, *_, number_right = _tracks(before, plural, len(sites) // 2)
    written = _write(own, params, cell, alphabet, 120)
    traces = [sign * (read(". " + sentence)[1][2:, unit] - middle) for sentence in SENTENCES]

    read_there = np.concatenate([_verb_read(sentence) for sentence in SENTENCES])
    behind = [float(np.concatenate(traces)[read_there == side].mean()) for side in (False, True)]

    def draw(figure) -> None:
        panels = figure.subplots(2, 1, sharey=True)
        for axes, sentence, trace, colour in zip(panels, SENTENCES, traces, COLOURS):
            axes.bar(range(len(sentence)), trace, color=colour)
            axes.axhline(0, color="k", linewidth=0.6)
            axes.set_xticks(range(len(sentence)), list(sentence))
            tidy(axes)
        panels[0].set_ylabel(f"cell {unit}", loc="top")
        panels[0].set_title("up: the verb has been read")

    said = [
        gettext(
            "After {updates:,} updates it loses {loss:.3f} nats per character on unseen text; nothing can do better than {floor:.3f}."
        ).format(updates=len(losses), loss=loss, floor=corpora.entropy_rate()),
        gettext("It writes: {written}").format(written=written),
        gettext(
            "Its cell {unit} tells at {right:.0%} of the characters of unseen text whether the verb of the sentence has been read; guessing is right at 50%."
        ).format(unit=unit, right=right),
        gettext(
            "Of the harder thing, whether the subject before other nouns was plural, the best cell, {unit}, is right in {right:.0%} of unseen sentences."
        ).format(unit=number_unit, right=number_right),
    ]
    differs = gettext(
        "Karpathy's models were much larger and read real texts, and the cells that he and his co-authors show track quotes, line lengths and brackets; here "
        "the text is a small grammar, one cell was sought among all, and it was chosen on other sentences than those it is scored on."
    )
    alt = gettext(
        "Two rows of bars, a bar for each character of “{one}” and “{other}”: how far the cell stands on the side of "
        "“the verb has been read”. On average it stands at {before:.1f} up to the verb and at {behind:.1f} behind it."
    ).format(one=SENTENCES[0].strip(), other=SENTENCES[1].strip(), before=behind[0], behind=behind[1])
    figures = {"loss": loss, "right": right, "number_right": number_right, "unit": unit, "written": written, "losses": losses}
    return Result(said, differs, figures, draw, alt)


def _verb_read(text: str) -> np.ndarray:
    """For each character of a text, whether the verb of its sentence stands before it. (len(text),) bool"""
    labels, place, read = np.zeros(len(text), bool), 0, False
    for word, tag in corpora.tag_words(text):
        begin = text.index(word, place)
        labels[place : begin + len(word)] = read
        read = tag != "stop" and (read or tag.startswith(("be-", "verb-")))
        place = begin + len(word)
    labels[place:] = read
    return labels


def _tracks(values: np.ndarray, labels: np.ndarray, half: int) -> tuple[int, float, float, float]:
    """The unit that tells a property best: it, the value that parts, on which side the property lies, and the share that it tells right.

    values: (places, units); labels: (places,) bool. Chosen on the first `half` places, scored on the others; both classes count alike.
    """
    labels = labels[: len(values)]
    yes, no = (values[:half][labels[:half] == side].mean(axis=0) for side in (True, False))
    middle, sign = (yes + no) / 2, np.where(yes > no, 1.0, -1.0)
    told = sign * (values - middle) > 0
    shares = [(told[part][labels[part]].mean(axis=0) + (~told[part][~labels[part]]).mean(axis=0)) / 2 for part in (slice(0, half), slice(half, None))]
    unit = int(shares[0].argmax())
    return unit, float(middle[unit]), float(sign[unit]), float(shares[1][unit])


def _write(own: Functions, params: dict, cell: list, alphabet: list[str], length: int) -> str:
    """Characters drawn one after another."""
    rng = np.random.default_rng(0)
    H = C = np.zeros((1, UNITS))
    written = " "
    for _ in range(length):
        H, C = own["lstm_step"](own["one_hot"](np.array([[alphabet.index(written[-1])]]), len(alphabet))[0], H, C, *cell)
        probs = np.exp(log_softmax(own["output_logits"](H[None], params["W_hq"], params["b_q"])[0, 0]))
        written += alphabet[int(rng.choice(len(alphabet), p=probs / probs.sum()))]
    return written.strip()


A_UNIT = Milestone(
    "karpathy2015", "It writes, and a cell tracks something", "Karpathy (2015), The Unreasonable Effectiveness of Recurrent Neural Networks",
    ("sequential_batches", "one_hot", "init_lstm", "lstm_step", "lstm_forward", "lstm_backward", "output_logits", "cross_entropy", "cross_entropy_backward", "clip_by_norm"),
    "Character models trained to predict the next character write text that looks like their corpus, and some of their cells turn out to track something that can be "
    "named, such as being inside quotes.",
    _work,
)  # fmt: skip
