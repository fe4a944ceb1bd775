"""Text for terminals that lack characters: what an encoding can't write becomes something like it, never an error."""

from __future__ import annotations

import codecs
import sys
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
