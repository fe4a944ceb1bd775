"""The {quiz} directive: what a build makes of it, what it refuses, and what translators get."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sphinx.locale
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from unrolled.site import quiz as directive

SMALL_BOOK = Path(__file__).parent / "small-book"
CONFIG = """
extensions = ["myst_parser", "unrolled.site.quiz"]
myst_enable_extensions = ["dollarmath"]
include_patterns = ["book/index.md"]
root_doc = "book/index"
language = "{language}"
locale_dirs = ["locale"]
gettext_compact = False
"""


@pytest.fixture
def book(tmp_path) -> Path:
    """A copy of the small book, with a conf.py for plain Sphinx."""
    shutil.copytree(SMALL_BOOK, tmp_path / "src")
    (tmp_path / "src/conf.py").write_text(CONFIG.format(language="en"))
    return tmp_path / "src"


def build(book: Path, builder: str = "html") -> Path:
    """Build with plain Sphinx; a warning raises. Gives the folder of the output."""
    out = book.parent / builder
    sphinx.locale.translators.clear()  # Sphinx remembers the catalogues of the build before
    with patch_docutils(book), docutils_namespace():
        app = Sphinx(book, book, out, book.parent / "doctrees", builder, status=None, warning=None, warningiserror=True)
        app.build()
    return out


def jupyter_book(book: Path) -> subprocess.CompletedProcess:
    (book / "conf.py").unlink()
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "."]
    return subprocess.run(command, cwd=book, capture_output=True, text=True)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def messages(pot: Path) -> set[str]:
    """The texts of a catalogue."""
    lines = re.sub(r'"\n"', "", pot.read_text()).splitlines()
    found = {line.removeprefix('msgid "').removesuffix('"') for line in lines if line.startswith("msgid ")}
    return {text.replace('\\"', '"').replace("\\\\", "\\") for text in found}


@pytest.mark.slow
def test_a_malformed_quiz_fails_the_book_with_its_sentence(book):
    edit(book / "book/quizzes/rnn.yml", "    feedback: That is the transpose, $\\mathbf H_t^\\top$.\n", "")
    done = jupyter_book(book)
    assert done.returncode != 0
    assert (
        "book/index.md:3: book/quizzes/rnn.yml, question 'shape-of-h', field 'choices[1].feedback': "
        "expected a value, received nothing." in done.stdout + done.stderr
    )


def test_an_unknown_quiz_fails_the_book_and_lists_the_known_ones(book):
    edit(book / "book/index.md", "{quiz} rnn\n:part: before", "{quiz} rn\n:part: before")
    with pytest.raises(ExtensionError, match="No quiz is called 'rn'; .*book/quizzes holds rnn: use one of these"):
        build(book)


def test_a_quiz_without_its_part_fails_the_book(book):
    edit(book / "book/index.md", ":part: before\n", "")
    with pytest.raises(ExtensionError, match="the quiz 'rnn' needs :part: before or :part: after"):
        build(book)


def test_a_prompt_that_begins_with_code_fails_the_book(book):
    edit(book / "book/quizzes/rnn.yml", "    With `N` sequences and `H` hidden units, what is the shape of $\\mathbf H_t$?\n", "")
    with pytest.raises(ExtensionError, match="question 'shape-of-h', field 'prompt': expected a paragraph first"):
        build(book)


def test_an_edited_quiz_is_built_anew(book):
    page = build(book) / "book/index.html"
    assert "a row a sequence" in page.read_text()
    edit(book / "book/quizzes/rnn.yml", "a row a sequence", "a row for each sequence")
    assert "a row for each sequence" in (build(book) / "book/index.html").read_text()


def test_the_folder_of_quizzes_can_be_set(book):
    (book / "book/quizzes").rename(book / "elsewhere")
    with (book / "conf.py").open("a") as config:
        config.write('quizzes_folder = "elsewhere"\n')
    assert "a row a sequence" in (build(book) / "book/index.html").read_text()


def test_a_question_says_under_which_name_version_1_kept_its_answers(book):
    page = (build(book) / "book/index.html").read_text()
    assert re.findall(r'data-was="([^"]*)"', page) == [f"rnn.{name}" for name in ("before.shape-of-h", "before.what-grows", "after.parameters", "after.its-name")]


def test_markup_in_a_text_is_escaped(book):
    edit(book / "book/quizzes/rnn.yml", "[backpropagation through time, BPTT]", "['<b>\"x\"</b>']")
    edit(book / "book/quizzes/rnn.yml", "\"'bptt'\"", "'1'")
    text = (build(book) / "book/index.html").read_text()
    assert "<b>" not in text
    assert "&lt;b&gt;" in text


def test_every_text_reaches_the_translators(book, small_quiz):
    found = messages(build(book, "gettext") / "book/index.pot")
    texts = {*directive.SPOKEN.values(), *directive.TITLES.values()}
    texts |= {getattr(directive, name) for name in ("CHECK", "RESET", "YOUR_ANSWER", "ANSWERS", "RIGHT", "WRONG")}
    texts |= {directive.OTHERWISE, directive.REREAD.format(section="[](<#hidden-state>)"), "parameters"}
    for question in small_quiz.before + small_quiz.after:
        texts |= {question.prompt.split("\n\n")[0], question.right, question.wrong}
        texts |= {mistake.feedback for mistake in question.mistakes}
        for choice in question.choices:
            texts |= {choice.text, choice.feedback}
    assert texts - found - {""} == set()


def test_translators_are_told_where_a_text_stands(book, small_quiz):
    pot = (build(book, "gettext") / "book/index.pot").read_text()
    line = small_quiz.after[1].line
    assert f'book/quizzes/rnn.yml:{line}\nmsgid "Yes, but through what?"' in pot
    assert 'book/index.md:3\nmsgid "Quiz: before you read"' in pot


def test_a_translation_reaches_prompt_choice_feedback_and_button(book):
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    catalog = Catalog(locale="de")
    translations = {
        "Which of these grow with the number of steps $T$?": "Was wächst mit der Zahl der Schritte $T$?",
        "the number of parameters": "die Zahl der Parameter",
        "No, every step uses the same weights.": "Nein, jeder Schritt nutzt dieselben Gewichte.",
        directive.CHECK: "Antwort prüfen",
        directive.SPOKEN["progress"]: "{right} von {total} richtig, {first} auf Anhieb.",
    }
    for text, translation in translations.items():
        catalog.add(text, translation)
    target = book / "locale/de/LC_MESSAGES/book/index.mo"
    target.parent.mkdir(parents=True)
    with target.open("wb") as stream:
        write_mo(stream, catalog)
    (book / "conf.py").write_text(CONFIG.format(language="de"))
    page = (build(book) / "book/index.html").read_text()
    assert "Was wächst mit der Zahl der Schritte <span" in page
    for translation in list(translations.values())[1:]:
        assert f">{translation}<" in page
    for text in list(translations)[1:]:
        assert text not in page


def test_plain_text_gets_lists_of_choices_and_answers(book):
    text = " ".join((build(book, "text") / "book/index.txt").read_text().split())
    assert '1. With "N" sequences' in text
    assert "* the memory of backpropagation * the time of the forward pass * the number of parameters" in text
    assert "* *Wrong*: the number of parameters No, every step uses the same weights." in text
    assert "D=3 and H=4? (parameters) **Answers**" in text
    assert directive.CHECK not in text


def test_latex_gets_lists_of_choices_and_answers(book):
    source = next(build(book, "latex").glob("*.tex")).read_text()
    assert "the memory of backpropagation" in source
    assert "The bias is left out." in source
    assert directive.RESET not in source


def test_the_page_key_of_a_choice_lists_the_right_ones(small_quiz):
    assert directive.page_key(small_quiz.before[1]) == {"kind": "many", "choices": ["a", "b", "c"], "right": ["b", "c"]}


def test_the_page_key_of_a_text_is_normalised(small_quiz):
    assert directive.page_key(small_quiz.after[1])["accept"] == ["backpropagation through time", "bptt"]
