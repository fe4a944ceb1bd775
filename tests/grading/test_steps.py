"""The referee inside nbgrader: what it finds, writes and refuses."""

from __future__ import annotations

import dataclasses
import json

import nbformat
import pytest
from nbgrader.utils import determine_grade

from unrolled.checks import TASKS
from unrolled.grading import referee, sandbox, steps

pytestmark = pytest.mark.slow

NAME = "02-rnn-forward"


def _graded(course, student: str) -> nbformat.NotebookNode:
    return nbformat.read(course.folder / "class" / "autograded" / student / NAME / f"{NAME}.ipynb", as_version=4)


def _record(course, student: str) -> dict:
    return referee.ClassFolder(course.folder / "class").record(student, NAME)


def test_points_come_first_and_the_report_second(bwrap, small_course):
    small_course.hand_in("anna", one_hot_code="def one_hot(ids, V):\n    print('<b>hi</b>')\n    return None")
    assert small_course.grade("anna")["success"]
    cells = {c.metadata.nbgrader.grade_id: c for c in _graded(small_course, "anna").cells if "nbgrader" in c.metadata}
    for name in ("one_hot", "rnn_step"):
        assert [output.output_type for output in cells[name].outputs] == ["execute_result", "display_data"]
    assert determine_grade(cells["one_hot"]) == (0, 2) and determine_grade(cells["rnn_step"]) == (4, 4)
    assert "<b>hi" not in cells["one_hot"].outputs[1].data["text/html"]
    assert "&lt;b&gt;hi" in cells["one_hot"].outputs[1].data["text/html"]


def test_record_holds_what_repeats_the_grade(bwrap, small_course):
    small_course.hand_in("bert")
    assert small_course.grade("bert")["success"]
    record = _record(small_course, "bert")
    cells = [referee.Cell(**cell) for cell in record["cells"]]
    again = referee.judge(cells, record["seed"])
    assert json.loads(json.dumps(again.tasks)) == record["outcome"]["tasks"]
    assert record["points"] == 20 and record["versions"]["numpy"]


def test_generating_an_assignment_leaves_what_the_references_give_so_that_grading_computes_none(bwrap, small_course):
    truths = small_course.folder / "class" / "truths"
    before = {path.name: path.stat().st_mtime_ns for path in truths.iterdir()}
    small_course.hand_in("bodo")
    assert small_course.grade("bodo")["success"]
    assert len(before) == 1 and {path.name: path.stat().st_mtime_ns for path in truths.iterdir()} == before


def test_seed_is_in_no_file_that_goes_back(bwrap, small_course):
    small_course.hand_in("cora")
    small_course.grade("cora")
    seed = str(_record(small_course, "cora")["seed"])
    text = (small_course.folder / "class" / "autograded" / "cora" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert seed not in text


def test_notebook_under_another_name_is_graded(bwrap, small_course):
    folder = small_course.hand_in("dirk")
    (folder / f"{NAME}.ipynb").rename(folder / f"{NAME} (1).ipynb")
    assert small_course.grade("dirk")["success"]
    assert small_course.points()["dirk"] == 20


def test_folder_with_signs_of_a_pattern_is_graded(bwrap, small_course):
    small_course.hand_in("e [1]* x")
    assert small_course.grade("e [1]* x")["success"]
    assert small_course.points()["e [1]* x"] == 20


def test_time_of_receipt_is_kept_and_another_one_is_a_reason_to_grade_anew(bwrap, small_course):
    folder = small_course.hand_in("fred")
    for time in ("2030-01-02 12:00:00", "2030-01-01 12:00:00"):  # the second was corrected by hand
        (folder / "timestamp.txt").write_text(f"{time} UTC")
        assert small_course.grade("fred", force=False)["success"]
        assert str(small_course.book()[NAME, "fred"]["received"]) == time


def test_grade_without_a_sandbox_says_so_in_every_report(small_course, monkeypatch):
    monkeypatch.setenv("UNROLLED_UNSAFE", "1")
    small_course.hand_in("gina")
    assert small_course.grade("gina")["success"]
    tests = [c for c in _graded(small_course, "gina").cells if steps.rebuild.is_test(c)]
    for kind in ("text/plain", "text/html"):
        assert len(tests) == 6 and all("UNROLLED_UNSAFE=1" in c.outputs[1].data[kind] for c in tests)


def test_missing_sandbox_stops_before_anything_is_graded(small_course, monkeypatch):
    monkeypatch.delenv("UNROLLED_UNSAFE", raising=False)
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: None)
    sandbox._require_works.cache_clear()
    small_course.hand_in("hugo")
    try:
        result = small_course.grade("hugo")
    finally:
        sandbox._require_works.cache_clear()
    assert not result["success"] and "sudo apt-get install bubblewrap" in result["log"] and "Traceback" not in result["log"]
    assert not (small_course.folder / "class" / "autograded" / "hugo" / NAME).exists()


