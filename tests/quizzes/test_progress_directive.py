"""The {quiz-progress} directive: every quiz once, its page named, its questions asleep."""

from __future__ import annotations

import pytest
from sphinx.errors import ExtensionError
from test_quiz_directive import book, build  # noqa: F401, book is a fixture

PAGE = "# Progress\n\n```{quiz-progress}\n%s\n```\n"


@pytest.fixture
def with_progress(book):  # noqa: F811
    """A function: the small book, its page renamed to the quiz's name, with a progress page that lists these names."""

    def make(*names):
        (book / "book/index.md").rename(book / "book/rnn.md")
        (book / "book/index.md").write_text("# Book\n\n```{toctree}\nrnn\nprogress\n```\n")
        (book / "book/progress.md").write_text(PAGE % "\n".join(names))
        conf = book / "conf.py"
        conf.write_text(conf.read_text().replace('["book/index.md"]', '["book/index.md", "book/rnn.md", "book/progress.md"]'))
        return book

    return make


def test_each_chapter_is_a_row_that_links_to_its_page(with_progress):
    html = (build(with_progress("rnn")) / "book/progress.html").read_text()
    assert 'data-quiz="rnn"' in html and 'href="rnn.html"' in html
    assert html.count("<template") == 2  # before and after


def test_the_questions_sleep_in_templates_and_are_no_quiz_of_the_page(with_progress):
    html = (build(with_progress("rnn")) / "book/progress.html").read_text()
    awake = "".join(part.split("</template>")[-1] for part in html.split("<template"))
    assert "unrolled-quiz-title" in html and "unrolled-quiz-title" not in awake


@pytest.mark.parametrize("names, said", [((), "missing: rnn"), (("rnn", "gru"), "unknown or twice: gru"), (("rnn", "rnn"), "stands twice")])
def test_a_quiz_left_out_unknown_or_listed_twice_stops_the_build(with_progress, names, said):
    with pytest.raises(ExtensionError, match=said):
        build(with_progress(*names))


def test_where_there_are_no_forms_the_progress_is_left_out(with_progress):
    text = (build(with_progress("rnn"), "text") / "book/progress.txt").read_text()
    assert text.strip() == "Progress\n********"
