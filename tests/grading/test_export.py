"""What goes out of a class: the table in three layouts, and the feedback pages."""

from __future__ import annotations

import csv
import html
import re
import warnings

import numpy as np
import pytest
from conftest import STRANGE
from nbgrader.api import Gradebook

from unrolled.checks import TASKS
from unrolled.grading import referee
from unrolled.grading.export import guarded

NAME = "02-rnn-forward"


# --- Cells -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "=cmd|'/c calc'!A0", "\ufeff=1"])
def test_text_that_a_spreadsheet_would_calculate_is_guarded(text):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("value", ["ada", "O'Neill, A.", "李雷", "a=b", "", 3.5, 0, -1.0, None])
def test_other_values_are_left_as_they_are(value):
    assert guarded(value) == value


# --- The table ---------------------------------------------------------------------------------


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines(True)))


@pytest.fixture(scope="session")
def tables(graded_class):
    """The three layouts of a class, one of whose students has a name that is a formula, and one of whom handed in nothing."""
    import sample_class

    course = graded_class.course
    with warnings.catch_warnings(), Gradebook(f"sqlite:///{course.folder / 'class' / 'gradebook.db'}", "unrolled") as book:
        warnings.simplefilter("ignore")
        book.update_or_create_student("blaise", first_name="=HYPERLINK(1)", last_name='Pas"cal, B.', email="@b")
        book.update_or_create_student("nobody")
    to = course.folder / "out.csv"
    sample_class.nbgrader(course.folder, "export", "--CsvExport.layout=canvas", "--to", str(to))
    return {"table": course.plugin("table"), "canvas": to.read_text(encoding="utf-8"), "moodle": course.plugin("moodle")}


@pytest.mark.slow
def test_every_cell_is_quoted_and_no_cell_is_a_formula(tables):
    for text in tables.values():
        for row in _rows(text):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
        assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
        assert 'Pas""cal, B.' in text
    assert all("'=HYPERLINK(1)" in tables[layout] for layout in ("table", "moodle"))


@pytest.mark.slow
def test_table_marks_what_crashed_ran_out_of_time_was_refused_or_never_came(tables):
    rows = {row["student_id"]: row for row in csv.DictReader(tables["table"].splitlines())}
    assert {student: row["status"] for student, row in rows.items()} == {
        "ada": "graded", "blaise": "graded", STRANGE: "graded", "crash": "crashed", "loop": "timed out", "refused": "refused",
        "nobody": "not handed in",
    }  # fmt: skip
    assert (rows["crash"]["score"], rows["crash"]["max_score"], rows["nobody"]["score"]) == ("18.0", "20.0", "0.0")


@pytest.mark.slow
def test_table_keeps_the_columns_of_nbgrader(tables):
    assert _rows(tables["table"])[0][:11] == [
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
        "late_submission_penalty", "score", "max_score",
    ]  # fmt: skip


@pytest.mark.slow
def test_canvas_layout_has_its_columns_points_possible_and_numbers_only(tables):
    head, possible, *rows = _rows(tables["canvas"])
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME, "Remarks (read only)"]
    assert possible[0].strip() == "Points Possible" and possible[5] == "20.0"
    found = {row[3]: row for row in rows}
    assert found["blaise"][0] == "Pas\"cal, B., =HYPERLINK(1)" and float(found["blaise"][5]) == 15.62
    assert found["nobody"][5] == "" and float(found["refused"][5]) == 0
    assert found["crash"][6] == f"{NAME}: crashed" and found["ada"][6] == ""


@pytest.mark.slow
def test_moodle_layout_has_a_grade_and_a_feedback_column_for_each_assignment(tables):
    head, *rows = _rows(tables["moodle"])
    assert head == ["Username", "First name", "Last name", "Email address", NAME, f"{NAME} (feedback)"]
    found = {row[0]: row for row in rows}
    assert found["loop"][4:] == ["18.0", "Your code ran out of time; the feedback page says where."]
    assert found["ada"][4:] == ["20.0", ""] and found["nobody"][4:] == ["", ""]


# --- Feedback ----------------------------------------------------------------------------------


def _page(graded_class, student: str) -> str:
    return (graded_class.course.folder / "class" / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("student", ["ada", "blaise", STRANGE, "crash", "loop", "refused"])
def test_feedback_shows_the_report_of_every_task(graded_class, student):
    page = _page(graded_class, student)
    for name in ("one_hot", "rnn_step", "rnn_forward", "output_logits", "cross_entropy", "num_parameters"):
        section = re.search(rf'<section class="card" id="{name}">(.*?)</section>', page, flags=re.DOTALL)[1]
        assert f"{name}: " in section and "Judged by" in section or "judged by" in section


@pytest.mark.slow
@pytest.mark.parametrize("student, said", [
    ("crash", "ended the whole program (exit status 3)"), ("loop", "a call may take 2 s"), ("refused", "is not a Jupyter notebook"),
])  # fmt: skip
def test_feedback_says_what_happened(graded_class, student, said):
    assert said in html.unescape(_page(graded_class, student))


@pytest.mark.slow
def test_formgrader_makes_the_same_page(graded_class, monkeypatch):
    monkeypatch.chdir(graded_class.course.folder)
    before = _page(graded_class, "blaise")
    result = graded_class.course.api.generate_feedback(NAME, "blaise")
    assert result["success"], result
    assert _page(graded_class, "blaise") == before


def _numbers(value) -> set[str]:
    """The numbers of a value with a fraction, as they would be printed with four significant digits."""
    if isinstance(value, dict):
        return set().union(*map(_numbers, value.values()))
    if isinstance(value, (list, tuple)):
        return set().union(*map(_numbers, value))
    if isinstance(value, (float, np.ndarray, np.floating)):
        return {f"{x:.4g}" for x in np.ravel(np.asarray(value, float)) if np.isfinite(x) and len(_digits(f"{x:.4g}")) == 4}
    return set()


def _told(reports: str) -> set[str]:
    """The numbers with four digits that reports hold, but for the learner's own. One with fewer is like some hidden number by chance."""
    others = re.sub(r"you (have|returned) \S+", "", reports)
    return {f"{float(found):.4g}" for found in re.findall(r"-?\d+\.\d+(?:e[+-]?\d+)?", others) if len(_digits(found)) >= 4}


def _digits(number: str) -> str:
    """The significant digits of a printed number."""
    return number.split("e")[0].lstrip("-").replace(".", "").lstrip("0")


@pytest.mark.slow
def test_feedback_shows_no_hidden_value(graded_class):
    from unrolled.checks import run

    seed = referee.ClassFolder(graded_class.course.folder / "class").seed(NAME)
    hidden = set()
    for name in ("one_hot", "rnn_step", "rnn_forward", "output_logits", "cross_entropy"):
        task = TASKS[name]
        seen: list[dict] = []

        def call(arguments, task=task, seen=seen):
            seen.append(run.copy_of(arguments))
            value = run.in_process(task.solution)(arguments)
            seen.append({"value": value.value})
            return value

        assert run.run(task, call, seed).passed
        hidden |= _numbers(seen)
    assert len(hidden) > 500
    for student in ("blaise", "crash", "loop", "refused"):
        page = _page(graded_class, student)
        reports = " ".join(re.findall(r'<section class="card" id="\w+">(.*?)</section>', page, flags=re.DOTALL))
        assert not _told(reports) & hidden and str(seed) not in page
    planted = next(number for number in hidden if "." in number)
    assert planted in _told(f"the right value is {planted}")
