"""Lets a build of the book do once what its tools do again and again. The pages are the same, byte for byte.

- pybtex looks through everything that is installed for each of hundreds of citations; what is installed does not change meanwhile.
- Sphinx reads the whole document that a `{numref}` leads to, for each of them, to look at one node.
- Some 150 steps look through every node of every page. docutils goes down by a generator in a generator for each node; a stack is enough.
- Sphinx reads all documents to number their figures, also where none has changed since they were numbered.
- pybtex writes out all references for each build, also where no page has changed that cites one, and no list of references.
- The list of all pages beside each page copies all headings of all pages, and then drops those below the titles.
- A document is a web of nodes that point at each other. Python looks for garbage in it after every 700 new nodes; there is hardly any. At the end it
  looks again, several times, at all that the end of the program frees anyway.
"""

from __future__ import annotations

import atexit
import functools
import gc
from collections.abc import Iterable, Iterator
from typing import Any

import pybtex.plugin
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.environment.adapters import toctree
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx.util.typing import ExtensionMetadata
from sphinxcontrib.bibtex.domain import BibtexDomain

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


def _every(node: nodes.Node) -> Iterator[nodes.Node]:
    """A node and all below it, in the order of the text. Children are looked up when it is their turn, as docutils does."""
    yield node
    levels = [iter(node.children)]
    while levels:
        for child in levels[-1]:
            yield child
            if child.children:
                levels.append(iter(child.children))
                break
        else:
            levels.pop()


def _find_by_a_stack() -> None:
    """Let `Node.findall` go down a tree by one stack, where it looks at whole trees; elsewhere it stays docutils' own."""
    if nodes.Node.findall.__module__ == __name__:
        return
    by_docutils = nodes.Node.findall

    @functools.wraps(by_docutils, assigned=["__doc__"])
    def findall(self: nodes.Node, condition: Any = None, include_self: bool = True, descend: bool = True, siblings: bool = False, ascend: bool = False) -> Iterator[nodes.Node]:
        if not (include_self and descend) or siblings or ascend:
            return by_docutils(self, condition, include_self, descend, siblings, ascend)
        if condition is None:
            return _every(self)
        if isinstance(condition, type):
            return (node for node in _every(self) if isinstance(node, condition))
        return filter(condition, _every(self))

    nodes.Node.findall = findall


class _Titles(dict):
    """The tables of contents of pages, without the headings below a page's title. A page that lists pages keeps all: its list is among them."""

    def __init__(self, tocs: dict[str, nodes.bullet_list]) -> None:
        self._tocs = tocs

    def __missing__(self, page: str) -> nodes.bullet_list:
        toc = self._tocs[page]
        if not any(isinstance(node, addnodes.toctree | addnodes.only) for node in toc.findall()):
            toc = toc.deepcopy()
            for title in toc.children:
                del title[1:]
        self[page] = toc
        return toc


class _WithTitles:
    """An environment for who wants no more than the titles of pages."""

    def __init__(self, env: BuildEnvironment) -> None:
        self._env = env
        self.tocs = _Titles(env.tocs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


def _list_titles(app: Sphinx, env: BuildEnvironment) -> None:
    """When all pages are read: let a list of titles begin with titles."""
    by_sphinx = getattr(toctree._entries_from_toctree, "by_sphinx", toctree._entries_from_toctree)
    titles = _WithTitles(env)

    @functools.wraps(by_sphinx)
    def entries(env: BuildEnvironment, prune: bool, titles_only: bool, *rest: Any, **more: Any) -> list[nodes.Element]:
        return by_sphinx(titles if titles_only else env, prune, titles_only, *rest, **more)

    entries.by_sphinx = by_sphinx
    toctree._entries_from_toctree = entries


def _what_changed(app: Sphinx) -> set[str]:
    """The pages that came, changed or went: empty until they are found, and afterwards where there are none."""
    different: set[str] = set()
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: different.update(removed) or [])
    app.connect("env-before-read-docs", lambda app, env, pages: different.update(pages))
    return different


def _number_what_changed(different: set[str]) -> None:
    """Let figures keep their numbers where no page is different."""
    by_sphinx = getattr(TocTreeCollector.assign_figure_numbers, "by_sphinx", TocTreeCollector.assign_figure_numbers)

    @functools.wraps(by_sphinx)
    def assign_figure_numbers(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
        return by_sphinx(self, env) if different or not env.toc_fignumbers else []

    assign_figure_numbers.by_sphinx = by_sphinx
    TocTreeCollector.assign_figure_numbers = assign_figure_numbers


def _cite_what_changed(different: set[str]) -> None:
    """Let references stay as they were written out where no page is different. A page with a list of them is, when their file has changed."""
    by_bibtex = getattr(BibtexDomain.env_updated, "by_bibtex", BibtexDomain.env_updated)

    @functools.wraps(by_bibtex)
    def env_updated(self: BibtexDomain) -> Iterable[str]:
        return by_bibtex(self) if different or not self.citations else []

    env_updated.by_bibtex = by_bibtex
    BibtexDomain.env_updated = env_updated


def _leave_quickly() -> None:
    """Let Python look for no garbage any more when the program ends."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set all of it up."""
    if not hasattr(pybtex.plugin.entry_points, "cache_info"):
        pybtex.plugin.entry_points = functools.cache(pybtex.plugin.entry_points)
    gc.set_threshold(NODES_BETWEEN_LOOKS, 20, 20)
    app.add_domain(NumberedDomain, override=True)
    _find_by_a_stack()
    different = _what_changed(app)
    _number_what_changed(different)
    _cite_what_changed(different)
    _leave_quickly()
    app.connect("env-check-consistency", _list_titles)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
