"""The directives of the review: every question asleep in one page, and how many are due on another."""

from __future__ import annotations

import html
import json
import re

import pytest
from test_quiz_directive import book, build  # noqa: F401, book is a fixture


@pytest.fixture
def with_review(book):  # noqa: F811
    """The small book, its page renamed to the quiz's name, with a page of review and a title page that counts."""
    (book / "book/index.md").rename(book / "book/rnn.md")
    (book / "book/index.md").write_text("# Book\n\n```{review-due} review\n```\n\n```{toctree}\nrnn\nreview\n```\n")
    (book / "book/review.md").write_text("# Review\n\n```{quiz-review}\n```\n")
    conf = book / "conf.py"
    conf.write_text(conf.read_text().replace('["book/index.md"]', '["book/index.md", "book/rnn.md", "book/review.md"]'))
    return book


def test_every_question_sleeps_in_the_page_and_is_named_in_its_list(with_review):
    page = (build(with_review) / "book/review.html").read_text()
    ids = json.loads(html.unescape(re.search(r'data-ids="([^"]*)"', page)[1]))
    assert page.count("<template") == 2 and page.count('class="unrolled-question"') == len(ids) > 0
    assert 'data-chapter="rnn"' in page and 'href="rnn.html"' in page


def test_the_title_page_links_to_the_review_and_is_silent_until_the_script_has_counted(with_review):
    page = (build(with_review) / "book/index.html").read_text()
    due = re.search(r'<div[^>]*class="unrolled-due"[^>]*>.*?</div>', page, re.DOTALL)[0]
    assert "hidden" in due.split(">")[0] and 'href="review.html"' in due and "{due}" in due


def test_where_there_are_no_forms_the_review_is_left_out(with_review):
    text = (build(with_review, "text") / "book/review.txt").read_text()
    assert text.strip() == "Review\n******"
