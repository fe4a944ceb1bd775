"""The quizzes of the book: well-formed, tied to their chapters, and with keys that are recomputed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unrolled import quizzes
from unrolled.quiz_terminal import plain_math

FOLDER = Path(__file__).resolve().parents[2] / "book" / "quizzes"
NAMES = quizzes.names(FOLDER)


def of_each_quiz(test):
    return pytest.mark.parametrize("name", NAMES)(test)


def test_there_are_quizzes():
    assert {"rnn", "rnn-scratch"} <= set(NAMES)


@of_each_quiz
def test_a_quiz_has_as_many_questions_as_a_page_asks_for(name):
    quiz = quizzes.find(name, FOLDER)
    assert 2 <= len(quiz.before) <= 4
    assert 5 <= len(quiz.after) <= 8


@of_each_quiz
def test_keys_that_can_be_computed_are_right(name):
    quiz = quizzes.find(name, FOLDER)
    assert any(question.compute for question in (*quiz.before, *quiz.after)), "no question has a computed key"
    quizzes.check_computed_keys(quiz)


@of_each_quiz
def test_no_two_choices_of_a_question_share_their_feedback(name):
    quiz = quizzes.find(name, FOLDER)
    for question in (*quiz.before, *quiz.after):
        feedback = [choice.feedback for choice in question.choices]
        assert len(set(feedback)) == len(feedback), question.id


@of_each_quiz
def test_the_right_choice_is_not_always_in_the_same_place(name):
    quiz = quizzes.find(name, FOLDER)
    places = [[c.right for c in q.choices].index(True) for q in (*quiz.before, *quiz.after) if q.kind == "one"]
    assert len(places) < 3 or len(set(places)) > 1, places


@of_each_quiz
def test_no_command_of_tex_is_left_in_the_terminal(name):
    quiz = quizzes.find(name, FOLDER)
    texts = []
    for question in (*quiz.before, *quiz.after):
        texts += [question.prompt, question.right, question.wrong, question.unit]
        texts += [text for choice in question.choices for text in (choice.text, choice.feedback)]
        texts += [mistake.feedback for mistake in question.mistakes]
    commands = {command for text in texts for command in re.findall(r"\\([A-Za-z]{3,})", text)}
    shown = " ".join(plain_math(formula) for text in texts for formula in re.findall(r"\$([^$]+)\$", text))
    left = {command for command in commands if re.search(rf"(?<![A-Za-z]){command}(?![A-Za-z])", shown)}
    assert left <= FUNCTIONS, left


# Names that are read aloud as they stand.
FUNCTIONS = {"ln", "log", "exp", "tanh", "max", "min", "cos", "sin", "softmax"}
