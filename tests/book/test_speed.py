"""What is done once in a build of the book changes no page."""

from __future__ import annotations

import gc
import subprocess
import sys

import hypothesis.strategies as st
import pybtex.plugin
import pytest
import sphinx.locale
from docutils import nodes
from hypothesis import given
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.adapters import toctree
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx.util.nodes import NodeMatcher
from sphinxcontrib.bibtex.domain import BibtexDomain

from unrolled.site import speed
from sphinx.util.docutils import docutils_namespace, patch_docutils

FIGURE = "```{figure} a.svg\n:name: fig-%s\n\nCaption of %s\n```\n"
REFERENCES = "See {numref}`fig-one`, {numref}`fig-two` and {numref}`figure {name} <fig-one>`, or {numref}`other`.\n"


@pytest.fixture(autouse=True)
def as_before():
    """Leaves the collector, pybtex, docutils and Sphinx as they were."""
    threshold, entry_points = gc.get_threshold(), pybtex.plugin.entry_points
    findall, entries_from_toctree = nodes.Node.findall, toctree._entries_from_toctree
    assign_figure_numbers, env_updated = TocTreeCollector.assign_figure_numbers, BibtexDomain.env_updated
    yield
    BibtexDomain.env_updated = env_updated
    TocTreeCollector.assign_figure_numbers = assign_figure_numbers
    gc.set_threshold(*threshold)
    pybtex.plugin.entry_points = entry_points
    nodes.Node.findall, toctree._entries_from_toctree = findall, entries_from_toctree


def build_book(source, out, *extensions, warningiserror=False, **settings):
    """Build a small book with numbered figures by Sphinx in this process."""
    settings = {"extensions": ["myst_parser", *extensions], "numfig": True, **settings}
    sphinx.locale.translators.clear()
    with patch_docutils(source), docutils_namespace():
        Sphinx(source, None, out, out / "trees", "html", settings, status=None, warning=None, warningiserror=warningiserror).build()


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
        read.clear()
        build_book(source, out, *extensions, warningiserror=True)
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


leaves = st.builds(nodes.Text, st.text(max_size=2)) | st.builds(nodes.emphasis)
elements = st.sampled_from([nodes.paragraph, nodes.emphasis, nodes.section, nodes.list_item])
trees = st.recursive(leaves, lambda below: st.builds(lambda kind, children: kind("", *children), elements, st.lists(below, max_size=4)), max_leaves=30)
CONDITIONS = {
    "every node": None,
    "a class": nodes.emphasis,
    "a class with subclasses": nodes.Element,
    "a function": lambda node: isinstance(node, nodes.Text) or len(node) > 1,
    "Sphinx's matcher": NodeMatcher(nodes.emphasis, nodes.section),
}
by_docutils = nodes.Node.findall


@pytest.fixture(scope="module")
def by_a_stack():
    """`findall` as a build has it."""
    before = nodes.Node.findall
    nodes.Node.findall = by_docutils
    speed._find_by_a_stack()
    ours, nodes.Node.findall = nodes.Node.findall, before
    return ours


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
@given(tree=trees)
def test_nodes_are_found_in_the_same_order(by_a_stack, condition, tree):
    assert [*map(id, by_a_stack(tree, condition))] == [*map(id, by_docutils(tree, condition))]


@pytest.mark.parametrize("how", [{"include_self": False}, {"descend": False}, {"siblings": True}, {"ascend": True}], ids=str)
@given(tree=trees)
def test_siblings_and_parents_are_found_as_docutils_finds_them(by_a_stack, how, tree):
    nodes.section("", nodes.paragraph("", tree, nodes.emphasis()), nodes.paragraph())
    assert [*map(id, by_a_stack(tree, **how))] == [*map(id, by_docutils(tree, **how))]


def test_a_tree_that_changes_meanwhile_is_gone_through_as_docutils_does(by_a_stack):
    def replaced(findall):
        tree = nodes.section("", nodes.paragraph("", nodes.emphasis(), nodes.emphasis()), nodes.emphasis())
        for node in findall(tree, nodes.emphasis):
            node.replace_self(nodes.strong("", nodes.Text("x")))
        return tree.pformat()

    assert replaced(by_a_stack) == replaced(by_docutils)
    assert "strong" in replaced(by_a_stack)


