"""A book in several languages: the switch between them, anchors that are the same in all, and one site that holds them.

English lies at the root of the site, each other language in a folder of its own. The sources of a translated book stand in a tree that
`unrolled.editions.tree` writes, with a file `edition.json` that says what is particular to it. Where there is no such file the book is English.

- Headings keep the anchors that their English texts make, so that an address works in each language.
- A page that is not translated yet is English and says so. So are texts that come from docstrings.
- A finished translated book is put into the site beside the English one. What both have alike, such as MathJax and the plots, lies there once.
- In each page's head a link leads to the same page in the other languages; `static/unrolled-edition.js` makes it lead to the same section.
"""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import languages as search_languages
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

from . import theme, words
from .chinese import SearchChinese
from .words import _

FILE = "edition.json"
SCRIPT = "unrolled-here.js"
UNTRANSLATED = _("This page is not translated yet.")
ENGLISH = {"code": "en", "name": "English", "folder": ""}
SHARED = ("_static", "_images")  # folders of which a translated book uses the English files where they are the same
HEAD = '<div class="article-header-buttons">'  # of the theme
SWITCH = '<a class="btn btn-sm unrolled-language"'
LINKS = re.compile(rf"{re.escape(HEAD)}(?:\n{re.escape(SWITCH)}[^\n]*)*")
LINK = re.compile(r"(?P<before>(?:href|src)=\")(?P<up>(?:\.\./)*)(?P<file>(?:_static|_images)/[^\"?#]+)")

logger = logging.getLogger(__name__)


def edition(app: Sphinx) -> dict[str, Any]:
    """What is particular to the book that is built: its language's code and name, anchors of headings, pages that are not translated."""
    if not hasattr(app, "unrolled_edition"):
        file = Path(app.srcdir, FILE)
        app.unrolled_edition = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else ENGLISH
    return app.unrolled_edition


# --- Pages ---------------------------------------------------------------------------------------


class Anchors(SphinxTransform):
    """Gives the headings of a translated page the anchors that they have in English."""

    default_priority = 200  # before labels are joined with their sections

    def apply(self, **kwargs: object) -> None:
        wanted = edition(self.app).get("anchors", {}).get(self.env.docname)
        if wanted is None:
            return
        sections = [one for one in self.document.findall(nodes.section) if isinstance(one.parent, nodes.document | nodes.section)]  # no exercise's content
        if len(sections) != len(wanted):
            logger.warning("The page has %d headings where the English one has %d.", len(sections), len(wanted), location=self.document)
            return
        for section in sections:  # all of them first: one heading's former anchor may be what another one gets
            self.document.ids.pop(section["ids"][0], None)
        for section, anchor in zip(sections, wanted, strict=True):
            former = section["ids"][0]
            section["ids"][0] = former if anchor in self.document.ids else anchor
            self.document.ids[section["ids"][0]] = section
            for name in section["names"]:
                self.document.nameids[name] = section["ids"][0]


class Untranslated(SphinxTransform):
    """Says below the title of a page that it is not translated yet."""

    default_priority = 895

    def apply(self, **kwargs: object) -> None:
        title = next(iter(self.document.findall(nodes.title)), None)
        if title is not None and self.env.docname in edition(self.app).get("untranslated", []):
            sentence = words.say(self.config, UNTRANSLATED)
            title.parent.insert(title.parent.index(title) + 1, nodes.paragraph(sentence, sentence, classes=["unrolled-untranslated"]))


class InEnglish(SphinxTransform):
    """Says of what comes from a docstring that it is English: the reference is not translated."""

    default_priority = 895

    def apply(self, **kwargs: object) -> None:
        if edition(self.app)["code"] == ENGLISH["code"]:
            return
        for section in self.document.findall(nodes.section):
            for node in section.children:
                if isinstance(node, nodes.Element) and ":docstring of " in (node.source or ""):
                    node["classes"].append("language-en")  # which becomes the attribute lang


