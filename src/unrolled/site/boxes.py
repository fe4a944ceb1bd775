"""The ``{box}`` directive: code that a reader can change and run without leaving the page.

    ```{box} One step on “machine”
    print(1 + 1)
    ```

Without JavaScript, and for other builders, it is the code with its title. Python starts on the first request, in a worker that all boxes
of a page share: `static/unrolled-box.js`.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

from . import said
from .words import _

SAYS = {
    "run": _("Run"),
    "stop": _("Stop"),
    "reset": _("Reset"),
    "keys": _("Ctrl+Enter runs it."),
    "code": _("Code of box {number}: {title}"),
    "output": _("Output of box {number}: {title}"),
    "loading": _("Python is loading. The first time it takes some seconds and about 20 MB."),
    "running": _("Running."),
    "done": _("Done."),
    "failed": _("Stopped by an error."),
    "busy": _("This box is still running. Stop ends it."),
    "busy-other": _("Another box of this page is still running. Wait for it, or stop it."),
    "stopped": _("Stopped. Python was ended, so all variables of this page are lost. Run starts it again."),
    "file": _("Python can't run in a page that was opened as a file. In the course's folder, the command make serve shows the book at an address."),
    "old": _("This browser is too old to run Python. Any current browser will do."),
    "none": _("This copy of the book was built without Python for the page."),
    "offline": _("The server of this page does not answer."),
    "damaged": _("Python did not start: the file {file} is damaged or missing. Reload the page; if that does not help, its server has to replace the file."),
    "broken": _("Python did not start. The browser says: {text}"),
}


class BoxDirective(SphinxDirective):
    """A title and some lines of Python."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        title, code = self.arguments[0], "\n".join(self.content)
        children, messages = self.state.inline_text(title, self.lineno)
        block = nodes.literal_block(code, code, language="python")
        box = nodes.container("", nodes.paragraph(title, "", *children, classes=["unrolled-box-title"]), block, classes=["unrolled-box"])
        for node in box.findall(nodes.Element):
            self.set_source_info(node)
        found = [box, *messages]
        if self.env.temp_data.setdefault("unrolled-boxes", 0) == 0:
            found.append(said.texts(self.config, "unrolled-box-texts", SAYS, self.get_source_info()))
        self.env.temp_data["unrolled-boxes"] += 1
        return found


def _is_box(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "unrolled-box" in node["classes"]


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is not None and next(iter(doctree.findall(_is_box)), None) is not None:
        app.add_css_file("unrolled-try.css")
        app.add_js_file("unrolled-page-python.js", loading_method="defer")
        app.add_js_file("unrolled-box.js", loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive, its script and its style sheet."""
    said.add(app)
    app.setup_extension("unrolled.site.edition")  # whose script says which language the page is in
    app.add_directive("box", BoxDirective)
    app.connect("html-page-context", _add_assets)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