def test_broken_reference_fails_the_submission_loudly_and_names_it(bwrap, small_course, monkeypatch):
    def broken(*_):
        raise RuntimeError("no such device")

    small_course.hand_in("ines", one_hot_code="def one_hot(ids, V):\n    return np.eye(V)[ids] + 0.0")
    task = dataclasses.replace(TASKS["one_hot"], reference=broken)
    with monkeypatch.context() as patch:
        patch.setattr(referee, "find", lambda name: task if name == "one_hot" else TASKS[name])
        result = small_course.grade("ines")
    assert not result["success"] and "check of one_hot broke down" in result["log"] and "no such device" in result["log"]
    assert _record(small_course, "ines")["status"] == "fault"
    assert not (small_course.folder / "class" / "autograded" / "ines" / NAME).exists()
    assert small_course.grade("ines")["success"] and small_course.points()["ines"] == 20


def test_test_cell_without_a_task_is_refused_before_anything_is_graded(bwrap, small_course):
    path = small_course.folder / "assignments" / NAME / f"{NAME}.ipynb"
    before = path.read_text(encoding="utf-8")
    small_course.hand_in("jane")
    path.write_text(before.replace('"grade_id": "one_hot"', '"grade_id": "one_hott"'), encoding="utf-8")
    try:
        result = small_course.grade("jane")
    finally:
        path.write_text(before, encoding="utf-8")
    assert not result["success"] and "no task judges: one_hott" in result["log"]


def test_missing_release_is_refused_with_the_command_that_makes_it(bwrap, small_course):
    folder = small_course.folder / "assignments" / NAME
    small_course.hand_in("karl")
    folder.rename(folder.with_name("away"))
    try:
        result = small_course.grade("karl")
    finally:
        folder.with_name("away").rename(folder)
    assert not result["success"] and f"nbgrader generate_assignment {NAME}" in result["log"]


def test_points_of_the_gradebook_hold_where_the_release_has_others(bwrap, small_course):
    path = small_course.folder / "assignments" / NAME / f"{NAME}.ipynb"
    before = path.read_text(encoding="utf-8")
    small_course.hand_in("mona")
    assert '"points": 2' in before
    path.write_text(before.replace('"points": 2', '"points": 7'), encoding="utf-8")
    try:
        small_course.grade("mona")
    finally:
        path.write_text(before, encoding="utf-8")
    assert small_course.points()["mona"] == 20


def test_release_with_a_cell_that_the_gradebook_does_not_know_is_refused_with_the_command_that_helps(bwrap, fresh_course):
    from nbgrader.api import Gradebook

    fresh_course.hand_in("nora")
    with Gradebook(f"sqlite:///{fresh_course.folder / 'class' / 'gradebook.db'}") as book:
        book.find_source_cell("rnn_step", NAME, NAME).name = "another"
        book.db.commit()
    result = fresh_course.grade("nora")
    assert not result["success"] and f"nbgrader generate_assignment {NAME} --force" in result["log"]
    assert not (fresh_course.folder / "class" / "autograded" / "nora" / NAME).exists()


def test_grade_that_a_person_gave_survives_a_second_run(bwrap, small_course):
    from nbgrader.api import Gradebook

    small_course.hand_in("lena", one_hot_code="")
    small_course.grade("lena")
    with Gradebook(f"sqlite:///{small_course.folder / 'class' / 'gradebook.db'}") as book:
        book.find_grade("one_hot", NAME, NAME, "lena").manual_score = 1.5
        book.db.commit()
    small_course.grade("lena")
    assert small_course.points()["lena"] == pytest.approx(18 - 0 + 1.5)


def test_sample_class_is_graded_without_a_sandbox_where_there_is_none(monkeypatch):
    import sample_class

    monkeypatch.setattr(sandbox.shutil, "which", lambda *_, **__: None)
    sample_class.unsafe.cache_clear()
    try:
        assert "not installed" in sample_class.unsafe()
        assert sample_class.environment()["UNROLLED_UNSAFE"] == "1"
    finally:
        sample_class.unsafe.cache_clear()
