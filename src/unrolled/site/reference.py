"""Puts into the margin of a page where its modules of the package are described: beside the first cell that imports them.

The page itself need not say it: the modules are read from its code.
"""

from __future__ import annotations

import ast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

from . import words
from .words import _

SAYS = _("The package's reference: {modules}.")
LINK = "unrolled-module"
LABEL = "api-{module}"  # the label of a module's section on the page of the reference


def modules(code: str) -> list[str]:
    """The modules of the package that a cell imports, in alphabetical order. Magics are passed over; a cell that is no Python has none."""
    kept = "\n".join(line for line in code.splitlines() if not line.startswith(("%", "!")))
    try:
        tree = ast.parse(kept)
    except SyntaxError:
        return []
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            package, _, rest = node.module.partition(".")
            if package == "unrolled":
                found |= {rest.partition(".")[0]} if rest else {name.name for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("unrolled.")}
    return sorted(found)


class Reference(SphinxTransform):
    """Looks at the cells that a page shows."""

    default_priority = 890  # after the minutes, which do not count it

    def apply(self, **kwargs: object) -> None:
        first, found = None, set[str]()
        for cell in self.document.findall(nodes.container):
            if "cell_input" in cell["classes"]:
                imported = {name for code in cell.findall(nodes.literal_block) for name in modules(code.astext())}
                first = first or (cell.parent if imported else None)
                found |= imported
        if first is not None:
            first.parent.insert(first.parent.index(first), self._margin(sorted(found)))

    def _margin(self, found: list[str]) -> nodes.Node:
        links = [
            addnodes.pending_xref(
                "", nodes.literal(module, module), refdomain="std", reftype="ref", refexplicit=True, refwarn=True, classes=[LINK],
                reftarget=LABEL.format(module=module.replace("_", "-")), refdoc=self.env.docname,
            )
            for module in found
        ]  # fmt: skip
        says = nodes.paragraph("", "", *words.filled(words.say(self.config, SAYS), modules=words.listed(self.config, links)))
        return nodes.sidebar("", says, classes=["margin", "unrolled-reference"])


def without_link(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Node) -> nodes.Node | None:
    """A module that the reference does not describe (yet) is named all the same; the tests of the book find it."""
    return content if LINK in node["classes"] else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when a page has been read, and when a link is resolved."""
    words.add(app)
    app.add_transform(Reference)
    app.connect("missing-reference", without_link)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
