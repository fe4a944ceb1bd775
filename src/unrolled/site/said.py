"""Texts that a script says: they stand hidden in the page, so that they are translated with it."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from . import words


class said(nodes.General, nodes.Element):
    """A hidden holder of paragraphs, each with a class `say-NAME`. Only pages have it."""


def texts(config: Config, holder: str, sentences: dict[str, str], place: tuple[str, int]) -> said:
    """The holder, of the class `holder`, with these sentences by their names, in the language of the book."""
    node = said(classes=[holder])
    for name, sentence in sentences.items():
        sentence = words.say(config, sentence)
        paragraph = nodes.paragraph(sentence, sentence, classes=[f"say-{name}"])
        paragraph.source, paragraph.line = place
        node += paragraph
    return node


def _open(writer: Any, node: said) -> None:
    writer.body.append(f'<div hidden class="{" ".join(node["classes"])}">')


def _close(writer: Any, node: said) -> None:
    writer.body.append("</div>")


def _skip(writer: Any, node: said) -> None:
    raise nodes.SkipNode


def add(app: Sphinx) -> None:
    """Make the node known to every builder; once."""
    if not hasattr(app, "unrolled_said"):
        app.unrolled_said = True
        words.add(app)
        skip = (_skip, None)
        app.add_node(said, html=(_open, _close), latex=skip, text=skip, man=skip, texinfo=skip)
