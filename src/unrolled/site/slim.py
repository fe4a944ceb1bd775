"""Removes from a finished site what no page loads: MathJax's other bundles, which repeat each other, and source maps.

A page loads one bundle; the parts of MathJax that are loaded on demand (fonts, extensions, outputs, speech) stay. Nor does a page load the index
of the search, which is as large as many pages together and which the theme asks for on each of them: the page of the search has it. In code, names and
brackets have the colour of the block in all styles, and need no tags, which take a fifth of a page. Around a page's content the theme's
templates leave blank lines and indentation, which nobody sees.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

BUNDLE = re.compile(r"mathjax/([\w-]+\.js)")
STYLES = "pygments.css"
OF_BLOCK = re.compile(r'html\[data-theme="(\w+)"\] \.highlight \{[^}]*?\bcolor: ([^;}]*?) *\}')
OF_CLASS = re.compile(r'html\[data-theme="(\w+)"\] \.highlight \.(\w+) \{ *([^}]*?) *\}')
CODE = re.compile(rb"<pre>.*?</pre>", re.DOTALL)
KEPT = re.compile(rb"(<article\b.*</article>|<(pre|script|style|textarea)\b.*?</\2>)", re.DOTALL)  # where a blank may mean something
BLANKS = re.compile(rb"[ \t]*\n\s+")
SEARCH = re.compile(rb'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')


def slim(app: Sphinx, error: Exception | None) -> None:
    """Delete the bundles that the first page does not name, and every source map."""
    static = Path(app.outdir, "_static")
    folder = static / "mathjax"
    if error or app.builder.format != "html":
        return
    slim_pages(Path(app.outdir))
    if not folder.is_dir():
        return
    page = Path(app.outdir, app.builder.get_target_uri(app.config.root_doc)).read_text(encoding="utf-8")
    used = set(BUNDLE.findall(page))
    bundles = [path for path in folder.glob("*.js") if path.name.startswith(("tex-", "mml-", "node-"))]
    for path in [*(path for path in bundles if used and path.name not in used), *static.rglob("*.map")]:
        path.unlink()


def slim_pages(site: Path) -> None:
    """Let only the page of the search load what searching takes, and leave out the tags in code that change nothing."""
    styles = site / "_static" / STYLES
    plain = plain_classes(styles.read_text(encoding="utf-8")) if styles.is_file() else set()
    for path in [*site.glob("*.html"), *site.glob("book/**/*.html")]:
        page = path.read_bytes()
        slimmer = without_blanks(without_tags(page if path.name == "search.html" else SEARCH.sub(b"", page), plain))
        if slimmer != page:
            path.write_bytes(slimmer)


def plain_classes(styles: str) -> set[str]:
    """The classes of highlighted code that have the colour of the whole block and nothing else, in the light and in the dark style."""
    block = {mode: f"color: {colour}" for mode, colour in OF_BLOCK.findall(styles)}
    found: dict[str, dict[str, str]] = {}
    for mode, name, style in OF_CLASS.findall(styles):
        found.setdefault(name, {})[mode] = style
    return {name for name, style in found.items() if style == block}


def without_tags(page: bytes, classes: set[str]) -> bytes:
    """A page whose blocks of code have no tags of these classes; what stands in them stays."""
    if not classes:
        return page
    tag = re.compile(rb'<span class="(?:%s)">([^<]*)</span>' % "|".join(sorted(classes)).encode())
    return CODE.sub(lambda block: tag.sub(rb"\1", block[0]), page)


def without_blanks(page: bytes) -> bytes:
    """A page without blank lines and indentation around its content."""
    found, end = [], 0
    for kept in KEPT.finditer(page):
        found += [BLANKS.sub(b"\n", page[end : kept.start()]), kept[0]]
        end = kept.end()
    return b"".join([*found, BLANKS.sub(b"\n", page[end:])])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when the site is finished."""
    app.connect("build-finished", slim, priority=700)  # after the theme has written its styles
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
