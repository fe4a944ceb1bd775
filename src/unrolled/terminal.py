"""Text as terminals show it: what an encoding can't write becomes something like it, never an error; Chinese is two columns wide and breaks anywhere."""

from __future__ import annotations

import codecs
import sys
import textwrap
import unicodedata
from typing import Any

ERRORS = "unrolled.alike"  # for `errors=` of streams and of str.encode
ALIKE = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-", "·": "*", "×": "x", "→": "->", "←": "<-", "⇒": "=>",
    "√": "sqrt ", "∂": "d", "∇": "grad ", "∑": "sum ", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∞": "inf", "∈": " in ", "…": "...",
    "•": "*", "✓": "ok", "✔": "ok", "✗": "x", "✘": "x", "│": "|", "─": "-", "▍": "|", "°": " degrees",
}  # fmt: skip


def _alike(error: UnicodeError) -> tuple[str, int]:
    """What stands for the characters that can't be encoded: the same sign in plain form, its letters without accents, its Greek name."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    if character in ALIKE:
        return ALIKE[character]
    words = unicodedata.name(character, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        name = words[words.index("LETTER") + 1].lower()
        return name.capitalize() if "CAPITAL" in words else name
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters or "?"


codecs.register_error(ERRORS, _alike)


def writable(text: str, stream: Any = None) -> str:
    """The text as the stream, by default standard output, can write it."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, ERRORS).decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text


def never_fail() -> None:
    """Let standard output and standard error write what is alike where their encoding lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ERRORS)


# --- Columns -----------------------------------------------------------------------------------

NEVER_FIRST = "，。；：、！？）》”’…%"  # in a line, where a Chinese text is broken
NEVER_LAST = "（《“‘"


def width(text: str) -> int:
    """The columns that a text takes: two for each Chinese character and its punctuation."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, columns: int) -> str:
    """The text with spaces behind it, to fill so many columns."""
    return text + " " * (columns - width(text))


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """A paragraph as lines of at most so many columns, each with an indent. A text with wide characters may break between any two of them."""
    if width(text) == len(text):
        return textwrap.wrap(text, columns, initial_indent=indent, subsequent_indent=indent)
    lines, line = [], ""
    for piece in _unbreakable(" ".join(text.split())):
        if line and width(indent + line + piece.rstrip()) > columns:
            lines.append(indent + line.rstrip())
            line = ""
        line += piece
    return [*lines, indent + line.rstrip()] if line else lines


def _unbreakable(text: str) -> list[str]:
    """The pieces between which a line may break: words, and single wide characters, with the punctuation and the space that belong to them."""
    pieces: list[str] = []
    for last, c in zip(" " + text, text):
        breaks = last == " " or (width(last) > 1 or width(c) > 1) and last not in NEVER_LAST and c not in NEVER_FIRST
        if breaks and c != " " or not pieces:
            pieces.append(c)
        else:
            pieces[-1] += c
    return pieces
