"""The texts that models are ranked on, each cut into a part to learn from and a part that is held out."""

from __future__ import annotations

from dataclasses import dataclass

from ._short import Short
from .texts import normalise_letters, python_manual, time_machine
from .toy_english import toy_english


@dataclass(frozen=True, repr=False)
class Split(Short):
    """A text for training and one that no model has seen; tokens are characters.

    floor: the mean loss of the true probabilities on held_out[1:], in nats per character, where they are known, else None. No
    model has a lower expected loss.
    """

    name: str
    train: str
    held_out: str
    floor: float | None


def _toy_english() -> Split:
    train, held_out = toy_english(200_000, seed=0), toy_english(20_000, seed=1)
    return Split("toy_english", train.text, held_out.text, -float(held_out.log_probs[1:].mean()))


def _python_manual() -> Split:
    return _last_tenth("python_manual", python_manual())


def _time_machine() -> Split:
    return _last_tenth("time_machine", normalise_letters(time_machine()))


def _last_tenth(name: str, text: str) -> Split:
    cut = len(text) * 9 // 10
    return Split(name, text[:cut], text[cut:], None)


_SPLITS = {"toy_english": _toy_english, "python_manual": _python_manual, "time_machine": _time_machine}


def split(name: str) -> Split:
    """The split of that text: "toy_english" (200,000 and 20,000 characters, seeds 0 and 1), "python_manual" or "time_machine" (the
    last tenth is held out; the latter in letters and spaces). Raises ValueError for another name, and what the text itself raises."""
    if name not in tuple(_SPLITS):  # a tuple, so that a name that can't be hashed is refused like any other
        raise ValueError(f"There is no split {name!r}; expected one of {', '.join(_SPLITS)}.")
    return _SPLITS[name]()
