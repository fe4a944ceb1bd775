"""The quizzes of the book: well-formed, tied to their chapters, and with keys that are recomputed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import chisquare

from unrolled import quizzes
from unrolled.quiz_terminal import plain_line, plain_math

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


# A reader who knows nothing learns nothing from where a choice stands or how long it is: the right one is first, or longest, as often as
# chance would have it. Bounds are those that chance itself passes 19 times in 20 (places), 80 times in 81 (lengths).


@pytest.fixture(scope="module")
def choosing():
    """The questions of the book with one right choice."""
    return [one for quiz in quizzes.find_all(FOLDER) for one in quiz.before + quiz.after if one.kind == "one"]


@pytest.mark.parametrize("number", [3, 4])
def test_the_right_choice_stands_in_each_place_equally_often(choosing, number):
    places = Counter([choice.right for choice in one.shown].index(True) for one in choosing if len(one.shown) == number)
    assert chisquare([places[place] for place in range(number)]).pvalue > 0.05, places


@pytest.mark.parametrize("extreme", [max, min], ids=["longest", "shortest"])
def test_the_right_choice_is_the_longest_or_the_shortest_as_often_as_another(choosing, extreme):
    found = []
    for one in choosing:
        lengths = {choice.id: len(plain_line(choice.text)) for choice in one.choices}
        right = next(choice.id for choice in one.choices if choice.right)
        if [name for name in lengths if lengths[name] == extreme(lengths.values())] == [right]:
            found.append(one.id)
    chances = [1 / len(one.choices) for one in choosing]
    expected, spread = sum(chances), sum(chance * (1 - chance) for chance in chances) ** 0.5
    assert abs(len(found) - expected) < 2.5 * spread, f"{len(found)} where chance gives {expected:.0f} ± {spread:.1f}: {', '.join(found)}"


def test_choices_that_speak_of_the_others_or_are_a_scale_keep_their_place(choosing):
    for one in choosing:
        texts = [plain_line(choice.text) for choice in one.choices]
        about = [choice.id for choice, text in zip(one.choices, texts, strict=True) if ABOUT_OTHERS.search(text) and not choice.last]
        assert one.keep_order or about == [], f"{one.id}: give {about} last: true"
        assert one.keep_order or not all(NUMBER.fullmatch(text) for text in texts), f"{one.id}: its choices are a scale, give it keep_order: true"


ABOUT_OTHERS = re.compile(r"\b(of (these|the above|those above)|other (answers|choices)|(all|both|none|neither) (is|are) (right|true|correct))\b", re.IGNORECASE)
NUMBER = re.compile(r"[-+−]?[\d,.]+( ?%)?")


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
