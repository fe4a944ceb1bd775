"""What a section that was moved, and one that may be skipped, look like in a book of two pages."""

from __future__ import annotations

import json

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

OLD = """\
(old)=
# The old page

## Summary

Words.

(long-way)=
## The long way

```{optional}
```

Words upon words.

(api-text)=
### unrolled.text
"""
NEW = """\
---
file_format: mystnb
kernelspec:
  name: python3
---
(new)=
# The new page

(moved)=
## A section that was moved

$$
a = b
$$ (eq-moved)

(the-heading-before)=
## A heading of today

```{code-cell} python3
from unrolled import text, undescribed
```

## Summary
"""


# Said here, since the default is one object for all builds of a process, and builds of other tests change it.
SUFFIXES = "source_suffix = {'.rst': 'restructuredtext', '.md': 'myst-nb', '.ipynb': 'myst-nb'}\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    source = tmp_path_factory.mktemp("book")
    (source / "index.md").write_text("# Book\n\n```{toctree}\nparts/old\nparts/new\n```\n", encoding="utf-8")
    (source / "parts").mkdir()
    (source / "parts" / "old.md").write_text(OLD, encoding="utf-8")
    (source / "parts" / "new.md").write_text(NEW, encoding="utf-8")
    (source / "conf.py").write_text(
        "extensions = ['myst_nb', 'sphinx_exercise', 'unrolled.site.moved', 'unrolled.site.optional', 'unrolled.site.reference']\n"
        f"{SUFFIXES}myst_enable_extensions = ['dollarmath']\nmyst_heading_anchors = 3\nnb_execution_mode = 'off'\nsuppress_warnings = ['myst-nb.lexer']\n",
        encoding="utf-8",
    )
    with docutils_namespace():
        app = Sphinx(str(source), str(source), str(source / "out"), str(source / "doctrees"), "html", status=None, warning=None, warningiserror=True)
        app.build()
    return source / "out"


@pytest.fixture(scope="module")
def table(built) -> dict[str, str]:
    script = (built / "_static" / "unrolled-anchors.js").read_text(encoding="utf-8")
    return json.loads(script.removeprefix("window.unrolledAnchors = ").rstrip(";\n"))


@pytest.mark.parametrize("anchor", ["moved", "equation-eq-moved", "a-section-that-was-moved", "the-heading-before", "a-heading-of-today"])
def test_an_anchor_of_any_kind_is_found_on_its_page_of_today(built, table, anchor):
    assert table[anchor] == "parts/new.html"
    assert f'id="{anchor}"' in (built / "parts" / "new.html").read_text(encoding="utf-8")


def test_an_anchor_that_several_pages_have_leads_nowhere(table):
    assert "summary" not in table


def test_every_page_loads_the_script_that_asks_the_table(built):
    for page in ("index.html", "parts/old.html"):
        assert "unrolled-moved.js" in (built / page).read_text(encoding="utf-8")
    assert (built / "_static" / "unrolled-moved.js").is_file()


def test_the_mark_of_a_section_stands_below_its_heading(built):
    page = BeautifulSoup((built / "parts" / "old.html").read_text(encoding="utf-8"), "html.parser")
    (mark,) = page.select(".unrolled-optional")
    assert mark.find_previous(["h1", "h2"]).get_text().startswith("The long way")


def test_a_mark_at_the_top_of_a_page_stops_the_build(tmp_path):
    (tmp_path / "conf.py").write_text(f"extensions = ['myst_nb', 'unrolled.site.optional']\n{SUFFIXES}", encoding="utf-8")
    (tmp_path / "index.md").write_text("# Book\n\n```{optional}\n```\n", encoding="utf-8")
    with docutils_namespace(), pytest.raises(Exception, match="below a heading of the second or third level"):
        Sphinx(str(tmp_path), str(tmp_path), str(tmp_path / "o"), str(tmp_path / "d"), "html", status=None, warning=None, warningiserror=True).build()


def test_the_margin_names_each_module_and_links_what_is_described(built):
    margin = BeautifulSoup((built / "parts" / "new.html").read_text(encoding="utf-8"), "html.parser").select_one("aside.unrolled-reference")
    assert margin.get_text().strip() == "The package's reference: text, undescribed."
    assert [link["href"] for link in margin.select("a")] == ["old.html#api-text"]
