"""What must hold between a block of a page and its translation: formulas, numbers, code, links, terms, marks.

`problems(source, translation)` says in sentences what does not. What cannot be otherwise stands, with its reason, in `exceptions.yml` beside the catalogues.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ...course import CHECKOUT
from . import chinese, numbers, spans, terms

WORD = r"[A-Za-z][A-Za-z'’-]*"
FOUR_WORDS = re.compile(rf"{WORD}(?: {WORD}){{3,}}")
SPELLED = re.compile("[A-Za-z](?: [A-Za-z])*")  # m a c h i n e
ONE_WORD = re.compile(rf"(?<![\w.-])[a-z]{{3,}}(?![\w.-])")
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
SET_APART = re.compile(QUOTED.pattern + r"|‘[^’]*’|《[^》]*》|\*{1,3}[^*]+\*{1,3}")
BRACKETED = re.compile("（[^）]*）")
GLOSSED = re.compile(rf"[A-Za-z][^（）“”{chinese.HAN}]*(?=（[^）]*[{chinese.HAN}])")  # an example in English with its meaning behind it
NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|nor|neither|without|cannot|hardly)\b|n['’]t\b", re.IGNORECASE
)
# "Not only", "no more than", "nothing but": what a language may say without a negation.
SOFT_NEGATION = re.compile(
    r"\b(?:not only|no (?:more|less|fewer|later|longer|earlier) than|nothing (?:but|else|more)|no matter|whether or not|or not|why not|not until)\b",
    re.IGNORECASE,
)
TRANSLATED_NEGATION = {"zh": re.compile("[不没無无非未别否勿莫缺免毫除仅只少失拒去丢省]|以外|之外|至多|最多|难")}
# The last sentence of a caption, which says in Chinese what the English words in the picture mean. The source has nothing like it.
WORDS_IN_PICTURE = re.compile("图中英文：.*$", re.DOTALL)
LONG_ENOUGH = 15  # words of a source, from which on a translation's length says something
LENGTHS = (0.75, 3.6)  # Chinese characters for each English word: what lies outside lacks a sentence, or has one too many


@dataclass(frozen=True)
class Rules:
    """What pairs in one language are held to."""

    language: str
    finder: terms.Finder
    latin: frozenset[str]  # words that stay as they are
    excused: frozenset[tuple[str, str]]  # (source, beginning of a problem)

    @property
    def chinese(self) -> bool:
        """Whether the rules of Chinese hold, too: on its numerals, its marks, its length, and no Latin sentence in it."""
        return self.language.startswith("zh")


def load(book: Path, language: str = "zh_CN") -> Rules:
    """The rules from `terms.yml` and from the language's `exceptions.yml`. Raises terms.TermsError."""
    found = terms.read(book / "terms.yml", language)
    latin = {form for term in found for form in term.forms if any(name.lower() == form for name in term.names)}
    return Rules(language, terms.Finder(found), frozenset(latin), frozenset(exceptions(book, language)))


def exceptions(book: Path, language: str = "zh_CN") -> dict[tuple[str, str], str]:
    """The excused problems, (source, beginning of the sentence), each with its reason. Raises terms.TermsError."""
    path = book / "locales" / language / "exceptions.yml"
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    found = {}
    for entry in entries or []:
        if set(entry) != {"source", "problem", "reason"} or not all(entry.values()):
            raise terms.TermsError(f"{path}: an exception has the fields source, problem and reason, and this one has {list(entry)}: {entry}.")
        found[spans.joined(entry["source"]), entry["problem"]] = entry["reason"]
    return found


def without_exceptions(rules: Rules) -> Rules:
    return replace(rules, excused=frozenset())


@lru_cache
def _usual_rules() -> Rules:
    return load(CHECKOUT / "book")


def problems(source: str, translation: str, rules: Rules | None = None) -> list[str]:
    """What is wrong with a translation, in sentences; none when all is well. By default the rules of this checkout's Chinese edition."""
    rules = rules or _usual_rules()
    before, after = spans.take_apart(source), spans.take_apart(translation)
    if not after.text:
        return ["The translation is empty."]
    own = replace(after, words=WORDS_IN_PICTURE.sub("", after.words))  # what stands for the source
    found = spans.differences(before, after) or marks(before.text, after.text)
    found += (numbers.differences if rules.chinese else numbers.differences_in_digits)(before.words, own.words)
    found += terms.differences(before.words, own.words, rules.finder)
    found += [*untranslated(before, own, rules), *negation(before, own, rules)]
    if rules.chinese:
        found += [*chinese.faults(after.words, before.words), *length(before, own)]
    return [problem for problem in found if not excused(before.text, problem, rules)]


