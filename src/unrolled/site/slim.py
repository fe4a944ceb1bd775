"""Removes from a finished site what no page loads: MathJax's other bundles, which repeat each other, and source maps.

A page loads one bundle; the parts of MathJax that are loaded on demand (fonts, extensions, outputs, speech) stay.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

BUNDLE = re.compile(r"mathjax/([\w-]+\.js)")


def slim(app: Sphinx, error: Exception | None) -> None:
    """Delete the bundles that the first page does not name, and every source map."""
    static = Path(app.outdir, "_static")
    folder = static / "mathjax"
    if error or app.builder.format != "html" or not folder.is_dir():
        return
    page = Path(app.outdir, app.builder.get_target_uri(app.config.root_doc)).read_text(encoding="utf-8")
    used = set(BUNDLE.findall(page))
    bundles = [path for path in folder.glob("*.js") if path.name.startswith(("tex-", "mml-", "node-"))]
    for path in [*(path for path in bundles if used and path.name not in used), *static.rglob("*.map")]:
        path.unlink()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when the site is finished."""
    app.connect("build-finished", slim)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
