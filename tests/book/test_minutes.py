"""The minutes that stand below a chapter's title."""

from __future__ import annotations

import re

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document
from parsed import parsed, words
from sphinx_exercise.nodes import exercise_node, solution_node

from unrolled.site.minutes import LINES, WORDS, minutes
from unrolled.site.quiz import quiz


def page(*children: nodes.Node) -> nodes.document:
    document = new_document("page", get_default_settings())
    document += list(children)
    return document


def prose(words: int) -> nodes.paragraph:
    return nodes.paragraph("", "word " * words)


def code(lines: int) -> nodes.literal_block:
    return nodes.literal_block("", "x = 1\n\n" * lines)


def test_prose_and_code_add_up():
    assert minutes(page(prose(3 * WORDS), code(2 * LINES))) == 5


@pytest.mark.parametrize("kind", [quiz, exercise_node, solution_node, nodes.comment])
def test_what_not_everybody_reads_is_left_out(kind):
    aside = kind()
    aside += prose(10 * WORDS)
    assert minutes(page(prose(2 * WORDS), aside)) == 2


def test_what_is_folded_is_left_out():
    folded = nodes.admonition("", prose(10 * WORDS), classes=["dropdown"])
    assert minutes(page(prose(2 * WORDS), folded)) == 2


def test_a_box_to_try_is_left_out():
    box = nodes.container("", prose(10 * WORDS), code(20 * LINES), classes=["unrolled-box"])
    assert minutes(page(prose(2 * WORDS), box)) == 2


def test_folded_code_of_a_cell_is_left_out_and_its_caption_is_read():
    drawn = nodes.container("", nodes.figure("", nodes.caption("", "word " * WORDS)), classes=["cell_output"])
    source = nodes.container("", code(20 * LINES), classes=["cell_input"])
    assert minutes(page(prose(2 * WORDS), nodes.container("", source, drawn, classes=["cell", "tag_hide-input"]))) == 3


def test_of_tabs_one_is_read():
    tabs = [nodes.container("", code(LINES), classes=["sd-tab-item"]) for _ in range(4)]
    assert minutes(page(prose(2 * WORDS), nodes.container("", *tabs, classes=["sd-tab-set"]))) == 3


def test_of_an_output_the_caption_is_read_and_what_was_printed_is_not():
    drawn = nodes.container("", code(20 * LINES), nodes.figure("", nodes.caption("", "word " * WORDS)), classes=["cell_output"])
    assert minutes(page(prose(2 * WORDS), drawn)) == 3


def test_each_chapter_and_no_other_page_says_its_minutes(built_book):
    site, _ = built_book
    says = {}
    for path in sorted((site / "book").rglob("*.html")):
        page = parsed(path)
        lines = page.cssselect(".unrolled-minutes")
        assert len(lines) == len(page.xpath('//*[@data-part="before"][contains(@class, "unrolled-quiz")][not(ancestor::template)]')), path.name
        if lines:
            assert page.xpath("//article//h1/following::p")[0] is lines[0], path.name
            says[path.name] = int(re.search(r"Reading time: (\d+) minutes", words(lines[0]))[1])
    assert len(says) >= 18
    assert all(5 <= time <= 40 for time in says.values()), says
