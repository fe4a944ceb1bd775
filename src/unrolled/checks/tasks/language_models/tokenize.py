"""`tokenize`: from a text to a list of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from .... import reference, text
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT, made_up_words

TOKENS = Section("sequences/text", "text-tokens", "Where does a token end?")


def _joined(rng: np.random.Generator, words: list[str], gaps: tuple[str, ...]) -> str:
    """The words with one of the gaps between each two, every gap used where there are enough words."""
    order = [gaps[i % len(gaps)] for i in range(len(words) - 1)]
    rng.shuffle(order)
    return words[0] + "".join(gap + word for gap, word in zip(order, words[1:]))


def _capitals(word: str) -> str:
    return "".join(c.upper() if i % 2 == 0 else c for i, c in enumerate(word))


def _tokenize_form(rng: np.random.Generator) -> Case:
    return Case("a few words", {"text": " ".join(made_up_words(rng, 4)).capitalize() + "."})


def _tokenize_values(rng: np.random.Generator) -> list[Case]:
    def case(name: str, string: str) -> Case:
        return Case(name, {"text": string})

    return [
        case("one word with capital letters", _capitals(made_up_words(rng, 1, "abcdefgh")[0])),
        case("words with single spaces and capital letters", " ".join(map(_capitals, made_up_words(rng, 4)))),
        case("one character between words that is no letter", _joined(rng, made_up_words(rng, 6), ("-", ".", "7", "'", ","))),
        case("several characters between words", _joined(rng, made_up_words(rng, 6), (", ", " - ", "...  ", " (", ") 12 "))),
        case("punctuation and spaces at both ends", "  “" + " ".join(made_up_words(rng, 3)) + "!” "),
        case("line breaks and tabs", "\n" + _joined(rng, made_up_words(rng, 5), ("\n", "\n\n", "\t", "\r\n")) + "\n"),
        case("digits and underscores inside words", _joined(rng, made_up_words(rng, 6), ("_", "3", "_1_", "42", "__"))),
        case("signs that stand between Z and a in the table of characters", _joined(rng, made_up_words(rng, 7), ("[", "]", "^", "_", "`", "\\"))),
        case("letters other than a-z", _joined(rng, made_up_words(rng, 6), ("é", "ß", "ñ", "λ", "ж"))),
        case("a paragraph", _joined(rng, list(map(_capitals, made_up_words(rng, 60))), (" ", ", ", ".\n", "; 'tis ", " -- ", " 1895 ")) + "."),
    ]


def _tokens_by(pattern: str, space: str = " ", strip: bool = True) -> Callable:
    """tokenize with another pattern of what is replaced, by something else than a space, or with nothing cut off at the ends."""

    def tokenize(text):
        tokens = re.sub(pattern, space, text.lower())
        return list(tokens.strip() if strip else tokens)

    return tokenize


TASK = Task(
    name="tokenize", assignment=ASSIGNMENT, points=3, section=TOKENS,
    arguments={"text": None},
    outputs=(Output("tokens", "list", items=(Output("token", "str"),)),),
    form_case=_tokenize_form, value_cases=_tokenize_values,
    reference=reference.tokenize, solution=text.tokenize,
    mistakes=(
        Mistake("capitals-kept", "tokens with capital letters among them: turn the text into lower case",
                lambda text: list(re.sub("[^A-Za-z]+", " ", text).strip())),
        Mistake("capitals-lost", "a text in which capital letters became spaces: turn it into lower case before replacing what is not "
                "a-z", lambda text: list(re.sub("[^a-z]+", " ", text).lower().strip())),
        Mistake("upper-case", "tokens in upper case", lambda string: list("".join(text.tokenize(string)).upper())),
        Mistake("runs-not-joined", "a space for each character that is no letter: a whole run of them becomes one space",
                _tokens_by("[^a-z]")),
        Mistake("removed", "a text from which other characters were removed, so that words run together: put a space in their place",
                _tokens_by("[^a-z ]+", "")),
        Mistake("removed-and-spaces-joined", "a text from which all but letters and white space was removed, so that words run together: "
                "put a space in its place", lambda text: list(" ".join(re.sub(r"[^a-z\s]+", "", text.lower()).split()))),
        Mistake("no-spaces", "letters without the spaces between words", _tokens_by("[^a-z]+", "")),
        Mistake("ends-not-cut", "tokens with a space at the beginning or the end: none stays there", _tokens_by("[^a-z]+", strip=False)),
        Mistake("cut-before-replacing", "a text whose ends were stripped before other characters became spaces: strip afterwards",
                lambda text: list(re.sub("[^a-z]+", " ", text.lower().strip()))),
        Mistake("cut-on-the-left-only", "tokens with a space at the end: none stays there",
                lambda text: list(re.sub("[^a-z]+", " ", text.lower()).lstrip())),
        Mistake("cut-on-the-right-only", "tokens with a space at the beginning: none stays there",
                lambda text: list(re.sub("[^a-z]+", " ", text.lower()).rstrip())),
        Mistake("digits-kept", r"tokens with digits and underscores among them, as from \W: keep a-z only", _tokens_by(r"\W+")),
        Mistake("ascii-word-characters", r"tokens with digits and underscores among them, as from [^\w]: keep a-z only",
                lambda text: list(re.sub(r"\W+", " ", text.lower(), flags=re.ASCII).strip())),
        Mistake("digits-kept-only", "tokens with digits among them: keep a-z only", _tokens_by("[^a-z0-9]+")),
        Mistake("from-A-to-z", "a pattern [^A-z], which also keeps the six signs between Z and a, the underscore among them: write [^a-z]",
                _tokens_by("[^A-z]+")),
        Mistake("any-letter", "tokens with letters of other alphabets among them, as from isalpha(): keep a-z only",
                lambda text: list(" ".join("".join(c if c.isalpha() else " " for c in text.lower()).split()))),
        Mistake("white-space-only", "a text in which only white space was tidied: every other character that is no letter counts, too",
                lambda text: list(" ".join(text.lower().split()))),
        Mistake("words", "a list of words: tokens are characters here", lambda string: "".join(text.tokenize(string)).split()),
        Mistake("string", "a right string that is not split into characters: return a list",
                lambda string: "".join(text.tokenize(string))),
        Mistake("characters-as-they-are", "the text's characters as they are", list),
    ),
)
