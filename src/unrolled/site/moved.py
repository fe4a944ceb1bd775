"""Leads an old address to the page on which its section stands today.

When a page is split, `rnn-scratch.html#scratch-decoding` stays in bookmarks, feedback files and other people's pages. The site holds one table of
all anchors that name one place of the book: labels of sections, figures, equations and exercises, and the headings' own. Where an address names an
anchor that its page lacks, a small script looks it up there and goes on to the right page. Nothing has to be listed by hand.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

TABLE = "unrolled-anchors.js"
COUNTED = re.compile(r"id\d+")  # ids that docutils numbers by page: they name no place of the book


def named(env: BuildEnvironment) -> Iterator[tuple[str, str]]:
    """Each anchor that has a name of its own in the book, with its document."""
    for domain in env.domains.values():
        for _, _, kind, page, anchor, _ in domain.get_objects():
            if kind != "doc":
                yield anchor, page
    for label, (page, _) in env.domaindata["math"]["objects"].items():
        yield nodes.make_id(f"equation-{label}"), page
    for page, anchor in env.domaindata["std"]["anonlabels"].values():
        yield anchor, page


def headings(env: BuildEnvironment) -> Iterator[tuple[str, str]]:
    """The anchor of each heading, which its text makes, with its document."""
    for page, toc in env.tocs.items():
        for link in toc.findall(nodes.reference):
            yield link.get("anchorname", "").removeprefix("#"), page


def anchors(env: BuildEnvironment) -> dict[str, str]:
    """The document of each anchor. A heading that several pages have, such as Summary, leads nowhere."""
    found: dict[str, set[str]] = {}
    for anchor, page in headings(env):
        found.setdefault(anchor, set()).add(page)
    places = {anchor: pages.pop() for anchor, pages in found.items() if len(pages) == 1}
    places |= named(env)
    return {anchor: page for anchor, page in sorted(places.items()) if anchor and not COUNTED.fullmatch(anchor)}


def write_table(app: Sphinx, error: Exception | None) -> None:
    """Write the table beside the finished site's other scripts: a script, since a page opened from a file may not fetch."""
    if error or app.builder.format != "html":
        return
    places = {anchor: app.builder.get_target_uri(page) for anchor, page in anchors(app.env).items()}
    path = Path(app.outdir, "_static", TABLE)
    beside = path.with_name(f".{TABLE}.{os.getpid()}")
    beside.write_text(f"window.unrolledAnchors = {json.dumps(places, ensure_ascii=False)};\n", encoding="utf-8")
    os.replace(beside, path)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Give each page the script, and the site the table."""
    app.setup_extension("unrolled.site.quiz")  # which serves the folder that the script lies in
    app.add_js_file("unrolled-moved.js", loading_method="defer")
    app.connect("build-finished", write_table)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
