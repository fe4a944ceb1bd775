"""Turns the sources that a docstring names by their keys, [elman1990] or [kneser1995, chen1999], into citations of the bibliography."""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

KEYS = re.compile(r"\[([a-z]+\d{4}[a-z]?(?:, [a-z]+\d{4}[a-z]?)*)\]")


def cite(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Replace the keys in place; one that the bibliography lacks is a warning of the build."""
    lines[:] = [KEYS.sub(lambda keys: f":cite:p:`{keys[1].replace(', ', ',')}`", line) for line in lines]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act on each docstring that a page shows."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", cite)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
