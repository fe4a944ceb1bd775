"""What keeps together at the end of a line: per cent signs, short formulas and the marks after them, links and their first letter."""

from __future__ import annotations

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document

from unrolled.site.lines import LONGEST, LONGEST_CODE, KeepLines


def kept(*children: nodes.Node) -> nodes.paragraph:
    """A paragraph of these, as the page gets it."""
    document = new_document("page", get_default_settings())
    document += nodes.paragraph("", "", *children)
    KeepLines(document).run()
    return document[0]


def test_a_number_keeps_its_per_cent_sign():
    assert kept(nodes.Text("It falls by 3 % a step, to 96.9 %.")).astext() == "It falls by 3\u00a0% a step, to 96.9\u00a0%."


def test_code_keeps_its_spaces():
    assert kept(nodes.literal("", "7 % 2")).astext() == "7 % 2"


def test_short_code_stays_whole_and_long_code_may_break():
    short, long = kept(nodes.literal("", "X @ W"), nodes.literal("", "x" * (LONGEST_CODE + 1)))
    assert (short["classes"], long["classes"]) == (["unrolled-whole"], [])


def test_a_short_formula_keeps_the_marks_after_it():
    whole, rest = kept(nodes.math("", "n"), nodes.Text("), and more"))
    assert whole["classes"] == ["unrolled-whole"] and whole.astext() == "n),"
    assert rest == " and more"


@pytest.mark.parametrize(("formula", "after"), [("x" * (LONGEST + 1), ". Long."), ("n", " steps")])
def test_a_long_formula_and_one_before_a_word_stay_free(formula, after):
    assert [type(node) for node in kept(nodes.math("", formula), nodes.Text(after))] == [nodes.math, nodes.Text]


def test_a_link_begins_with_its_first_letter():
    before, space, link = kept(nodes.Text("Solution to"), nodes.reference("", " Exercise 5.1", refuri="#ex"))
    assert (before, space, link.astext()) == ("Solution to", " ", "Exercise 5.1")
