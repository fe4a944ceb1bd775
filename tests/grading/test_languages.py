"""A class in which some work in Chinese: the same plain nbgrader commands, the same points, and everybody is answered in their own language."""

import json
import re

import nbformat
import pytest
from sample_class import ASSIGNMENT, NOT_CARRIED, nbgrader

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def answer_in(course, student, spoken, folder="", **changed):
    """Hand in the model answers, but for those changed, in a notebook of a language's release that says it is in the language `spoken`."""
    place = course.folder / "class" / "submitted" / student / ASSIGNMENT
    place.mkdir(parents=True)
    notebook = nbformat.read(course.folder / "assignments" / ASSIGNMENT / folder / f"{ASSIGNMENT}.ipynb", as_version=4)
    answers = {**course.answers, **{name.replace("_code", "-code"): text for name, text in changed.items()}}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in answers and cell.metadata.nbgrader.solution:
            cell.source = answers[cell.metadata.nbgrader.grade_id]
    notebook.metadata.pop("unrolled", None)
    if spoken:
        notebook.metadata["unrolled"] = {"language": spoken}
    nbformat.write(notebook, place / f"{ASSIGNMENT}.ipynb")
    return place / f"{ASSIGNMENT}.ipynb"


@pytest.fixture(scope="module")
def both(bwrap, small_course):
    """A class after `nbgrader autograde` and `nbgrader generate_feedback`."""
    answer_in(small_course, "ada", "")
    answer_in(small_course, "li", "zh_CN", "zh_CN")
    answer_in(small_course, "blaise", "", rnn_forward_code=NOT_CARRIED)
    answer_in(small_course, "wang", "zh_CN", "zh_CN", rnn_forward_code=NOT_CARRIED)
    answer_in(small_course, "forged", "zh_CN", "", rnn_forward_code=NOT_CARRIED)
    answer_in(small_course, "strange", "xx/../..", "", rnn_forward_code=NOT_CARRIED)
    changed = answer_in(small_course, "zhao", "zh_CN", "zh_CN")
    notebook = json.loads(changed.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = "# 我写在这里的话\n"
    changed.write_text(json.dumps(notebook), encoding="utf-8")
    nbgrader(small_course.folder, "autograde", ASSIGNMENT)
    nbgrader(small_course.folder, "generate_feedback", ASSIGNMENT)
    return small_course


def page(course, student):
    return (course.folder / "class" / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")


def remarks(course, student):
    return json.loads(next((course.folder / "class").glob(f"**/{student}/**/*.json")).read_text(encoding="utf-8"))["notes"]


def test_both_languages_earn_the_same_points(both):
    points = both.points()
    assert points["ada"] == points["li"] == 20
    assert points["blaise"] == points["wang"] < 20


def test_a_language_that_is_not_the_notebooks_own_gains_nothing(both):
    points = both.points()
    assert points["forged"] == points["strange"] == points["blaise"]


def test_a_chinese_notebook_is_held_to_the_chinese_release(both):
    assert not [remark for student in ("li", "wang") for remark in remarks(both, student)]


def test_what_was_changed_in_the_chinese_text_is_shown_as_the_learners_own(both):
    assert "我写在这里的话" in page(both, "zhao")


def test_feedback_speaks_the_language_of_the_notebook(both):
    english, chinese = page(both, "blaise"), page(both, "wang")
    assert '<html lang="en">' in english and not CHINESE.search(english)
    assert '<html lang="zh-CN">' in chinese and "给 wang 的反馈" in chinese and "不改动输入" in chinese
