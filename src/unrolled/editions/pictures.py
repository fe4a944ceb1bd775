"""The texts of a drawing in SVG: what is written in it, its title and its description.

A message is what stands between two tags. Names of quantities (`W_hh`, one letter, a subscript) and numbers are no messages.
"""

from __future__ import annotations

import re
from html import escape, unescape

from .blocks import Block, place

OPEN = r"<(?P<tag>text|tspan|title|desc)\b[^>]*(?<!/)>"
TEXT = re.compile(OPEN + r"(?P<text>[^<]*)|</tspan>(?P<after>[^<]*)", re.DOTALL)
LABEL = re.compile(r'\baria-label="(?P<text>[^"]*)"')
WORD = re.compile(r"(?<![\w.\\])[^\W\d_]{2,}(?![\w(\[=])")
HIDDEN = re.compile(r"<!--.*?-->|<style\b.*?</style>|<script\b.*?</script>", re.DOTALL)


def split(source: str) -> list[Block]:
    """The texts of a drawing, in order, each with its place."""
    shown = HIDDEN.sub(lambda found: " " * len(found.group()), source)
    found = []
    for match in [*TEXT.finditer(shown), *LABEL.finditer(shown)]:
        name = "text" if match.groupdict().get("text") is not None else "after"
        text = match[name]
        message = unescape(" ".join(text.split()))
        if WORD.search(message):
            start = match.start(name) + len(text) - len(text.lstrip())
            found.append(Block(start, start + len(text.strip()), message, escape))
    return sorted(found, key=lambda block: block.start)


def messages(source: str) -> list[str]:
    """The messages of a drawing, each once, in order."""
    return list(dict.fromkeys(block.message for block in split(source)))


def replace(source: str, translations: dict[str, str]) -> str:
    """The drawing with its texts translated where there is a translation; the rest stays byte for byte."""
    return place(source, split(source), translations)


def in_language(source: str, language: str) -> str:
    """The drawing, saying which language its texts are in: a browser takes the forms of Chinese characters from it, and a reader of screens the voice."""
    return re.sub(r"<svg\b", f'<svg xml:lang="{language.replace("_", "-")}"', source, count=1)
