"""A small book with one question of each kind, and quizzes made for a test."""

from pathlib import Path

import pytest
import yaml

from unrolled import quizzes

SMALL_BOOK = Path(__file__).parent / "small-book"


@pytest.fixture
def small_quiz() -> quizzes.Quiz:
    """The quiz of the small book."""
    return quizzes.load(SMALL_BOOK / "book/quizzes/rnn.yml")


@pytest.fixture
def raw() -> dict:
    """The small book's quiz as plain data, to be spoiled."""
    return yaml.safe_load((SMALL_BOOK / "book/quizzes/rnn.yml").read_text())


@pytest.fixture
def error_of(tmp_path, monkeypatch):
    """A function: the sentence with which a quiz file (data or text) called rnn.yml is refused."""
    monkeypatch.chdir(tmp_path)

    def sentence(content) -> str:
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path = tmp_path / "rnn.yml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(quizzes.QuizError) as caught:
            quizzes.check_computed_keys(quizzes.load(path))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return sentence
