"""What there is to remark on a submission: one list, in the log of both commands, the table, the record, the page and the exports."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from conftest import Course, copy_of
from nbformat.v4 import new_code_cell, new_notebook

from unrolled.grading import names, rebuild, referee, steps

NAME = "02-rnn-forward"
FILE = f"{NAME}.ipynb"
ONE_HOT = "def one_hot(ids, V):\n    return np.eye(V)[ids]"


# --- Which notebook counts ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def release(course) -> nbformat.NotebookNode:
    return nbformat.read(course / "assignments" / NAME / FILE, as_version=4)


def _other(course: Path, name: str = "03-bptt") -> nbformat.NotebookNode:
    return nbformat.read(course / "assignments" / name / f"{name}.ipynb", as_version=4)


def _folder(tmp_path: Path, **notebooks: nbformat.NotebookNode | str) -> Path:
    folder = tmp_path / "ada" / NAME
    folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        text = notebook if isinstance(notebook, str) else nbformat.writes(notebook)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / FILE


def _stripped(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as an editor leaves it that keeps texts alone."""
    return new_notebook(cells=[new_code_cell(cell.source) for cell in notebook.cells if cell.cell_type == "code"])


def _of(release, path: Path) -> rebuild.Rebuilt:
    return rebuild.of_file(release, path, {FILE})


@pytest.mark.parametrize("name", ["01-language-models", "03-bptt", "04-training", "05-lstm", "06-gru-and-depth", "07-seq2seq", "08-your-data"])
@pytest.mark.parametrize("change", [lambda notebook: notebook, _stripped], ids=["as released", "without metadata"])
def test_notebook_of_another_assignment_is_refused_by_name(course, release, tmp_path, name, change):
    found = _of(release, _folder(tmp_path, **{FILE: change(_other(course, name))}))
    assert found.problem == f"“{FILE}” is the notebook of {name}, where “{FILE}” was to be handed in."


def test_notebook_of_another_assignment_under_its_own_name_is_refused_and_the_name_told(course, release, tmp_path):
    found = _of(release, _folder(tmp_path, **{"03-bptt.ipynb": _other(course)}))
    assert found.problem == f"“03-bptt.ipynb” is the notebook of 03-bptt, where “{FILE}” was to be handed in."
    assert found.notes == [f"“03-bptt.ipynb” is read in place of “{FILE}”."]


@pytest.mark.parametrize("written", [
    ["import numpy as np", ONE_HOT], [ONE_HOT, 'check("one_hot", one_hot)', 'check("rnn_backward", rnn_backward)'], ["x = 1"],
])  # fmt: skip
def test_notebook_of_a_learner_s_own_is_not_taken_for_another_assignment_s(release, tmp_path, written):
    own = new_notebook(cells=[new_code_cell(text) for text in written])
    assert _of(release, _folder(tmp_path, **{FILE: own})).problem is None


def test_both_assignments_in_one_notebook_are_read(course, release, tmp_path):
    both = nbformat.from_dict(release)
    both.cells = [*release.cells, *(cell for cell in _other(course).cells if rebuild.is_solution(cell))]
    assert _of(release, _folder(tmp_path, **{FILE: both})).problem is None


def test_second_notebook_is_named(release, tmp_path):
    written = nbformat.from_dict(release)
    next(cell for cell in written.cells if rebuild.is_solution(cell)).source = ONE_HOT
    found = _of(release, _folder(tmp_path, **{FILE: written, f"{NAME}-Copy1.ipynb": release}))
    assert found.notes == [f"Beside “{FILE}” lies “{NAME}-Copy1.ipynb”, not read."]


def test_second_notebook_is_warned_of_where_the_graded_one_is_as_it_was_released(release, tmp_path):
    found = _of(release, _folder(tmp_path, **{FILE: release, f"{NAME}-Copy1.ipynb": release, "b.IPYNB": "x", ".hidden.ipynb": "x"}))
    (note,) = found.notes
    assert note == f"“{FILE}” is as it was released, and beside it lies “{NAME}-Copy1.ipynb” and “b.IPYNB”, not read: the wrong one may be graded."


def test_two_notebooks_of_which_none_has_the_right_name_are_both_named_and_none_is_graded(release, tmp_path):
    found = _of(release, _folder(tmp_path, **{"a.ipynb": release, "b.ipynb": release}))
    assert found.problem == f"There is no “{FILE}”, but “a.ipynb” and “b.ipynb”: which of them counts? Hand in one, under the right name."


def test_of_many_notebooks_the_first_are_named(release, tmp_path):
    found = _of(release, _folder(tmp_path, **{f"n{i:02}.ipynb": "x" for i in range(30)}))
    assert "“n04.ipynb” and 25 more" in found.problem and "n05" not in found.problem


def test_folder_that_is_a_link_is_not_looked_into(release, tmp_path):
    _folder(tmp_path, **{"a.ipynb": release, "b.ipynb": release})
    (tmp_path / "eve").symlink_to(tmp_path / "ada")
    assert "a.ipynb" not in _of(release, tmp_path / "eve" / NAME / FILE).problem


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["\x1b[2J.ipynb", "a\nGraded: 20 of 20.ipynb", "\u202egpj.ipynb", "\x07.ipynb", "\udcff.ipynb", "x" * 200 + ".ipynb"])
def test_name_of_a_file_is_shown_on_one_line_without_anything_that_is_obeyed(release, tmp_path, name):
    path = _folder(tmp_path)
    (path.parent / name).write_text("x")
    found = _of(release, path)
    for text in [found.problem, *found.notes]:
        assert text.isprintable() and len(text) <= rebuild.MAX_REMARK