def mark_language(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """A page that is not translated is in English, whatever is around it."""
    if "body" in context and pagename in edition(app).get("untranslated", []):
        context["body"] = f'<div lang="en">{context["body"]}</div>'


# --- The site ------------------------------------------------------------------------------------


def editions(site: Path) -> list[dict[str, str]]:
    """The books that a site holds, English first."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(site.glob(f"*/{FILE}"))]
    return [ENGLISH, *({name: one[name] for name in ENGLISH} for one in found)]


def with_links(html: str, page: Path, here: dict[str, Any], site: Path) -> str:
    """A page's HTML with a link to each other language in its head, in place of those that it has. Only to pages that are there: of the books of a site one is built after the other.

    page: its place in its own book.
    """
    root = "../" * (len(page.parts) - 1 + bool(here["folder"]))
    links = ""
    for other in editions(site):
        if other["code"] != here["code"] and (site / other["folder"] / page).is_file():
            code, address = other["code"].replace("_", "-"), quote((Path(other["folder"]) / page).as_posix())
            links += f'\n{SWITCH} lang="{code}" hreflang="{code}" href="{root}{address}">{escape(other["name"])}</a>'
    return LINKS.sub(lambda found: HEAD + links, html, count=1)


def link(here: dict[str, Any], site: Path) -> None:
    """Bring the links to other languages in step with what the site holds, in all pages of one of its books."""
    folder = site / here["folder"]
    others = {other["folder"] for other in editions(site)} if not here["folder"] else set()
    for page in _files(folder, folder):
        if page.suffix == ".html" and page.parts[0] not in others:
            _write(folder / page, with_links((folder / page).read_text(encoding="utf-8"), page, here, site))


def write_script(folder: Path, here: dict[str, Any], texts: dict[str, str]) -> None:
    """What the scripts of a book's pages have to know: its language, and the words of the scripts. A script, since a page opened from a file may not fetch."""
    known = {"here": here["code"], "root": "../" if here["folder"] else "", "words": texts}
    _write(folder / "_static" / SCRIPT, f"window.unrolledHere = {json.dumps(known, ensure_ascii=False)};\n")


def _write(path: Path, text: str) -> None:
    """Write a file unless it says this already."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Tell the scripts where they are; put a translated book into the site, and let each book lead to the others."""
    if error or app.builder.format != "html":
        return
    here, built = edition(app), Path(app.outdir)
    write_script(built, here, app.config.unrolled_words if here["folder"] else {})
    site = site_of(app) if here["folder"] else built
    if here["folder"]:
        target = site / here["folder"]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(app.srcdir, FILE), target / FILE)
        publish(built, site, here, app.config.unrolled_words)
    for one in editions(site):  # the pages of a book that was built before do not know this one yet
        link(one, site)


def site_of(app: Sphinx) -> Path:
    """The folder of the site that a translated book goes into."""
    return Path(app.srcdir, app.config.unrolled_site).resolve()


def publish(built: Path, site: Path, here: dict[str, Any], texts: dict[str, str]) -> None:
    """Make the folder in the site hold the finished book, without what the English one has already, the theme's words in its language."""
    target = site / here["folder"]
    shared = {path for folder in SHARED for path in _files(built / folder, built) if (site / path).is_file() and filecmp.cmp(built / path, site / path, shallow=False)}
    shared.discard(Path("_static", SCRIPT))
    wanted = {path for path in _files(built, built) if path not in shared and path.name != ".buildinfo"}
    for path in sorted(wanted):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".html":
            page = theme.in_language((built / path).read_text(encoding="utf-8"), texts)
            _write(target / path, with_links(one_folder_up(page, shared), path, here, site))
        elif not (target / path).is_file() or not filecmp.cmp(built / path, target / path):
            shutil.copy2(built / path, target / path)
    for path in set(_files(target, target)) - wanted - {Path(FILE)}:
        (target / path).unlink()


def _files(folder: Path, root: Path) -> list[Path]:
    return [path.relative_to(root) for path in folder.rglob("*") if path.is_file()]


def one_folder_up(page: str, shared: set[Path]) -> str:
    """A page's HTML with the links to shared files leading to those of the English book."""
    return LINK.sub(lambda found: f"{found['before']}{'../' if Path(found['file']) in shared else ''}{found['up']}{found['file']}", page)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act on each page, and when the book is finished."""
    words.add(app)
    search_languages["zh"] = SearchChinese
    app.setup_extension("unrolled.site.quiz")  # which serves the folder that the scripts lie in
    app.add_config_value("unrolled_site", "", "", [str])
    app.add_js_file(SCRIPT, priority=100)
    app.add_js_file("unrolled-edition.js", priority=101)
    app.add_transform(Anchors)
    app.add_transform(Untranslated)
    app.add_transform(InEnglish)
    app.connect("html-page-context", mark_language)
    app.connect("build-finished", finish, priority=800)  # after all that adds to the site
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
