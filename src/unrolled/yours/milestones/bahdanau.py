"""Sutskever et al. 2014 and Bahdanau et al. 2015: a trained translator of numerals reads by a learner's attention; searches on a table of letters.

The weights were trained by `tools/translator.py`; what computes with them here are the learner's functions.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np

from ... import corpora
from ...language import gettext
from ...plots import COLOURS
from .base import Functions, Milestone, Pace, Result, tidy

WEIGHTS = Path(__file__).with_name("translator.npz")
SENTENCES, MAX_LEN = 150, 16
SHOWN = 450_372
PINYIN = dict(zip("零一二三四五六七八九十百千万亿", "líng yī èr sān sì wǔ liù qī bā jiǔ shí bǎi qiān wàn yì".split()))
WIDTHS, WORD = (1, 2, 8, 64), 8  # widths of the beam; the longest word


@functools.cache
def _weights() -> dict[str, np.ndarray]:
    with np.load(WEIGHTS) as file:
        return {name: file[name].astype(np.float64) if file[name].dtype.kind == "f" else file[name] for name in file.files}


def words(english: str) -> list[str]:
    """The words of an English numeral."""
    return english.replace("-", " ").split()


def translated(own: Functions, english: str) -> tuple[str, np.ndarray]:
    """The greedy translation of a numeral, and the attention weights (target, source)."""
    w = _weights()
    source = [int(np.flatnonzero(w["english"] == word)[0]) for word in words(english)]
    X = w["embed_source"][source][:, None]  # (T, 1, E)
    H = w["encoder_W_h"].shape[0]
    states = own["gru_forward"](X, np.zeros((1, H)), w["encoder_W_x"], w["encoder_W_h"], w["encoder_b_x"], w["encoder_b_h"])  # (T, 1, H)
    S, y, lengths = states[-1], 0, np.array([len(source)])
    keys, written, rows = states @ w["W_k"], [], []
    for _ in range(MAX_LEN):
        context, weights = own["attention"](S @ w["W_q"], keys, states, lengths)  # (1, H), (T, 1)
        inputs = np.concatenate([w["embed_target"][[y]], context], axis=1)
        S = own["gru_step"](inputs, S, w["decoder_W_x"], w["decoder_W_h"], w["decoder_b_x"], w["decoder_b_h"])
        y = int((S @ w["output_W"] + w["output_b"])[0].argmax())
        if y == 1:
            break
        written.append(str(w["chinese"][y]))
        rows.append(weights[:, 0])
    return "".join(written), np.array(rows)


def letters_table(own: Functions) -> tuple[list[str], np.ndarray]:
    """The letters, a start and an end before them, and the log-probability of which follows which in the words of a manual."""
    letters = ["^", "$", *"abcdefghijklmnopqrstuvwxyz"]
    text = "".join(f"^{word}$" for word in re.findall("[a-z]+", corpora.python_manual().lower()[:200_000]))
    ids = np.array([letters.index(letter) for letter in text])
    return letters, np.log(own["bigram_probs"](ids, len(letters), 0.01))


def exhaustive(log_p: np.ndarray, start: int, end: int, max_len: int) -> tuple[list[int], float]:
    """The likeliest hypothesis of all. What is less likely already than one that is known is not gone on with: it can only lose."""
    best: tuple[list[int], float] = ([], -np.inf)

    def grow(ids: list[int], total: float) -> None:
        nonlocal best
        if total <= best[1]:
            return
        if ids and (ids[-1] == end or len(ids) == max_len):
            best = (ids, total)
            return
        last = ids[-1] if ids else start
        for token in np.argsort(-log_p[last], kind="stable"):
            grow([*ids, int(token)], total + float(log_p[last, token]))

    grow([], 0.0)
    return best


def _work(own: Functions, size: float, pace: Pace) -> Result:
    count = max(10, round(SENTENCES * size))
    held_out = [pair for pair in dict.fromkeys(corpora.numerals(4_000, seed=1)) if len(words(pair[0])) >= 4][:count]
    right = done = 0
    for step in pace.steps(count, gettext("translating numerals"), 0.8):
        english, chinese = held_out[step]
        right += translated(own, english)[0] == chinese
        done += 1
    source = corpora.to_english(SHOWN)
    written, rows = translated(own, source)
    on_own_word = float(np.mean([rows[i].argmax() == words(source).index(word) for i, word in _digits(written, source)]))

    letters, log_p = letters_table(own)
    greedy = own["greedy_decode"](log_p, 0, 1, WORD)
    total = float(sum(log_p[a, b] for a, b in zip([0, *greedy], greedy)))
    found = {width: own["beam_search"](log_p, 0, 1, width, WORD) for width in WIDTHS}
    best, best_total = exhaustive(log_p, 0, 1, WORD)

    def draw(figure) -> None:
        left, middle = figure.subplots(1, 2, width_ratios=[3, 2])
        left.imshow(rows, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        left.set_xticks(range(rows.shape[1]), words(source), rotation=60, ha="right")
        left.set_yticks(range(len(rows)), [PINYIN[character] for character in written])
        left.set_title("attention: which words each character reads")
        middle.plot(WIDTHS, [found[width][1] for width in WIDTHS], "o-", color=COLOURS[0], label="beam search")
        middle.axhline(total, color=COLOURS[1], linestyle=":", label="greedy")
        middle.axhline(best_total, color="k", linestyle="--", linewidth=0.8, label="exhaustive search")
        middle.set(xlabel="width of the beam", ylabel="ln P of the word found", xscale="log")
        middle.set_xticks(WIDTHS, [str(width) for width in WIDTHS])
        middle.minorticks_off()
        middle.legend(frameon=False)
        tidy(middle)

    def word(ids) -> str:
        return "".join(letters[i] for i in ids).replace("$", "")

    enough = next((width for width in WIDTHS if np.isclose(found[width][1], best_total)), None)
    if enough:
        searched = gettext(
            "On the table of letters greedy decoding finds “{greedy}” (ln P {total:.2f}), exhaustive search “{best}” ({best_total:.2f}); a beam of {width} finds that, too."
        )
    else:
        searched = gettext(
            "On the table of letters greedy decoding finds “{greedy}” (ln P {total:.2f}), exhaustive search “{best}” ({best_total:.2f}); "
            "the widest beam, {width}, finds “{word}” ({word_total:.2f})."
        )
    widest, widest_total = found[WIDTHS[-1]]
    said = [
        gettext("{right} of {done} held-out numerals of four words and more are translated right, to the last character.").format(right=right, done=done),
        gettext(
            "“{source}” becomes {written}; for {share:.0%} of its digits the largest weight lies on the digit's own word."
        ).format(source=source, written=written, share=on_own_word),
        searched.format(
            greedy=word(greedy), total=total, best=word(best), best_total=best_total, width=enough or WIDTHS[-1], word=word(widest), word_total=widest_total
        ),
    ]
    differs = gettext(
        "The papers translate English into French with large networks, additive attention and an encoder that reads in both directions; here an encoder of 32 units "
        "reads numerals in one direction, so a weight may lie one word to the right of the digit, and the search runs on a table of letters."
    )
    alt = gettext(
        "Left: a grid of attention weights, the words of “{source}” across and the {count} written characters in pinyin down; dark cells lead from the "
        "upper left to the lower right. Right: the log-probability that beam search finds rises with its width to the dashed line of exhaustive search; greedy lies below."
    ).format(source=source, count=len(written))
    figures = {"right": right / done, "on_own_word": on_own_word, "greedy": total, "beam": {w: found[w][1] for w in WIDTHS}, "best": best_total}
    return Result(said, differs, figures, draw, alt)


def _digits(chinese: str, english: str) -> list[tuple[int, str]]:
    """The places of the digits in a Chinese numeral whose English word occurs once, and that word."""
    units = dict(zip("一二三四五六七八九", "one two three four five six seven eight nine".split()))
    tens = dict(zip("二三四五六七八九", "twenty thirty forty fifty sixty seventy eighty ninety".split()))
    source, found = words(english), []
    for place, character in enumerate(chinese):
        after = chinese[place + 1 : place + 2]
        fitting = [word for word in (tens.get(character) if after == "十" else None, units.get(character)) if word in source and source.count(word) == 1]
        found += [(place, fitting[0])] if fitting else []
    return found


ALIGNMENT = Milestone(
    "bahdanau2015", "Where does it look?", "Sutskever, Vinyals and Le (2014); Bahdanau, Cho and Bengio (2015)",
    ("attention", "gru_step", "gru_forward", "bigram_probs", "greedy_decode", "beam_search"),
    "One network reads a sentence and another writes its translation; when the writer may look back at all states of the reader by attention, long "
    "sentences no longer suffer, and the weights show which words belong together.",
    _work,
)  # fmt: skip
