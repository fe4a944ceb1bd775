"""What is done once in a build of the book changes no page."""

from __future__ import annotations

import gc

import pybtex.plugin
import pytest
import sphinx.locale
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import docutils_namespace, patch_docutils

FIGURE = "```{figure} a.svg\n:name: fig-%s\n\nCaption of %s\n```\n"
REFERENCES = "See {numref}`fig-one`, {numref}`fig-two` and {numref}`figure {name} <fig-one>`, or {numref}`other`.\n"


@pytest.fixture(autouse=True)
def as_before():
    """Leaves the collector and pybtex as they were."""
    threshold, entry_points = gc.get_threshold(), pybtex.plugin.entry_points
    yield
    gc.set_threshold(*threshold)
    pybtex.plugin.entry_points = entry_points


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """A function: two small pages that refer to each other, built with these extensions; gives them, and how often a document was read."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (source / "index.md").write_text(f"# First\n\n```{{toctree}}\n:numbered:\nother\n```\n\n{REFERENCES * 5}")
    (source / "other.md").write_text(f"(other)=\n# Second\n\n{FIGURE % ('one', 'one')}\n{FIGURE % ('two', 'two')}\n{REFERENCES}")
    read = []
    get_doctree = BuildEnvironment.get_doctree
    monkeypatch.setattr(BuildEnvironment, "get_doctree", lambda env, name: read.append(name) or get_doctree(env, name))

    def build(*extensions):
        out = tmp_path / "-".join(["out", *extensions])
        settings = {"extensions": ["myst_parser", *extensions], "numfig": True}
        sphinx.locale.translators.clear()
        read.clear()
        with patch_docutils(source), docutils_namespace():
            Sphinx(source, None, out, out / "trees", "html", settings, status=None, warning=None, warningiserror=True).build()
        return {path.name: path.read_text() for path in out.glob("*.html")}, read.count("other")

    return build


def test_numbered_references_are_the_same_and_their_page_is_read_once(pages):
    plain, times = pages()
    quick, once = pages("unrolled.site.speed")
    assert quick == plain and "Fig. 1.1" in plain["index.html"]
    assert times > 15 and once <= 3  # for its table of contents, to be written, and for all references


def test_what_is_installed_is_looked_through_once(pages):
    pages("unrolled.site.speed")
    before = pybtex.plugin.entry_points.cache_info()
    found = [pybtex.plugin.find_plugin("pybtex.style.formatting", "alpha") for _ in range(3)]
    after = pybtex.plugin.entry_points.cache_info()
    assert len(set(found)) == 1
    assert after.misses - before.misses <= 1 < after.hits - before.hits
