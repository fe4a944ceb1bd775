"""Code that is alike when names, numbers, comments and layout don't count."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.checks import TASKS
from unrolled.grading import referee, similar

NAME = "02-rnn-forward"
GIVEN = ["def f(x, y):\n    '''What f is.'''\n    # YOUR CODE HERE\n    raise NotImplementedError()"]
CODE = "def f(x, y):\n    '''What f is.'''\n    total = np.zeros(3)\n    for step in range(10):\n        total = total + x @ y[step]\n    return np.tanh(total)\n"
COPY = "def f(a, b):\n\n    # my own work\n    s = np.zeros( 5 )\n    for t in range(11):  # over time\n      s = s+a@b[t]\n    return np.tanh(s)"
OTHER = "def f(x, y):\n    return np.tanh(sum(x.dot(part) for part in y)) if len(y) else np.array([0.0, 0.0, 0.0]) * x.mean()\n"


def _code(student: str, *texts: str) -> similar.Code:
    return similar.code_of(student, texts, GIVEN)


def test_names_numbers_comments_docstrings_and_layout_do_not_count():
    assert similar.alike(_code("a", CODE), _code("b", COPY)) == 1


def test_another_way_is_not_alike():
    assert similar.alike(_code("a", CODE), _code("b", OTHER)) < 0.3


def test_what_the_release_gives_is_not_counted():
    assert _code("a", GIVEN[0]).cells == {} and _code("a", GIVEN[0].replace("x, y", "a, b")).cells == {}
    assert not any("def" in line for line in _code("a", CODE).cells["f"])


def test_most_alike_pair_comes_first_with_the_cells_that_are_the_same():
    g = "def g(n):\n    result = [n]\n    while n > 1:\n        n = n // 2 if n % 2 == 0 else 3 * n + 1\n        result.append(n)\n    return result\n"
    found = similar.pairs([_code("ada", CODE, g), _code("ben", OTHER, g.replace("%", "//")), _code("eve", COPY, g)], 3)
    assert [(pair.one, pair.other) for pair in found][0] == ("ada", "eve") and found[0].alike == 1
    assert found[0].same == ("f", "g") and found[1].same == ()


def test_who_wrote_next_to_nothing_is_in_no_pair():
    assert similar.pairs([_code("ada", "x = 1"), _code("eve", "x = 1"), _code("bob", CODE)], 5) == []


@given(st.text(max_size=200))
def test_any_text_gives_words(text):
    assert all(isinstance(word, str) for line in similar.skeleton(text) for word in line)


@pytest.mark.parametrize("text", ["(" * 100_000, "-" * 100_000 + "1", "x = '''" + "a" * 200_000, "a." * 100_000, "if x:\n" * 3000, "\0", "f'{" * 5000])
def test_hostile_text_takes_no_time_and_no_stack(text):
    assert sum(map(len, similar.skeleton(text))) <= similar.MOST_WORDS


@pytest.fixture
def measured(course, monkeypatch):
    """What the page says, measured anew: `python benchmarks/similarity.py`."""
    import importlib

    monkeypatch.setattr(sys, "path", [str(course / "benchmarks"), *sys.path])
    return importlib.import_module("similarity").measured


@pytest.mark.parametrize("assignment", sorted({task.assignment for task in TASKS.values()}))
def test_numbers_of_the_page_hold(measured, assignment):
    found = measured(assignment)
    assert found["renamed"] == 1 and round(found["honest"], 2) <= 0.15 and round(found["one rewritten"], 2) >= 0.45


def test_command_names_the_pair_and_needs_two(fresh_course):
    folder = referee.ClassFolder(fresh_course.folder / "class")
    assert "0 submissions of 02-rnn-forward are graded" in fresh_course.command("similar", NAME).stderr
    answers = [text for name, text in fresh_course.answers.items() if name.endswith("-code")]
    for student, texts in {"ada": answers, "eve [1]": [text.replace("np.", "np .") for text in answers], "bob": [OTHER]}.items():
        folder.write_record(student, NAME, NAME, {"cells": [{"kind": "solution", "text": text} for text in texts]})
    done = fresh_course.command("similar", NAME, "--top", "1")
    row = next(line for line in done.stdout.splitlines() if "1.00" in line)
    assert "ada" in row and "eve [1]" in row and "rnn_step" in done.stdout
    assert "name an assignment" in fresh_course.command("similar", "nothing").stderr
