"""Takes a block of MyST apart: what a translation must keep to the letter (formulas, code, roles, links …), and the words around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

# What a kept piece leaves behind in the words: a sign that no text contains.
SIGN = "\ue000"  # something like a Latin word: a formula, code, a name to be filled in
TITLE = "\ue001"  # a role that becomes words, of either language, or a number
NOTHING = "\ue002"  # something that takes no room: a tag, a footnote's mark

# The first that fits at a place is taken.
PIECES = re.compile(
    r"""
      (?P<escape>\\[\\`*_{}\[\]()\#+\-.!$%<>~|])
    | (?P<substitution>\{\{.*?\}\})
    | (?P<role>\{(?P<role_name>[\w:.+-]+)\}(?P<role_fence>`+)(?P<role_text>.+?)(?<!`)(?P=role_fence)(?!`))
    | (?P<code>(?P<code_fence>`+)(?!`)(?P<code_text>.+?)(?<!`)(?P=code_fence)(?!`))
    | (?P<formula>\$\$(?P<display>.+?)\$\$ | \$(?!\$)(?P<inline>(?:\\.|[^$\\])+?)\$)
    | (?P<footnote>\[\^[^\]\s]+\])
    | (?P<target>(?<=\])\((?P<address>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+"[^"]*")?\))
    | (?P<address_alone><(?:https?|mailto):[^>\s]+>)
    | (?P<tag></?[A-Za-z][^<>]*>|<!--.*?-->)
    | (?P<placeholder>%\(\w+\)[a-z]|%(?:[sdr]|\.\d+f)(?![A-Za-z])|\{\w*(?:[.!:\[][^{}\s]*)?\})
    """,
    re.VERBOSE | re.DOTALL,
)
ROLE_TEXT = re.compile(r"(?P<text>.*?)\s*<(?P<target>[^<>]+)>\s*$", re.DOTALL)
WRITTEN_TEXT = re.compile(r"\\(?:text|textrm|textit|textbf|mathrm|operatorname\*?)\s*\{[^{}]*\}")
WORDS = re.compile(r"\s+")


@dataclass(frozen=True)
class Piece:
    """Something that a translation keeps: its kind in a reader's words, what must be equal, and how it stands in the text."""

    kind: str
    key: str
    raw: str


@dataclass(frozen=True)
class Block:
    """A block taken apart."""

    text: str
    pieces: tuple[Piece, ...]
    words: str  # the text with SIGN, TITLE and NOTHING for the pieces; a role's own text stays

    def counts(self) -> Counter[tuple[str, str]]:
        return Counter((piece.kind, piece.key) for piece in self.pieces)


def joined(text: str) -> str:
    """The text on one line: a block may be wrapped anywhere."""
    return WORDS.sub(" ", text).strip()


def take_apart(text: str) -> Block:
    """The pieces of a block, in order, and its words."""
    text = joined(text)
    pieces: list[Piece] = []
    words: list[str] = []
    end = 0
    for found in PIECES.finditer(text):
        words.append(text[end : found.start()])
        end = found.end()
        piece, left = READERS[_kind(found)](found)
        if piece:
            pieces.append(piece)
        words.append(left)
    words.append(text[end:])
    return Block(text, tuple(pieces), "".join(words))


def _kind(found: re.Match[str]) -> str:
    """The outermost group: `lastgroup` may name an inner one."""
    return next(name for name in READERS if found.group(name) is not None)


def _role(found: re.Match[str]) -> tuple[Piece, str]:
    name, text = found["role_name"], found["role_text"]
    named = ROLE_TEXT.fullmatch(text)
    target = named["target"] if named else text
    key = f"{{{name}}} to {target}"
    if name in ("term", "abbr") and not named:
        left = text
    elif named and named["text"]:
        left = named["text"]
    elif name in ("code", "math", "eq", "cite:t", "kbd", "download"):
        left = SIGN
    else:
        left = TITLE
    return Piece("role", key, found[0]), left


def _formula(found: re.Match[str]) -> tuple[Piece, str]:
    """`$n$-gram` is read as a word; words in a formula may be translated."""
    formula = WORDS.sub(" ", found["display"] or found["inline"]).strip()
    text = found.string
    beside_hyphen = text[found.end() : found.end() + 1] == "-" or text[found.start() - 1 : found.start()] == "-"
    left = formula if beside_hyphen and formula.isalnum() else SIGN
    return Piece("formula", WRITTEN_TEXT.sub("\\\\text{…}", formula), found[0]), left


def _piece(kind: str, group: str, left: str) -> Callable[[re.Match[str]], tuple[Piece, str]]:
    return lambda found: (Piece(kind, found[group], found[0]), left)


READERS: dict[str, Callable[[re.Match[str]], tuple[Piece | None, str]]] = {
    "escape": lambda found: (None, found[0][1]),
    "substitution": _piece("substitution", "substitution", SIGN),
    "role": _role,
    "code": _piece("code", "code_text", SIGN),
    "formula": _formula,
    "footnote": _piece("footnote", "footnote", NOTHING),
    "target": _piece("link", "address", NOTHING),
    "address_alone": _piece("link", "address_alone", SIGN),
    "tag": _piece("tag", "tag", NOTHING),
    "placeholder": _piece("placeholder", "placeholder", SIGN),
}


def differences(source: Block, translation: Block) -> list[str]:
    """What one block keeps and the other does not, a sentence for each piece."""
    missing = source.counts() - translation.counts()
    added = translation.counts() - source.counts()
    found = [f"The {kind} {_shown(kind, key)} of the source is missing{_times(n)}." for (kind, key), n in missing.items()]
    found += [f"The {kind} {_shown(kind, key)} does not stand in the source{_times(n)}." for (kind, key), n in added.items()]
    return found


def _shown(kind: str, key: str) -> str:
    return {"code": f"`{key}`", "formula": f"${key}$"}.get(kind, key)


def _times(count: int) -> str:
    return f", {count} times" if count > 1 else ""
