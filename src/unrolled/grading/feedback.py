"""The feedback page: its exporter, and HTML made from a learner's Markdown with everything active taken out."""

from __future__ import annotations

from pathlib import Path

import bleach
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

TEMPLATES = Path(__file__).parent / "templates"

TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def _kept(tag: str, name: str, value: str) -> bool:
    """Classes colour code; a link leads within the page or to the web; a picture lies inside the page."""
    if name == "href":
        return tag == "a" and value.startswith(("#", "https://", "http://"))
    if name == "src":
        return tag == "img" and value.startswith("data:image/")
    return name in {"class", "alt", "id"}


def safe_html(html: str) -> str:
    """The same HTML without scripts, styles, forms, frames and addresses that a browser would load."""
    return bleach.clean(html, tags=TAGS, attributes=_kept, protocols={"http", "https", "data"})


class FeedbackExporter(HTMLExporter):
    """Makes the page that a learner gets back, from our own template, which loads nothing from a network.

    Template, folder and filter are settings of this class alone: nbgrader's formgrader makes its pages by HTMLExporter itself.
    """

    @property
    def default_config(self) -> Config:
        own = {"template_name": "feedback", "extra_template_basedirs": [str(TEMPLATES)], "filters": {"safe_html": safe_html}}
        config = super().default_config
        config.merge(Config(FeedbackExporter=own))
        return config
