"""Brings styles and scripts that have changed into a built book. Sphinx copies them only in a build that also writes a page."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__


def bring(app: Sphinx, error: Exception | None) -> None:
    """Copy each file of the static folders that is in the built book, but different there."""
    if error or app.builder.format != "html":
        return
    built = Path(app.outdir, "_static")
    for folder in (Path(app.confdir, entry) for entry in app.config.html_static_path):
        for source in folder.rglob("*"):
            target = built / source.relative_to(folder)
            if source.is_file() and target.is_file() and not filecmp.cmp(source, target, shallow=False):
                shutil.copyfile(source, target)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when the book is finished, before what works on its files."""
    app.connect("build-finished", bring, priority=400)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
