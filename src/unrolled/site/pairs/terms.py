"""The term base, `book/terms.yml`: which term stands in an English text, and by which names a translation may render it.

    - en: held-out text
      forms: [held out, held-out]        # further forms that count as the term; plurals come by themselves
      zh_CN: [留出文本, 留出]             # the first is the term's name, the others are fine in a text
      also: {zh_CN: [...]}               # other usual names, which the glossary shows and texts don't use
      avoid: {zh_CN: [保留文本]}          # names that mislead here
      ours: [zh_CN]                      # no usual name was found: this one is the course's
      glossary: true                     # the glossary explains it

Forms are taken as regular expressions in which a space stands for a space or a hyphen. Capitals do not count, but for a form in `(?-i:…)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .spans import SIGN

FIELDS = {"en", "forms", "exactly", "also", "avoid", "ours", "glossary", "note"}
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
CASE_COUNTS = "(?-i:"
WORD = re.compile(r"\w+(?:'\w+)?")
QUOTED = "“”\"'‘’*"


@dataclass(frozen=True)
class Term:
    """A term with its names in one language."""

    english: str
    forms: tuple[str, ...]
    names: tuple[str, ...]
    also: tuple[str, ...]
    avoid: tuple[str, ...]
    ours: bool
    glossary: bool

    def name_in_glossary(self) -> str | None:
        """The line below the English name, or None where both are the same."""
        name = self.names[0]
        if name == self.english:
            return None
        return name + "".join(f"，又译{other}" for other in self.also) + ("（本书译名）" if self.ours else "")


class TermsError(ValueError):
    """A term base that can't be used: one sentence with file, term and what was expected."""


def read(path: Path, language: str) -> tuple[Term, ...]:
    """The terms that have names in this language. Raises TermsError."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise TermsError(f"{path} must hold a list of terms.")
    terms = tuple(_term(path, entry, language) for entry in entries if language in entry)
    seen: dict[str, str] = {}
    for term in terms:
        for form in term.forms:
            if seen.setdefault(form, term.english) != term.english:
                raise TermsError(f"{path}: {term.english} and {seen[form]} both claim the form {form}.")
    return terms


def _term(path: Path, entry: dict[str, Any], language: str) -> Term:
    english = entry.get("en")
    if not isinstance(english, str):
        raise TermsError(f"{path}: a term needs its English name in the field en: {entry}.")
    unknown = [field for field in entry if field not in FIELDS and not re.fullmatch(r"[a-z]{2}(_[A-Z]{2})?", field)]
    if unknown:
        raise TermsError(f"{path}: {english} has the unknown field {unknown[0]}.")
    names = _list(entry[language])
    if not names:
        raise TermsError(f"{path}: {english} has no name in {language}.")
    written = [re.escape(english).replace(r"\ ", " ").replace(r"\-", " ")]
    forms = _list(entry.get("exactly")) or [form for text in [*written, *_list(entry.get("forms"))] for form in (text, plural(text))]
    return Term(
        english,
        tuple(dict.fromkeys(form if form.startswith(CASE_COUNTS) else form.lower() for form in forms)),
        tuple(names),
        tuple(_list(entry.get("also", {}).get(language))),
        tuple(_list(entry.get("avoid", {}).get(language))),
        language in _list(entry.get("ours")),
        bool(entry.get("glossary")),
    )


def _list(value: Any) -> list[str]:
    return [] if value is None else [str(value)] if isinstance(value, str) else [str(item) for item in value]


def plural(form: str) -> str:
    """The regular plural: boxes, entries, states."""
    if form.endswith(("s", "x", "z", "ch", "sh")):
        return form + "es"
    if re.search(r"[^aeiou]y$", form):
        return form[:-1] + "ies"
    return form + "s"


class Finder:
    """Finds the terms of a text: at each place the longest, and none inside another one."""

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self.by_first_word: dict[str | None, list[tuple[re.Pattern[str], Term]]] = {}
        for form, term in sorted(((form, term) for term in terms for form in term.forms), key=lambda pair: -len(pair[0])):
            first = form.split(" ")[0]
            pattern = re.compile(rf"{_spaced(form)}(?![\w-])", re.IGNORECASE)
            self.by_first_word.setdefault(first if WORD.fullmatch(first) else None, []).append((pattern, term))

    def find(self, text: str) -> Iterator[tuple[Term, str]]:
        """Each term with the words that it was found as."""
        end = 0
        text = DOTTED.sub(lambda name: SIGN * len(name[0]), text)  # unrolled.cells is a name
        for word in WORD.finditer(text):
            if word.start() < end or text[word.start() - 1 : word.start()] == "-":
                continue
            for pattern, term in [*self.by_first_word.get(word[0].lower(), ()), *self.by_first_word.get(None, ())]:
                if match := pattern.match(text, word.start()):
                    end = match.end()
                    yield term, match[0]
                    break


def _spaced(form: str) -> str:
    return form.replace(" ", r"[\s–-]+")


def differences(source: str, translation: str, finder: Finder) -> list[str]:
    """Which terms of the source have none of their names in the translation, and which have one that is to be avoided."""
    found: dict[str, None] = {}  # a set in order
    bare = _bare(translation)
    for term, words in finder.find(source):
        rendered = [name for name in term.names if _bare(name) in bare]
        if not rendered and not _quoted(words, translation):
            found[f"“{words}” should be {' or '.join(term.names)} here."] = None
        rest = bare
        for name in sorted(map(_bare, term.names), key=len, reverse=True):
            rest = rest.replace(name, SEPARATOR)
        for name in term.avoid:
            if _bare(name) in rest:
                found[f"“{words}” should be {term.names[0]}, not {name}."] = None
    return list(found)


SEPARATOR = "\x00"


def _bare(text: str) -> str:
    """Without spaces and marks of emphasis, in small letters, with one kind of hyphen."""
    return re.sub(r"[\s*]", "", text).replace("–", "-").lower()


def _quoted(words: str, translation: str) -> bool:
    """Whether a word stands in quotation marks or emphasis, untranslated: an example."""
    return re.search(rf"[{QUOTED}][^{QUOTED}]*(?<!\w){re.escape(words)}(?!\w)[^{QUOTED}]*[{QUOTED}]", translation) is not None
