"""Keeps together, at the end of a line, what belongs together: a number and its per cent sign, a short formula and the mark after it, short code.

A browser may break before and after a formula, so that a full stop would begin a line of its own. Long formulas stay free: on a phone they scroll.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

PER_CENT = re.compile(r"(?<=\d) %")
MARK = re.compile(r"[.,;:!?)\]’”]+")
LONGEST = 25  # characters of LaTeX in a formula that is held to the mark after it
LONGEST_CODE = 20  # characters of code that stands on one line, such as X @ W and (T, N, D)
WHOLE = "unrolled-whole"
VERBATIM = (nodes.literal, nodes.FixedTextElement, nodes.raw, nodes.math)


class KeepLines(SphinxPostTransform):
    """In HTML alone, after everything else has found its text."""

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, VERBATIM) and PER_CENT.search(text):
                text.parent.replace(text, nodes.Text(PER_CENT.sub("\N{NO-BREAK SPACE}%", text)))
        for formula in list(self.document.findall(nodes.math)):
            if len(formula.astext()) <= LONGEST:
                keep_with_mark(formula)
        for code in self.document.findall(nodes.literal):
            if len(code.astext()) <= LONGEST_CODE:
                code["classes"].append(WHOLE)
        for link in list(self.document.findall(nodes.reference)):
            begin_outside(link)


def keep_with_mark(formula: nodes.math) -> None:
    """Put a formula and the marks that the next text begins with into a span that does not break."""
    after = formula.next_node(descend=False, siblings=True)
    mark = MARK.match(after) if isinstance(after, nodes.Text) else None
    if mark:
        parent, place = formula.parent, formula.parent.index(formula)
        parent[place : place + 2] = [
            nodes.inline("", "", formula, nodes.Text(mark.group()), classes=[WHOLE]),
            nodes.Text(after[mark.end() :]),
        ]


def begin_outside(link: nodes.reference) -> None:
    """Move the space that a link begins with in front of it, where no line is drawn under it."""
    first = next(iter(link.findall(nodes.Text)), None)
    if first is not None and first.startswith(" "):
        first.parent.replace(first, nodes.Text(first.lstrip(" ")))
        link.parent.insert(link.parent.index(link), nodes.Text(" "))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when a page is written; the sources, and so their translations, stay as they are."""
    app.add_post_transform(KeepLines)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
