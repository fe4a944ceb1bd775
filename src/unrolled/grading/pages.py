"""The pages that show a learner's work: the feedback that learners get, and the formgrader, in which answers are marked by hand.

Both are made of the autograded notebook by nbgrader's exporters, with the filters of this module: nothing active comes through, a
learner's text can't pass for the referee's, and no text takes long to show.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bleach
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import ansi2html
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from .. import language
from ..language import gettext
from . import rebuild

TEMPLATES = Path(__file__).parent / "templates"

# Colouring may take time in proportion to the square of a line's length: where code is longer, it is shown without.
MAX_COLOURED = 5_000  # characters of one piece of code
MAX_LINE = 400        # characters of its longest line
MAX_PAGE = 50_000     # characters of all code of a notebook

TAGS = {
    "a", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ANCHOR = "text-"  # begins the id of a heading: the others on the page belong to the checks
ADDED = '<div style="border-left: 4px solid #9a6700; padding-left: .8rem"><small>{}</small>\n{}</div>'
SHOWN = '<span title="{name}" style="color: #fff; background: #cf222e; border-radius: 3px; padding: 0 .2em">{code}</span>'
OVERRIDES = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they change the order in which other characters are shown
JOINING = set("\u200c\u200d")  # part of words in some scripts, and of emoji


# --- Text ----------------------------------------------------------------------------------------


def _reorders(character: str) -> bool:
    return character in OVERRIDES


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} and character not in JOINING and character not in "\t\n"


def _with_shown(page: str, hidden: Callable[[str], bool]) -> str:
    """HTML in which the hidden characters are replaced by their codes. They stand in its text: no tag of ours has one."""
    for character in filter(hidden, set(page)):
        name = unicodedata.name(character, "control character").lower()
        page = page.replace(character, SHOWN.format(name=name, code=f"U+{ord(character):04X}"))
    return page


# --- Code ----------------------------------------------------------------------------------------


def is_coloured(source: str) -> bool:
    """Whether a piece of code is short enough to be coloured."""
    return len(source) <= MAX_COLOURED and max(map(len, source.split("\n"))) <= MAX_LINE


def _code_html(source: str, coloured: bool) -> str:
    return Highlight2HTML(pygments_lexer="ipython3")(source) if coloured else f'<div class="highlight"><pre>{html.escape(source)}</pre></div>'


@pass_context
def code(context: Context, source: str, language: str | None = None, metadata: dict | None = None) -> str:
    """Filter `highlight_code`: Python code as HTML, coloured where neither the cell nor the notebook is too long."""
    length = sum(len(cell.source) for cell in context["nb"].cells if cell.cell_type == "code")
    return _with_shown(_code_html(source, length <= MAX_PAGE and is_coloured(source)), _unseen)


def printed(text: str) -> str:
    """Filter `ansi2html`: what a program printed as HTML."""
    return _with_shown(ansi2html(text), _reorders)


# --- Markdown ------------------------------------------------------------------------------------


class _Renderer(IPythonRenderer):
    """HTML of Markdown: headings take no anchor of a check, code is coloured within bounds, and no script is left anything to draw."""

    def __init__(self, pictures: bool, **options: Any) -> None:
        super().__init__(escape=False, **options)
        self.pictures = pictures

    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").strip().partition(" ")[0].lower()
        text = code.replace(rebuild.JOINER, "").rstrip("\n")
        return _code_html(text, language in {"python", "py", "ipython", "ipython3", "python3"} and is_coloured(text))

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        words = html.unescape(re.sub(r"<[^>]*>", "", text))
        return f'<h{level} id="{ANCHOR}{html.escape("-".join(words.split()))}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, f"#{ANCHOR}{url[1:]}" if url.startswith("#") else url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return super().image(text, url, title) if self.pictures else html.escape(text)

    def task_list_item(self, text: str, checked: bool = False) -> str:
        return f"<li>{'☑' if checked else '☐'} {text}</li>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag = "th" if head else "td"
        return f'<{tag} align="{align}">{text}</{tag}>\n' if align else f"<{tag}>{text}</{tag}>\n"


def _kept(tag: str, name: str, value: str) -> bool:
    """Classes colour code; a link leads within the page or to the web; a picture lies inside the page."""
    if name == "href":
        return tag == "a" and value.lower().startswith(("#", "https://", "http://"))
    if name == "src":
        return tag == "img" and value.startswith("data:image/")
    if name == "id":
        return value.startswith(ANCHOR)
    return name in {"align", "alt", "class", "title"}


def markdown_html(source: str, pictures: bool = False, attachments: dict | None = None) -> str:
    """HTML of Markdown without scripts, styles, forms, frames and addresses that a browser would load."""
    made = MarkdownWithMath(renderer=_Renderer(pictures, attachments=attachments)).render(source)
    clean = bleach.clean(made, tags=TAGS if pictures else TAGS - {"img"}, attributes=_kept, protocols={"http", "https", "data"})
    return _with_shown(clean.replace(rebuild.JOINER, ""), _reorders)


@pass_context
def markdown(context: Context, source: str) -> str:
    """Filter `markdown2html`: pictures come from the release only, and text that a learner added says that it is that."""
    cell = context.get("cell") or NotebookNode(metadata={})
    made = markdown_html(source, not (rebuild.is_solution(cell) or rebuild.is_added(cell)), cell.get("attachments"))
    return ADDED.format(html.escape(gettext("Added by the learner:")), made) if rebuild.is_added(cell) else made


# --- Words of the page ---------------------------------------------------------------------------


@pass_context  # so that Jinja does not look a text up once for all pages
def said(context: Context, text: str, **fills: str) -> str:
    """Filter `said`: a text in the language that is spoken now, as HTML. What fills its places is HTML already."""
    return html.escape(gettext(text), quote=False).format(**fills)


@pass_context
def page_language(context: Context, _: str) -> str:
    """Filter `page_language`: the language that is spoken now, as pages name it."""
    return language.language().replace("_", "-")


# --- Exporters -----------------------------------------------------------------------------------


class PageExporter(HTMLExporter):
    """HTMLExporter with the filters of this module."""

    @property
    def default_config(self) -> Config:
        filters = {"markdown2html": markdown, "highlight_code": code, "ansi2html": printed, "said": said, "page_language": page_language}
        config = super().default_config
        config.merge(Config(PageExporter={"filters": filters}))
        return config


class FeedbackExporter(PageExporter):
    """Makes the page that a learner gets back, from our own template, which loads nothing from a network.

    Template and folder are settings of this class alone: those of HTMLExporter are the formgrader's.
    """

    @property
    def default_config(self) -> Config:
        config = super().default_config
        config.merge(Config(FeedbackExporter={"template_name": "feedback", "extra_template_basedirs": [str(TEMPLATES)]}))
        config.pop("NbConvertBase", None)  # an order of outputs, for which our template has no use and nbgrader's steps only a warning
        return config

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw: Any) -> tuple[str, dict]:
        """As nbconvert does, in the language of the notebook that was handed in."""
        with language.using(language.known(nb.metadata.get("unrolled", {}).get("language", "")) or language.SOURCE):
            return super().from_notebook_node(nb, resources, **kw)