@pytest.mark.parametrize("name", ["Li Lei. 李雷 v1.0", "ada", "a [1]* x", "ada@example.org", "-minus", "ö" * 127])
def test_name_of_a_student_may_be_what_people_are_called(name):
    assert names.unfit(name) == ""


@pytest.mark.parametrize("name, said", [
    ("", "blank"), (" ada", "space"), ("ada ", "space"), (".ada", "dot"), ("a/b", "“/”"), ("a\x1b", "shown"), ("x" * 256, "longer"), ("李" * 100, "longer"),
])  # fmt: skip
def test_name_that_no_folder_of_a_student_has_is_refused_with_the_reason(name, said):
    assert said in names.unfit(name)


# --- Everywhere --------------------------------------------------------------------------------


@dataclass
class Remarked:
    """A class with something to remark on everybody, graded by each command, and what each said."""

    course: Course
    by_unrolled: str
    by_nbgrader: str


REMARKS = {
    "copy": f"“{FILE}” is as it was released, and beside it lies “{NAME}-Copy1.ipynb”, not read: the wrong one may be graded.",
    "renamed": f"“rnn �[31m.ipynb” is read in place of “{FILE}”.",
    "[br]*ack?": "timestamp.txt holds no time (Unknown string format: �[2J soon); the submission counts as on time.",
    "two": f"There is no “{FILE}”, but “a.ipynb” and “b.ipynb”: which of them counts? Hand in one, under the right name.",
    "wrong": f"“{FILE}” is the notebook of 03-bptt, where “{FILE}” was to be handed in.",
}


@pytest.fixture(scope="module")
def remarked(bwrap, released_course, course, tmp_path_factory) -> Remarked:
    import sample_class

    made = copy_of(released_course, tmp_path_factory.mktemp("remarked") / "course")
    submitted = made.folder / "class" / "submitted"
    made.hand_in("ada")
    shutil.copytree(submitted / "ada", submitted / " led")
    shutil.copytree(submitted / "ada", submitted / ".hidden")
    folder = made.hand_in("copy")
    shutil.copy(folder / FILE, folder / f"{NAME}-Copy1.ipynb")
    shutil.copy(made.folder / "assignments" / NAME / FILE, folder / FILE)
    folder = made.hand_in("renamed")
    (folder / FILE).rename(folder / "rnn \x1b[31m.ipynb")
    folder = made.hand_in("[br]*ack?")
    (folder / "timestamp.txt").write_text("\x1b[2J soon")
    (folder / "secret.txt").symlink_to("/etc/passwd")
    (folder / ".secret").symlink_to("/etc/passwd")
    folder = made.hand_in("two")
    shutil.copy(folder / FILE, folder / "a.ipynb")
    (folder / FILE).rename(folder / "b.ipynb")
    folder = made.hand_in("wrong")
    shutil.copy(course / "assignments" / "03-bptt" / "03-bptt.ipynb", folder / FILE)
    by_nbgrader = sample_class.nbgrader(made.folder, "autograde", NAME)
    done = made.command("grade", NAME, "--force", "--workers", "1")
    sample_class.nbgrader(made.folder, "generate_feedback", NAME)
    return Remarked(made, done.stdout, by_nbgrader)


@pytest.mark.slow
@pytest.mark.parametrize("student", REMARKS)
def test_remark_is_in_log_table_record_page_and_exports(remarked, student):
    remark, course = REMARKS[student], remarked.course
    assert f"{student}: {remark}" in remarked.by_nbgrader
    assert re.search(rf"^{re.escape(student)}: (graded|refused|cached): .*{re.escape(remark)}", remarked.by_unrolled, re.MULTILINE)
    record = referee.ClassFolder(course.folder / "class").record(student, NAME)
    assert referee.remarks_of(record) == [remark]
    page = (course.folder / "class" / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert remark in html.unescape(page)
    rows = {row["student_id"]: row for row in csv.DictReader(course.plugin("table").splitlines())}
    assert rows[student]["remarks"] == remark and rows["ada"]["remarks"] == ""
    for layout in ("canvas", "moodle"):
        assert remark in course.plugin(layout)


@pytest.mark.slow
def test_both_commands_leave_out_the_same_folders_and_say_so(remarked):
    for said in (remarked.by_nbgrader, remarked.by_unrolled):
        assert re.search(r"“? led”?.* begins or ends with a space; rename it", said) and re.search(r"\.hidden.* begins with a dot", said)
    assert set(remarked.course.points()) == {"ada", *REMARKS}


@pytest.mark.slow
def test_nothing_that_a_terminal_obeys_is_printed(remarked):
    for said in (remarked.by_nbgrader, remarked.by_unrolled):
        assert "\x1b[31m" not in said and "\x1b[2J" not in said


@pytest.mark.slow
def test_links_beside_a_notebook_are_not_followed_whatever_the_student_is_called(remarked):
    found = [path.name for path in (remarked.course.folder / "class" / "autograded").rglob("*") if path.is_file()]
    assert set(found) == {FILE}


@pytest.mark.slow
def test_answers_that_wait_for_a_person_come_before_feedback(bwrap, course_of):
    made = course_of("03-bptt")
    made.hand_in("ada", explanation="The state is carried, the gradient is cut.")
    said = made.command("grade", "03-bptt", "--workers", "1").stdout
    assert "Answers to mark by hand: 1 (“ada”). Next:  jupyter lab" in said
    assert said.index("Manual Grading") < said.index("After that:  nbgrader generate_feedback 03-bptt")
