"""The report of assignment 08: 6 points come from checks, up to 14 from a person who reads five answers."""

from __future__ import annotations

import contextlib
import re

import pytest
from nbgrader.api import Gradebook

pytestmark = pytest.mark.slow

ASSIGNMENT = "08-your-data"
GIVEN = {"data": 3, "baselines": 1.5, "training": 2, "errors": 2.5, "report": 3}  # of 3, 2, 3, 3 and 3


@pytest.fixture(scope="module")
def graded(bwrap, course_of) -> dict:
    """ada hands in the model answers, bob answers one question of five; ada is graded by hand and gets her feedback."""
    made = course_of(ASSIGNMENT)
    made.hand_in("ada")
    released = dict.fromkeys(GIVEN, "YOUR ANSWER HERE")
    made.hand_in("bob", **{**released, "data": "300 letters of my grandmother, sorted by decade."})
    with contextlib.chdir(made.folder):
        for student in ("ada", "bob"):
            assert made.grade(student)["success"]
        autograded = made.book()
        with Gradebook(made.config.CourseDirectory.db_url, "unrolled") as book:
            for name, points in GIVEN.items():
                grade = book.find_grade(name, ASSIGNMENT, ASSIGNMENT, "ada")
                grade.manual_score, grade.needs_manual_grade = points, False
            book.find_comment("errors", ASSIGNMENT, ASSIGNMENT, "ada").manual_comment = "Which kind did you test?"
            book.db.commit()
        assert made.api.generate_feedback(ASSIGNMENT, "ada")["success"]
        page = (made.folder / "class" / "feedback" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
        return {"autograded": autograded, "by hand": made.book()[ASSIGNMENT, "ada"], "page": page}


def waiting(entry: dict) -> set[str]:
    """The answers that need a person."""
    return {name for name, _, _, needs in entry["grades"] if needs}


def test_all_five_answers_wait_for_a_person_beside_6_points_of_checks(graded):
    entry = graded["autograded"][ASSIGNMENT, "ada"]
    assert waiting(entry) == set(GIVEN)
    assert entry["score"] == 6


def test_an_answer_that_was_left_as_released_waits_for_nobody(graded):
    assert waiting(graded["autograded"][ASSIGNMENT, "bob"]) == {"data"}


def test_points_by_hand_are_added_to_those_of_the_checks(graded):
    assert graded["by hand"]["score"] == 6 + sum(GIVEN.values())
    assert waiting(graded["by hand"]) == set()


def test_feedback_page_shows_the_total_and_the_points_of_each_answer(graded):
    assert "18 of 20 points" in graded["page"]
    for name, most in {"data": 3, "baselines": 2, "training": 3, "errors": 3, "report": 3}.items():
        assert re.search(rf'<a href="#{name}">.*?<span class="\w+">{GIVEN[name]:g}</span> of {most}', graded["page"]), name


def test_feedback_page_shows_the_comment_beside_its_answer(graded):
    comment = re.search(r'<div class="comment" id="comment-errors">(.*?)</div>', graded["page"], re.DOTALL)
    assert comment and "Which kind did you test?" in comment[1]
