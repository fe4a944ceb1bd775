"""Styles and scripts of a built book are those of its sources, whether a page changed or not."""

from __future__ import annotations

import pytest
import sphinx.locale
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils


@pytest.fixture
def build(tmp_path):
    """A function: build a page with a style sheet; gives the folder of what was built."""
    source, out = tmp_path / "source", tmp_path / "out"
    (source / "static" / "deep").mkdir(parents=True)
    (source / "static" / "page.css").write_text("p { color: red; }")
    (source / "static" / "deep" / "page.js").write_text("1;")
    (source / "index.md").write_text("# A page\n")

    def run():
        settings = {"extensions": ["myst_parser", "unrolled.site.assets"], "html_static_path": ["static"], "html_css_files": ["page.css"]}
        sphinx.locale.translators.clear()
        with patch_docutils(source), docutils_namespace():
            Sphinx(source, None, out, out / "trees", "html", settings, status=None, warning=None).build()
        return out / "_static"

    return run


def test_what_changed_is_brought_where_no_page_changed(build, tmp_path):
    build()
    (tmp_path / "source" / "static" / "page.css").write_text("p { color: blue; }")
    (tmp_path / "source" / "static" / "deep" / "page.js").write_text("2;")
    static = build()
    assert (static / "page.css").read_text() == "p { color: blue; }"
    assert (static / "deep" / "page.js").read_text() == "2;"


def test_what_another_step_has_taken_away_does_not_come_back(build):
    static = build()
    (static / "deep" / "page.js").unlink()
    build()
    assert not (static / "deep" / "page.js").exists()
