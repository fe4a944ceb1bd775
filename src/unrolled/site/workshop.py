"""The workshop: assignments and pages that run in the reader's browser, with nothing to install.

- When the site is finished, JupyterLite and its notebooks are put into `try/` of it (`unrolled.site.lite`). Where that can't be, one line
  says so and the book is whole without. `UNROLLED_TRY=off` leaves the workshop out.
- The `{workshop}` directive is the frame in which a notebook opens, and the list of those that there are; `{workshop-list}` the
  list of the assignments alone.
- A chapter's paragraph that has the bold word Assignment and says `unrolled start NAME` gets a link to the same assignment in the workshop; a notebook's page that runs
  there gets one, too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

from . import edition, said, words
from .words import _

log = logging.getLogger(__name__)
PAGE = "book/try"  # where the directive stands
FOLDER = "try"  # of the site
PAGES_FILE = "book/try.yml"
START = re.compile(r"unrolled start (\d\d-[\w-]+)")

LEAD = _("Assignment.")  # the bold word that such a paragraph begins with
STOPS = " .:：。"
ASSIGNMENT = _("Do assignment {name} in the browser")
CHAPTER = _("Run this page in the browser")
CHAPTER_MINUTES = _("Run this page in the browser (about {minutes} min)")
ELSEWHERE = _("To run this page, you need Python on your machine.")
MINUTES = _("about {minutes} min")
SAYS = {
    "frame": _("The notebook {name}"),
    "starting": _("Python is loading. The first time it takes some seconds and about 30 MB; the notebook can be read meanwhile."),
    "slow": _("Python has not started yet. All its files have arrived whole, so wait a little, or reload the page."),
    "damaged": _("Python did not start: the file {file} is damaged or missing. Reload the page; if that does not help, its server has to replace the file."),
    "unknown": _("There is no notebook {name} here. Choose one of the list below."),
    "file": _("The workshop can't run in a page that was opened as a file. In the course's folder, the command make serve shows the book at an address."),
    "old": _("This browser is too old to run Python. Any current browser will do, and so does Python on your machine."),
    "none": _("This copy of the book was built without the workshop."),
    "offline": _("The server of this page does not answer."),
    "download": _("Download the notebook"),
    "afresh": _("Start afresh"),
    "afresh-sure": _("Really start afresh"),
    "afresh-note": _("This replaces your notebook by a new one. Press the button again to do it."),
    "kept": _("Your work is kept in this browser, on this machine, and nowhere else."),
    "persistent": _("The browser has promised to keep it until you delete it."),
    "passing": _("The browser may delete it when space runs short, and a private window forgets it when it is closed: download it."),
    "never": _("You have not downloaded it yet."),
    "downloaded": _("Last download: {date}."),
    "full": _("This browser has hardly any space left to keep your work. Download the notebook now."),
    "not-kept": _("The last change could not be kept, because the browser's storage is full or switched off. Download the notebook now."),
    "mistake": _("The check of {task} named a known mistake. Your page Review will ask you about it."),
    "second": _("This notebook is open in another tab, too. The tab that saves last overwrites the work of the other: close one of them."),
}


# --- What can be opened --------------------------------------------------------------------------


def assignments(course: Path) -> dict[str, Path]:
    """The notebooks of the assignments by name, in order."""
    return {path.stem: path for path in sorted((course / "assignments").glob("*/*.ipynb")) if path.stem == path.parent.name}


def pages(course: Path) -> dict[str, dict[str, Any]]:
    """The pages that run in the browser, by the document's name, each with what was measured there: the `minutes` of the whole, and the seconds of
    each `long` cell by its number."""
    file = course / PAGES_FILE
    return (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}


def notebooks(course: Path) -> dict[str, Path]:
    """Everything that the workshop holds."""
    return {**assignments(course), **{name.rsplit("/", 1)[-1]: course / f"{name}.ipynb" for name in pages(course)}}


# --- The page ------------------------------------------------------------------------------------


class AssignmentsDirective(SphinxDirective):
    """The list of the assignments, each with a link that opens it."""

    def run(self) -> list[nodes.Node]:
        return [self.listed([(name, path, "") for name, path in assignments(Path(self.env.srcdir)).items()])]

    def listed(self, notebooks: list[tuple[str, Path, str]]) -> nodes.bullet_list:
        """A list of links. notebooks: each with its name, its file, and what stands behind the link."""
        found = nodes.bullet_list()
        for name, path, behind in notebooks:
            self.env.note_dependency(str(path))
            title = title_of(path)
            found += nodes.list_item("", nodes.paragraph("", "", open_notebook(title, title, name=name), nodes.Text(behind)))
        return found


class WorkshopDirective(AssignmentsDirective):
    """The frame, and the list of all that can be opened."""

    def run(self) -> list[nodes.Node]:
        course = Path(self.env.srcdir)
        self.env.note_dependency(str(course / PAGES_FILE))
        frame = nodes.container(classes=["unrolled-workshop"])
        items = [
            (document.rsplit("/", 1)[-1], course / f"{document}.ipynb", f" · {words.say(self.config, MINUTES).format(**facts)}" if facts else "")
            for document, facts in pages(course).items()
        ]
        return [frame, said.texts(self.config, "unrolled-workshop-texts", SAYS, self.get_source_info()), *super().run(), *([self.listed(items)] if items else [])]


def title_of(notebook: Path) -> str:
    """A notebook's first heading."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else []:
            if line.startswith("# "):
                return line[2:].strip()
    raise ExtensionError(f"{notebook} should have a heading, # and its title, and has none.")


