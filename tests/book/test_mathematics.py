"""The book's formulas: none is garbled by what stands around it, which neither Sphinx nor MyST warns of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml.html import fromstring
from parsed import without

NO_PROSE = ".math, code, pre, script, style, svg, kbd"
TEX = re.compile(r"\$|\\\S*")
WORDS = re.compile(r"\b(and|are|for|not|of|that|the|then|which|with)\b")
DISPLAYED = re.compile(r'<(p|legend|label)\b[^>]*>(?:(?!</\1>).)*?<div class="math\b', re.DOTALL)  # a parser would end the paragraph before it
TEXT = re.compile(r"\\(?:text\w*|mathrm|operatorname\*?|mathbf|mathit)\s*\{[^{}]*\}")


def left_over(html: str) -> list[str]:
    """What of TeX's delimiters and commands is left in the prose of a page, with the words around it."""
    page = fromstring(html)
    for node in page.cssselect(NO_PROSE):
        node.tail = f" {node.tail or ''}"
    texts = [" ".join(text.split()) for text in without(page, NO_PROSE).itertext()]
    return [text[max(0, found.start() - 40) : found.end() + 40] for text in texts for found in TEX.finditer(text)]


def in_a_paragraph(html: str) -> list[str]:
    """Displayed formulas that stand within a paragraph: `$$` follows it without an empty line between, and a label behind is lost."""
    return [found[0][:80] for found in DISPLAYED.finditer(html)]


def swallowed_prose(html: str) -> list[str]:
    """Formulas that hold words of a sentence: a dollar sign was taken for a delimiter."""
    formulas = (node.text_content() for node in fromstring(html).cssselect(".math"))
    return [formula for formula in formulas if WORDS.search(TEXT.sub("", formula))]


FAULTS = [left_over, in_a_paragraph, swallowed_prose]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_no_formula_of_the_book_is_garbled(built_book, fault):
    site, _ = built_book
    found = {page.stem: fault(page.read_text(encoding="utf-8")) for page in sorted((site / "book").rglob("*.html"))}
    assert len(found) > 20
    assert {page: places for page, places in found.items() if places} == {}


# The detectors on pages that MyST makes without a warning


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """A function: the page that MyST makes of a text, with the course's settings."""
    import yaml
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    parse = yaml.safe_load((Path(__file__).resolve().parents[2] / "_config.yml").read_text())["parse"]

    def build(text: str) -> str:
        folder = tmp_path_factory.mktemp("page")
        (folder / "index.md").write_text(f"# Page\n\n{text}\n")
        # A suffix of its own: the default is one object for all builds of a process, and this build would change it for those of other tests.
        settings = {"extensions": ["myst_parser"], "source_suffix": {".md": "markdown"}, **parse}
        with patch_docutils(folder), docutils_namespace():
            Sphinx(folder, None, folder / "out", folder / "trees", "html", settings, status=None, warning=None, warningiserror=True).build()
        return (folder / "out/index.html").read_text().partition("<section")[2].partition("</section>")[0]

    return build


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A paragraph\n$$\na = b\n$$", in_a_paragraph),
        ("A paragraph\n$$\na = b\n$$ (eq-a)", in_a_paragraph),
        ("It costs \\\\$5, and $x$ more.", left_over),
        ("It costs \\\\$5, and then \\\\$6.", left_over),
        ("It costs \\\\$5, and then \\\\$6.", swallowed_prose),
        ("It is $x, and no more.", left_over),
        ("Elsewhere one writes \\\\(x\\\\) for it.", left_over),
        ("So \\\\frac is left.", left_over),
    ],
)
def test_what_is_garbled_is_seen(page_of, text, fault):
    assert fault(page_of(text)) != []


@pytest.mark.parametrize(
    "text",
    [
        "A paragraph\n\n$$\na = b\n$$ (eq-a)\n\nthat goes on.",
        "With $x_1$ and $$y \\text{ of the batch}$$ and `$HOME`.",
        "$a \\text{ and } b$",
        "```\n\\begin{x} $ \\(\n```",
    ],
)
def test_what_is_right_is_left_alone(page_of, text):
    page = page_of(text)
    assert [fault(page) for fault in (left_over, swallowed_prose)] == [[], []]