def excused(source: str, problem: str, rules: Rules) -> bool:
    return any(text == source and problem.startswith(beginning) for text, beginning in rules.excused)


def untranslated(source: spans.Block, translation: spans.Block, rules: Rules) -> list[str]:
    """English that was left: a sentence, or the whole block."""

    here = source.words.replace("*", "").casefold()

    def example(match: re.Match[str]) -> str:
        return spans.SIGN if match[0].replace("*", "").strip("“”\"‘’《》（） ").casefold() in here else match[0]

    rest = BRACKETED.sub(example, SET_APART.sub(example, GLOSSED.sub(example, translation.words)))
    runs = [match[0] for match in FOUR_WORDS.finditer(rest) if not SPELLED.fullmatch(match[0])]
    found = [f"“{run}” is left in English." for run in runs if rules.chinese or _taken_over(run, source)]
    if rules.chinese and not found and not chinese.ANY_HAN.search(translation.words):
        words = [word for word in ONE_WORD.findall(SET_APART.sub(spans.SIGN, source.words)) if word not in rules.latin]
        if words:
            found.append(f"Nothing is translated, not even “{words[0]}”.")
    return found


def _taken_over(run: str, source: spans.Block) -> bool:
    """Whether four words of a run stand in the source, too, and not as an example: a language in Latin letters has runs of its own."""
    prose = " ".join(SET_APART.sub(spans.SIGN, source.words).casefold().split())
    words = run.casefold().split()
    return any(" ".join(words[start : start + 4]) in prose for start in range(len(words) - 3))


def negation(source: spans.Block, translation: spans.Block, rules: Rules) -> list[str]:
    """Whether a source that denies something has a translation that denies nothing: a word is enough."""
    translated = TRANSLATED_NEGATION.get(rules.language[:2])
    words = SOFT_NEGATION.sub("", QUOTED.sub(spans.SIGN, source.words))
    denies = NEGATION.search(words)
    if translated and denies and not translated.search(translation.words) and not NEGATION.search(translation.words):
        return [f"The source says “{denies[0]}”, and nothing is denied here."]
    return []


def length(source: spans.Block, translation: spans.Block) -> list[str]:
    """Whether a sentence may be lost or repeated. English examples count on both sides."""
    words = len(re.findall(WORD, source.words))
    if words < LONG_ENOUGH:
        return []
    written = len(chinese.ANY_HAN.findall(translation.words)) + 1.5 * len(re.findall(WORD, translation.words))
    shortest, longest = LENGTHS
    if shortest * words <= written <= longest * words:
        return []
    return [f"{written:.0f} characters for {words} words: is something {'missing' if written < words else 'said twice'}?"]


# --- As the book reads it ------------------------------------------------------------------------


def marks(source: str, translation: str) -> list[str]:
    """Whether the book's parser finds the same marks in both: beside Chinese marks `**` may be no emphasis, and `1. ` begins a list."""
    before, after = _tokens(source), _tokens(translation)
    names = {
        "em_open": "emphasis (*…*)",
        "strong_open": "strong emphasis (**…**)",
        "link_open": "link",
        "math_inline": "formula",
        "code_inline": "code",
        "myst_role": "role",
        "footnote_ref": "footnote",
    }
    found = []
    for kind in (before | after).keys():
        if before[kind] != after[kind] and kind not in ("text", "softbreak", "math_single"):
            found.append(f"The parser finds {names.get(kind, kind)} {before[kind]} times in the source and {after[kind]} times here.")
    return found


def _tokens(text: str) -> Counter[str]:
    """The tokens of a block, those inside of lines included, without what closes."""
    tokens = _parser().parse(text)
    kinds = [token.type for token in tokens if token.type != "inline"]
    for token in tokens:
        kinds += [child.type for child in token.children or []]
    return Counter(kind for kind in kinds if not kind.endswith("_close"))


@lru_cache
def _parser() -> Any:
    """MyST with the extensions that `_config.yml` turns on."""
    from myst_parser.config.main import MdParserConfig
    from myst_parser.mdit_to_docutils.base import DocutilsRenderer
    from myst_parser.parsers.mdit import create_md_parser

    config = yaml.safe_load((CHECKOUT / "_config.yml").read_text(encoding="utf-8"))["parse"]
    settings = MdParserConfig(
        enable_extensions=set(config["myst_enable_extensions"]), dmath_double_inline=config["myst_dmath_double_inline"]
    )
    return create_md_parser(settings, DocutilsRenderer)