class open_notebook(nodes.Inline, nodes.TextElement):
    """A link that opens a notebook in the workshop."""


def _open(writer: Any, node: open_notebook) -> None:
    builder = writer.builder
    target = builder.get_relative_uri(builder.current_docname, PAGE)
    button = ' class="sd-btn sd-btn-outline-primary unrolled-open"' if "unrolled-open" in node["classes"] else ""
    writer.body.append(f'<a{button} data-open="{node["name"]}" href="{target}?open={node["name"]}">')


def _close(writer: Any, node: open_notebook) -> None:
    writer.body.append("</a>")


def _skip(writer: Any, node: open_notebook) -> None:
    raise nodes.SkipNode


class Buttons(SphinxTransform):
    """Puts a link below each paragraph that tells how to start an assignment, and says below a notebook's title where it runs."""

    default_priority = 885

    def apply(self, **kwargs: object) -> None:
        course = Path(self.env.srcdir)
        known = assignments(course)
        if self.env.docname == PAGE or PAGE not in self.env.found_docs:
            return
        leads = {lead.rstrip(STOPS) for lead in (LEAD, words.say(self.config, LEAD))}  # a page that is not translated has the English one
        for paragraph in list(self.document.findall(nodes.paragraph)):
            strong = next(iter(paragraph.findall(nodes.strong)), None)
            if strong is None or strong.astext().rstrip(STOPS) not in leads:
                continue
            names = dict.fromkeys(name for literal in paragraph.findall(nodes.literal) for name in START.findall(literal.astext()) if name in known)
            row = nodes.paragraph(classes=["unrolled-open-row"])
            for name in names:
                row += [button(name, words.say(self.config, ASSIGNMENT).format(name=name)), nodes.Text(" ")]
            if names:
                paragraph.parent.insert(paragraph.parent.index(paragraph) + 1, row)
        title = next(iter(self.document.findall(nodes.title)), None)
        line = self.how_to_run(course)
        if title is not None and line is not None:
            after = title.next_node(descend=False, siblings=True)
            minutes = isinstance(after, nodes.paragraph) and "unrolled-minutes" in after["classes"]
            title.parent.insert(title.parent.index(title) + (2 if minutes else 1), line)

    def how_to_run(self, course: Path) -> nodes.paragraph | None:
        """What a notebook's page says of where it runs; nothing for a page that is no notebook."""
        name = self.env.docname
        self.env.note_dependency(str(course / PAGES_FILE))
        if name in pages(course):
            facts = pages(course)[name]
            sentence = words.say(self.config, CHAPTER_MINUTES if facts else CHAPTER).format(**facts)
            return nodes.paragraph("", "", button(name.rsplit("/", 1)[-1], sentence), classes=["unrolled-open-row"])
        if (course / f"{name}.ipynb").is_file():
            sentence = words.say(self.config, ELSEWHERE)
            return nodes.paragraph(sentence, sentence, classes=["unrolled-elsewhere"])
        return None


def button(name: str, text: str) -> open_notebook:
    return open_notebook(text, text, name=name, classes=["unrolled-open"])


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if pagename == PAGE:
        app.add_css_file("unrolled-try.css")
        app.add_js_file("unrolled-answers.js", loading_method="defer")
        app.add_js_file("unrolled-page-python.js", loading_method="defer")
        app.add_js_file("unrolled-workshop.js", loading_method="defer")


# --- The folder of the site ----------------------------------------------------------------------


def add_workshop(app: Sphinx, error: Exception | None) -> None:
    """Build the workshop into the finished site."""
    if error or app.builder.format != "html" or PAGE not in app.env.found_docs:
        return
    if os.environ.get("UNROLLED_TRY") == "off":
        log.info("The book is built without the workshop: UNROLLED_TRY=off.")
        return
    from . import lite

    long = {name.rsplit("/", 1)[-1]: facts.get("long", {}) for name, facts in pages(Path(app.srcdir)).items()}
    here = edition.edition(app)
    if here["folder"]:  # the workshop is that of the English book
        workshop = edition.site_of(app) / FOLDER
        if (workshop / lite.STAMP).is_file():
            lite.add_notebooks(workshop, notebooks(Path(app.srcdir)), long, here["folder"], words.say(app.config, lite.SHORT_RUN))
        return
    try:
        new = lite.build(notebooks(Path(app.srcdir)), Path(app.outdir, FOLDER), long)
    except lite.NoWorkshop as reason:
        print(f"The book is built without the workshop: {reason}", file=sys.stderr)  # also where Sphinx is told to be quiet
    else:
        log.info("The workshop lies in %s: %s", FOLDER, "made anew" if new else "nothing changed")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive, the buttons, and the step that builds the workshop."""
    said.add(app)
    app.setup_extension("unrolled.site.edition")  # whose script says which language the page is in
    skip = (_skip, None)
    app.add_node(open_notebook, html=(_open, _close), latex=skip, text=skip, man=skip, texinfo=skip)
    app.add_directive("workshop", WorkshopDirective)
    app.add_directive("workshop-list", AssignmentsDirective)
    app.add_transform(Buttons)
    app.connect("html-page-context", _add_assets)
    app.connect("build-finished", add_workshop)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
