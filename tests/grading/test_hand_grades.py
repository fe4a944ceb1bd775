"""The explanations of assignments 03 and 07: 17 points come from checks, up to 3 from a person who reads the answer."""

from __future__ import annotations

import contextlib
import re
import shutil
from dataclasses import dataclass

import pytest
from nbgrader.api import Gradebook

pytestmark = pytest.mark.slow

COMMENT = "Half of the third point: *which* norm?"


@dataclass
class HandGraded:
    """What the gradebook says of ada's submission as it goes along, and the feedback page."""

    autograded: dict
    by_hand: dict
    page: str
    graded_again: dict
    with_another_answer: dict


def _as_the_formgrader_does(course, points: float) -> None:
    """Enter points and a comment for ada's explanation."""
    where = "explanation", course.assignment, course.assignment, "ada"
    with Gradebook(course.config.CourseDirectory.db_url, "unrolled") as book:
        grade = book.find_grade(*where)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.find_comment(*where).manual_comment = COMMENT
        book.db.commit()


@pytest.fixture(scope="module", params=["03-bptt", "07-seq2seq"])
def hand_graded(request, bwrap, course_of) -> HandGraded:
    """ada hands in the model answers, is graded, gets 2 of 3 points by hand and her feedback, and is graded once more."""
    assignment = request.param
    made = course_of(assignment)
    made.hand_in("ada")

    def entry() -> dict:
        return made.book()[assignment, "ada"]

    with contextlib.chdir(made.folder):
        assert made.grade("ada")["success"]
        autograded = entry()
        _as_the_formgrader_does(made, 2)
        by_hand = entry()
        assert made.api.generate_feedback(assignment, "ada")["success"]
        page = (made.folder / "class" / "feedback" / "ada" / assignment / f"{assignment}.html").read_text(encoding="utf-8")
        assert made.grade("ada", force=True)["success"]
        graded_again = entry()
        shutil.rmtree(made.folder / "class" / "submitted" / "ada")
        made.hand_in("ada", explanation="Another answer.")
        assert made.grade("ada", force=False)["success"]
        return HandGraded(autograded, by_hand, page, graded_again, entry())


def test_explanation_waits_for_a_person_beside_17_points_of_checks(hand_graded):
    assert ("explanation", None, None, True) in hand_graded.autograded["grades"]  # no points of either kind: needs a person
    assert hand_graded.autograded["score"] == 17


def test_points_by_hand_are_added_to_those_of_the_checks(hand_graded):
    assert hand_graded.by_hand["score"] == 19


def test_feedback_page_shows_the_total_and_the_points_by_hand(hand_graded):
    assert "19 of 20 points" in hand_graded.page
    assert re.search(r'<a href="#explanation">.*?<span class="part">2</span> of 3', hand_graded.page)


def test_feedback_page_shows_the_comment_beside_the_answer(hand_graded):
    comment = re.search(r'<div class="comment" id="comment-explanation">(.*?)</div>', hand_graded.page, re.DOTALL)
    assert comment and "Half of the third point: <em>which</em> norm?" in comment[1]


def test_points_by_hand_for_the_same_answer_need_no_second_look(hand_graded):
    assert ("explanation", None, 2, False) in hand_graded.graded_again["grades"]


def test_points_by_hand_for_another_answer_stay_and_need_a_look(hand_graded):
    assert ("explanation", None, 2, True) in hand_graded.with_another_answer["grades"]


def test_grade_and_comment_by_hand_survive_a_second_autograde(hand_graded):
    assert hand_graded.graded_again["score"] == 19
    assert hand_graded.graded_again["comments"] == hand_graded.by_hand["comments"]
