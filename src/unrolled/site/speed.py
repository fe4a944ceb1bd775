"""Lets a build of the book do once what its tools do again and again. The pages are the same, byte for byte.

- pybtex looks through everything that is installed for each of hundreds of citations; what is installed does not change meanwhile.
- Sphinx reads the whole document that a `{numref}` leads to, for each of them, to look at one node.
- A document is a web of nodes that point at each other. Python looks for garbage in it after every 700 new nodes; there is hardly any.
"""

from __future__ import annotations

import functools
import gc
from typing import Any

import pybtex.plugin
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__

NODES_BETWEEN_LOOKS = 100_000


class _ReadOnce:
    """An environment for who only looks at documents: each is read once."""

    def __init__(self, env: BuildEnvironment) -> None:
        self._env = env
        self.get_doctree = functools.cache(env.get_doctree)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


class NumberedDomain(StandardDomain):
    """Sphinx's own domain, with a memory for the documents that numbered references lead to."""

    @functools.cached_property
    def _documents(self) -> _ReadOnce:
        return _ReadOnce(self.env)

    def _resolve_numref_xref(self, env: BuildEnvironment, *rest: Any) -> nodes.Element | None:
        return super()._resolve_numref_xref(self._documents, *rest)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set the three memories up."""
    if not hasattr(pybtex.plugin.entry_points, "cache_info"):
        pybtex.plugin.entry_points = functools.cache(pybtex.plugin.entry_points)
    gc.set_threshold(NODES_BETWEEN_LOOKS, 20, 20)
    app.add_domain(NumberedDomain, override=True)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
