"""The `{optional}` directive: the mark of a section that a reader may skip. It stands below the section's heading.

    (bptt-random)=
    ## Cut at random: unbiased, and noisy

    ```{optional}
    ```

The line at the top of the page (`unrolled.site.minutes`) lists these sections by itself.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

from . import words
from .words import _

CLASS = "unrolled-optional"
SAYS = _("Optional: you may skip this section. The rest of the page does not need it.")
MISPLACED = "{optional} marks the section that it stands in: put it below a heading of the second or third level."

logger = logging.getLogger(__name__)


class Optional(SphinxDirective):
    """Takes nothing. Stands in a section, not at the top of a page."""

    def run(self) -> list[nodes.Node]:
        says = words.say(self.config, SAYS)
        mark = nodes.paragraph(says, says, classes=[CLASS])
        self.set_source_info(mark)
        return [mark]


class InSections(SphinxTransform):
    """Warns of a mark that stands in no section of its own."""

    default_priority = 870  # before the minutes, which list what is marked

    def apply(self, **kwargs: object) -> None:
        for mark in marks(self.document):
            if not isinstance(mark.parent, nodes.section) or isinstance(mark.parent.parent, nodes.document):
                logger.warning(MISPLACED, location=mark)


def marks(document: nodes.Node) -> list[nodes.paragraph]:
    return [paragraph for paragraph in document.findall(nodes.paragraph) if CLASS in paragraph["classes"]]


def optional_sections(document: nodes.Node) -> list[nodes.section]:
    """The sections that are marked, without those inside another one that is."""
    marked = [mark.parent for mark in marks(document) if isinstance(mark.parent, nodes.section)]

    def inside(section: nodes.Node) -> bool:
        above = section.parent
        while above is not None and above not in marked:
            above = above.parent
        return above is not None

    return [section for section in marked if not inside(section)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    words.add(app)
    app.add_directive("optional", Optional)
    app.add_transform(InSections)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
