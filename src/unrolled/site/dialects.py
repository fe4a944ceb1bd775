"""The `{dialects}` directive: the same functions in NumPy, torch, Keras and JAX, one tab for each. Whoever chooses a tab finds it chosen on every page.

    ```{dialects} scan padded
    ```

Each dialect is a Python file, `in_NAME.py` in `book/appendix/dialects`, which the tests run. A tab shows those of the named functions that its file has,
in the order in which they are named, so that a helper of one dialect is named as all others.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

FOLDER = "book/appendix/dialects"  # below the course's folder
DIALECTS = {"numpy": "NumPy", "torch": "torch", "keras": "Keras", "jax": "JAX"}


def functions(path: Path) -> set[str]:
    """The names of a file's functions."""
    return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}


def tabs(folder: Path, names: Sequence[str]) -> list[str]:
    """The tabs as lines of Markdown. Raises ValueError for a name that no dialect has, and for a dialect that has none of them."""
    has = {dialect: functions(folder / f"in_{dialect}.py") for dialect in DIALECTS}
    if unknown := [name for name in names if not any(name in known for known in has.values())]:
        raise ValueError(f"no dialect has a function {' or '.join(unknown)}: the files are those in {FOLDER}")
    lines = ["`````{tab-set}", ":sync-group: dialect", ""]
    for dialect, title in DIALECTS.items():
        shown = [name for name in names if name in has[dialect]]
        if not shown:
            raise ValueError(f"in_{dialect}.py has none of {', '.join(names)}, so its tab would be empty")
        lines += [f"````{{tab-item}} {title}", f":sync: {dialect}", ""]
        for name in shown:
            lines += [f"```{{literalinclude}} /{FOLDER}/in_{dialect}.py", ":language: python", f":pyobject: {name}", "```", ""]
        lines += ["````", ""]
    return [*lines, "`````"]


class Dialects(SphinxDirective):
    """Takes the names of functions, with spaces between."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        try:
            lines = tabs(Path(self.env.srcdir, FOLDER), self.arguments[0].split())
        except ValueError as error:
            raise self.error(f"{{dialects}}: {error}.") from error
        holder = nodes.Element()
        source, line = self.get_source_info()
        self.state.nested_parse(StringList(lines, items=[(source, line)] * len(lines)), self.content_offset, holder)
        return holder.children


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_directive("dialects", Dialects)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
