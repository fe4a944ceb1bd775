"""Removes from a finished site what no page loads: MathJax's other bundles, which repeat each other, and source maps.

A page loads one bundle; the parts of MathJax that are loaded on demand (fonts, extensions, outputs, speech) stay. Nor does a page load the index
of the search, which is as large as many pages together and which the theme asks for on each of them: the page of the search has it.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

BUNDLE = re.compile(r"mathjax/([\w-]+\.js)")
SEARCH = re.compile(rb'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')


def slim(app: Sphinx, error: Exception | None) -> None:
    """Delete the bundles that the first page does not name, and every source map."""
    static = Path(app.outdir, "_static")
    folder = static / "mathjax"
    if error or app.builder.format != "html":
        return
    without_search(Path(app.outdir))
    if not folder.is_dir():
        return
    page = Path(app.outdir, app.builder.get_target_uri(app.config.root_doc)).read_text(encoding="utf-8")
    used = set(BUNDLE.findall(page))
    bundles = [path for path in folder.glob("*.js") if path.name.startswith(("tex-", "mml-", "node-"))]
    for path in [*(path for path in bundles if used and path.name not in used), *static.rglob("*.map")]:
        path.unlink()


def without_search(site: Path) -> None:
    """Let only the page of the search load what searching takes."""
    for path in [*site.glob("*.html"), *site.glob("book/**/*.html")]:
        page = path.read_bytes()
        if path.name != "search.html" and SEARCH.search(page):
            path.write_bytes(SEARCH.sub(b"", page))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when the site is finished."""
    app.connect("build-finished", slim)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
