"""What goes out of a class: the table in three layouts, and the feedback pages."""

from __future__ import annotations

import csv
import html
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import STRANGE
from nbgrader.api import Gradebook
from traitlets.config import Config

from unrolled.checks import TASKS
from unrolled.grading import referee
from unrolled.grading.export import CsvExport, Login, guarded

NAME = "02-rnn-forward"


# --- Cells -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "=cmd|'/c calc'!A0", "\ufeff=1"])
def test_text_that_a_spreadsheet_would_calculate_is_guarded(text):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("value", ["ada", "O'Neill, A.", "李雷", "a=b", "", 3.5, 0, -1.0, None])
def test_other_values_are_left_as_they_are(value):
    assert guarded(value) == value


@pytest.mark.parametrize("login", ["-minus", "+49-170", "@ada", "ada", "李雷", "o'neill", "ada@example.org", "Li Lei. v1"])
def test_login_is_exported_letter_by_letter_where_a_spreadsheet_can_do_no_harm_with_it(login):
    assert guarded(Login(login)) == login and Login(login).found


@pytest.mark.parametrize("login", ["=1", "=cmd", "-1+cmd|'/c calc'!A0", "@SUM(A1)", "+HYPERLINK(1)", "-a b", "-a:b", "\t-a", "-a\n"])
def test_login_with_which_a_spreadsheet_could_do_harm_is_guarded_and_known_not_to_be_found(login):
    assert guarded(Login(login)) == f"'{login}" and not Login(login).found


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


@pytest.fixture
def programs_at_hand(monkeypatch):
    """nbgrader starts alembic by name: it lies beside this Python."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"])


def _gradebook(tmp_path, **students) -> str:
    """The address of a gradebook with one assignment and these students, none of whom handed it in."""
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url, "course") as book:
        book.add_assignment(NAME)
        for login, known in students.items():
            book.add_student(login, **known)
    return url


def _exported(tmp_path, url: str, to: str = "class/out.csv", layout: str = "canvas", **settings) -> list[list[str]]:
    config = Config({**settings, "CsvExport": {"layout": layout}, "ExportPlugin": {"to": str(tmp_path / to)}, "Judge": {"class_folder": str(tmp_path / "class")}})
    (tmp_path / "class").mkdir(exist_ok=True)
    with Gradebook(url, "course") as book:
        CsvExport(config=config).export(book)
    return _rows((tmp_path / to).read_text(encoding="utf-8"))


@pytest.mark.parametrize("layout, place, students", [("canvas", 3, {"-minus", "'=1+1"}), ("moodle", 0, {"-minus"})])
def test_login_that_begins_with_a_minus_is_found_by_the_platform_and_a_formula_is_warned_of(
    tmp_path, caplog, programs_at_hand, layout, place, students
):
    rows = _exported(tmp_path, _gradebook(tmp_path, **{"-minus": {}, "=1+1": {}}), layout=layout)
    assert {row[place] for row in rows[-len(students) :]} == students and not any(row[place] == "=1+1" for row in rows)
    assert "=1+1" in caplog.text and "by hand" in caplog.text and "-minus" not in caplog.text


def test_time_zone_that_is_none_ends_the_export_with_a_sentence_and_writes_nothing(tmp_path, caplog, programs_at_hand):
    url = _gradebook(tmp_path, ada={})
    settings = {"AssignLatePenalties": {"plugin_class": "unrolled.grading.late_days.LateDays"}, "LateDays": {"timezone": "Berlin"}}
    with pytest.raises(SystemExit):
        _exported(tmp_path, url, **settings)
    assert "c.LateDays.timezone is 'Berlin'" in caplog.text and not (tmp_path / "class" / "out.csv").exists()


def test_canvas_finds_a_student_by_its_own_number_where_the_gradebook_has_it(tmp_path, programs_at_hand):
    rows = _exported(tmp_path, _gradebook(tmp_path, ada={"lms_user_id": "4021"}, bob={"lms_user_id": "a-5"}, carol={}))
    assert {row[3]: row[1] for row in rows[2:]} == {"ada": "4021", "bob": "", "carol": ""}


@pytest.mark.parametrize("to, said", [("class/out.csv", False), ("sub/grades", True)])
def test_export_that_git_would_take_is_warned_of(tmp_path, caplog, programs_at_hand, to, said):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("class/\n")
    (tmp_path / "sub").mkdir()
    _exported(tmp_path, _gradebook(tmp_path, ada={}), to)
    assert ("git does not ignore it" in caplog.text) is said


@pytest.mark.parametrize("path", [
    "class/gradebook.db", "canvas.csv", "moodle.csv", "grades.csv", "roster.csv", "worksheet from Moodle.csv", "submissions.zip", "marks.xlsx",
    "list.ods", "gradebook.db", "gradebook.db-journal", ".nbgrader.log", "submitted/ada/x.ipynb", "feedback/ada/x.html", "work/x.ipynb",
])  # fmt: skip
def test_git_ignores_what_holds_personal_data_in_the_folder_of_the_course(course, path):
    if not (course / ".git").exists():
        pytest.skip("needs a git repository: the course is no clone")
    assert subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=course).returncode == 0


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
    assert head[:-1] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME]
    assert "Current Score" in head[-1] and possible[-1] == "(read only)"  # by either of them Canvas knows that it is no assignment
    assert possible[0].strip() == "Points Possible" and possible[5] == "20.0"
    found = {row[3]: row for row in rows}
    assert found["blaise"][0] == "Pas\"cal, B., =HYPERLINK(1)" and float(found["blaise"][5]) == 15.62
    assert found["nobody"][5] == "" and float(found["refused"][5]) == 0
    assert found["crash"][6] == f"{NAME}: crashed" and found["ada"][6] == "" and found["nobody"][6] == f"{NAME}: not handed in"


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
