"""The texts, pictures and series that the course learns from: all offline, all the same for the same seed.

`corpora.load(name, ...)` finds a corpus by name. A function has the name of its corpus, so `corpora.toy_english` is
the function, and `from unrolled.corpora.toy_english import P_PHRASE` reaches into its module. `text_file` and `labelled` read
a learner's own files.
"""

from collections.abc import Callable
from difflib import get_close_matches

from .files import TextFile, text_file
from .labelled_texts import LabelledTexts, Parts, labelled
from .languages import LANGUAGES, cldr_names, cldr_names_version
from .numerals import from_chinese, from_english, numerals, to_chinese, to_english
from .pictures import Digits, digits
from .pronunciations import PronunciationSplit, pronunciation_split, pronunciations
from .reviews import flipped_pairs, reviews
from .series import Series, co2, sunspots
from .splits import Split, split
from .texts import normalise_letters, python_manual, python_manual_version, time_machine
from .toy_english import (
    ALPHABET,
    AgreementSite,
    ToyEnglish,
    character_probs,
    entropy_rate,
    next_character_probs,
    tag_words,
    toy_english,
)

_CORPORA: dict[str, Callable] = {
    function.__name__: function
    for function in (toy_english, python_manual, time_machine, numerals, pronunciations, reviews, cldr_names, digits, sunspots, co2)
}
NAMES = tuple(_CORPORA)


def load(name: str, *args, **kwargs):
    """The corpus of that name: `load("toy_english", 1000, seed=0)` is `toy_english(1000, seed=0)`.

    Raises ValueError for a name that is not in `NAMES`, and whatever the corpus itself raises.
    """
    if name not in NAMES:
        near = get_close_matches(str(name), NAMES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "choose one of these."
        raise ValueError(f"name should be one of {', '.join(NAMES)}, but it is {name!r}; {hint}")
    return _CORPORA[name](*args, **kwargs)


__all__ = [
    "ALPHABET",
    "LANGUAGES",
    "NAMES",
    "AgreementSite",
    "Digits",
    "LabelledTexts",
    "Parts",
    "PronunciationSplit",
    "Series",
    "Split",
    "TextFile",
    "ToyEnglish",
    "character_probs",
    "cldr_names",
    "cldr_names_version",
    "co2",
    "digits",
    "entropy_rate",
    "flipped_pairs",
    "from_chinese",
    "from_english",
    "labelled",
    "load",
    "next_character_probs",
    "normalise_letters",
    "numerals",
    "pronunciation_split",
    "pronunciations",
    "python_manual",
    "python_manual_version",
    "reviews",
    "split",
    "sunspots",
    "tag_words",
    "text_file",
    "time_machine",
    "to_chinese",
    "to_english",
    "toy_english",
]