def test_a_list_of_titles_is_the_same_and_begins_with_titles(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    list_of = "```{toctree}\n:caption: Part\n%s\n```\n"
    (source / "index.md").write_text("# Front\n\n" + list_of % "part" + list_of % "Named <page>")
    (source / "part.md").write_text("# Part\n\n## Its first section\n\n" + list_of % "below" + "\n## Its second\n")
    (source / "below.md").write_text("# Below\n\n## Its section\n")
    (source / "page.md").write_text("# Page\n\n## One\n\n### Two\n\n## Three\n\n# A second title\n\n## Four\n")
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "page.html").write_text("{{ toctree(titles_only=True, collapse=False, maxdepth=-1) }}\n----\n{{ toctree(collapse=False) }}")
    copied = []
    copy = toctree._toctree_copy
    monkeypatch.setattr(toctree, "_toctree_copy", lambda node, *rest: copied.append(node) or copy(node, *rest))

    def build(*extensions):
        out = tmp_path / "-".join(["out", *extensions])
        copied.clear()
        build_book(source, out, *extensions, templates_path=[str(templates)])
        return {path.name: path.read_text() for path in out.glob("*.html")}, len(copied)

    plain, all_copies = build()
    quick, copies = build("unrolled.site.speed")
    assert quick == plain
    titles, headings = plain["page.html"].split("----")
    assert "Below" in titles and "Three" not in titles and "Three" in headings
    assert copies < all_copies


def test_figures_keep_their_numbers_where_nothing_changed_and_follow_what_did(tmp_path, monkeypatch):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    (source / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (source / "index.md").write_text("# Front\n\n```{toctree}\n:numbered:\nearlier\nlater\n```\n\nSee {numref}`fig-later`.\n")
    (source / "earlier.md").write_text(f"# Earlier\n\n{FIGURE % ('earlier', 'earlier')}")
    (source / "later.md").write_text(f"# Later\n\n{FIGURE % ('later', 'later')}")
    read = []
    get_doctree = BuildEnvironment.get_doctree
    monkeypatch.setattr(BuildEnvironment, "get_doctree", lambda env, name: read.append(name) or get_doctree(env, name))

    def build():
        read.clear()
        build_book(source, out, "unrolled.site.speed")
        return (out / "index.html").read_text()

    assert "Fig. 2.1" in build()
    assert "Fig. 2.1" in build() and "later" not in read
    (source / "later.md").write_text(f"# Later\n\n{FIGURE % ('more', 'more')}\n{FIGURE % ('later', 'later')}")
    assert "Fig. 2.2" in build()
    (source / "index.md").write_text("# Front\n\n```{toctree}\n:numbered:\nlater\n```\n\nSee {numref}`fig-later`.\n")
    (source / "earlier.md").unlink()
    assert "Fig. 1.2" in build()


def test_references_are_written_out_where_something_changed_and_stay_elsewhere(tmp_path, monkeypatch):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    entry = "@book{%s, author={Ann Author}, title={%s}, year={1990}, publisher={Press}}\n"
    (source / "all.bib").write_text(entry % ("one", "First") + entry % ("two", "Second"))
    (source / "index.md").write_text("# Front\n\n```{toctree}\nlist\n```\n\nAs {cite}`one` says.\n")
    (source / "list.md").write_text("# Cited\n\n```{bibliography}\n```\n")
    written = []
    formatted = BibtexDomain.get_formatted_entries
    monkeypatch.setattr(BibtexDomain, "get_formatted_entries", lambda *given: written.append(given) or formatted(*given))

    def build():
        written.clear()
        build_book(source, out, "sphinxcontrib.bibtex", "unrolled.site.speed", bibtex_bibfiles=["all.bib"])
        return (out / "list.html").read_text()

    assert "First" in build() and written
    assert "First" in build() and not written
    (source / "index.md").write_text("# Front\n\n```{toctree}\nlist\n```\n\nAs {cite}`one` and {cite}`two` say.\n")
    assert build() and written  # the list is written out with the second, though Sphinx does not write its page anew
    (source / "all.bib").write_text(entry % ("one", "First") + entry % ("two", "Another"))
    assert "Another" in build()


def test_at_its_end_a_build_looks_for_no_garbage():
    code = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10_000, len(gc.get_objects())))\n"
        "from unrolled.site import speed; speed._leave_quickly()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True 0"
