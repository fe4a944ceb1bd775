"""The sentences that our extensions write into pages, in the language of the book that is built.

    SAYS = _("You may skip this section.")           # marked, so that it gets into the catalogue of the site's words
    say(self.config, SAYS)                           # when a page is made: its translation

The configuration of a translated book holds the translations (`unrolled_words`); in English it holds none.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config


def _(sentence: str) -> str:
    """Marks a sentence for the translators, and returns it."""
    return sentence


COMMA = _(", ")  # between the items of a list


def say(config: Config, sentence: str) -> str:
    """The sentence in the language of the book, or as it is where there is no translation."""
    return getattr(config, "unrolled_words", {}).get(sentence, sentence)


def filled(sentence: str, **inner: list[nodes.Node]) -> list[nodes.Node]:
    """A sentence with nodes in the places of its {placeholders}."""
    parts = re.split(r"\{(\w+)\}", sentence)
    return [node for number, part in enumerate(parts) for node in (inner[part] if number % 2 else [nodes.Text(part)] if part else [])]


def listed(config: Config, items: list[nodes.Node]) -> list[nodes.Node]:
    """The items one after the other, with what stands between them in the book's language."""
    between = say(config, COMMA)
    return [node for number, item in enumerate(items) for node in ([nodes.Text(between), item] if number else [item])]


def add(app: Sphinx) -> None:
    """Make the setting known; once."""
    if "unrolled_words" not in app.config:
        app.add_config_value("unrolled_words", {}, "env", [dict])
