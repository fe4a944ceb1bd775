"""Gives the entries of a bibliography the role that their list asks for: a list of what are no list items is skipped by screen readers."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__


def mend_citations(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """docutils writes `doc-biblioentry`, a role that ARIA has since given up."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act on each page before it is written."""
    app.connect("html-page-context", mend_citations)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
