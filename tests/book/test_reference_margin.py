"""Where the package is described: the margin beside the first cell that imports it."""

from __future__ import annotations

import pytest
from parsed import parsed, words

from unrolled.site.reference import modules


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from unrolled import (\n    cells, text)", ["cells", "text"]),
        ("%matplotlib inline\nfrom unrolled.metrics import softmax\n!ls", ["metrics"]),
        ("import unrolled.quizzes as q\nfrom unrolled.corpora import texts", ["corpora", "quizzes"]),
        ("import numpy as np\nfrom unrolled_other import text\nfrom . import cells", []),
        ("from unrolled import text\nthis is no Python", []),
    ],
)
def test_the_modules_that_a_cell_imports_are_found(code, found):
    assert modules(code) == found


def test_the_margin_leads_to_the_reference_of_each_module_that_a_page_imports(built_book):
    site, _ = built_book
    page = parsed(site / "book/recurrence/decoding.html")
    links = [link.get("href") for link in page.cssselect("aside.unrolled-reference a")]
    assert links == [f"../appendix/api.html#api-{module}" for module in ("corpora", "metrics", "ngram", "plots", "text", "training")]


def test_every_module_that_a_page_imports_is_described(built_book):
    site, _ = built_book
    without = {}
    for path in sorted((site / "book").rglob("*.html")):
        for margin in parsed(path).cssselect("aside.unrolled-reference"):
            if len(margin.cssselect("a")) != words(margin).count(",") + 1:
                without[path.name] = words(margin)
    assert without == {}, "Give these modules a section in book/appendix/api.md, with the label api-NAME."
