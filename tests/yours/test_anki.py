"""The deck for Anki, as Anki's own library reads it: what is on the cards, and that a later deck keeps the history."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from unrolled import quizzes
from unrolled.yours import cards

collection = pytest.importorskip("anki.collection", reason="optional: Anki's library is not installed (`python -m pip install anki`)")


@pytest.fixture(scope="module")
def deck(course, tmp_path_factory) -> Path:
    """The course's own deck."""
    file = tmp_path_factory.mktemp("deck") / "unrolled.apkg"
    cards.build(course, file)
    return file


@pytest.fixture
def anki(tmp_path):
    """An empty collection."""
    opened = collection.Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


def load(anki, file: Path) -> None:
    options = collection.ImportAnkiPackageOptions(with_scheduling=True)
    anki.import_anki_package(collection.ImportAnkiPackageRequest(package_path=str(file), options=options))


def note_of(anki, question: str):
    (found,) = anki.find_notes(f'"Id:{question}"')
    return anki.get_note(found)


def changed_course(course, tmp_path, old: str, new: str, file: str = "rnn.yml") -> Path:
    """A copy of the course's quizzes and glossary with one text changed."""
    copy = tmp_path / "course"
    shutil.copytree(course / "book" / "quizzes", copy / "book" / "quizzes")
    (copy / "book" / "appendix").mkdir()
    shutil.copy(course / "book" / "appendix" / "glossary.md", copy / "book" / "appendix")
    path = copy / "book" / "quizzes" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return copy


def test_every_question_is_a_card_and_every_term_two(anki, deck, course):
    load(anki, deck)
    questions = [q for quiz in quizzes.find_all(course / "book" / "quizzes") for q in quiz.before + quiz.after]
    terms = list(cards.terms((course / "book" / "appendix" / "glossary.md").read_text(encoding="utf-8")))
    assert len(anki.find_cards("deck:Unrolled::Quizzes")) == len(questions)
    assert len(anki.find_cards("deck:Unrolled::Glossary")) == 2 * len(terms) > 100


def test_a_card_shows_the_choices_in_front_and_each_reason_behind(anki, deck, course):
    load(anki, deck)
    question = next(q for q in quizzes.find("rnn", course / "book" / "quizzes").after if q.kind == "one")
    card = note_of(anki, question.id).cards()[0]
    assert card.question().count("<li>") == len(question.choices)
    assert card.answer().count("class=wrong") == len(question.choices) - 1


def test_formulas_are_mathjax_and_no_myst_is_left(anki, deck):
    load(anki, deck)
    texts = ["".join(anki.get_note(note).fields) for note in anki.find_notes("")]
    assert any(r"\(" in text for text in texts)
    outside = [re.sub(r"\\\(.*?\\\)|\\\[.*?\\\]|<code.*?</code>", "", text, flags=re.DOTALL) for text in texts]
    assert [text[:200] for text in outside if re.search(r"\$|\{\w+\}`|\{\{|\}\}", text)] == []


def test_a_later_deck_changes_the_words_and_keeps_the_history(anki, deck, course, tmp_path):
    load(anki, deck)
    question = quizzes.find("rnn", course / "book" / "quizzes").after[0]
    first_line = question.prompt.strip().splitlines()[0]
    card = note_of(anki, question.id).cards()[0]
    card.start_timer()
    anki.decks.select(card.did)
    anki.sched.set_due_date([card.id], "9")
    before, notes, history = anki.get_card(card.id), anki.note_count(), anki.card_count()
    later = tmp_path / "later.apkg"
    cards.build(changed_course(course, tmp_path, first_line, "Now in other words, " + first_line), later)
    _newer(later)
    load(anki, later)
    after = anki.get_card(card.id)
    assert (anki.note_count(), anki.card_count()) == (notes, history)
    assert (after.ivl, after.due, after.queue, after.type) == (before.ivl, before.due, before.queue, before.type) and after.ivl > 0
    assert "Now in other words" in after.question()


def _newer(file: Path) -> None:
    """Date the notes of a deck one minute later, as if it had been built then."""
    import sqlite3

    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    database = file.with_suffix(".anki2")
    database.write_bytes(content["collection.anki2"])
    with sqlite3.connect(database) as connection:
        connection.execute("update notes set mod = mod + 60")
    connection.close()
    content["collection.anki2"] = database.read_bytes()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_a_question_that_moves_to_another_chapter_stays_the_same_note(anki, deck, course, tmp_path):
    load(anki, deck)
    count = anki.note_count()
    copy = changed_course(course, tmp_path, "id: ", "id: ")
    (copy / "book" / "quizzes" / "rnn.yml").rename(copy / "book" / "quizzes" / "another.yml")
    moved = tmp_path / "moved.apkg"
    cards.build(copy, moved)
    load(anki, moved)
    assert anki.note_count() == count


def test_a_deck_that_can_not_be_built_leaves_nothing_behind(course, tmp_path):
    copy = changed_course(course, tmp_path, "kind: one", "kind: riddle")
    with pytest.raises(quizzes.QuizError):
        cards.build(copy, tmp_path / "out" / "deck.apkg")
    assert not (tmp_path / "out").exists()
